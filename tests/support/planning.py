"""What gives occasion to a question, and what the plan makes of it."""

from typing import Final

from processors.definitions import Definitions, parse
from processors.windows import DAY_MS
from schemas.events import TicketEvent, UsageEvent
from schemas.records import SurveyRequest
from tests.support.happenings import NOON, account
from tests.support.judging import Judged, default_text

MINUTE: Final = 60_000


def solved(
    at: int = NOON, ticket_id: str = "T1", requester: str | None = "r1", touchpoint: str | None = "support"
) -> TicketEvent:
    return TicketEvent(
        event_id=f"solved-{ticket_id}-{at}",
        customer_id="c",
        occurred_at=at,
        kind="solved",
        ticket_id=ticket_id,
        touchpoint=touchpoint,
        requester_id=requester,
    )


def opened(at: int, ticket_id: str = "T1", priority: str = "urgent") -> TicketEvent:
    return TicketEvent(
        event_id=f"opened-{ticket_id}-{at}",
        customer_id="c",
        occurred_at=at,
        kind="opened",
        ticket_id=ticket_id,
        priority=priority,  # type: ignore[arg-type]  # one of the priorities
        touchpoint="support",
    )


def ended(
    at: int = NOON, touchpoint: str | None = "trial", user: str | None = "r1", interaction: str | None = "I1"
) -> UsageEvent:
    return UsageEvent(
        event_id=f"ended-{touchpoint}-{user}-{at}",
        customer_id="c",
        occurred_at=at,
        kind="interaction_ended",
        touchpoint=touchpoint,
        interaction_id=interaction,
        user_id=user,
    )


def requests(customer: Judged) -> list[SurveyRequest]:
    return [record for record in customer.context.effects.outputs if isinstance(record, SurveyRequest)]


def states(customer: Judged, survey: str = "csat") -> list[str]:
    return [request.state for request in requests(customer) if request.survey == survey]


def with_surveys(*changes: tuple[str, str]) -> Definitions:
    text = default_text()
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return parse(text)


def onboarded(*contacts: str, at: int = NOON, definitions: Definitions | None = None, consent: bool | None = None) -> Judged:
    customer = Judged(definitions)
    for contact in contacts:
        customer.happens(account("contact", at - DAY_MS, respondent_id=contact, consent=consent))
    customer.happens(account("onboarded", at))
    return customer
