"""A sink carries committed records of the output topics to one destination outside Kafka: a store, a person, another system.

This is the whole contract between a sink and whoever runs it (`streams/sinking.py` from Kafka, the conformance suite in
`tests/support/sinks/conformance.py` from memory):

- What is given comes in batches of one partition, in the order of its offsets, and the next batch of a partition begins where
  the last one ended. All records of a customer lie in one partition of a topic, so their order is kept. Between partitions and
  between topics there is no order.
- A record is given again until the sink has settled it: after a restart, after a partition moved, after `Unavailable`. So a sink
  is idempotent by topic, partition and offset.
- No record is passed over: what lies below the position of its partition is settled, whoever settled it.
- One thread calls at a time, and two runs never share an instance. Another process may still be writing when this one is assigned
  its partition; a destination that keeps positions uses them to refuse the older one.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple, Protocol

from msgspec import Struct

from schemas.events import InputEvent
from schemas.records import Output


class Place(NamedTuple):
    """A partition of a topic."""

    topic: str
    partition: int

    def __str__(self) -> str:
        return f"{self.topic}[{self.partition}]"


Positions = Mapping[Place, int]
"""The next offset to be given, by partition: everything below it is settled."""


class SinkRecord(Struct, frozen=True, kw_only=True, gc=False):
    """One committed record; `value` is None for a tombstone: the key is to be forgotten."""

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: InputEvent | Output | None


class Batch(Struct, frozen=True, gc=False):
    """Records of one partition: `start` is the position before them, `end` the position once they are settled.

    Offsets rise and may have gaps (what was aborted or compacted away). A batch may be empty and only move the position.
    """

    place: Place
    start: int
    end: int
    records: Sequence[SinkRecord]


class Unavailable(Exception):
    """The destination does not answer, or cannot take what it was given now, but may later.

    `settled` says how far it had answered all the same; what lies beyond is given again, after a pause. The text is for people,
    and holds no secret.
    """

    def __init__(self, reason: str, settled: Positions | None = None) -> None:
        super().__init__(reason)
        self.settled: Positions = settled or {}


class Moved(Exception):
    """The destination keeps positions of its own, and they are not those of the batch: give what follows from `positions` on.

    It was emptied, restored from a copy, or another process has written meanwhile.
    """

    def __init__(self, positions: Positions) -> None:
        super().__init__(", ".join(f"{place} is at {offset}" for place, offset in positions.items()))
        self.positions = positions


class Misconfigured(Exception):
    """The destination refuses what the settings say (a password, a version, an address): trying again would not help.

    The text names what is wrong and what would be right, and holds no secret.
    """


class Sink(Protocol):
    """One destination. Made anew for each run; `name` is part of the consumer group, so it stays the same for ever."""

    name: str

    topics: Sequence[str]
    """What it wants to be given."""

    starts: Literal["beginning", "end"]
    """Where a partition begins of which nobody has a position: history is wanted, or only what is new."""

    records_at_most: int
    """How many records one `write` is given at most, all batches together: what is settled is remembered write by write."""

    def assigned(self, places: Iterable[Place]) -> Positions:
        """These partitions are given from now on. Returns the positions that the destination keeps in one step with its data.

        Those rule. Of a place that is not among them, the position last settled rules, which whoever runs the sink has stored for
        it after `write` returned. Called before the first `write` of a place, and when a partition comes back.

        Raises Unavailable, Misconfigured.
        """

    def revoked(self, places: Iterable[Place]) -> None:
        """These partitions are given no longer, by this process. Never raises, never waits."""

    def write(self, batches: Sequence[Batch]) -> None:
        """Bring the batches, at most one of each partition, to the destination.

        Returns when the destination has answered for every record (or it was decided, and said, that it will not get one): all
        are settled then, whatever happens to this process. Comes back within seconds, one way or the other: waiting for a
        destination that is away is done by whoever calls, who goes on living in the consumer group meanwhile. What was given up
        with an exception may have arrived in whole or in part, and is given again.

        Raises Unavailable, Moved, Misconfigured.
        """

    def close(self) -> None:
        """Let go of connections. Nothing is written any more. Never raises."""
