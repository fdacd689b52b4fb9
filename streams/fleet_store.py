"""What the fleet's task knows, as its changelog holds it: the parts, how far each partition has come, and what was published."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

import msgspec
from msgspec import Struct, field

from processors.fleet_publication import Memory, Published
from processors.fleet_reports import Days
from processors.fleet_rules import FleetRuleBook
from processors.fleet_state import CountKey, FleetState, Mark
from schemas.records import MaturityPoint

META_KEY = b"meta"

Known = TypeVar("Known")

_encode = msgspec.msgpack.Encoder().encode
_decode_key = msgspec.msgpack.Decoder(list[str | int | None]).decode
_decode_counts = msgspec.msgpack.Decoder(tuple[int, ...]).decode
_decode_mark = msgspec.msgpack.Decoder(Mark).decode
_decode_published = msgspec.msgpack.Decoder(Published).decode
_decode_month = msgspec.msgpack.Decoder(list[MaturityPoint]).decode
_decode_book = msgspec.msgpack.Decoder(FleetRuleBook).decode


class FleetMeta(Struct, array_like=True):
    """What the task knows beside parts and publications; `offsets` as in `streams.totals.PartitionMeta`.

    `published_ms` is the `as_of` of the last publication (0: none yet), `reported` how many partitions had been heard of, and
    went on, when that was last told, `days` whose lists have gone out, `is_silent` whether another application speaks.
    """

    partitions: int
    offsets: dict[str, int] = {}
    config_version: int = 0
    published_ms: int = 0
    reported: int = 0
    days: Days = field(default_factory=Days)
    is_silent: bool = False


_decode_meta = msgspec.msgpack.Decoder(FleetMeta).decode


class FleetStore:
    """The state of the fleet's task, with what of it changed since it was last written down."""

    def __init__(self, partitions: int, incarnation: str) -> None:
        self.meta = FleetMeta(partitions)
        self.state = FleetState(partitions, incarnation)
        self.memory = Memory()
        self._parts: set[tuple[CountKey, int]] = set()
        self._marks: set[int] = set()

    def restore(self, records: Iterable[tuple[bytes, bytes | None]]) -> None:
        """Take in changelog records in their order; None removes."""
        for key, value in records:
            if key == META_KEY:
                if value is not None:
                    self.meta = _decode_meta(value)
            else:
                self._restore_one(_decode_key(key), value)

    def _restore_one(self, name: list[str | int | None], value: bytes | None) -> None:
        match name:
            case ["part", str(figure), str(dimension), int() | None as bucket, int(partition)]:
                self.state.put((figure, dimension, bucket), partition, None if value is None else _decode_counts(value))
            case ["mark", int(partition)] if value is not None:
                self.state.marks[partition] = _decode_mark(value)
            case [str(kind), str(key)]:
                self._restore_told(kind, key, value)

    def _restore_told(self, kind: str, key: str, value: bytes | None) -> None:
        memory = self.memory
        match kind:
            case "rule":
                _restore_into(memory.books, key, value, _decode_book)
            case "month":
                _restore_into(memory.months, key, value, _decode_month)
            case _ if value is not None:
                memory.published[kind, key] = _decode_published(value)

    def put(self, key: CountKey, partition: int, counts: tuple[int, ...] | None) -> None:
        """Replace a partition's part; None removes it."""
        if self.state.put(key, partition, counts):
            self._parts.add((key, partition))

    def touched(self, key: CountKey, partition: int) -> None:
        """A part was replaced in the state itself."""
        self._parts.add((key, partition))

    def expire(self) -> None:
        """Remove the parts of buckets that nobody looks at any more."""
        self._parts.update(self.state.expire())

    def marked(self, partition: int) -> None:
        """The mark of a partition has moved."""
        self._marks.add(partition)

    def take_changes(self) -> list[tuple[bytes, bytes | None]]:
        """The changelog records since the last call, the meta record always among them, in a fixed order."""
        changes: list[tuple[bytes, bytes | None]] = [(META_KEY, _encode(self.meta))]
        changes += [(_encode(["mark", one]), _encode(self.state.marks[one])) for one in sorted(self._marks)]
        for key, partition in sorted(self._parts, key=_part_order):
            counts = self.state.part(key, partition)
            changes.append((_encode(["part", *key, partition]), None if counts is None else _encode(counts)))
        for kind, name in sorted(self.memory.changed):
            changes.append((_encode([kind, name]), self._told(kind, name)))
        self.forget_changes()
        return changes

    def forget_changes(self) -> None:
        """Drop what `take_changes` would return."""
        self._marks.clear()
        self._parts.clear()
        self.memory.changed.clear()

    def records(self) -> Iterator[tuple[bytes, bytes]]:
        """Everything, as the changelog holds it."""
        yield META_KEY, _encode(self.meta)
        for partition, mark in self.state.marks.items():
            yield _encode(["mark", partition]), _encode(mark)
        for key in self.state.counted():
            for partition, counts in self.state.parts(key).items():
                yield _encode(["part", *key, partition]), _encode(counts)
        memory = self.memory
        told_of = [
            *memory.published,
            *(("rule", place) for place in memory.books),
            *(("month", month) for month in memory.months),
        ]
        for kind, name in told_of:
            told = self._told(kind, name)
            assert told is not None, "it was just found"
            yield _encode([kind, name]), told

    def _told(self, kind: str, name: str) -> bytes | None:
        known: object
        if kind == "rule":
            known = self.memory.books.get(name)
        elif kind == "month":
            known = self.memory.months.get(name)
        else:
            known = self.memory.published.get((kind, name))
        return None if known is None else _encode(known)


def _restore_into(known: dict[str, Known], key: str, value: bytes | None, decode: Callable[[bytes], Known]) -> None:
    if value is None:
        known.pop(key, None)
    else:
        known[key] = decode(value)


def _part_order(item: tuple[CountKey, int]) -> tuple[str, str, int, int]:
    (figure, dimension, bucket), partition = item
    return figure, dimension, -1 if bucket is None else bucket, partition
