"""Offsets are committed by themselves, before the transaction with the state and the outputs; and they alone are believed."""

from collections.abc import Mapping
from typing import Any

import confluent_kafka as ck

from streams.kafka_state import KafkaState
from streams.records import Transaction
from streams.transactions import Producer
from tests.chaos.mutants import put

CALL_TIMEOUT_S = 10.0

_real_init = Producer.__init__
_real_fence = Producer.fence
_real_commit = Producer.commit


def _init(producer: Producer, config: Mapping[str, Any], transactional_id: str, timeout_ms: int) -> None:
    _real_init(producer, config, transactional_id, timeout_ms)
    apart = ck.Producer({**config, "transactional.id": f"{transactional_id}-offsets", "transaction.timeout.ms": timeout_ms})
    vars(producer)["apart"] = apart


def _fence(producer: Producer) -> None:
    _real_fence(producer)
    vars(producer)["apart"].init_transactions(CALL_TIMEOUT_S)


def _commit(
    producer: Producer,
    transaction: Transaction,
    partition: int,
    changelogs: Mapping[str, str],
    offsets: list[ck.TopicPartition],
    group: object,
) -> dict[str, int]:
    apart = vars(producer)["apart"]
    apart.begin_transaction()
    apart.send_offsets_to_transaction(offsets, group, CALL_TIMEOUT_S)
    apart.commit_transaction(CALL_TIMEOUT_S)
    return _real_commit(producer, transaction, partition, changelogs, [], group)


def _position(_state: KafkaState, _topic: str, committed: int, _in_state: int | None, low: int, _high: int) -> int:
    return low if committed < 0 else committed


def break_it() -> None:
    """Take the offsets out of the transaction, and do not hold them against those in the state."""
    put(Producer, "__init__", _init)
    put(Producer, "fence", _fence)
    put(Producer, "commit", _commit)
    put(KafkaState, "_position", _position)
