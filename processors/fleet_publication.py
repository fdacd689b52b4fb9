"""What is published about the whole fleet: each value when it changed, the fleet's alerts, the touchpoint map, the owners' lists.

What was published is remembered as a digest and a number for each key, so that a restart publishes nothing twice and a record's
id is the same whenever the same partials are read in the same order.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from hashlib import blake2b
from typing import Any, Final

import msgspec
from msgspec import Struct

from processors import fleet_journey
from processors.definitions import Definitions
from processors.effects import record_id
from processors.fleet import FIGURES
from processors.fleet_figures import MAKERS, MRR_TOP_TENTH, Maker, View
from processors.fleet_rules import Finding, FleetRuleBook, judge, judge_standstill
from processors.fleet_state import FleetState
from processors.fleet_touchpoints import touchpoint_map
from processors.fleet_view import FleetValue
from processors.months import month_name
from processors.windows import DAY_MS, HOUR_MS
from schemas.records import FleetAlert, FleetOutput, FleetSnapshot, MaturityPoint, TouchpointMap

COVERAGE: Final = "coverage_share"
TICK_FIGURES: Final = ("churner_share", MRR_TOP_TENTH)
"""What customers' rules need of the fleet. It goes out with every publication, changed or not, so that the newest is never far
from the end of its topic."""

MAP_KEY: Final = "touchpoint_map"
_GONE: Final = "nothing is counted here any more"
_MONTH: Final = re.compile(r"(\d{4}-\d{2})(?:/.*)?")
_DIGEST_BYTES: Final = 8
_DOUBLES: Final = ("value", "numerator", "denominator")

_encode = msgspec.msgpack.Encoder().encode


class Published(Struct, array_like=True, gc=False):
    """What was last published under a key: its number, and a digest of what it said.

    Of a month that is over: a digest of its counts, and how often they have changed since they were first told.
    """

    sequence: int
    digest: bytes
    closed: bytes = b""
    revision: int = 0


class Keyed(Struct, frozen=True, gc=False):
    """A record to publish, with its key in its topic."""

    key: str
    record: FleetOutput


class Memory:
    """What was published, by kind and key; `changed` names what differs from the last time it was written down."""

    def __init__(self) -> None:
        self.published: dict[tuple[str, str], Published] = {}
        self.books: dict[str, FleetRuleBook] = {}
        self.months: dict[str, list[MaturityPoint]] = {}
        self.changed: set[tuple[str, str]] = set()
        self._last: dict[tuple[str, str], object] = {}  # what was last asked for, to be compared without a digest

    def points(self) -> list[MaturityPoint]:
        """The history of maturity, month by month."""
        return [point for month in sorted(self.months) for point in self.months[month]]

    def keep(self, months: dict[str, list[MaturityPoint]]) -> None:
        """Replace the history of maturity."""
        for month in self.months.keys() | months.keys():
            if self.months.get(month) != months.get(month):
                self.changed.add(("month", month))
        self.months = months

    def next_number(self, kind: str, key: str, content: object) -> int | None:
        """The number of the next record under a key; None when it would say what the last one said."""
        if self._last.get((kind, key)) == content:
            return None
        self._last[kind, key] = content
        digest = blake2b(_encode(content), digest_size=_DIGEST_BYTES).digest()
        known = self.published.get((kind, key))
        if known is not None and known.digest == digest:
            return None
        return self._number(kind, key, digest, known)

    def number(self, kind: str, key: str) -> int:
        """The number of the next record under a key, whatever it says."""
        return self._number(kind, key, b"", self.published.get((kind, key)))

    def revision(self, key: str, counts: tuple[float | None, ...]) -> int:
        """How often the counts of a month that is over have changed since they were first told; to be asked for each record."""
        published = self.published["value", key]
        digest = blake2b(_encode(counts), digest_size=_DIGEST_BYTES).digest()
        if published.closed and published.closed != digest:
            published.revision += 1
        published.closed = digest
        return published.revision

    def say_all_again(self) -> None:
        """Forget what was said, but not how often: the next record of each key goes out even if it says the same."""
        self._last.clear()
        for kind_and_key, published in self.published.items():
            published.digest = b""
            self.changed.add(kind_and_key)

    def _number(self, kind: str, key: str, digest: bytes, known: Published | None) -> int:
        sequence = 1 if known is None else known.sequence + 1
        closed, revision = (b"", 0) if known is None else (known.closed, known.revision)
        self.published[kind, key] = Published(sequence, digest, closed, revision)
        self.changed.add((kind, key))
        return sequence


class Edition(Struct, frozen=True, kw_only=True):
    """What all records of one publication have in common."""

    incarnation: str
    as_of_ms: int
    emitted_at: int | None
    config_version: int
    coverage_share: float

    @staticmethod
    def record_id(incarnation: str, kind: str, key: str, sequence: int) -> str:
        """Id of the `sequence`-th record of a kind and key about the fleet."""
        return record_id(incarnation, "fleet", f"{kind}\x00{key}", sequence)

    def head(self, kind: str, key: str, sequence: int) -> dict[str, Any]:
        """The fields that every record about the fleet carries."""
        return {
            "record_id": self.record_id(self.incarnation, kind, key, sequence),
            "sequence": sequence,
            "as_of": self.as_of_ms,
            "emitted_at": self.emitted_at,
            "config_version": self.config_version,
        }


class MakerFailed(Struct, frozen=True):
    """A family's figures could not be made, which is a mistake of this program: the others are published all the same."""

    family: str
    error: Exception


class _Made(Struct):
    """What a family made, the figures it looked at, and the time and definitions it was made for."""

    values: list[FleetValue]
    read: set[str]
    stamp: tuple[int, int | None, Definitions]


class Workshop:
    """Makes the values of all families; those of a family whose counts have not changed since are kept.

    What only time changes, changes with the UTC day, or with the hour for a family that looks at flows by hour.
    """

    def __init__(self, makers: Iterable[Maker] = MAKERS) -> None:
        self._makers = tuple(makers)
        self._made: dict[int, _Made] = {}

    def values(self, state: FleetState, definitions: Definitions) -> tuple[list[FleetValue], list[MakerFailed]]:
        """The values of all families, and which could not be made."""
        changed = state.take_changed()
        values: list[FleetValue] = []
        failed = []
        for place, maker in enumerate(self._makers):
            made = self._made.get(place)
            if made is None or made.read & changed or made.stamp != _stamp(state.as_of_ms, made.read, definitions):
                view = View(state, definitions)
                self._made.pop(place, None)
                try:
                    made = _Made(list(maker(view)), view.read, _stamp(state.as_of_ms, view.read, definitions))
                except Exception as error:  # noqa: BLE001 - one family must not take the others with it; the caller logs it
                    failed.append(MakerFailed(maker.__module__, error))
                    continue
                self._made[place] = made
            values += made.values
        return values, failed


def _stamp(as_of_ms: int, read: set[str], definitions: Definitions) -> tuple[int, int | None, Definitions]:
    by_hour = any(FIGURES[figure].bucket_ms == HOUR_MS for figure in read)
    return as_of_ms // DAY_MS, as_of_ms // HOUR_MS if by_hour else None, definitions


def value_key(value: FleetValue) -> str:
    """What tells a figure's records from all others."""
    return f"{value.figure}|{value.dimension}|{'' if value.window_days is None else value.window_days}"


def coverage(memory: Memory, edition: Edition, reported: int, partitions: int) -> Iterator[Keyed]:
    """How many partitions have been heard of and go on: the only figure before all have, and while one stands still."""
    value = coverage_value(reported, partitions)
    yield from _snapshots(memory, edition, [(value_key(value), value)])


def coverage_value(reported: int, partitions: int) -> FleetValue:
    """The share of the partitions that have been heard of and go on."""
    return FleetValue(
        figure=COVERAGE, value=reported / partitions, numerator=float(reported), denominator=float(partitions), n=partitions
    )


def snapshots(memory: Memory, edition: Edition, values: list[FleetValue], *, is_whole: bool) -> Iterator[Keyed]:
    """A record for each value that changed since it was last published.

    `is_whole`: these are all there are, so a figure that was published before and is none of them is told to be gone.
    """
    keyed = [(value_key(value), value) for value in values]
    yield from _snapshots(memory, edition, keyed)
    if is_whole:
        present = {f"{COVERAGE}||", *(key for key, _ in keyed)}
        gone = sorted(key for kind, key in memory.published if kind == "value" and key not in present)
        yield from _snapshots(memory, edition, [(key, _gone(key)) for key in gone])


def alerts(memory: Memory, edition: Edition, view: View, values: list[FleetValue], partitions: int) -> Iterator[Keyed]:
    """The fleet's alerts that opened, changed or ended."""
    whole = {value.figure: value for value in values if not value.dimension}
    yield from _alerts(memory, edition, judge(view, whole, memory.books, partitions))


def standstill_alerts(memory: Memory, edition: Edition, view: View, partitions: int) -> Iterator[Keyed]:
    """The alerts on partitions that stand still: they go out while nothing else can."""
    yield from _alerts(memory, edition, judge_standstill(view, memory.books, partitions))


def _alerts(memory: Memory, edition: Edition, findings: Iterable[Finding]) -> Iterator[Keyed]:
    for found in findings:
        memory.changed.add(("rule", found.place))
        record = FleetAlert(
            **edition.head("alert", found.place, found.sequence),
            episode_id=found.episode_id,
            rule=found.rule,
            rule_version=found.version,
            state=found.state,
            severity=found.severity,
            opened_at=found.opened_at,
            evidence=found.evidence,
            explanation=found.explanation,
            action=found.action,
            resolution=found.resolution,
        )
        yield Keyed(found.place, record)


def touchpoint_maps(memory: Memory, edition: Edition, view: View) -> Iterator[Keyed]:
    """The touchpoint map, when anything on it changed."""
    stations, steps = touchpoint_map(view), fleet_journey.steps(view)
    sequence = memory.next_number("map", MAP_KEY, (stations, steps))
    if sequence is not None:
        head = edition.head("map", MAP_KEY, sequence)
        yield Keyed(MAP_KEY, TouchpointMap(**head, stations=stations, steps=steps, coverage_share=edition.coverage_share))


def tick_figures(values: Iterable[FleetValue]) -> Mapping[str, float | None]:
    """What the ticks carry to the customers' rules, by name; one that is cut by a dimension has it behind a bar."""
    return {
        f"{value.figure}|{value.dimension}" if value.dimension else value.figure: value.value
        for value in values
        if value.figure in TICK_FIGURES
    }


def _snapshots(memory: Memory, edition: Edition, values: Iterable[tuple[str, FleetValue]]) -> Iterator[Keyed]:
    for key, value in values:
        if value.figure in TICK_FIGURES:
            sequence: int | None = memory.number("value", key)
        else:
            sequence = memory.next_number("value", key, value)
        if sequence is not None:
            fields = msgspec.structs.asdict(value)
            for name in _DOUBLES:
                if fields[name] is not None:
                    fields[name] = float(fields[name])  # a family may have counted it in whole numbers
            head = edition.head("value", key, sequence)
            revision = _revision(memory, edition, key, value)
            yield Keyed(key, FleetSnapshot(**head, **fields, coverage_share=edition.coverage_share, revision=revision))


def _revision(memory: Memory, edition: Edition, key: str, value: FleetValue) -> int:
    """How often the figure of a month that is over was put right: by what came late, or by what could only come out later."""
    month = _MONTH.fullmatch(value.dimension)
    if month is None or value.reason == _GONE or month[1] >= month_name(edition.as_of_ms):
        return 0
    return memory.revision(key, (value.value, value.numerator, value.denominator))


def _gone(key: str) -> FleetValue:
    named, _, days = key.rpartition("|")
    figure, _, dimension = named.partition("|")
    return FleetValue(figure=figure, dimension=dimension, window_days=int(days) if days else None, n=0, reason=_GONE)
