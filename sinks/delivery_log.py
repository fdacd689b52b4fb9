"""What has been delivered, kept where it outlives the process: the log of marks (`cs.deliveries`), and its twin in memory.

A mark says in one record how far a destination has got in a partition and what became of an episode there, so the two cannot
disagree, whenever the process ends. Whoever delivers reads what others have noted before it goes on.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from typing import NamedTuple, Protocol

from schemas.records import DeliveryFailure, DeliveryMark
from sinks.notices import notice_of
from sinks.sink import Place, SinkRecord


class LogUnavailable(Exception):
    """The log does not answer, or not yet: nothing can be delivered that could not be noted."""


class Edges(NamedTuple):
    """Where a part of a partition of alerts begins, and the offset behind it."""

    start: int
    end: int


class DeliveryLog(Protocol):
    """The log of one destination. Every method raises LogUnavailable."""

    def read(self, places: Iterable[Place]) -> Sequence[DeliveryMark]:
        """What this destination's marks about these partitions (and those that lie with them) say since the last time, in order.

        What was read once, or noted by this object, may come again.
        """

    def note(self, marks: Sequence[DeliveryMark], failures: Sequence[DeliveryFailure] = ()) -> None:
        """Note what has become of records; failures first. Durable when it returns."""

    def forget(self, marks: Sequence[DeliveryMark]) -> None:
        """Let the marks of these episodes go: they are over and too old to come again."""

    def edges(self, place: Place, since_ms: int) -> Edges:
        """Where to enter a partition that was never read: at the first record that is not older than `since_ms`."""

    def ended(self, place: Place, edges: Edges) -> Set[str]:
        """The episodes whose end lies between the edges."""

    def record(self, place: Place, offset: int) -> SinkRecord | None:
        """A record of a partition of alerts once more; None when it is no longer there."""

    def close(self) -> None:
        """Let go of connections. Never raises."""


class MemoryDeliveryLog:
    """A log in memory. `marks` and `failures` may be shared by several, as Kafka's are.

    `alerts` stands for the topics of alerts; `history` is where each partition ended when delivery began, by default at 0.
    """

    def __init__(
        self,
        marks: list[DeliveryMark] | None = None,
        failures: list[DeliveryFailure] | None = None,
        alerts: Sequence[SinkRecord] = (),
        history: Mapping[Place, int] | None = None,
    ) -> None:
        self.marks = [] if marks is None else marks
        self.failures = [] if failures is None else failures
        self._alerts = alerts
        self._history = history or {}
        self._read = 0

    def read(self, places: Iterable[Place]) -> Sequence[DeliveryMark]:
        """All marks since the last time."""
        del places  # those of the others are about partitions that others had
        found = self.marks[self._read :]
        self._read = len(self.marks)
        return found

    def note(self, marks: Sequence[DeliveryMark], failures: Sequence[DeliveryFailure] = ()) -> None:
        """Note what has become of records."""
        self.failures.extend(failures)
        self.marks.extend(marks)

    def forget(self, marks: Sequence[DeliveryMark]) -> None:
        """Let the marks of these episodes go."""
        gone = {mark.receipt.episode_id for mark in marks if mark.receipt is not None}
        self.marks[:] = [mark for mark in self.marks if mark.receipt is None or mark.receipt.episode_id not in gone]
        self._read = len(self.marks)

    def edges(self, place: Place, since_ms: int) -> Edges:
        """Where to enter a partition."""
        end = self._history.get(place, 0)
        young = [record.offset for record in self._of(place, Edges(0, end)) if record.timestamp_ms >= since_ms]
        return Edges(min(young, default=end), end)

    def ended(self, place: Place, edges: Edges) -> Set[str]:
        """The episodes whose end lies between the edges."""
        return ended_in(self._of(place, edges))

    def record(self, place: Place, offset: int) -> SinkRecord | None:
        """A record once more."""
        return next(iter(self._of(place, Edges(offset, offset + 1))), None)

    def close(self) -> None:
        """There is nothing to let go of."""

    def _of(self, place: Place, edges: Edges) -> Iterator[SinkRecord]:
        for record in self._alerts:
            if Place(record.topic, record.partition) == place and edges.start <= record.offset < edges.end:
                yield record


def ended_in(records: Iterable[SinkRecord]) -> Set[str]:
    """The episodes that end in these records."""
    notices = map(notice_of, records)
    return {notice.episode_id for notice in notices if notice is not None and notice.is_end}
