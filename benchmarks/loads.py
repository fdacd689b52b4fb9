"""What events the latency is measured with. The id of each says when it was handed to the producer.

`typical` is the simulator's own mix, in its proportions (two of three are use of the product) and its order: of 2,000 customers
the days until now are history, which is there before the worker starts; the weeks after it come at the steady rate, as of now.
`restless` is the worst mix: 5,000 customers nothing is known of before, nine of ten events change a score enough to be published,
and one of five touches an alert. `main job` is the typical load, judged by one scorecard and five rules only (`main_job.toml`).
"""

import random
import time
from collections.abc import Callable, Iterator
from itertools import dropwhile, islice, takewhile
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from processors.windows import DAY_MS
from schemas.events import AccountEvent, CustomerEvent, Priority, SurveyEvent, TicketEvent, UsageEvent
from schemas.jsonlines import Line
from streams.sources.simulator import TIDY, Simulation, simulate

SEED: Final = 11
RESTLESS_CUSTOMERS: Final = 5_000
TYPICAL_CUSTOMERS: Final = 2_000
HISTORY_DAYS: Final = 8
LIVE_DAYS: Final = 32
PRIORITIES: tuple[Priority, ...] = ("normal", "high", "urgent")
MAIN_JOB: Final = Path(__file__).with_name("main_job.toml")
_HOUR_MS: Final = 3_600_000


class Sent(NamedTuple):
    """An event and where it goes."""

    topic: str
    event: CustomerEvent


class Load(NamedTuple):
    """A mix of events: `history` comes before the worker starts, with times of its own; `live` are at least so many events.

    `definitions` is the file by which they are judged; None stands for the default.
    """

    history: Callable[[], Iterator[Line]]
    live: Callable[[int], Iterator[Sent]]
    definitions: Path | None = None


def event_id(number: int) -> str:
    """An id that carries the time, in nanoseconds since 1970."""
    return f"{time.time_ns()}-{number}"


def sent_at_ns(event_id: str) -> int:
    """The time in an id of a live event."""
    return int(event_id.partition("-")[0])


def is_live(event_id: str) -> bool:
    """Whether it is the id of a live event."""
    return event_id.partition("-")[0].isdecimal()


def _simulated() -> tuple[int, Iterator[Line]]:
    """The time up to which it is history, and all events."""
    now_ms = int(time.time() * 1000) // _HOUR_MS * _HOUR_MS
    days, end_ms = HISTORY_DAYS + LIVE_DAYS, now_ms + LIVE_DAYS * DAY_MS
    return now_ms, simulate(Simulation(customers=TYPICAL_CUSTOMERS, days=days, seed=SEED, end_ms=end_ms, disorder=TIDY))


def _typical_history() -> Iterator[Line]:
    now_ms, lines = _simulated()
    return takewhile(lambda line: line.timestamp_ms < now_ms, lines)


def _typical(count: int) -> Iterator[Sent]:
    now_ms, lines = _simulated()
    # made before the first is asked for: to simulate them takes longer than to send them
    live = list(islice(dropwhile(lambda line: line.timestamp_ms < now_ms, lines), count))
    return (_as_of_now(number, line) for number, line in enumerate(live))


def _as_of_now(number: int, line: Line) -> Sent:
    assert isinstance(line.value, CustomerEvent)
    now_ms = time.time_ns() // 1_000_000
    return Sent(line.topic, msgspec.structs.replace(line.value, event_id=event_id(number), occurred_at=now_ms))


def _restless(count: int) -> Iterator[Sent]:
    chance = random.Random(SEED)
    return (restless_event(number, chance) for number in range(count))


def restless_event(number: int, chance: random.Random) -> Sent:
    """An event of somebody, as of now."""
    customer_id = f"customer-{chance.randrange(RESTLESS_CUSTOMERS):04d}"
    at_ms = time.time_ns() // 1_000_000
    kind = chance.random()
    if kind < 0.5:
        goal = chance.choice(("report_created", "workflow_completed", "import_correct"))
        used = UsageEvent(event_id=event_id(number), customer_id=customer_id, occurred_at=at_ms, kind="goal_completed", goal=goal)
        return Sent("cs.usage", used)
    if kind < 0.75:
        ticket = TicketEvent(
            event_id=event_id(number),
            customer_id=customer_id,
            occurred_at=at_ms,
            kind="opened",
            ticket_id=f"T{number}",
            priority=chance.choice(PRIORITIES),
            touchpoint="support",
        )
        return Sent("cs.tickets", ticket)
    if kind < 0.95:
        answer = SurveyEvent(
            event_id=event_id(number),
            customer_id=customer_id,
            occurred_at=at_ms,
            kind="answered",
            survey="nps",
            score=chance.randint(0, 10),
            scale="0_10",
            respondent_id=f"person-{chance.randrange(3)}",
        )
        return Sent("cs.surveys", answer)
    contract = AccountEvent(
        event_id=event_id(number),
        customer_id=customer_id,
        occurred_at=at_ms,
        kind="contracted",
        mrr_cents=chance.randrange(10**6),
    )
    return Sent("cs.accounts", contract)


LOADS: Final = {
    "typical": Load(_typical_history, _typical),
    "main job": Load(_typical_history, _typical, MAIN_JOB),
    "restless": Load(lambda: iter(()), _restless),
}
