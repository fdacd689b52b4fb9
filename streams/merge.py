"""Merging a partition's topics by time.

A rebuild from the log must not read all of one topic before the others, or everything of the others would be late. So the record
with the lowest timestamp among the topics' heads goes first; ties go by the order of the topics. A topic without a head holds
the merge up until it is known to be empty: that is, until the end of the partition was seen after the last delivery.
"""

from collections import deque
from collections.abc import Iterable, Sequence

from streams.records import InputRecord


class Merge:
    """The queues of one partition's topics. Not thread-safe: it belongs to the partition's task."""

    def __init__(self, topics: Sequence[str]) -> None:
        self._queues: dict[str, deque[InputRecord]] = {topic: deque() for topic in topics}
        self._at_end: dict[str, bool] = dict.fromkeys(topics, False)
        self._order = tuple(self._queues.items())
        # Until the next delivery, what is earlier in this queue than the other heads is taken without a look at them.
        self._ahead: deque[InputRecord] | None = None
        self._others_ms: float = 0

    def deliver(self, topic: str, records: Iterable[InputRecord], *, at_end: bool) -> None:
        """Records of a topic in the order of its log; `at_end`: the end of the partition was seen after the last of them."""
        self._ahead = None
        queue = self._queues[topic]
        before = len(queue)
        queue.extend(records)
        if at_end:
            self._at_end[topic] = True
        elif len(queue) > before:
            self._at_end[topic] = False

    def next(self) -> InputRecord | None:
        """Take the record that is next in time; None if there is none, or if it cannot be known yet."""
        ahead = self._ahead
        if ahead and ahead[0].timestamp_ms < self._others_ms:
            return ahead.popleft()
        lowest: InputRecord | None = None
        source: deque[InputRecord] | None = None
        others_ms = float("inf")
        for topic, queue in self._order:
            if not queue:
                if not self._at_end[topic]:
                    return None
                continue
            head = queue[0]
            if lowest is None:
                lowest, source = head, queue
            elif head.timestamp_ms < lowest.timestamp_ms:
                others_ms = lowest.timestamp_ms
                lowest, source = head, queue
            elif head.timestamp_ms < others_ms:
                others_ms = head.timestamp_ms
        if source is not None:
            source.popleft()
            self._ahead, self._others_ms = source, others_ms
        return lowest

    def waiting(self) -> dict[str, int]:
        """How many records wait, by topic."""
        return {topic: len(queue) for topic, queue in self._queues.items()}

    def total(self) -> int:
        """How many records wait in all."""
        return sum(len(queue) for queue in self._queues.values())

    def at_end(self, topic: str) -> bool:
        """Whether everything of a topic was delivered and taken."""
        return self._at_end[topic] and not self._queues[topic]

    def caught_up(self) -> bool:
        """Whether everything of all topics was delivered and taken."""
        return all(self.at_end(topic) for topic in self._queues)
