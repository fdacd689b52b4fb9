"""The backlog against a batch computation that shares no code with it."""

from collections import Counter

from hypothesis import example, given
from hypothesis import strategies as st

from processors import tickets
from processors.tickets import TicketsState
from processors.totals import Totals
from processors.windows import D30, DAY_MS
from schemas.events import TicketEvent
from tests.support.happenings import NAMES, NOON, ticket
from tests.support.strategies import ticket_events, times

EVENTS = st.lists(ticket_events(times(20)), max_size=25)
AT_ONCE = [ticket("reopened", NOON), ticket("solved", NOON), ticket("opened", NOON)]
CROWDED = st.lists(ticket_events(st.integers(NOON - 3, NOON), tickets=2), max_size=8)


def folded(events: list[TicketEvent], prune_each: int = 0) -> tuple[TicketsState, Totals]:
    state, totals = TicketsState(), Totals()
    for number, event in enumerate(events, 1):
        tickets.fold(state, event, NOON, NAMES, totals)
        if prune_each and number % prune_each == 0:
            tickets.prune(state, NOON)
    return state, totals


def figures(state: TicketsState, totals: Totals) -> dict[str, object]:
    """Everything that can be read, in comparable form."""
    return {
        "open": sorted((name, found.opened_at, found.priority_name, found.touchpoint) for name, found in state.open.items()),
        "assumed": tickets.assumed_openings(state),
        "flows": tickets.flows(state, D30, NOON),
        "ageing": tickets.ageing(state, NOON),
        "days": tickets.opened_day_counts(state),
        "fleet": {key: counts for key, counts in totals.items() if any(counts) and key[0] not in {"oddities_by_day"}},
        "agents": {
            name: [state.agents[number - 1] if number else None for number in found.by] for name, found in state.open.items()
        },
    }


def batch_answer(events: list[TicketEvent]) -> dict[str, object]:
    """Backlog and flows by walking each ticket's events in the order of time."""
    opened_at: dict[str, int] = {}
    is_open: dict[str, bool] = {}
    counts: Counter[str] = Counter()
    has_opening = set()
    for event in sorted(events, key=lambda event: event.occurred_at):
        name, at = event.ticket_id, event.occurred_at
        if event.kind == "opened" and name not in has_opening:
            has_opening.add(name)
            opened_at[name], is_open[name] = at, True
            counts["opened"] += 1
        elif event.kind == "solved" and name not in is_open:
            is_open[name] = False
            counts["unknown_solved"] += 1
        elif event.kind == "solved" and is_open[name]:
            is_open[name] = False
            counts["solved"] += 1
        elif event.kind == "closed":
            is_open[name] = False
        elif event.kind == "reopened" and not is_open.get(name, False):
            is_open[name] = True
            opened_at.setdefault(name, at)
            counts["reopened"] += 1
    for event in events:
        counts["early_replies"] += (
            event.kind == "replied" and event.ticket_id in has_opening and event.occurred_at < opened_at[event.ticket_id]
        )
    return {"open": sorted((name, opened_at[name]) for name, still in is_open.items() if still), "counts": +counts}


@given(EVENTS)
def test_backlog_and_flows_are_the_batch_answer_in_any_order(events: list[TicketEvent]) -> None:
    unique = list({(event.ticket_id, event.occurred_at): event for event in events}.values())
    state, totals = folded(unique)
    expected = batch_answer(unique)
    assert sorted((name, found.opened_at) for name, found in state.open.items()) == expected["open"]
    found = Counter({name: count for name, count in tickets.flows(state, D30, NOON)._asdict().items() if count})
    assert found == expected["counts"]
    by_place = [sum(counts[place] for key, counts in totals.items() if key[0] == "tickets_by_day") for place in range(5)]
    assert by_place == list(tickets.flows(state, D30, NOON))


@given((EVENTS | CROWDED).flatmap(lambda events: st.tuples(st.just(events), st.permutations(events))), st.integers(0, 3))
@example(orders=(AT_ONCE, AT_ONCE[::-1]), prune_each=0)
def test_order_and_repetition_change_nothing(orders: tuple[list[TicketEvent], list[TicketEvent]], prune_each: int) -> None:
    first, second = orders
    assert figures(*folded(first)) == figures(*folded(second, prune_each))
    assert figures(*folded(first)) == figures(*folded(first + second))


@given(EVENTS)
def test_the_fleet_sees_every_state_of_the_customers_flows(events: list[TicketEvent]) -> None:
    state, totals = TicketsState(), Totals()
    for event in events:
        tickets.fold(state, event, NOON, NAMES, totals)
        fleet: Counter[tuple[int, int]] = Counter()
        for (figure, _, start), counts in totals.items():
            if figure == "tickets_by_day":
                fleet.update({(start // DAY_MS, place): count for place, count in enumerate(counts)})
        own = {(day, place): count for day, place, count in state.flows.by_day()}
        assert {cell: count for cell, count in fleet.items() if count} == own
