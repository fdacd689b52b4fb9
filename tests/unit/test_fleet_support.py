"""The fleet figures of support, from the sums of some customers."""

import pytest

from processors import fleet_support, tickets
from processors.definitions import Definitions
from processors.fleet import gauges
from processors.fleet_figures import View
from processors.fleet_state import FleetState, Mark
from processors.fleet_support import MAX_AGENTS
from processors.fleet_view import FleetValue
from processors.state import CustomerState
from processors.totals import Totals
from processors.windows import DAY_MS, HOUR_MS
from schemas.events import TicketEvent
from tests.support.happenings import NOON, ticket
from tests.support.judging import default_definitions

DEFINITIONS: Definitions = default_definitions()
MONDAY_9 = NOON - 3 * HOUR_MS
"""2026-02-16 is a Monday; the default office opens at nine."""


def figures(*customers: list[TicketEvent], as_of_ms: int = NOON) -> dict[tuple[str, str], FleetValue]:
    state, totals = FleetState(1, "test"), Totals()
    summed: dict[tuple[str, str], tuple[int, ...]] = {}
    for number, events in enumerate(customers):
        customer = CustomerState(str(number), events_accepted=len(events))
        for event in events:
            tickets.fold(customer.tickets, event, NOON, DEFINITIONS, totals)
        for key, counts in gauges(customer).items():
            known = summed.get(key, (0,) * len(counts))
            summed[key] = tuple(one + other for one, other in zip(known, counts, strict=True))
    for (figure, dimension, bucket), counted in totals.items():
        state.put((figure, dimension, bucket), 0, tuple(counted))
    for (figure, dimension), counts in summed.items():
        state.put((figure, dimension, None), 0, counts)
    state.marks[0] = Mark(as_of_ms)
    return {(value.figure, value.dimension): value for value in fleet_support.figures(View(state, DEFINITIONS))}


def answered(
    ticket_id: str, minutes: int, *, at: int = MONDAY_9, touchpoint: str = "support", agent: str | None = "an"
) -> list[TicketEvent]:
    return [
        ticket("opened", at, ticket_id, touchpoint=touchpoint),
        ticket("replied", at + minutes * 60_000, ticket_id, agent=agent),
    ]


def test_percentiles_come_from_the_counts_of_all_customers_within_one_percent() -> None:
    found = figures(*(answered(f"T{minutes}", minutes) for minutes in range(1, 102)))
    for percentile, minutes in (("p50", 51), ("p90", 91), ("p95", 96)):
        value = found[f"first_response_{percentile}_hours_30d", ""]
        assert value.value == pytest.approx(minutes / 60, rel=0.01)
        assert (value.n, value.window_days, value.note) == (101, 30, "percentiles within 1 % (DDSketch)")


def test_business_hours_leave_out_the_night_and_the_weekend() -> None:
    friday_16 = MONDAY_9 - 3 * DAY_MS + 7 * HOUR_MS
    found = figures(answered("T1", 66 * 60, at=friday_16))  # until Monday at ten
    assert found["first_response_p50_hours_30d", ""].value == pytest.approx(66, rel=0.01)
    assert found["first_response_p50_business_hours_30d", ""].value == pytest.approx(2, rel=0.01)


def test_an_answer_within_no_business_hour_took_none() -> None:
    found = figures(answered("T1", 60, at=MONDAY_9 - 5 * HOUR_MS))
    assert found["first_response_p50_business_hours_30d", ""].value == 0


def test_touchpoints_and_departments_have_their_own_percentiles() -> None:
    found = figures(
        answered("T1", 10, touchpoint="onboarding")
        + answered("T2", 30, touchpoint="renewal")
        + answered("T3", 90, touchpoint="x")
    )
    assert found["first_response_p50_hours_30d_by_touchpoint", "onboarding"].value == pytest.approx(1 / 6, rel=0.01)
    assert found["first_response_p95_hours_30d_by_department", "Customer Success"].n == 2
    assert found["first_response_p95_hours_30d_by_department", "other"].value == pytest.approx(1.5, rel=0.01)
    assert found["tickets_opened_30d_by_department", "Customer Success"].value == 2
    assert found["open_tickets_by_department", "Customer Success"].value == 2


def test_a_reopening_takes_the_resolution_back_until_it_is_solved_again() -> None:
    events = [ticket("opened", NOON - 9 * HOUR_MS), ticket("solved", NOON - 8 * HOUR_MS, agent="an")]
    assert figures(events)["resolution_p50_hours_30d", ""].value == pytest.approx(1, rel=0.01)
    events.append(ticket("reopened", NOON - 7 * HOUR_MS))
    open_again = figures(events)["resolution_p50_hours_30d", ""]
    assert (open_again.value, open_again.n, open_again.note) == (None, 0, None)
    assert open_again.reason == "no ticket was solved for good in the window"
    events.append(ticket("solved", NOON, agent="bo"))
    found = figures(events)
    assert found["resolution_p50_hours_30d", ""].value == pytest.approx(9, rel=0.01)
    assert found["resolution_p50_hours_30d", ""].n == 1
    assert found["tickets_resolved_30d_by_agent", "bo"].value == 1
    assert ("tickets_resolved_30d_by_agent", "an") not in found
    assert found["tickets_solved_30d", ""].value == 2


def test_the_first_answer_is_the_load_of_who_gave_it_also_when_it_comes_late() -> None:
    events = answered("T1", 50, agent="an")
    earlier = ticket("replied", MONDAY_9 + 60_000, "T1", agent="bo")
    found = figures([*events, earlier])
    assert found["tickets_first_answered_30d_by_agent", "bo"].value == 1
    assert ("first_response_p50_hours_30d_by_agent", "an") not in found
    assert found["first_response_p50_hours_30d_by_agent", "bo"].value == pytest.approx(1 / 60, rel=0.01)


def test_who_answered_without_a_name_is_other() -> None:
    found = figures(answered("T1", 5, agent=None))
    assert found["tickets_first_answered_30d_by_agent", "other"].value == 1


def test_agents_beyond_the_bound_are_other_together() -> None:
    busy = answered("B1", 5, agent="busy") + answered("B2", 5, agent="busy")
    found = figures(busy, *(answered("T", 5, agent=f"agent-{number:03}") for number in range(MAX_AGENTS + 1)))
    named = [name for figure, name in found if figure == "tickets_first_answered_30d_by_agent"]
    assert len(named) == MAX_AGENTS + 1
    assert found["tickets_first_answered_30d_by_agent", "busy"].value == 2
    others = found["tickets_first_answered_30d_by_agent", "other"]
    assert (others.value, others.note) == (2, "with all agents beyond the 500 who answered and solved most")
    assert found["first_response_p50_hours_30d_by_agent", "other"].n == 2


def test_the_backlog_stands_whole_by_priority_touchpoint_and_age() -> None:
    found = figures(
        *(
            [ticket("opened", NOON - days * DAY_MS, touchpoint="support", priority="urgent")]
            for days in (0, 1, 2, 3, 6, 7, 29, 30, 400)
        )
    )
    assert found["open_tickets", ""].value == 9
    assert found["open_tickets_by_priority", "urgent"].value == 9
    assert found["open_tickets_by_touchpoint", "support"].value == 9
    ages = [found["open_tickets_by_age", age].value for age in ("0-1d", "1-3d", "3-7d", "7-30d", "30d+")]
    assert ages == [1, 2, 2, 2, 2]


def test_tickets_beyond_a_customer_s_bound_are_in_the_backlog_and_of_no_known_age() -> None:
    found = figures([ticket("opened", NOON - number, f"T{number}") for number in range(tickets.MAX_OPEN + 3)])
    assert found["open_tickets", ""].value == tickets.MAX_OPEN + 3
    assert found["open_tickets_by_age", "unfollowed"].value == 3
    assert found["open_tickets_by_department", "unfollowed"].value == 3


def test_odd_orders_are_counted() -> None:
    found = figures([ticket("solved", NOON, "unknown"), ticket("replied", NOON - 5), ticket("opened", NOON - 1)])
    assert found["tickets_solved_unknown_30d", ""].value == 1
    assert found["tickets_replied_early_30d", ""].value == 1
    assert found["first_response_p50_hours_30d", ""].value is None


def test_a_window_ends_with_its_days() -> None:
    found = figures(answered("T1", 5, at=MONDAY_9 - 40 * DAY_MS))
    assert found["first_response_p50_hours_30d", ""].n == 0
    assert found["first_response_p50_hours_90d", ""].n == 1
