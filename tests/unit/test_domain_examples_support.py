"""The domain's sentences on support, each as a test."""

from collections import Counter

import pytest

from processors import tickets, upkeep
from processors.definitions import Definitions, parse
from processors.figures import Sheet, all_figures
from processors.readings import NOT_YET_60_DAYS
from processors.sketch import ERROR_NOTE, bin_of, merged, quantile
from processors.windows import DAY_MS, HOUR_MS
from schemas.events import TicketEvent
from schemas.records import Figure
from tests.support.happenings import NOON, account, ticket
from tests.support.judging import Judged, default_definitions, default_text

MONDAY_9 = NOON - 3 * HOUR_MS
BERLIN = default_text().replace(
    'time_zone = "UTC"\nholidays = []', 'time_zone = "Europe/Berlin"\nholidays = [2025-12-25, 2025-12-26]', 1
)


def customer(*events: TicketEvent, definitions: Definitions | None = None) -> Judged:
    found = Judged(definitions)
    found.happens(account("known", NOON - 100 * DAY_MS, seats=10))
    found.happens(*events, clock=max(NOON - 100 * DAY_MS, *(event.occurred_at for event in events)))
    return found


def figure(found: Judged, name: str, dimension: str = "", at: int = NOON) -> Figure:
    sheet = Sheet(found.state, at, found.context.definitions)
    (one,) = [item for item in all_figures(sheet) if (item.name, item.dimension) == (name, dimension)]
    return one


def first_response(*events: TicketEvent, definitions: Definitions | None = None) -> tuple[float | None, float | None]:
    found = customer(*events, definitions=definitions)
    at = max(event.occurred_at for event in events)
    names = ("first_response_median_hours_90d", "first_response_median_business_hours_90d")
    hours, business_hours = (figure(found, name, at=at).value for name in names)
    return hours, business_hours


def utc(day: int, hour: float) -> int:
    return day * DAY_MS + int(hour * HOUR_MS)


def test_backlog_tickets_opened_and_neither_solved_nor_closed_at_t() -> None:
    found = customer(
        ticket("opened", NOON - DAY_MS, "A"),
        *(ticket("opened", NOON - DAY_MS, "B"), ticket("solved", NOON, "B")),
        *(ticket("opened", NOON - DAY_MS, "C"), ticket("closed", NOON, "C")),
    )
    assert figure(found, "open_tickets").value == 1


def test_reopening_puts_one_back_with_its_original_opening_time_and_counts_a_reopen() -> None:
    found = customer(ticket("opened", NOON - 4 * DAY_MS), ticket("solved", NOON - DAY_MS), ticket("reopened", NOON))
    assert figure(found, "oldest_open_ticket_days").value == 4
    assert figure(found, "tickets_reopened_30d").value == 1


def test_else_the_time_of_reopening_flagged() -> None:
    found = customer(ticket("reopened", NOON))
    assert figure(found, "oldest_open_ticket_days").value == 0
    assert tickets.assumed_openings(found.state.tickets) == 1


def test_the_200_newest_closed_ones_are_remembered_and_of_older_ones_the_time_of_reopening_counts_flagged() -> None:
    start = NOON - 10 * DAY_MS
    found = customer(
        *(ticket("opened", start + number, f"T{number}") for number in range(201)),
        *(ticket("solved", start + DAY_MS + number, f"T{number}") for number in range(201)),
    )
    found.happens(ticket("reopened", NOON, "T1"))
    assert figure(found, "oldest_open_ticket_days").value == (NOON - start - 1) / DAY_MS
    assert "assumed_opening" not in upkeep.flags(found.state)
    found.happens(ticket("solved", NOON + 1, "T1"), ticket("reopened", NOON + 2, "T0"))
    assert figure(found, "oldest_open_ticket_days", at=NOON + 2 + HOUR_MS).value == HOUR_MS / DAY_MS
    assert {"assumed_opening", "forgotten_ticket"} <= set(upkeep.flags(found.state))
    assert figure(found, "tickets_reopened_30d", at=NOON + 2).value == 2


def test_percentiles_come_from_a_mergeable_sketch_with_a_relative_error_of_1_percent() -> None:
    waits = [float(7 * number * number + 13) for number in range(500)]
    parts = [Counter(map(bin_of, waits[start::3])) for start in range(3)]
    for q in (0.5, 0.9, 0.95):
        exact = sorted(waits)[int(q * (len(waits) - 1))]
        assert quantile(merged(parts), q) == quantile(Counter(map(bin_of, waits)), q) == pytest.approx(exact, rel=0.01)
    assert "1 %" in ERROR_NOTE


def test_backlog_per_customer_priority_and_touchpoint_and_ageing_buckets() -> None:
    ages = {"0-1d": 0, "1-3d": 2, "3-7d": 5, "7-30d": 20, "30d+": 40}
    found = customer(
        *(ticket("opened", NOON - days * DAY_MS, age, priority="high", touchpoint="support") for age, days in ages.items())
    )
    assert figure(found, "open_tickets_by_priority", "high").value == 5
    assert figure(found, "open_tickets_by_touchpoint", "support").value == 5
    assert [figure(found, "open_tickets_by_age", age).value for age in ages] == [1, 1, 1, 1, 1]


def test_first_response_time_is_the_first_agent_reply_minus_the_opening_also_in_business_hours() -> None:
    friday_16 = MONDAY_9 - 3 * DAY_MS + 7 * HOUR_MS
    assert first_response(
        ticket("opened", friday_16), ticket("replied", MONDAY_9 + HOUR_MS), ticket("replied", MONDAY_9 + 2 * HOUR_MS)
    ) == (66, 2)


def test_weekends_holidays_and_daylight_saving_changes_are_taken_care_of() -> None:
    berlin = parse(BERLIN)
    christmas_eve = 20_446  # 2025-12-24, a Wednesday; at 16 o'clock in Berlin it is 15 in UTC
    over_christmas = (ticket("opened", utc(christmas_eve, 15)), ticket("replied", utc(christmas_eve + 5, 9)))
    assert first_response(*over_christmas, definitions=berlin) == (114, 2)
    friday = 20_539  # 2026-03-27; on the Sunday after it the clocks go forward
    over_spring = (ticket("opened", utc(friday, 15)), ticket("replied", utc(friday + 3, 8)))
    assert first_response(*over_spring, definitions=berlin) == (65, 2)
    friday = 20_385  # 2025-10-24; on the Sunday after it the clocks go back
    over_autumn = (ticket("opened", utc(friday, 14)), ticket("replied", utc(friday + 3, 9)))
    assert first_response(*over_autumn, definitions=berlin) == (67, 2)


def test_resolution_time_is_the_solved_event_minus_the_opening() -> None:
    events = [ticket("opened", NOON - 10 * HOUR_MS), ticket("solved", NOON - 6 * HOUR_MS)]
    assert figure(customer(*events), "resolution_median_hours_90d").value == 4
    reopened = [*events, ticket("reopened", NOON - 5 * HOUR_MS)]
    assert figure(customer(*reopened), "resolution_median_hours_90d").value is None
    again = figure(customer(*reopened, ticket("solved", NOON)), "resolution_median_hours_90d")
    assert (again.value, again.n) == (10, 1)


def test_inflow_tickets_opened_per_seat_last_30_days_against_the_30_before() -> None:
    days = (1, 5, 29, 30, 59, 60)
    found = customer(*(ticket("opened", NOON - day * DAY_MS, f"T{day}") for day in sorted(days, reverse=True)))
    assert figure(found, "tickets_opened_per_seat_30d").value == pytest.approx(0.3)
    assert figure(found, "ticket_inflow_per_seat_change_30d").value == pytest.approx(0.1)


def test_there_is_no_change_of_inflow_until_the_customer_was_known_for_the_60_days_that_are_compared() -> None:
    found = Judged()
    found.happens(account("known", NOON - 40 * DAY_MS, seats=10))
    found.happens(*(ticket("opened", NOON - day * DAY_MS, f"T{day}") for day in (40, 3, 2, 1)), clock=NOON)
    change = figure(found, "ticket_inflow_per_seat_change_30d")
    assert (change.value, change.reason) == (None, NOT_YET_60_DAYS)
    assert figure(found, "tickets_opened_per_seat_30d").value == pytest.approx(0.3)


def test_without_seats_there_is_no_inflow_per_seat_and_the_reason_is_told() -> None:
    found = Judged()
    found.happens(ticket("opened", NOON))
    assert figure(found, "ticket_inflow_per_seat_change_30d").reason == "the seats are not known"


def test_two_solved_events_are_one() -> None:
    events = (ticket("opened", NOON - 9 * HOUR_MS), ticket("solved", NOON - 8 * HOUR_MS), ticket("solved", NOON))
    median = figure(customer(*events), "resolution_median_hours_90d")
    assert (median.value, median.n) == (1, 1)


def test_a_reply_before_the_opening_is_counted_and_answers_nothing() -> None:
    early = (ticket("replied", NOON - 2 * HOUR_MS), ticket("opened", NOON - HOUR_MS))
    assert figure(customer(*early), "first_response_median_hours_90d").value is None
    assert first_response(*early, ticket("replied", NOON))[0] == 1
    assert customer(*early).context.effects.totals.flows["tickets_by_day", "other", NOON - NOON % DAY_MS] == [1, 0, 0, 0, 1]


def test_a_solve_of_an_unknown_ticket_is_counted_and_has_no_resolution_time() -> None:
    found = customer(ticket("solved", NOON))
    median = figure(found, "resolution_median_hours_90d")
    assert (median.value, median.n, median.reason) == (None, 0, "no ticket was solved for good in the window")
    found.happens(ticket("opened", NOON - HOUR_MS))
    assert figure(found, "resolution_median_hours_90d").value == 1


def test_a_late_reply_puts_the_first_response_right() -> None:
    events = (ticket("opened", NOON - 9 * HOUR_MS), ticket("replied", NOON), ticket("replied", NOON - 8 * HOUR_MS))
    assert first_response(*events)[0] == 1


def test_closed_without_a_solve_has_no_resolution_time_even_if_solved_later() -> None:
    events = (ticket("opened", NOON - 9 * HOUR_MS), ticket("closed", NOON - HOUR_MS), ticket("solved", NOON))
    assert figure(customer(*events), "resolution_median_hours_90d").n == 0


def test_at_rest_a_reopening_still_takes_the_resolution_back_and_a_reply_is_not_the_first() -> None:
    start = NOON - 60 * DAY_MS
    found = customer(
        *(ticket("opened", start), ticket("replied", start + HOUR_MS), ticket("solved", start + 2 * HOUR_MS)),
        ticket("closed", start + DAY_MS),
    )
    tickets.prune(found.state.tickets, NOON)
    found.happens(ticket("reopened", NOON), ticket("replied", NOON + 1))
    assert figure(found, "resolution_median_hours_90d").value is None
    assert figure(found, "first_response_median_hours_90d", at=NOON + 1).value == 1


def test_the_median_of_an_even_number_is_the_lower_of_the_two_in_the_middle() -> None:
    events = [
        event
        for hours in (4, 1, 3, 2)
        for event in (ticket("opened", NOON - hours * HOUR_MS, f"T{hours}"), ticket("replied", NOON, f"T{hours}"))
    ]
    assert first_response(*events)[0] == 2


def test_the_default_office_has_no_holidays() -> None:
    assert default_definitions().calendars.default.holidays == frozenset()
