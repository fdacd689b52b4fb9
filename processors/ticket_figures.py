"""How the figures of tickets are read from a state, and shown."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from processors import tickets
from processors.health import Reading
from processors.readings import Reader, count, moving
from processors.windows import D30, D90, DAY_MS
from schemas.records import Figure

if TYPE_CHECKING:
    from processors.definitions import Definitions
    from processors.state import CustomerState

_NO_TICKET: Final = "no ticket is open"
_AGES: Final = ("0-1d", "1-3d", "3-7d", "7-30d", "30d+")


def _open_tickets(state: "CustomerState", _as_of_ms: int, _definitions: "Definitions") -> Reading:
    return Reading(float(tickets.open_count(state.tickets)))


def _open_urgent_tickets(state: "CustomerState", _as_of_ms: int, _definitions: "Definitions") -> Reading:
    return Reading(float(tickets.open_by_priority(state.tickets)["urgent"]) if state.tickets.open else 0.0)


def _oldest_open_ticket_days(state: "CustomerState", as_of_ms: int, _definitions: "Definitions") -> Reading:
    opened_at = tickets.oldest_opened_at(state.tickets)
    return Reading(0.0 if opened_at is None else max(0, as_of_ms - opened_at) / DAY_MS)


READERS: Final[dict[str, Reader]] = {
    "open_tickets": _open_tickets,
    "open_urgent_tickets": _open_urgent_tickets,
    "oldest_open_ticket_days": _oldest_open_ticket_days,
}


def listed(customer: "CustomerState", as_of_ms: int, _definitions: "Definitions") -> Iterator[Figure]:
    """The backlog, whole and by priority, touchpoint and age, and the flows of 30 and 90 days."""
    state = customer.tickets
    by_priority = tickets.open_by_priority(state)
    yield count("open_tickets", tickets.open_count(state))
    yield count("open_urgent_tickets", by_priority["urgent"])
    opened_at = tickets.oldest_opened_at(state)
    yield moving("oldest_open_ticket_days", None if opened_at is None else max(0, as_of_ms - opened_at) / DAY_MS, _NO_TICKET)
    for priority, n in by_priority.items():
        yield count("open_tickets_by_priority", n, priority)
    for touchpoint, n in sorted(tickets.open_by_touchpoint(state).items()):
        yield count("open_tickets_by_touchpoint", n, touchpoint)
    for age, n in zip(_AGES, tickets.ageing(state, as_of_ms), strict=True):
        yield count("open_tickets_by_age", n, age)
    for window in (D30, D90):
        flows = tickets.flows(state, window, as_of_ms)
        yield count(f"tickets_opened_{window.name}", flows.opened, "", window.days)
        yield count(f"tickets_solved_{window.name}", flows.solved, "", window.days)
        yield count(f"tickets_reopened_{window.name}", flows.reopened, "", window.days)
