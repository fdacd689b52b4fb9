"""What a task does with Kafka that blocks: the fence, the restore, the positions, the commit.

Every call belongs in a thread of the executor; a task makes one call at a time.
"""

import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import confluent_kafka as ck
from msgspec import Struct

from streams.duty import Driver, Duty
from streams.patience import patiently
from streams.reader import OffsetGone
from streams.records import Transaction
from streams.restore import read_to_end
from streams.transactions import Producer

logger = logging.getLogger(__name__)

CALL_TIMEOUT_S = 30.0


class PositionsDisagree(Exception):
    """The group's committed offset and the one in the state differ, although one transaction writes both: someone moved one."""


class StateLost(Exception):
    """The group has committed offsets, and the changelog that one transaction writes with them knows nothing of it."""


class CommittedState(Struct):
    """Where a task goes on: the next offset of each input topic, and the ends of its changelogs by table."""

    positions: dict[str, int]
    ends: dict[str, int]


def group_metadata(config: Mapping[str, Any], app_id: str) -> object:
    """The group that offsets are committed for, from a consumer that never joins it."""
    consumer = ck.Consumer({**config, "group.id": app_id})
    try:
        return consumer.consumer_group_metadata()
    finally:
        consumer.close()


class KafkaState:
    """The durable side of one task, for one ownership of its partition."""

    def __init__(
        self,
        duty: Duty,
        app_id: str,
        config: Mapping[str, Any],
        group: object,
        *,
        transaction_timeout_ms: int,
        progress: Callable[[Duty, str, int, int], None],
    ) -> None:
        self._duty = duty
        self._partition = duty.partition
        self._config = {**config, "group.id": app_id}
        self._producer_config = config
        self._timeout_ms = transaction_timeout_ms
        self._group = group
        self._progress = progress
        self._producer: Producer | None = None

    def fence(self) -> None:
        """Lock out any earlier owner of the partition.

        Raises Fenced, CommitFailed.
        """
        self._producer = Producer(self._producer_config, self._duty.transactional_id, self._timeout_ms)
        self._producer.fence()

    def read_state(self, driver: Driver, ends: Mapping[str, int]) -> CommittedState:
        """Bring the driver up to the end of its changelogs, read from `ends` on (absent: from the beginning).

        Raises RestoreFailed, UnreadableState, OffsetGone, PositionsDisagree, StateLost.
        """
        read = {}
        for table, topic in self._duty.changelogs.items():
            read[table] = read_to_end(
                self._config,
                topic,
                self._partition,
                ends.get(table, 0),
                driver.restorer(table),
                lambda done, of, topic=topic: self._progress(self._duty, topic, done, of),  # type: ignore[misc]  # binds the loop's topic
            )
        driver.restored()
        return CommittedState(self._positions(driver.offsets), read)

    def _positions(self, in_state: Mapping[str, int]) -> dict[str, int]:
        """The next offset of each input topic, read after the fence by a consumer of its own: only that sees stable offsets."""
        consumer = ck.Consumer({**self._config, "isolation.level": "read_committed", "enable.auto.commit": False})
        try:
            asked = [ck.TopicPartition(topic, self._partition) for topic in self._duty.topics]
            committed = {
                tp.topic: tp.offset for tp in patiently(lambda left_s: consumer.committed(asked, left_s), CALL_TIMEOUT_S)
            }
            positions = {}
            for topic in self._duty.topics:
                place = ck.TopicPartition(topic, self._partition)
                low, high = patiently(partial(consumer.get_watermark_offsets, place), CALL_TIMEOUT_S)
                positions[topic] = self._position(topic, committed.get(topic, -1), in_state.get(topic), low, high)
            return positions
        finally:
            consumer.close()

    def _position(self, topic: str, committed: int, in_state: int | None, low: int, high: int) -> int:
        place = f"{topic}[{self._partition}]"
        if committed >= 0 and in_state is not None and committed != in_state:
            raise PositionsDisagree(
                f"{place}: the group's committed offset is {committed}, the state was written at {in_state}; "
                "put the group's offset back, or rebuild under a new application id"
            )
        if committed < 0 and in_state is None:
            return low
        if in_state is None:
            raise StateLost(
                f"{place}: the group has committed offset {committed}, and the changelog holds no state that was written with "
                "it: it was deleted, or belongs to another cluster; rebuild under a new application id, in shadow"
            )
        if committed < 0:
            # offsets of a group that was away for long expire; the state knows better than the beginning of the log
            logger.warning("%s: the group has no committed offset, going on at %s as the state says", place, in_state)
        if not low <= in_state <= high:
            raise OffsetGone(f"{place}: the next record to read is {in_state}, the log holds {low} to {high}")
        return in_state

    def commit(self, transaction: Transaction) -> dict[str, int]:
        """One Kafka transaction; returns the offsets after the last changelog record by table.

        Raises Fenced, CommitFailed.
        """
        assert self._producer is not None, "fenced before the first commit"
        offsets = [ck.TopicPartition(topic, self._partition, offset) for topic, offset in transaction.offsets.items()]
        return self._producer.commit(transaction, self._partition, self._duty.changelogs, offsets, self._group)
