"""The backlog of tickets, and how many were opened, solved and reopened.

Open is a ticket that was opened and neither solved nor closed since. A ticket known only by a later event: a reopening opens it
with its own time as the opening, flagged; a reply is remembered and opens nothing; a solve is counted as one of an unknown
ticket. When the opening arrives after all, every figure becomes what the history in its right order says.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from msgspec import Struct, field

from processors import response_times
from processors.names import OTHER, Names, short_id
from processors.response_times import NO_ANSWERS, Answers, answers_of
from processors.ticket import PRIORITIES, Ticket
from processors.ticket_course import (
    FLOW_OPENED,
    FLOWS,
    KIND_BITS,
    KIND_CODES,
    KIND_MASK,
    NO_COURSE,
    REPLIED,
    SOLVED,
    Course,
    course_of,
    cut,
    insert,
)
from processors.totals import Totals
from processors.windows import D90, DAY_MS, Days, Window
from schemas.events import Priority, TicketEvent

MAX_OPEN: Final = 500
MAX_CLOSED: Final = 200
MAX_HISTORY: Final = 32
MAX_AGENTS: Final = 64
MAX_AGENT_CHARS: Final = 64
REST_DAYS: Final = 30
"""After so many days without anything new, only the opening, the first response and the end of a closed ticket are kept."""

FORGOTTEN_DAYS: Final = D90.days
"""After so many a closed ticket is forgotten: no window sees what it counted. Reopened later, it counts as opened then."""

AGEING_DAYS: Final = (1, 3, 7, 30)
"""The upper ends of the ageing buckets 0-1, 1-3, 3-7, 7-30; the last one has none."""


class TicketsState(Struct, array_like=True, gc=False):
    """The open tickets and the newest of the others by id, and what was counted by day.

    `flows` has the places opened, solved, reopened, solved though unknown, replied before the opening. `overflow_open` counts
    open tickets beyond the bound, those opened longest ago first; each end of an unknown ticket is taken for the end of one of
    them. `oldest_overflow_at` is the oldest opening among them, 0 for none. `agents` are the names behind the numbers in
    `Ticket.by`, counted from 1; `folded_agents` counts the answers of those beyond the bound, which are `other`.
    """

    open: dict[str, Ticket] = field(default_factory=dict)
    closed: dict[str, Ticket] = field(default_factory=dict)
    flows: Days = field(default_factory=lambda: Days(FLOWS))
    overflow_open: int = 0
    oldest_overflow_at: int = 0
    forgotten_closed: int = 0
    cut_histories: int = 0
    other_touchpoints: int = 0
    agents: list[str] = field(default_factory=list)
    folded_agents: int = 0


class Flows(NamedTuple):
    """What was counted in a window."""

    opened: int
    solved: int
    reopened: int
    unknown_solved: int
    early_replies: int = 0


def fold(
    state: TicketsState,
    event: TicketEvent,
    clock_ms: int,  # noqa: ARG001 - the folds of all families are called alike
    definitions: Names,
    totals: Totals,
) -> None:
    """Put an event into its ticket's history, and count what that changes."""
    ticket_id = short_id(event.ticket_id)
    ticket = state.open.get(ticket_id) or state.closed.get(ticket_id)
    if ticket is None:
        ticket = Ticket(event.occurred_at)
        before, answers, touchpoint_before = NO_COURSE, NO_ANSWERS, OTHER
    else:
        before, touchpoint_before = course_of(ticket.history), ticket.touchpoint
        answers = _answers(state, ticket, before)
    after_ms = event.occurred_at - ticket.base_ms
    _describe(state, ticket, event, after_ms, definitions, totals)
    after = _enter(state, ticket, event, after_ms << KIND_BITS | KIND_CODES[event.kind], totals) or before
    _count_difference(state, ticket, before, after, touchpoint_before, totals)
    response_times.count_difference(answers, _answers(state, ticket, after), definitions.calendars, totals)
    _cut(state, ticket, event, totals)
    if before is NO_COURSE and event.kind in {"solved", "closed"}:
        _end_unfollowed(state)
    _file(state, ticket_id, ticket, after)
    keep_newest(state, MAX_OPEN, MAX_CLOSED, totals)


def open_count(state: TicketsState) -> int:
    """How many tickets are open, those beyond the bound included."""
    return len(state.open) + state.overflow_open


def open_by_priority(state: TicketsState) -> dict[Priority, int]:
    """The open tickets that are followed, by each priority."""
    counts = [0] * len(PRIORITIES)
    for ticket in state.open.values():
        counts[ticket.priority_code] += 1
    return dict(zip(PRIORITIES, counts, strict=True))


def open_by_touchpoint(state: TicketsState) -> dict[str, int]:
    """The open tickets that are followed, by touchpoint where there are any."""
    counts: dict[str, int] = {}
    for ticket in state.open.values():
        counts[ticket.touchpoint] = counts.get(ticket.touchpoint, 0) + 1
    return counts


def opened_day_counts(state: TicketsState) -> dict[int, int]:
    """The open tickets that are followed, by the UTC day of their opening, counted from 1970."""
    counts: dict[int, int] = {}
    for ticket in state.open.values():
        day = ticket.opened_at // DAY_MS
        counts[day] = counts.get(day, 0) + 1
    return counts


def ages_ms(state: TicketsState, as_of_ms: int) -> list[int]:
    """The ages of the open tickets that are followed, unsorted; 0 for one whose opening lies ahead of the clock."""
    return [max(0, as_of_ms - ticket.opened_at) for ticket in state.open.values()]


def ageing(state: TicketsState, as_of_ms: int) -> list[int]:
    """How many of the open tickets that are followed are 0-1, 1-3, 3-7, 7-30 and 30 or more days old."""
    counts = [0] * (len(AGEING_DAYS) + 1)
    for age_ms in ages_ms(state, as_of_ms):
        counts[sum(age_ms >= days * DAY_MS for days in AGEING_DAYS)] += 1
    return counts


def oldest_opened_at(state: TicketsState) -> int | None:
    """When the ticket that is open longest was opened; None when none is open."""
    openings = [ticket.opened_at for ticket in state.open.values()]
    if state.overflow_open:
        openings.append(state.oldest_overflow_at)
    return min(openings, default=None)


def assumed_openings(state: TicketsState) -> int:
    """How many open tickets count as opened when they were reopened, because their opening is unknown."""
    return sum(course_of(ticket.history).assumed for ticket in state.open.values())


def flows(state: TicketsState, window: Window, as_of_ms: int) -> Flows:
    """What was opened, solved and reopened in a window."""
    return Flows(*state.flows.total(window, as_of_ms))


def opened_of_two(state: TicketsState, window: Window, as_of_ms: int) -> tuple[int, int]:
    """How many tickets were opened in a window, and in as many days before it."""
    days = state.flows
    now = days.total(window, as_of_ms)[FLOW_OPENED]
    return now, days.total(window, as_of_ms - window.days * DAY_MS)[FLOW_OPENED]


def histories(state: TicketsState) -> Iterator[tuple[int, str, list[int]]]:
    """Every ticket that is remembered, by base, touchpoint and history."""
    for tickets in (state.open, state.closed):
        for ticket in tickets.values():
            yield ticket.base_ms, ticket.touchpoint, ticket.history


def prune(state: TicketsState, as_of_ms: int) -> None:
    """Drop the days that no window sees any more, of tickets long closed all but the opening and the end, and then these."""
    state.flows.prune(as_of_ms, D90)
    rested_ms = as_of_ms - REST_DAYS * DAY_MS
    forgotten_ms = as_of_ms - FORGOTTEN_DAYS * DAY_MS
    for ticket_id, ticket in list(state.closed.items()):
        newest_at = ticket.newest_at
        if newest_at < rested_ms:
            ticket.lay_to_rest()
            if newest_at < forgotten_ms or not ticket.history:
                del state.closed[ticket_id]
    _forget_agents(state)


def shorten(state: TicketsState, most: int, at_ms: int, totals: Totals) -> None:
    """Cut the histories of all tickets to so many entries, but for those that would read differently."""
    for ticket in (*state.open.values(), *state.closed.values()):
        if ticket.shortened(most):
            state.cut_histories += 1
            totals.oddity("cut_ticket_history", at_ms)


def keep_newest(state: TicketsState, most_open: int, most_closed: int, totals: Totals) -> None:
    """Follow at most so many open tickets, and remember so many others; the oldest go first."""
    while len(state.open) > most_open:
        opened_at, ticket_id = min((ticket.opened_at, ticket_id) for ticket_id, ticket in state.open.items())
        del state.open[ticket_id]
        oldest = opened_at if state.overflow_open == 0 else min(state.oldest_overflow_at, opened_at)
        state.overflow_open += 1
        state.oldest_overflow_at = oldest
        totals.oddity("unfollowed_ticket", opened_at)
    while len(state.closed) > most_closed:
        newest_at, ticket_id = min((ticket.newest_at, ticket_id) for ticket_id, ticket in state.closed.items())
        del state.closed[ticket_id]
        state.forgotten_closed += 1
        totals.oddity("forgotten_ticket", newest_at)


def _describe(state: TicketsState, ticket: Ticket, event: TicketEvent, after_ms: int, definitions: Names, totals: Totals) -> None:
    """Take over priority and touchpoint where the event says them and nothing newer did."""
    if event.priority is not None:
        ticket.say_priority(after_ms, event.priority)
    touchpoint = event.touchpoint
    if touchpoint is None:
        return
    if touchpoint != OTHER and touchpoint not in definitions.touchpoints:
        touchpoint = OTHER
        state.other_touchpoints += 1
        totals.oddity("other_touchpoint", event.occurred_at)
    ticket.say_touchpoint(after_ms, touchpoint)


def _enter(state: TicketsState, ticket: Ticket, event: TicketEvent, entry: int, totals: Totals) -> Course | None:
    """Put an entry into a ticket's history, with who wrote it; the new course, None when nothing is new.

    Of two who wrote the same kind of entry in the same millisecond the alphabetically first counts.
    """
    authors = ticket.authors()
    inserted = insert(ticket.history, entry)
    if event.agent_id is not None and entry & KIND_MASK in (REPLIED, SOLVED) and entry in ticket.history:
        number = _number(state, _agent_name(event.agent_id), event.occurred_at, totals)
        known = authors.get(entry)
        if known is None or state.agents[number - 1] < state.agents[known - 1]:
            authors[entry] = number
    if inserted or authors:
        ticket.written_by(authors)
    return course_of(ticket.history) if inserted else None


def _cut(state: TicketsState, ticket: Ticket, event: TicketEvent, totals: Totals) -> None:
    """Keep a history within its bound."""
    if len(ticket.history) <= MAX_HISTORY:
        return
    authors = ticket.authors()
    cut(ticket.history, MAX_HISTORY)
    ticket.written_by(authors)
    state.cut_histories += 1
    totals.oddity("cut_ticket_history", event.occurred_at)


def _answers(state: TicketsState, ticket: Ticket, course: Course) -> Answers:
    """How a ticket was answered, and by whom."""
    authors = {entry: state.agents[number - 1] for entry, number in ticket.authors().items()} if ticket.by else {}
    return answers_of(course, ticket.base_ms, ticket.touchpoint, authors)


def _agent_name(agent_id: str) -> str:
    """The name under which an agent is counted: a long one is cut short, and the bar parts the keys of the fleet's counts."""
    name = agent_id if len(agent_id) <= MAX_AGENT_CHARS else short_id(agent_id)
    return name.replace("|", "/")


def _number(state: TicketsState, name: str, at_ms: int, totals: Totals) -> int:
    """The number of an agent among those who answer the customer, counted from 1; beyond the bound all have that of `other`."""
    agents = state.agents
    if name not in agents and len(agents) >= MAX_AGENTS - 1:
        name = OTHER
        state.folded_agents += 1
        totals.oddity("folded_agent", at_ms)
    if name not in agents:
        agents.append(name)
    return agents.index(name) + 1


def _forget_agents(state: TicketsState) -> None:
    """Drop the names behind which no entry of a ticket stands any more, and number the others anew."""
    tickets = [*state.open.values(), *state.closed.values()]
    used = sorted({number for ticket in tickets for number in ticket.by if number})
    if len(used) == len(state.agents):
        return
    renumbered = {number: place for place, number in enumerate(used, 1)}
    state.agents = [state.agents[number - 1] for number in used]
    for ticket in tickets:
        ticket.by = [renumbered.get(number, 0) for number in ticket.by]


def _count_difference(
    state: TicketsState, ticket: Ticket, before: Course, after: Course, touchpoint_before: str, totals: Totals
) -> None:
    """Count what is new in a ticket's course, and take back what is no longer so."""
    if before.flows == after.flows and touchpoint_before == ticket.touchpoint:
        return
    gone, new = before.flows, after.flows
    if touchpoint_before == ticket.touchpoint:
        gone = [flow for flow in before.flows if flow not in after.flows]
        new = [flow for flow in after.flows if flow not in before.flows]
    for flow in gone:
        _count(state, ticket.base_ms, flow, -1, touchpoint_before, totals)
    for flow in new:
        _count(state, ticket.base_ms, flow, 1, ticket.touchpoint, totals)


def _count(state: TicketsState, base_ms: int, flow: int, count: int, touchpoint: str, totals: Totals) -> None:
    """Count one thing by day, here and for the fleet."""
    at = base_ms + (flow >> KIND_BITS)
    place = flow & KIND_MASK
    state.flows.add(at, place, count)
    counts = [0] * FLOWS
    counts[place] = count
    totals.add("tickets", touchpoint, at, tuple(counts))


def _file(state: TicketsState, ticket_id: str, ticket: Ticket, course: Course) -> None:
    """Put a ticket among the open or the others."""
    if course.is_open:
        state.closed.pop(ticket_id, None)
        state.open[ticket_id] = ticket
    else:
        state.open.pop(ticket_id, None)
        state.closed[ticket_id] = ticket


def _end_unfollowed(state: TicketsState) -> None:
    """Take the end of an unknown ticket for that of one beyond the bound, if there is one."""
    if state.overflow_open:
        state.overflow_open -= 1
        if state.overflow_open == 0:
            state.oldest_overflow_at = 0
