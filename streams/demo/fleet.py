"""The fleet's figures, put together from the newest partial of each partition."""

from schemas.records import FleetPartial


class FleetCounts:
    """Sums the partials of all partitions. A flow's bucket that expired keeps counting here: the demo wants the whole story."""

    def __init__(self, partitions: int) -> None:
        self.ticks = 0
        self._as_of: dict[int, int] = dict.fromkeys(range(partitions), 0)
        self._newest: dict[bytes, FleetPartial] = {}
        self._sums: dict[tuple[str, str], list[int]] = {}

    def take(self, key: bytes, partial: FleetPartial) -> None:
        """Take in a partial by its record's key; one that is older than what is known changes nothing."""
        if partial.figure == "as_of":
            self.ticks += 1
            self._as_of[partial.partition] = max(self._as_of[partial.partition], partial.counts[0])
            return
        before = self._newest.get(key)
        if before is not None and before.sequence >= partial.sequence:
            return
        self._newest[key] = partial
        self._add(partial, 1)
        if before is not None:
            self._add(before, -1)

    def take_tombstone(self, key: bytes) -> None:
        """A gauge that came to zero."""
        before = self._newest.get(key)
        if before is not None and before.bucket is None:
            del self._newest[key]
            self._add(before, -1)

    def _add(self, partial: FleetPartial, sign: int) -> None:
        sums = self._sums.setdefault((partial.figure, partial.dimension), [0] * len(partial.counts))
        for place, count in enumerate(partial.counts):
            sums[place] += sign * count

    @property
    def as_of_ms(self) -> int:
        """The tick whose work is done in every partition, 0 before the first."""
        return min(self._as_of.values())

    def count(self, figure: str, dimension: str) -> int:
        """The first place of a figure, over all partitions and buckets."""
        return self._sums.get((figure, dimension), [0])[0]

    def by_dimension(self, figure: str) -> dict[str, int]:
        """The first place of a figure for each of its dimensions that is not 0."""
        return {name: counts[0] for (of, name), counts in self._sums.items() if of == figure and counts[0]}
