"""A record as it was read from the log, whoever read it."""

from msgspec import Struct

from schemas.events import InputEvent
from schemas.records import Output

Headers = list[tuple[str, bytes | None]]


class InputRecord(Struct, gc=False):
    """One record of an input topic: bytes as they are, `timestamp_ms` its own timestamp, `offset` its place in the partition."""

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: Headers | None = None


class OutputRecord(Struct, gc=False):
    """One record to be written, to the partition of the task that writes it unless `partition` says another.

    `record` is what `value` holds the bytes of, for whoever would decode them again; None for a tombstone.
    """

    topic: str
    key: bytes | None
    value: bytes | None
    as_of_ms: int
    partition: int | None = None
    timestamp_ms: int | None = None
    record: InputEvent | Output | None = None


class PartitionsChanged(Exception):
    """The partition count of the topics is not the one that the state was written with."""

    def __init__(self, incarnation: str, before: int, now: int) -> None:
        super().__init__(
            f"the state of {incarnation} was written with {before} partitions and the topics have {now}: "
            "set the partitions back, or rebuild under a new application id"
        )


class Transaction(Struct, gc=False):
    """All that one commit makes visible, atomically: state, outputs, and how far the inputs are read.

    `changelog` is (table, key, value) with None for a tombstone; `offsets` is the next offset to read, by topic. `tally` is what
    was counted since the last one, by figure and dimension, for the metrics.
    """

    changelog: list[tuple[str, bytes, bytes | None]]
    outputs: list[OutputRecord]
    offsets: dict[str, int]
    records: int
    tally: dict[tuple[str, str], int] = {}
