"""Events as the lines that files hold and `publish` sends."""

from schemas.events import AccountEvent, CustomerEvent, SurveyEvent, TicketEvent, UsageEvent
from schemas.jsonlines import Line

_TOPICS: dict[type[CustomerEvent], str] = {
    TicketEvent: "cs.tickets",
    UsageEvent: "cs.usage",
    SurveyEvent: "cs.surveys",
    AccountEvent: "cs.accounts",
}


def line_of(event: CustomerEvent, timestamp_ms: int | None = None) -> Line:
    """The event as a line of its topic; without a timestamp of its own the record has the event's time."""
    return Line(
        topic=_TOPICS[type(event)],
        timestamp_ms=event.occurred_at if timestamp_ms is None else timestamp_ms,
        key=event.customer_id.encode(),
        value=event,
    )
