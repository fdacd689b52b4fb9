"""Events for tests of the figures, with only what matters spelled out, and names that the figures know."""

from itertools import count
from typing import NamedTuple

from processors.calendars import OFFICE, Calendars
from processors.windows import DAY_MS
from schemas.events import (
    AccountEvent,
    AccountKind,
    Priority,
    Scale,
    Survey,
    SurveyEvent,
    TicketEvent,
    TicketKind,
    UsageEvent,
    UsageKind,
)

NOON = 20_500 * DAY_MS + DAY_MS // 2
"""The noon that the tests take as now: 2026-02-16T12:00:00Z."""

_numbers = count(1)


class KnownNames(NamedTuple):
    """Names as the definitions would give them."""

    touchpoints: frozenset[str] = frozenset({"trial", "product", "support"})
    goals: frozenset[str] = frozenset({"invoices", "exports"})
    max_features: int = 4
    renewal_grace_ms: int = 30 * DAY_MS
    before_sale: frozenset[str] = frozenset({"trial"})

    def is_before_sale(self, touchpoint: str) -> bool:
        return touchpoint in self.before_sale

    calendars: Calendars = Calendars(OFFICE)


NAMES = KnownNames()


def ticket(
    kind: TicketKind,
    at: int,
    ticket_id: str = "T1",
    *,
    priority: Priority | None = None,
    touchpoint: str | None = None,
    agent: str | None = None,
) -> TicketEvent:
    return TicketEvent(
        event_id=f"t{next(_numbers)}",
        customer_id="c",
        occurred_at=at,
        kind=kind,
        ticket_id=ticket_id,
        priority=priority,
        touchpoint=touchpoint,
        agent_id=agent,
    )


def answer(
    survey: Survey,
    scale: Scale,
    score: int,
    at: int = NOON,
    *,
    touchpoint: str | None = None,
    respondent: str | None = None,
) -> SurveyEvent:
    return SurveyEvent(
        event_id=f"s{next(_numbers)}",
        customer_id="c",
        occurred_at=at,
        kind="answered",
        survey=survey,
        scale=scale,
        score=score,
        touchpoint=touchpoint,
        respondent_id=respondent,
    )


def usage(
    kind: UsageKind,
    at: int = NOON,
    *,
    feature: str | None = None,
    goal: str | None = None,
    touchpoint: str | None = None,
    quantity: int | None = None,
    duration_ms: int | None = None,
    user: str | None = None,
) -> UsageEvent:
    return UsageEvent(
        event_id=f"u{next(_numbers)}",
        customer_id="c",
        occurred_at=at,
        kind=kind,
        feature=feature,
        goal=goal,
        touchpoint=touchpoint,
        quantity=quantity,
        duration_ms=duration_ms,
        user_id=user,
    )


def account(kind: AccountKind, at: int = NOON, **said: object) -> AccountEvent:
    event_id = said.pop("event_id", f"a{next(_numbers)}")
    return AccountEvent(event_id=event_id, customer_id="c", occurred_at=at, kind=kind, **said)  # type: ignore[arg-type]  # any field
