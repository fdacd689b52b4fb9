"""A task's producer: the fence, and one Kafka transaction for each commit.

`init_transactions` aborts what a dead or sleeping predecessor left open and locks it out: from then on only this task can write
the partition's state. Whatever fails in a commit makes the state in memory worthless; the error says whether another owner took
over (`Fenced`) or the commit failed for another reason (`CommitFailed`). All methods block and belong in a thread.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any

import confluent_kafka as ck

from streams.records import Transaction

FENCED_CODES = frozenset(
    {
        ck.KafkaError._FENCED,
        ck.KafkaError.PRODUCER_FENCED,
        ck.KafkaError.INVALID_PRODUCER_EPOCH,
        ck.KafkaError.INVALID_PRODUCER_ID_MAPPING,
    }
)


DeliveryReport = Callable[[ck.KafkaError | None, ck.Message], None]


class Fenced(Exception):
    """Another owner has fenced this task: nothing of the commit is visible."""


class CommitFailed(Exception):
    """The broker did not take the transaction, or it is not known whether it did."""


class Producer:
    """The transactional producer of one task. A new one is made for each ownership."""

    def __init__(self, config: Mapping[str, Any], transactional_id: str, timeout_ms: int) -> None:
        self._timeout_s = timeout_ms / 1000
        self._producer = ck.Producer(
            {
                **config,
                "transactional.id": transactional_id,
                "transaction.timeout.ms": timeout_ms,
                "linger.ms": 0,
                "compression.type": "lz4",
                "message.max.bytes": 2_000_000,
                "queue.buffering.max.messages": 1_000_000,
            }
        )

    def fence(self) -> None:
        """Lock out whoever owned the transactional id before.

        Raises Fenced if a still newer owner exists, CommitFailed if the broker cannot be reached in time.
        """
        self._until(self._deadline(), self._producer.init_transactions)

    def commit(
        self,
        transaction: Transaction,
        partition: int,
        changelogs: Mapping[str, str],
        offsets: list[ck.TopicPartition],
        group: object,
    ) -> dict[str, int]:
        """Make the transaction visible; `changelogs` is the topic of each table.

        Returns, for each table that was written, the offset after the last record: whatever a later owner writes stands there or
        beyond. Raises Fenced or CommitFailed; the state in memory is then worthless.
        """
        deadline = self._deadline()
        last = {table: index for index, (table, _, _) in enumerate(transaction.changelog)}
        ends: dict[str, int] = {}
        try:
            self._producer.begin_transaction()
            for index, (table, key, value) in enumerate(transaction.changelog):
                note = _end_noter(ends, table) if last[table] == index else None
                self._produce(changelogs[table], key, value, partition, 0, note)
            for output in transaction.outputs:
                to = partition if output.partition is None else output.partition
                self._produce(output.topic, output.key, output.value, to, output.timestamp_ms or 0, None)
        except ck.KafkaException as error:
            raise _translated(error) from error
        self._until(deadline, lambda timeout_s: self._producer.send_offsets_to_transaction(offsets, group, timeout_s))
        # the client flushes first; a record that was not delivered fails the commit
        self._until(deadline, self._producer.commit_transaction)
        return ends

    def _produce(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        partition: int,
        timestamp_ms: int,
        delivered: DeliveryReport | None,
    ) -> None:
        while True:
            try:
                self._producer.produce(topic, value, key, partition, on_delivery=delivered, timestamp=timestamp_ms)
                return
            except BufferError:
                self._producer.poll(0.1)

    def _deadline(self) -> float:
        return time.monotonic() + self._timeout_s

    @staticmethod
    def _until(deadline: float, call: Callable[[float], object]) -> None:
        """Call, and call again while the client says that this is right and there is time."""
        while True:
            left_s = deadline - time.monotonic()
            try:
                call(max(left_s, 0.1))
                return
            except ck.KafkaException as error:
                if error.args[0].retriable() and left_s > 0:
                    continue
                raise _translated(error) from error


def _end_noter(ends: dict[str, int], table: str) -> DeliveryReport:
    def note(error: ck.KafkaError | None, message: ck.Message) -> None:
        offset = message.offset()
        if error is None and offset is not None:
            ends[table] = offset + 1

    return note


def _translated(error: ck.KafkaException) -> Fenced | CommitFailed:
    cause = error.args[0]
    if cause.code() in FENCED_CODES:
        return Fenced(cause.str())
    if cause.code() == ck.KafkaError.INVALID_TIMESTAMP or "Invalid timestamp" in cause.str():
        return CommitFailed(f"the clock of this machine is too far ahead of the brokers': set it right ({cause.str()})")
    return CommitFailed(cause.str())
