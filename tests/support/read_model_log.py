"""A log of the output topics, made by chance: customers that change, go and come back, fleet reports, and a rebuild in between.

Some of what is written is in transactions that are aborted, and nobody may ever see it.
"""

import random
from collections.abc import Iterator, Sequence
from typing import Any, Final

import confluent_kafka as ck
from msgspec import Struct

from schemas.codec import Codec
from schemas.records import Output
from streams.topics import TOPICS, partition_of
from tests.support.cluster import PARTITIONS
from tests.support.read_model_records import (
    MINUTE_MS,
    START_MS,
    assessment,
    fleet_alert,
    fleet_figure,
    open_alert,
    owner_list,
    snapshot,
    touchpoint_map,
)

OWNERS: Final = ("Hanh", "Nguyễn Văn A", "")
STAGES: Final = ("onboarded", "onboarded", "contracted", "cancelled", "lead", "unknown")
CURRENCIES: Final = ("EUR", "USD", None)
RECORDS_A_TRANSACTION: Final = 400
ABORTED_SHARE: Final = 0.15
OLD_SHARE: Final = 0.1
FLUSH_LIMIT_S: Final = 60


class Line(Struct, frozen=True):
    """A record to write; no value is a tombstone."""

    topic: str
    key: str
    value: Output | None
    at_ms: int


def lines(count: int, customers: int, seed: int) -> Iterator[Line]:
    """So many records, minutes apart in what they speak of; every tenth speaks of an older time, as those of a rebuild do."""
    chance = random.Random(seed)
    for number in range(count):
        at_ms = START_MS + number * MINUTE_MS // 10
        if chance.random() < OLD_SHARE:
            at_ms -= chance.randint(1, 2000) * MINUTE_MS
        kind = chance.random()
        if kind < 0.85:
            yield _of_customer(f"customer-{chance.randrange(customers)}", number, at_ms, chance)
        else:
            yield _of_fleet(kind, customers, at_ms, chance)


def _of_customer(customer: str, number: int, at_ms: int, chance: random.Random) -> Line:
    if chance.random() < 0.03:
        return Line("cs.customer-snapshots", customer, None, at_ms)
    alerts = [open_alert("silent", muted=chance.random() < 0.5)] if chance.random() < 0.2 else []
    score = None if chance.random() < 0.05 else round(chance.uniform(0, 100), 3)
    value = snapshot(
        customer,
        number,
        score,
        at_ms,
        stage=chance.choice(STAGES),
        currency=chance.choice(CURRENCIES),
        mrr_cents=chance.choice((None, chance.randrange(10**6))),
        owner=chance.choice(OWNERS),
        open_alerts=alerts,
    )
    return Line("cs.customer-snapshots", customer, value, at_ms)


def _of_fleet(kind: float, customers: int, at_ms: int, chance: random.Random) -> Line:
    if kind < 0.95:
        figure, window = f"figure_{chance.randrange(40)}", chance.choice((None, 7, 30))
        dimension = chance.choice(("", "sales", "a|b"))
        value = fleet_figure(figure, round(chance.uniform(0, 1), 6), at_ms, dimension, window)
        return Line("cs.fleet-snapshots", f"{figure}|{dimension}|{'' if window is None else window}", value, at_ms)
    if kind < 0.97:
        rule = f"rule_{chance.randrange(6)}"
        return Line("cs.fleet-alerts", rule, fleet_alert(rule, chance.choice(("opened", "updated", "resolved")), at_ms), at_ms)
    if kind < 0.98:
        return Line("cs.touchpoint-maps", "touchpoint_map", touchpoint_map(at_ms), at_ms)
    if kind < 0.985:
        return Line("cs.maturity", "maturity", assessment(at_ms), at_ms)
    owner = chance.choice(OWNERS)
    listed = [f"customer-{chance.randrange(customers)}" for _ in range(chance.randint(1, 12))]
    return Line("cs.owner-lists", owner, owner_list(owner, listed, at_ms, chance.choice(("morning_list", "digest"))), at_ms)


def write(bootstrap: str, log: Sequence[Line], seed: int) -> None:
    """Write the log in transactions; behind some of them follows one that says something else and is aborted."""
    chance = random.Random(seed)
    producer = ck.Producer(
        {
            "bootstrap.servers": bootstrap,
            "transactional.id": f"read-model-log-{seed}",
            "linger.ms": 20,
            "queue.buffering.max.messages": 200_000,
            "message.max.bytes": 2_000_000,
        }
    )
    producer.init_transactions(FLUSH_LIMIT_S)
    codec = Codec()
    for start in range(0, len(log), RECORDS_A_TRANSACTION):
        part = log[start : start + RECORDS_A_TRANSACTION]
        producer.begin_transaction()
        for line in part:
            _produce(producer, codec, line)
        producer.commit_transaction(FLUSH_LIMIT_S)
        if chance.random() < ABORTED_SHARE:
            producer.begin_transaction()
            for line in part[:20]:
                value: Any = line.value
                lie = snapshot(line.key, 10**9, 1.0, line.at_ms + 10**12) if value is None or hasattr(value, "stage") else value
                _produce(producer, codec, Line(line.topic, line.key, lie, line.at_ms))
            producer.flush(FLUSH_LIMIT_S)
            producer.abort_transaction(FLUSH_LIMIT_S)
    producer.flush(FLUSH_LIMIT_S)


def _produce(producer: ck.Producer, codec: Codec, line: Line) -> None:
    key = line.key.encode()
    partition = partition_of(key, PARTITIONS) if TOPICS[line.topic].partitioned else 0
    value = None if line.value is None else codec.encode(line.topic, line.value)
    producer.produce(line.topic, value, key, partition, timestamp=line.at_ms)
    producer.poll(0)
