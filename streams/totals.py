"""The fleet's counts of one partition: flows by bucket and gauges, and which of them its partials have not shown yet."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

import msgspec
from msgspec import Struct, field

from processors.fleet import FIGURES
from processors.names import OTHER
from processors.sketch import BEFORE_BIN
from processors.windows import DAY_MS
from streams.turns import Turns

TotalKey = tuple[str, str, int | None]
"""(figure, dimension, start of the bucket in epoch milliseconds, None for a gauge)."""

META_KEY = b"meta"

TALLIED = frozenset({"events_by_day", "oddities_by_day"})
"""The flows that the metrics count: what was added to them since the last transaction goes with each."""


class PartitionMeta(Struct, array_like=True):
    """What a task knows beside customers and counts, in the same changelog and the same transactions.

    `clock_ms` is the highest record timestamp consumed; `offsets` the next offset of each input; `config_since_ms` the clock at
    which `config_version` took effect; `as_of_ms` the tick whose work is done; `partial_sequence` numbers the partials. `fleet`
    are the fleet's figures by name as the newest tick brought them; `feeds` is the clock at each feed's newest event, `quiet`
    are the feeds that the partials show as quiet, and `back` is the clock at which each that had been quiet came back last;
    `turns` is whose outputs are published.
    """

    partitions: int
    clock_ms: int = 0
    offsets: dict[str, int] = {}
    config_version: int = 0
    config_since_ms: int = 0
    as_of_ms: int = 0
    partial_sequence: int = 0
    fleet: dict[str, float | None] = {}
    feeds: dict[str, int] = {}
    quiet: dict[str, int] = {}
    back: dict[str, int] = {}
    turns: Turns = field(default_factory=Turns)


class _Total(Struct, array_like=True, gc=False):
    counts: list[int]
    shown: list[int] = []


_encode = msgspec.msgpack.Encoder().encode
_decode_total = msgspec.msgpack.Decoder(_Total).decode
_decode_key = msgspec.msgpack.Decoder(TotalKey).decode
_decode_meta = msgspec.msgpack.Decoder(PartitionMeta).decode


class TotalsStore:
    """All counts of one partition. A flow's bucket that is older than anyone looks is removed."""

    def __init__(self, meta: PartitionMeta) -> None:
        self.meta = meta
        self._totals: dict[TotalKey, _Total] = {}
        self._names: Counter[tuple[str, int | None]] = Counter()  # dimensions of each bucket of the figures that are bounded
        self._changed: set[TotalKey] = set()
        self._unshown: set[TotalKey] = set()
        self._tallied: dict[TotalKey, int] = {}  # what each total of a tallied flow stood at when it was last told
        self._tally: Counter[tuple[str, str]] = Counter()

    def restore(self, records: Iterable[tuple[bytes, bytes | None]]) -> None:
        """Take in changelog records in their order; None removes."""
        for key, value in records:
            if key == META_KEY:
                if value is not None:
                    self.meta = _decode_meta(value)
                continue
            name = _decode_key(key)
            self._unshown.discard(name)
            if value is None:
                if name in self._totals:
                    self._forget(name)
                self._tallied.pop(name, None)
                continue
            total = self._know(name, _decode_total(value))
            if name[0] in TALLIED:
                self._tallied[name] = total.counts[0]
            if total.counts != total.shown:
                self._unshown.add(name)

    def add(self, key: TotalKey, counts: Iterable[int]) -> None:
        """Add to a total, place by place. One that is zero and was never shown is none."""
        total = self._totals.get(key)
        if total is None:
            key = self._within_bound(key)
            total = self._totals.get(key) or self._know(key, _Total([0] * len(FIGURES[key[0]].places)))
        for place, count in enumerate(counts):
            total.counts[place] += count
        self._changed.add(key)
        self._unshown.add(key)
        if not total.shown and not any(total.counts):
            self._remove(key)

    def counts(self, key: TotalKey) -> list[int]:
        """What a total stands at."""
        total = self._totals.get(key)
        return [0] * len(FIGURES[key[0]].places) if total is None else list(total.counts)

    def values(self) -> Mapping[TotalKey, list[int]]:
        """All totals."""
        return {key: list(total.counts) for key, total in self._totals.items()}

    def records(self) -> Iterator[tuple[bytes, bytes]]:
        """All totals and the meta record, as the changelog holds them."""
        yield META_KEY, _encode(self.meta)
        for key, total in self._totals.items():
            yield _encode(key), _encode(total)

    def take_unshown(self) -> list[tuple[TotalKey, list[int] | None]]:
        """The totals that differ from what was shown last, in a fixed order; they count as shown from now on.

        None for one that has come to zero: it is gone, and nothing is kept of it.
        """
        found: list[tuple[TotalKey, list[int] | None]] = []
        for key in sorted(self._unshown, key=_sort_key):
            total = self._totals[key]
            if total.counts == total.shown:
                continue
            self._changed.add(key)
            if any(total.counts):
                total.shown = list(total.counts)
                found.append((key, list(total.counts)))
            else:
                self._forget(key)
                found.append((key, None))
        self._unshown.clear()
        return found

    def expire(self, as_of_ms: int) -> list[TotalKey]:
        """Remove the buckets of flows that nobody looks at any more; returns those that had been shown, in a fixed order."""
        gone = []
        for (figure, dimension, bucket), total in list(self._totals.items()):
            keep_days = FIGURES[figure].keep_days
            if bucket is not None and keep_days is not None and bucket < as_of_ms - (keep_days + 1) * DAY_MS:
                if figure in TALLIED:
                    self._count((figure, dimension, bucket), total)  # what came and is too old at once was added all the same
                    self._tallied.pop((figure, dimension, bucket), None)
                self._remove((figure, dimension, bucket))
                if total.shown:
                    gone.append((figure, dimension, bucket))
        return sorted(gone, key=_sort_key)

    def _within_bound(self, key: TotalKey) -> TotalKey:
        """The key itself, or that of `other` where a figure's bucket has as many names as it may: the first ones are followed.

        Each event is added by itself, so which ones are first depends on the order of the log alone. A bin after the name stays.
        """
        figure, dimension, bucket = key
        most = FIGURES[figure].most_names
        if most is None or self._names[figure, bucket] < most:
            return key
        _, separator, last = dimension.rpartition(BEFORE_BIN)
        return figure, OTHER + separator + last if "/bin" in FIGURES[figure].dimension else OTHER, bucket

    def _know(self, key: TotalKey, total: _Total) -> _Total:
        if key not in self._totals and FIGURES[key[0]].most_names is not None:
            self._names[key[0], key[2]] += 1
        self._totals[key] = total
        return total

    def _forget(self, key: TotalKey) -> None:
        del self._totals[key]
        if FIGURES[key[0]].most_names is not None:
            self._names[key[0], key[2]] -= 1
            if not self._names[key[0], key[2]]:
                del self._names[key[0], key[2]]

    def _remove(self, key: TotalKey) -> None:
        self._forget(key)
        self._changed.add(key)
        self._unshown.discard(key)

    def take_changes(self) -> list[tuple[bytes, bytes | None]]:
        """The changelog records since the last call, the meta record always among them."""
        changes: list[tuple[bytes, bytes | None]] = [(META_KEY, _encode(self.meta))]
        for key in sorted(self._changed, key=_sort_key):
            total = self._totals.get(key)
            changes.append((_encode(key), None if total is None else _encode(total)))
            if key[0] in TALLIED:
                self._count(key, total)
        self._changed.clear()
        return changes

    def take_tally(self) -> dict[tuple[str, str], int]:
        """What the changes taken since the last call have added to the tallied flows, by figure and dimension."""
        tally, self._tally = dict(self._tally), Counter()
        return tally

    def _count(self, key: TotalKey, total: _Total | None) -> None:
        before = self._tallied.pop(key, 0)
        if total is not None:
            self._tallied[key] = total.counts[0]
            self._tally[key[0], key[1]] += max(0, total.counts[0] - before)


def _sort_key(key: TotalKey) -> tuple[str, str, int]:
    return key[0], key[1], -1 if key[2] is None else key[2]
