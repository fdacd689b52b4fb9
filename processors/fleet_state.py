"""The parts of the fleet's figures that the partitions have shown, and their sums.

A part is absolute: the newest of each figure, dimension, bucket and partition counts. The sums over the partitions are kept as
the parts come: the old part is subtracted and the new one added, so whoever looks at a sum adds nothing up again.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final

from msgspec import Struct

from processors.fleet import FIGURES, FigureSpec
from processors.windows import DAY_MS, Window
from schemas.records import FleetPartial

CountKey = tuple[str, str, int | None]
"""Figure, dimension, and the start of the bucket in epoch milliseconds (None: not a flow)."""

Counts = tuple[int, ...]

AS_OF_FIGURE: Final = "as_of"


class Mark(Struct, array_like=True, gc=False):
    """How far a partition has come: the tick whose work it has shown, its newest number, and the definitions it judges by.

    `as_of_ms` is 0 until the first tick's work was shown; `before_ms` is that of the tick before.
    """

    as_of_ms: int = 0
    sequence: int = 0
    config_version: int = 0
    before_ms: int = 0


class _WindowSum(Struct, gc=False):
    """The sum over the buckets `first` to `last`, both included, kept as parts come."""

    first: int
    last: int
    counts: Counts


class FleetState:
    """The newest parts of all partitions. Knows nothing of definitions, and of time only what the parts say."""

    def __init__(self, partitions: int, incarnation: str) -> None:
        self.marks: dict[int, Mark] = {}
        self._changed: set[str] = set()
        self._partitions = partitions
        self._incarnation = incarnation
        self._parts: dict[CountKey, dict[int, Counts]] = {}
        self._flows: dict[tuple[str, str], dict[int, Counts]] = {}
        self._gauges: dict[tuple[str, str], Counts] = {}
        self._windows: dict[tuple[str, str], dict[int, _WindowSum]] = {}
        self._dimensions: dict[str, dict[str, int]] = {}  # by figure: how many keys each dimension has
        self._sorted: dict[str, list[str]] = {}

    # ---- what comes in ----

    def is_news(self, partial: FleetPartial) -> bool:
        """Whether a partial says something new.

        One of another incarnation does not, nor one that is not above the newest number of its partition: a partition's only
        owner writes them in the order of their numbers, so it is one that was seen before.
        """
        if partial.incarnation != self._incarnation or not 0 <= partial.partition < self._partitions:
            return False
        mark = self.marks.get(partial.partition)
        if mark is not None and partial.sequence <= mark.sequence:
            return False
        spec = FIGURES.get(partial.figure)
        return spec is not None and len(spec.places) == len(partial.counts)

    def take(self, partial: FleetPartial) -> None:
        """Take in a partial that is news."""
        mark = self.marks.setdefault(partial.partition, Mark())
        mark.sequence = partial.sequence
        if partial.figure == AS_OF_FIGURE:
            if partial.counts[0] > mark.as_of_ms:
                mark.before_ms, mark.as_of_ms = mark.as_of_ms, partial.counts[0]
            mark.config_version = partial.config_version
        else:
            self.put((partial.figure, partial.dimension, partial.bucket), partial.partition, tuple(partial.counts))

    def put(self, key: CountKey, partition: int, counts: Counts | None) -> bool:
        """Replace a partition's part; None removes it. Returns whether anything changed."""
        before = self.part(key, partition)
        if before == counts:
            return False
        self._changed.add(key[0])
        if counts is None:
            self._parts[key].pop(partition)
        else:
            self._parts.setdefault(key, {})[partition] = counts
            if before is None and len(self._parts[key]) == 1:
                self._count_dimension(key, 1)
        is_last = not self._parts[key]
        self._add(key, before, counts, is_last=is_last)
        if is_last:
            del self._parts[key]
            self._count_dimension(key, -1)
        return True

    def expire(self) -> list[tuple[CountKey, int]]:
        """Remove the parts of buckets that nobody looks at any more; returns what they were, in a fixed order."""
        gone = []
        for key, parts in self._parts.items():
            keep_days = FIGURES[key[0]].keep_days
            if key[2] is not None and keep_days is not None and key[2] < self.as_of_ms - (keep_days + 1) * DAY_MS:
                gone += [(key, partition) for partition in parts]
        for key, partition in gone:
            self.put(key, partition, None)
        return sorted(gone, key=lambda item: (item[0][0], item[0][1], item[0][2] or 0, item[1]))

    def take_changed(self) -> set[str]:
        """The figures of which a part has changed since the last call."""
        changed, self._changed = self._changed, set()
        return changed

    # ---- what it comes to ----

    @property
    def as_of_ms(self) -> int:
        """The time up to which every partition that has been heard of is complete; 0 before anything is."""
        return min((mark.as_of_ms for mark in self.marks.values() if mark.as_of_ms), default=0)

    def stale(self, after_ms: int) -> dict[int, int]:
        """The partitions that stand still while others go on, and by how many milliseconds they are behind the newest.

        One is stale when the tick *before* another's newest is more than `after_ms` ahead of it: however far ticks are apart, a
        partition that only shows the same tick a little later is not.
        """
        heard = {partition: mark.as_of_ms for partition, mark in sorted(self.marks.items()) if mark.as_of_ms}
        limit = max((mark.before_ms for mark in self.marks.values()), default=0) - after_ms
        newest = max(heard.values(), default=0)
        return {partition: newest - as_of_ms for partition, as_of_ms in heard.items() if as_of_ms < limit}

    def fresh(self, stale_after_ms: int) -> int:
        """How many partitions have shown the work of a tick, and are not stale."""
        return self._heard - len(self.stale(stale_after_ms))

    @property
    def is_complete(self) -> bool:
        """Whether every partition has shown the work of a tick."""
        return self._heard == self._partitions

    @property
    def _heard(self) -> int:
        return sum(1 for mark in self.marks.values() if mark.as_of_ms)

    @property
    def config_version(self) -> int:
        """The version of the definitions that every partition that was heard of judges by, or a later one."""
        return min((mark.config_version for mark in self.marks.values() if mark.as_of_ms), default=0)

    def part(self, key: CountKey, partition: int) -> Counts | None:
        """A partition's part; None when it shows none."""
        return self._parts.get(key, {}).get(partition)

    def parts(self, key: CountKey) -> Mapping[int, Counts]:
        """The part of each partition that shows one."""
        return self._parts.get(key, {})

    def counted(self) -> Iterable[CountKey]:
        """Everything that is counted."""
        return self._parts.keys()

    def dimensions(self, figure: str) -> list[str]:
        """The dimensions of a figure that were counted, sorted."""
        known = self._sorted.get(figure)
        if known is None:
            known = self._sorted[figure] = sorted(self._dimensions.get(figure, {}))
        return known

    def total(self, figure: str, dimension: str, window: Window | None, as_of_ms: int) -> Counts:
        """A gauge, or a flow over a window that ends at a time; zeros when nothing was counted."""
        spec = FIGURES[figure]
        if spec.bucket_ms is None:
            return self._gauges.get((figure, dimension)) or _zeros(spec)
        assert window is not None, "a flow is summed over a window"
        return self._window_sum(figure, dimension, window, as_of_ms // spec.bucket_ms, spec)

    def buckets(self, figure: str, dimension: str) -> Mapping[int, Counts]:
        """A flow's counts by the start of their bucket."""
        return self._flows.get((figure, dimension), {})

    # ---- inside ----

    def _window_sum(self, figure: str, dimension: str, window: Window, last: int, spec: FigureSpec) -> Counts:
        assert spec.bucket_ms is not None
        windows = self._windows.get((figure, dimension))
        known = None if windows is None else windows.get(window.days)
        if known is None or known.last != last:
            flow = self._flows.get((figure, dimension))
            if flow is None:
                return _zeros(spec)
            windows = self._windows.setdefault((figure, dimension), {})
            first = last - window.days * DAY_MS // spec.bucket_ms + 1
            inside = [counts for bucket, counts in flow.items() if first <= bucket // spec.bucket_ms <= last]
            known = windows[window.days] = _WindowSum(first, last, _sum(inside) or _zeros(spec))
        return known.counts

    def _add(self, key: CountKey, before: Counts | None, now: Counts | None, *, is_last: bool) -> None:
        figure, dimension, bucket = key
        name = (figure, dimension)
        spec = FIGURES[figure]
        if spec.kind == "clock":
            return
        change = tuple(new - old for new, old in zip(now or _zeros(spec), before or _zeros(spec), strict=True))
        if bucket is None:
            self._gauges[name] = _plus(self._gauges.get(name) or _zeros(spec), change)
            if is_last:
                del self._gauges[name]
            return
        flow = self._flows.setdefault(name, {})
        flow[bucket] = _plus(flow.get(bucket) or _zeros(spec), change)
        if is_last:
            del flow[bucket]
        self._move_windows(name, bucket // (spec.bucket_ms or DAY_MS), change)
        if not flow:
            del self._flows[name]
            self._windows.pop(name, None)

    def _count_dimension(self, key: CountKey, keys: int) -> None:
        figure, dimension, _ = key
        counted = self._dimensions.setdefault(figure, {})
        before = counted.get(dimension, 0)
        counted[dimension] = before + keys
        if not before:
            self._sorted.pop(figure, None)
        elif not counted[dimension]:
            del counted[dimension]
            self._sorted.pop(figure, None)

    def _move_windows(self, name: tuple[str, str], bucket: int, change: Counts) -> None:
        for window in self._windows.get(name, {}).values():
            if window.first <= bucket <= window.last:
                window.counts = _plus(window.counts, change)


def _plus(one: Counts, other: Counts) -> Counts:
    return tuple(a + b for a, b in zip(one, other, strict=True))


def _sum(many: list[Counts]) -> Counts:
    return tuple(map(sum, zip(*many, strict=True)))


@lru_cache(maxsize=256)
def _zeros(spec: FigureSpec) -> Counts:
    return (0,) * len(spec.places)
