"""Events at a steady rate into all four topics: `python -m benchmarks.generator BOOTSTRAP EVENTS_A_SECOND SECONDS`.

The id of an event says when it was handed to the producer, so that whoever sees its consequence knows how long it took.
"""

import random
import sys
import time

import confluent_kafka as ck

from benchmarks.ground import PARTITIONS
from schemas.codec import Codec
from schemas.events import AccountEvent, CustomerEvent, Priority, SurveyEvent, TicketEvent, UsageEvent
from streams.topics import partition_of

CUSTOMERS = 5_000
SEED = 11
BURST_S = 0.005
PRIORITIES: tuple[Priority, ...] = ("normal", "high", "urgent")


def event_id(number: int) -> str:
    """An id that carries the time, in nanoseconds since 1970."""
    return f"{time.time_ns()}-{number}"


def sent_at_ns(event_id: str) -> int:
    """The time in an id."""
    return int(event_id.partition("-")[0])


def make(number: int, chance: random.Random) -> tuple[str, str, CustomerEvent]:
    """The next event: its topic, its customer and itself."""
    customer_id = f"customer-{chance.randrange(CUSTOMERS):04d}"
    at_ms = time.time_ns() // 1_000_000
    kind = chance.random()
    event: CustomerEvent
    if kind < 0.5:
        goal = chance.choice(("report_created", "workflow_completed", "import_correct"))
        event = UsageEvent(
            event_id=event_id(number), customer_id=customer_id, occurred_at=at_ms, kind="goal_completed", goal=goal
        )
        return "cs.usage", customer_id, event
    if kind < 0.75:
        priority = chance.choice(PRIORITIES)
        event = TicketEvent(
            event_id=event_id(number),
            customer_id=customer_id,
            occurred_at=at_ms,
            kind="opened",
            ticket_id=f"T{number}",
            priority=priority,
            touchpoint="support",
        )
        return "cs.tickets", customer_id, event
    if kind < 0.95:
        event = SurveyEvent(
            event_id=event_id(number),
            customer_id=customer_id,
            occurred_at=at_ms,
            kind="answered",
            survey="nps",
            score=chance.randint(0, 10),
            scale="0_10",
            respondent_id=f"person-{chance.randrange(3)}",
        )
        return "cs.surveys", customer_id, event
    event = AccountEvent(
        event_id=event_id(number),
        customer_id=customer_id,
        occurred_at=at_ms,
        kind="contracted",
        mrr_cents=chance.randrange(10**6),
    )
    return "cs.accounts", customer_id, event


def main(bootstrap: str, per_s: int, seconds: int) -> None:
    """Send events in small bursts, never ahead of the plan."""
    producer = ck.Producer({"bootstrap.servers": bootstrap, "linger.ms": 0})
    chance, codec = random.Random(SEED), Codec()
    started, number = time.monotonic(), 0
    while number < per_s * seconds:
        planned = min(per_s * seconds, int((time.monotonic() - started) * per_s))
        while number < planned:
            topic, customer_id, event = make(number, chance)
            key = customer_id.encode()
            producer.produce(topic, codec.encode(topic, event), key, partition_of(key, PARTITIONS), timestamp=event.occurred_at)
            number += 1
        producer.poll(0)
        time.sleep(BURST_S)
    producer.flush(30)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
