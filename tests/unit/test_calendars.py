from datetime import date, datetime
from time import perf_counter
from zoneinfo import ZoneInfo

from processors.calendars import OFFICE, Calendar, Calendars, business_ms, is_open

HOUR_MS, DAY_MS = 3_600_000, 86_400_000
NINE_TO_FIVE = ((9 * 60, 17 * 60),)
BERLIN = Calendar("berlin", "Europe/Berlin", (*[NINE_TO_FIVE] * 5, (), ()))
ALWAYS = Calendar("always", "Europe/Berlin", (((0, 24 * 60),),) * 7)


def at(text: str, zone: str = "Europe/Berlin", fold: int = 0) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).timestamp() * 1000)


def day_number(text: str) -> int:
    return (date.fromisoformat(text) - date(1970, 1, 1)).days


def hours(calendar: Calendar, start: str, end: str) -> float:
    return business_ms(calendar, at(start, calendar.time_zone), at(end, calendar.time_zone)) / HOUR_MS


def test_within_a_day_only_the_open_hours_count() -> None:
    assert hours(BERLIN, "2026-02-16T08:00", "2026-02-16T10:30") == 1.5
    assert hours(BERLIN, "2026-02-16T10:00", "2026-02-16T11:00") == 1
    assert hours(BERLIN, "2026-02-16T16:00", "2026-02-16T23:00") == 1


def test_a_weekend_does_not_count() -> None:
    assert hours(BERLIN, "2026-02-13T16:00", "2026-02-16T10:00") == 2
    assert hours(BERLIN, "2026-02-14T00:00", "2026-02-16T00:00") == 0


def test_a_holiday_does_not_count() -> None:
    closed = Calendar("closed", "Europe/Berlin", BERLIN.week, frozenset({day_number("2026-04-03"), day_number("2026-04-06")}))
    assert hours(closed, "2026-04-02T16:00", "2026-04-07T10:00") == 2  # over Easter
    assert hours(BERLIN, "2026-04-02T16:00", "2026-04-07T10:00") == 18


def test_a_holiday_on_a_weekend_changes_nothing() -> None:
    closed = Calendar("closed", "Europe/Berlin", BERLIN.week, frozenset({day_number("2026-02-14")}))
    assert hours(closed, "2026-02-13T16:00", "2026-02-16T10:00") == 2


def test_what_begins_outside_the_hours_begins_with_the_next_opening() -> None:
    assert hours(BERLIN, "2026-02-14T12:00", "2026-02-16T09:30") == 0.5
    assert hours(BERLIN, "2026-02-16T18:00", "2026-02-17T09:15") == 0.25
    assert hours(BERLIN, "2026-02-16T18:00", "2026-02-16T19:00") == 0


def test_an_empty_or_reversed_span_is_zero() -> None:
    noon = at("2026-02-16T12:00")
    assert business_ms(BERLIN, noon, noon) == 0
    assert business_ms(BERLIN, noon, noon - DAY_MS) == 0


def test_it_is_exact_to_the_millisecond() -> None:
    opens = at("2026-02-16T09:00")
    assert business_ms(BERLIN, opens - 1, opens + 1) == 1
    assert business_ms(BERLIN, opens, opens + 8 * HOUR_MS + 5) == 8 * HOUR_MS
    assert not is_open(BERLIN, opens - 1)
    assert is_open(BERLIN, opens)
    assert not is_open(BERLIN, opens + 8 * HOUR_MS)


def test_an_hour_that_daylight_saving_skips_is_not_there() -> None:
    night = Calendar("night", "Europe/Berlin", (((60, 4 * 60),),) * 7)  # 01:00 to 04:00
    assert hours(night, "2026-03-29T00:00", "2026-03-29T12:00") == 2
    assert hours(ALWAYS, "2026-03-29T00:00", "2026-03-30T00:00") == 23
    within = Calendar("within", "Europe/Berlin", (((2 * 60, 3 * 60),),) * 7)
    assert hours(within, "2026-03-29T00:00", "2026-03-30T00:00") == 0


def test_an_hour_that_daylight_saving_repeats_counts_twice() -> None:
    night = Calendar("night", "Europe/Berlin", (((60, 4 * 60),),) * 7)
    assert hours(night, "2026-10-25T00:00", "2026-10-25T12:00") == 4
    assert hours(ALWAYS, "2026-10-25T00:00", "2026-10-26T00:00") == 25
    half = Calendar("half", "Europe/Berlin", (((2 * 60, 2 * 60 + 30),),) * 7)
    assert hours(half, "2026-10-25T00:00", "2026-10-26T00:00") == 1  # 02:00 to 02:30, twice
    assert business_ms(half, at("2026-10-25T02:15"), at("2026-10-25T02:15", fold=1)) == HOUR_MS // 2


def test_a_day_s_hours_move_with_daylight_saving() -> None:
    assert business_ms(BERLIN, at("2026-03-27T09:00", "UTC"), at("2026-03-27T10:00", "UTC")) == HOUR_MS
    assert not is_open(BERLIN, at("2026-03-27T07:30", "UTC"))
    assert is_open(BERLIN, at("2026-03-30T07:30", "UTC"))
    assert hours(BERLIN, "2026-03-27T09:00", "2026-04-03T17:00") == 48


def test_a_day_that_a_zone_has_skipped_has_no_hours() -> None:
    samoa = Calendar("samoa", "Pacific/Apia", (NINE_TO_FIVE,) * 7)  # there was no 2011-12-30
    assert hours(samoa, "2011-12-29T00:00", "2012-01-01T00:00") == 16


def test_a_zone_off_by_half_an_hour_and_one_far_ahead_of_utc() -> None:
    for zone in ("Asia/Kolkata", "Pacific/Kiritimati", "America/Los_Angeles", "Australia/Lord_Howe"):
        there = Calendar("there", zone, BERLIN.week)
        assert hours(there, "2026-02-16T00:00", "2026-02-23T00:00") == 40


def test_a_day_may_have_several_hours() -> None:
    split = Calendar("split", "UTC", (((9 * 60, 12 * 60), (13 * 60, 18 * 60)),) * 7)
    assert hours(split, "2026-02-16T11:00", "2026-02-16T14:00") == 2


def test_ten_years_are_exact_and_soon_reckoned() -> None:
    start, end = at("2016-02-16T12:00"), at("2026-02-16T12:00")
    assert business_ms(ALWAYS, start, end) == end - start
    began = perf_counter()
    weekdays = sum((day + 3) % 7 < 5 for day in range(day_number("2016-02-16"), day_number("2026-02-16")))
    assert business_ms(BERLIN, start, end) == weekdays * 8 * HOUR_MS
    business_ms(BERLIN, start + 1, end)
    assert perf_counter() - began < 5


def test_each_touchpoint_has_its_calendar_or_the_one_of_all() -> None:
    both = Calendars(OFFICE, {"support": BERLIN})
    assert both.of("support") is BERLIN
    assert both.of("product") is OFFICE
