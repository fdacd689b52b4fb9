"""How the demo holds alerts against the truth, and which part of a log it plays."""

import pytest

from processors.windows import DAY_MS
from schemas.events import TicketEvent
from schemas.records import ChurnAlert
from streams.demo.foresight import episodes_of, foresight, warned_at
from streams.demo.story import busiest, days_that_fit
from streams.sources.simulator import Truth
from tests.support.demo_records import alert


def truth(customer: str, left_on_day: int | None = None, *signs: str) -> Truth:
    return Truth(
        customer_id=customer,
        character="healthy",
        contracted=True,
        churned_at=None if left_on_day is None else left_on_day * DAY_MS,
        ending=None if left_on_day is None else "cancelled",
        reason=None,
        reactivated_at=None,
        signs=list(signs),
        signs_from=None,
    )


def raised(customer: str, opened_on_day: int, ended_on_day: int | None = None) -> list[ChurnAlert]:
    opened = alert(customer, "silence", opened_on_day, "opened", opened_on_day * DAY_MS, opened_on_day * DAY_MS)
    if ended_on_day is None:
        return [opened]
    return [opened, alert(customer, "silence", opened_on_day, "resolved", opened_on_day * DAY_MS, ended_on_day * DAY_MS)]


@pytest.mark.parametrize(
    ("opened_on_day", "ended_on_day", "is_warning"),
    [(90, None, True), (10, None, True), (10, 71, True), (10, 69, False), (100, None, False), (101, None, False)],
    ids=["open", "open for long", "ended within the window", "ended before it", "raised by leaving", "raised afterwards"],
)
def test_an_alert_foresaw_a_departure_when_it_stood_open_in_the_thirty_days_before(
    opened_on_day: int, ended_on_day: int | None, is_warning: bool
) -> None:
    (spans,) = episodes_of(raised("a", opened_on_day, ended_on_day)).values()
    assert warned_at(spans, 100 * DAY_MS) == (opened_on_day * DAY_MS if is_warning else None)


def test_misses_false_alarms_and_luck_are_told_beside_the_hits() -> None:
    truths = {one.customer_id: one for one in (truth("a", 100, "silence"), truth("b", 100, "usage fell"), truth("c", 100))}
    truths |= {one.customer_id: one for one in (truth("d"), truth("e"), truth("f"), truth("g"), truth("later", 300))}
    alerts = [*raised("a", 80, 90), *raised("a", 95), *raised("d", 85), *raised("e", 5, 10), *raised("e", 20, 30)]
    first_seen = dict.fromkeys("abcdef", 0) | {"later": 0, "g": 150 * DAY_MS}
    told = foresight(truths, alerts, first_seen, 0, 200 * DAY_MS)
    assert (told.left, told.alerted, told.missed, told.missed_without_signs) == (3, 1, 2, 1)
    assert told.lead_days == (20.0, 20.0, 20.0)
    assert (told.stayed, told.stayed_alerted, told.stayed_alerts) == (5, 2, 3)
    # Of the four that stayed and were known by then (not g), one had an alert open in the same thirty days.
    assert told.by_chance_share == pytest.approx(1 / 4)
    assert told.lift == pytest.approx((1 / 3) / (1 / 4))


def test_without_departures_there_is_neither_lead_nor_lift() -> None:
    told = foresight({"a": truth("a")}, [], {"a": 0}, 0, DAY_MS)
    assert (told.left, told.lead_days, told.lift) == (0, None, None)


def ticket(day: float) -> TicketEvent:
    return TicketEvent(event_id=str(day), customer_id="a", occurred_at=int(day * DAY_MS), kind="opened", ticket_id=str(day))


def test_of_a_log_the_days_with_the_most_events_are_played() -> None:
    events = [ticket(day) for day in (0, 1, 40, 41, 42, 43, 300)]
    excerpt = busiest(events, 10)
    assert [event.occurred_at // DAY_MS for event in excerpt.events] == [40, 41, 42, 43]
    assert (excerpt.start_ms, excerpt.end_ms) == (33 * DAY_MS, 43 * DAY_MS)


def test_a_log_that_is_short_enough_is_played_whole() -> None:
    excerpt = busiest([ticket(day) for day in (3, 4, 9)], 10)
    assert (len(excerpt.events), excerpt.start_ms, excerpt.end_ms) == (3, 3 * DAY_MS, 9 * DAY_MS)


def test_more_customers_mean_fewer_days_and_never_less_than_two_weeks() -> None:
    assert days_that_fit(100) > days_that_fit(600) > 14
    assert days_that_fit(1_000_000) == 14
