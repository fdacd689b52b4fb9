"""How full the embedded broker is: beyond its bounds it drops its oldest batches and tells nobody."""

from typing import Final

from streams.embedded import PARTITION_BATCHES_MAX, PARTITION_BYTES_MAX

NEAR_SHARE: Final = 0.7
"""Leaves room for what compresses worse than the average, and for what is still under way."""
_RECORD_OVERHEAD_BYTES: Final = 24
"""Lengths, offset and time of a record within a batch, and its part of the batch's header."""

Place = tuple[str, int]


def record_bytes(key: bytes | None, value: bytes | None) -> int:
    """What a record weighs before compression."""
    return len(key or b"") + len(value or b"") + _RECORD_OVERHEAD_BYTES


class Bounds:
    """Counts what lies in each partition.

    Batches are compressed, and how well is not seen for a partition alone: `compressed_share` is how much was left of all that
    was read. Batches are fewer than records.
    """

    def __init__(self) -> None:
        self.compressed_share = 1.0
        self._bytes: dict[Place, int] = {}
        self._records: dict[Place, int] = {}

    def add(self, topic: str, partition: int, key: bytes | None, value: bytes | None) -> None:
        """A record lies in a partition."""
        place = (topic, partition)
        self._bytes[place] = self._bytes.get(place, 0) + record_bytes(key, value)
        self._records[place] = self._records.get(place, 0) + 1

    def fullest(self) -> tuple[Place, float]:
        """The partition that is nearest to a bound and how near, as a share."""
        shares = {place: self.share(place) for place in self._bytes}
        return max(shares.items(), key=lambda item: item[1], default=(("", 0), 0.0))

    def share(self, place: Place) -> float:
        """How full a partition is, as a share of the bound it is nearest to."""
        sent_bytes = self._bytes.get(place, 0) * self.compressed_share
        return max(sent_bytes / PARTITION_BYTES_MAX, self._records.get(place, 0) / PARTITION_BATCHES_MAX)
