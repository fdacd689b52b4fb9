"""How the figures of tickets are read from a state, and shown."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Final

from processors import tickets
from processors.calendars import Calendars
from processors.health import Reading
from processors.readings import NOT_YET_60_DAYS, UNKNOWN, Reader, count, moving, was_known_for_60_days
from processors.response_times import Median, Span, hours_median
from processors.windows import D30, D90, DAY_MS
from schemas.records import Figure

if TYPE_CHECKING:
    from processors.definitions import Definitions
    from processors.state import CustomerState

_NO_TICKET: Final = "no ticket is open"
_NO_SEATS: Final = "the seats are not known"
_NO_SPAN: Final[dict[Span, str]] = {
    "first_response": "no ticket was first answered in the window",
    "resolution": "no ticket was solved for good in the window",
}
_AGES: Final = ("0-1d", "1-3d", "3-7d", "7-30d", "30d+")


def _open_tickets(state: "CustomerState", _as_of_ms: int, _definitions: "Definitions") -> Reading:
    return Reading(float(tickets.open_count(state.tickets)))


def _open_urgent_tickets(state: "CustomerState", _as_of_ms: int, _definitions: "Definitions") -> Reading:
    return Reading(float(tickets.open_by_priority(state.tickets)["urgent"]) if state.tickets.open else 0.0)


def _oldest_open_ticket_days(state: "CustomerState", as_of_ms: int, _definitions: "Definitions") -> Reading:
    opened_at = tickets.oldest_opened_at(state.tickets)
    return Reading(0.0 if opened_at is None else max(0, as_of_ms - opened_at) / DAY_MS)


def _by_the_clock(_definitions: "Definitions") -> None:
    """No calendar: all hours count."""


def _in_business_hours(definitions: "Definitions") -> Calendars:
    return definitions.calendars


_Counting = Callable[["Definitions"], Calendars | None]
_MEDIANS: Final[dict[str, tuple[Span, _Counting]]] = {
    "first_response_median_hours_90d": ("first_response", _by_the_clock),
    "first_response_median_business_hours_90d": ("first_response", _in_business_hours),
    "resolution_median_hours_90d": ("resolution", _by_the_clock),
    "resolution_median_business_hours_90d": ("resolution", _in_business_hours),
}
"""Each median by its name: of which span, and which hours count."""


def _median(name: str, state: "CustomerState", as_of_ms: int, definitions: "Definitions") -> Median:
    span, counting = _MEDIANS[name]
    return hours_median(tickets.histories(state.tickets), span, D90, as_of_ms, counting(definitions))


def _median_hours(name: str, state: "CustomerState", as_of_ms: int, definitions: "Definitions") -> Reading:
    """The median of the spans that ended in 90 days, as old as the newest of them."""
    median = _median(name, state, as_of_ms, definitions)
    return UNKNOWN if median.hours is None else Reading(median.hours, median.newest_at)


def _opened_per_seat_change(state: "CustomerState", as_of_ms: int, _definitions: "Definitions") -> Reading:
    """Tickets opened per seat in 30 days, minus those of the 30 days before; both by the seats of now."""
    seats = state.account.seats
    if not seats or not was_known_for_60_days(state, as_of_ms):
        return UNKNOWN
    now, before = tickets.opened_of_two(state.tickets, D30, as_of_ms)
    return Reading((now - before) / seats)


READERS: Final[dict[str, Reader]] = {
    "open_tickets": _open_tickets,
    "open_urgent_tickets": _open_urgent_tickets,
    "oldest_open_ticket_days": _oldest_open_ticket_days,
    **{name: partial(_median_hours, name) for name in _MEDIANS},
    "ticket_inflow_per_seat_change_30d": _opened_per_seat_change,
}


def listed(customer: "CustomerState", as_of_ms: int, definitions: "Definitions") -> Iterator[Figure]:
    """The backlog, whole and by priority, touchpoint and age, the flows of 30 and 90 days, and how long answers took."""
    yield from _backlog(customer.tickets, as_of_ms)
    for window in (D30, D90):
        flows = tickets.flows(customer.tickets, window, as_of_ms)
        yield count(f"tickets_opened_{window.name}", flows.opened, "", window.days)
        yield count(f"tickets_solved_{window.name}", flows.solved, "", window.days)
        yield count(f"tickets_reopened_{window.name}", flows.reopened, "", window.days)
    yield from _inflow(customer, as_of_ms)
    for name, (span, _) in _MEDIANS.items():
        median = _median(name, customer, as_of_ms, definitions)
        reason = None if median.n else _NO_SPAN[span]
        yield Figure(name=name, window_days=D90.days, value=median.hours, n=median.n, reason=reason)


def _inflow(customer: "CustomerState", as_of_ms: int) -> Iterator[Figure]:
    """Tickets opened per seat, by the seats of now."""
    seats = customer.account.seats
    now, before = tickets.opened_of_two(customer.tickets, D30, as_of_ms)
    yield count("tickets_opened_per_seat_30d", now / seats if seats else None, "", D30.days, _NO_SEATS)
    change = (now - before) / seats if seats and was_known_for_60_days(customer, as_of_ms) else None
    yield count("ticket_inflow_per_seat_change_30d", change, "", D30.days, NOT_YET_60_DAYS if seats else _NO_SEATS)


def _backlog(state: tickets.TicketsState, as_of_ms: int) -> Iterator[Figure]:
    """The open tickets, whole and by priority, touchpoint and age."""
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
