"""How long customers wait, against every duration in full, in whatever order the events came."""

from collections import Counter, defaultdict

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from processors import tickets
from processors.definitions import parse
from processors.response_times import SPANS, hours_median
from processors.sketch import bin_of, quantile
from processors.tickets import TicketsState
from processors.totals import Totals
from processors.windows import D90
from schemas.events import TicketEvent
from tests.support.happenings import NOON, ticket
from tests.support.judging import default_text
from tests.support.oracle.acceptance import Event
from tests.support.oracle.events import names_of
from tests.support.oracle.support import median_hours, waits
from tests.support.strategies import ticket_events, times

DAY_MS = 86_400_000
BERLIN = """
[[calendars]]
name = "berlin"
time_zone = "Europe/Berlin"
touchpoints = ["support"]
holidays = [2026-02-10, 2026-02-14]
[calendars.hours]
monday = ["08:00-12:00", "13:00-18:00"]
tuesday = ["00:00-24:00"]
thursday = ["09:00-21:30"]
saturday = ["10:00-24:00"]
"""
TEXT = default_text() + BERLIN
DEFINITIONS, NAMES = parse(TEXT), names_of(TEXT)

EVENTS = st.lists(ticket_events(times(20)), max_size=25)
CROWDED = st.lists(ticket_events(st.integers(NOON - 3, NOON), tickets=2), max_size=10)
TWO_AT_ONCE = [
    ticket("opened", NOON - 2),
    ticket("replied", NOON, agent="bo"),
    ticket("replied", NOON, agent="an"),
    ticket("solved", NOON, agent="bo"),
]


def folded(events: list[TicketEvent], prune_each: int = 0) -> tuple[TicketsState, Totals]:
    state, totals = TicketsState(), Totals()
    for number, event in enumerate(events, 1):
        tickets.fold(state, event, NOON, DEFINITIONS, totals)
        if prune_each and number % prune_each == 0:
            tickets.prune(state, NOON)
    return state, totals


def plain(events: list[TicketEvent]) -> list[Event]:
    return [msgspec.to_builtins(event) for event in events]


@settings(deadline=None)
@given(EVENTS | CROWDED, st.integers(0, 4))
@example(TWO_AT_ONCE, 0)
@example(TWO_AT_ONCE[::-1], 0)
def test_the_fleet_s_bins_and_loads_are_those_of_every_duration(events: list[TicketEvent], prune_each: int) -> None:
    _, totals = folded(events, prune_each)
    found = {key: tuple(counts) for key, counts in totals.items() if any(counts)}
    expected: defaultdict[tuple[str, str, int], Counter[int]] = defaultdict(Counter)
    for wait in waits(plain(events), NAMES):
        day_ms = wait.ended_at - wait.ended_at % DAY_MS
        expected["agent_load_by_day", wait.agent, day_ms][SPANS.index(wait.span)] += 1
        for place, duration_ms in enumerate((wait.clock_ms, wait.business_ms)):
            number = bin_of(duration_ms)
            expected[f"{wait.span}s_by_day", f"{wait.touchpoint}/{number}", day_ms][place] += 1
            if wait.span == "first_response":
                expected["agent_responses_by_day", f"{wait.agent}/{number}", day_ms][place] += 1
    mine = {key: counts for key, counts in found.items() if key[0] not in {"tickets_by_day", "oddities_by_day"}}
    assert mine == {key: (counts[0], counts[1]) for key, counts in expected.items()}


@settings(deadline=None)
@given(EVENTS, st.sampled_from([0.5, 0.9, 0.95]))
def test_percentiles_lie_within_one_percent_of_the_exact_ones(events: list[TicketEvent], q: float) -> None:
    _, totals = folded(events)
    for place in (0, 1):
        exact = sorted(
            (wait.clock_ms, wait.business_ms)[place] for wait in waits(plain(events), NAMES) if wait.span == "first_response"
        )
        counts: Counter[int] = Counter()
        for (figure, dimension, _), counted in totals.items():
            if figure == "first_responses_by_day":
                counts[int(dimension.rpartition("/")[2])] += counted[place]
        found = quantile(counts, q)
        if exact:
            assert found == pytest.approx(exact[int(q * (len(exact) - 1))], rel=0.01 + 1e-9)
        else:
            assert found is None


@settings(deadline=None)
@given(EVENTS | CROWDED, st.integers(0, 4))
def test_a_customer_s_medians_are_exact(events: list[TicketEvent], prune_each: int) -> None:
    state, _ = folded(events, prune_each)
    for span in SPANS:
        for hours, calendars in (("hours", None), ("business_hours", DEFINITIONS.calendars)):
            found = hours_median(tickets.histories(state), span, D90, NOON, calendars)
            assert tuple(found) == median_hours(plain(events), NAMES, span, hours, NOON)


@settings(deadline=None)
@given((EVENTS | CROWDED).flatmap(lambda events: st.tuples(st.just(events), st.permutations(events))))
def test_order_and_repetition_change_no_wait(orders: tuple[list[TicketEvent], list[TicketEvent]]) -> None:
    first, second = orders

    def counted(events: list[TicketEvent]) -> dict[object, list[int]]:
        _, totals = folded(events)
        return {key: counts for key, counts in totals.items() if any(counts) and key[0] != "oddities_by_day"}

    assert counted(first) == counted(second) == counted(first + second)
