"""What of the simulator's truth can be read from its events: figures of the days before a departure, against those who stay.

The figures are computed from the plain lines, by no code of the product, so that they hold also what no figure of it looks at.
`python -m benchmarks.leaks [CUSTOMERS] [SEED]` prints them.
"""

import sys
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence
from statistics import median
from typing import Any, Final

from msgspec import Struct

from benchmarks.separation import singles, together
from schemas.events import AccountEvent, CustomerEvent, SurveyEvent, TicketEvent, UsageEvent
from schemas.jsonlines import Line
from streams.sources.simulator import TIDY, Simulation, Truth, simulate, truths

DAY_MS: Final = 86_400_000
END_MS: Final = 1_767_225_600_000  # 2026-01-01T00:00:00Z
AHEAD_DAYS: Final = 3
SETTLED_DAYS: Final = 60
STAYERS_PER_DEPARTURE: Final = 6

Event = Any


class Leaks(Struct, frozen=True, kw_only=True):
    """Of `churners`, `without_sign_share` gave no sign; the areas under the ROC curve of each figure and of all together."""

    events: int
    customers: int
    churners: int
    churn_share: float
    without_sign_share: float
    singles: dict[str, float]
    together: float | None


def measure(simulation: Simulation) -> Leaks:
    """Simulate, and hold those who leave against those who stay at the same times."""
    return measured(list(simulate(simulation)), simulation)


def measured(lines: Sequence[Line], simulation: Simulation) -> Leaks:
    """As `measure`, for lines that were simulated already."""
    seen: defaultdict[str, dict[str, Event]] = defaultdict(dict)
    for line in lines:
        if isinstance(line.value, CustomerEvent):
            seen[line.value.customer_id].setdefault(line.value.event_id, line.value)
    history = {one: sorted(events.values(), key=lambda event: event.occurred_at) for one, events in seen.items()}
    known = list(truths(simulation))
    churners = [one for one in known if one.churned_at is not None]
    left, stayed = cases(history, known, simulation.span.start_ms)
    return Leaks(
        events=len(lines),
        customers=simulation.customers,
        churners=len(churners),
        churn_share=len(churners) / len(known),
        without_sign_share=sum(not one.signs for one in churners) / max(1, len(churners)),
        singles=singles(left, stayed),
        together=together(left, stayed),
    )


def cases(
    history: dict[str, list[Event]], known: Sequence[Truth], start_ms: int
) -> tuple[list[dict[str, float | None]], list[dict[str, float | None]]]:
    """Figures shortly before each departure, and at the same times of customers who stay to the end."""
    stayers = [one for one in known if one.churned_at is None and one.contracted]
    left, stayed = [], []
    for number, truth in enumerate(one for one in known if one.churned_at is not None):
        at_ms = (truth.churned_at or 0) - AHEAD_DAYS * DAY_MS
        if at_ms < start_ms + SETTLED_DAYS * DAY_MS:
            continue
        left.append(figures(history[truth.customer_id], at_ms))
        there = [one for one in stayers if history[one.customer_id][0].occurred_at < at_ms - SETTLED_DAYS * DAY_MS]
        step = max(1, len(there) // STAYERS_PER_DEPARTURE)
        stayed += [figures(history[one.customer_id], at_ms) for one in there[number % step :: step]]
    return left, stayed


def figures(events: list[Event], at_ms: int) -> dict[str, float | None]:
    """Whatever somebody could think of, from one customer's events before a time."""
    before = events[: bisect_left(events, at_ms, key=lambda event: event.occurred_at)]
    recent = [event for event in before if event.occurred_at >= at_ms - 30 * DAY_MS]
    older = [event for event in before if at_ms - 60 * DAY_MS <= event.occurred_at < at_ms - 30 * DAY_MS]
    return {
        **dict(_of_usage(before, recent, older, at_ms)),
        **dict(_of_tickets(before, recent, at_ms)),
        **dict(_of_answers(before, at_ms)),
        **dict(_of_account(before, at_ms)),
        "events_30d": len(recent),
    }


def _of_usage(before: list[Event], recent: list[Event], older: list[Event], at_ms: int) -> Iterator[tuple[str, float | None]]:
    used = [event for event in recent if isinstance(event, UsageEvent)]
    used_before = [event for event in older if isinstance(event, UsageEvent)]
    newest = max((event.occurred_at for event in before if isinstance(event, UsageEvent)), default=None)
    yield "usage_30d", len(used)
    yield "usage_ratio", (len(used) + 1) / (len(used_before) + 1)
    yield "usage_recency", None if newest is None else at_ms - newest
    yield "goals_30d", sum(event.kind == "goal_completed" for event in used)
    yield "goals_failed_30d", sum(event.kind == "goal_failed" for event in used)
    yield "features_30d", len({event.feature for event in used if event.feature})
    yield "users_30d", len({event.user_id for event in used if event.user_id})
    yield "days_active_30d", len({event.occurred_at // DAY_MS for event in used})
    yield "interactions_30d", sum(event.kind == "interaction_ended" for event in used)
    yield "session_minutes", _middle(event.duration_ms for event in used if event.kind == "session" and event.duration_ms)


def _of_tickets(before: list[Event], recent: list[Event], at_ms: int) -> Iterator[tuple[str, float | None]]:
    opened = {event.ticket_id: event.occurred_at for event in before if isinstance(event, TicketEvent) and event.kind == "opened"}
    done = {event.ticket_id: event.occurred_at for event in before if isinstance(event, TicketEvent) and event.kind == "solved"}
    replied: dict[str, int] = {}
    for event in before:
        if isinstance(event, TicketEvent) and event.kind == "replied":
            replied.setdefault(event.ticket_id, event.occurred_at)
    new = [event for event in recent if isinstance(event, TicketEvent)]
    late = at_ms - 60 * DAY_MS
    yield "tickets_30d", sum(event.kind == "opened" for event in new)
    yield "urgent_30d", sum(event.kind == "opened" and event.priority in ("urgent", "high") for event in new)
    yield "reopened_30d", sum(event.kind == "reopened" for event in new)
    yield "open_tickets", len(opened.keys() - done.keys())
    yield "reply_ms_60d", _middle(replied[one] - at for one, at in opened.items() if one in replied and at > late)
    yield "solve_ms_60d", _middle(done[one] - at for one, at in opened.items() if one in done and at > late)


def _of_answers(before: list[Event], at_ms: int) -> Iterator[tuple[str, float | None]]:
    asked = [event for event in before if isinstance(event, SurveyEvent) and event.occurred_at > at_ms - 90 * DAY_MS]
    answers = [event for event in asked if event.kind == "answered" and event.score is not None]
    sent = sum(event.kind == "sent" for event in asked)
    csat = [(event.score or 0) >= (1 if event.scale == "good_bad" else 4) for event in answers if event.survey == "csat"]
    loyalty = [
        event.score for event in before if isinstance(event, SurveyEvent) and event.survey == "nps" and event.score is not None
    ]
    yield "csat_90d", sum(csat) / len(csat) if csat else None
    yield "csat_latest", float(csat[-1]) if csat else None
    yield "bad_answers_90d", len(csat) - sum(csat)
    yield "nps_latest", loyalty[-1] if loyalty else None
    yield "effort_90d", _middle(event.score or 0 for event in answers if event.survey == "ces")
    yield "product_90d", _middle(event.score or 0 for event in answers if event.survey == "product")
    yield "asked_90d", sent
    yield "response_rate_90d", len(answers) / sent if sent else None
    yield "comments_90d", sum(event.comment is not None for event in answers)


def _of_account(before: list[Event], at_ms: int) -> Iterator[tuple[str, float | None]]:
    mine = [event for event in before if isinstance(event, AccountEvent)]
    recent = [event for event in mine if event.occurred_at > at_ms - 90 * DAY_MS]
    renewals = [event.renewal_at for event in mine if event.renewal_at is not None]
    seats = [event.seats for event in mine if event.seats is not None]
    known = [event.occurred_at for event in mine if event.kind in ("known", "contracted")]
    yield "renewal_in_days", renewals[-1] - at_ms if renewals else None
    yield "renewal_distance", abs(renewals[-1] - at_ms) if renewals else None
    yield "seats", seats[-1] if seats else None
    yield "seats_ratio", seats[-1] / seats[0] if seats else None
    yield "mrr", next((event.mrr_cents for event in reversed(mine) if event.mrr_cents is not None), None)
    yield "tenure", at_ms - known[0] if known else None
    yield "late_payments_90d", sum(event.kind == "payment" and event.status != "paid" for event in recent)
    yield "payments_90d", sum(event.kind == "payment" for event in recent)
    yield "owner_changes", sum(event.kind == "owner_changed" for event in mine)
    yield "plan_changes", sum(event.kind == "plan_changed" for event in mine)
    yield "cross_sold", sum(event.kind == "cross_sold" for event in mine)
    yield "referrals", sum(event.kind == "referred" for event in mine)
    yield "contacts", sum(event.kind == "contact" for event in mine)
    yield "overrides", sum(event.kind == "override" for event in mine)
    yield "promises", max((len(event.goals) for event in mine if event.goals), default=0)
    yield "account_events_90d", len(recent)


def _middle(values: Iterator[float]) -> float | None:
    found = list(values)
    return median(found) if found else None


def main(customers: int = 1500, seed: int = 1) -> None:
    """Print what is found for a year."""
    found = measure(Simulation(customers=customers, days=365, seed=seed, end_ms=END_MS, disorder=TIDY))
    print(f"{found.events} events, {found.events / found.customers:.0f} a customer, seed {seed}")
    print(f"{found.churners} left ({found.churn_share:.1%}), {found.without_sign_share:.1%} of them without a sign")
    print(f"all together {found.together or 0:.3f}; " + ", ".join(f"{name} {area:.3f}" for name, area in found.singles.items()))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
