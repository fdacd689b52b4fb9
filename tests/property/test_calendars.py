"""Business hours against the wall clock, asked every five minutes."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from processors.calendars import Calendar, business_ms

STEP_MS, DAY_MS = 300_000, 86_400_000
ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "Asia/Ho_Chi_Minh",
    "America/Asuncion",
]
CHANGES = [datetime(2026, 3, 8, tzinfo=UTC), datetime(2026, 3, 29, tzinfo=UTC), datetime(2026, 10, 25, tzinfo=UTC)]
CHANGES += [datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 4, 4, tzinfo=UTC), datetime(2025, 12, 31, tzinfo=UTC)]
TIMES = st.builds(
    lambda change, steps: round(change.timestamp()) * 1000 + steps * STEP_MS,
    st.sampled_from(CHANGES),
    st.integers(-3 * 288, 3 * 288),
)
FIVES = st.integers(0, 288).map(lambda number: 5 * number)


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    week = []
    for _ in range(7):
        edges = sorted(draw(st.sets(FIVES, max_size=4)))
        week.append(tuple(zip(edges[::2], edges[1::2], strict=False)))
    holidays = draw(st.frozensets(st.integers(20_454, 20_758), max_size=40))
    return Calendar("c", draw(st.sampled_from(ZONES)), tuple(week), holidays)


def by_the_wall_clock(calendar: Calendar, start_ms: int, end_ms: int) -> int:
    total = 0
    for at_ms in range(start_ms, end_ms, STEP_MS):
        there = datetime.fromtimestamp(at_ms / 1000, ZoneInfo(calendar.time_zone))
        day = (there.date() - datetime(1970, 1, 1, tzinfo=UTC).date()).days
        minute = there.hour * 60 + there.minute
        if day not in calendar.holidays:
            total += any(opens <= minute < closes for opens, closes in calendar.week[there.weekday()]) * STEP_MS
    return total


@settings(deadline=None, max_examples=150)
@given(calendars(), TIMES, st.integers(0, 5 * 288))
def test_business_hours_are_what_the_wall_clock_says(calendar: Calendar, start_ms: int, steps: int) -> None:
    end_ms = start_ms + steps * STEP_MS
    assert business_ms(calendar, start_ms, end_ms) == by_the_wall_clock(calendar, start_ms, end_ms)


@settings(deadline=None)
@given(calendars(), TIMES, st.integers(0, 200 * DAY_MS), st.integers(0, 200 * DAY_MS))
def test_two_spans_one_after_the_other_add_up(calendar: Calendar, start_ms: int, first_ms: int, second_ms: int) -> None:
    middle_ms, end_ms = start_ms + first_ms, start_ms + first_ms + second_ms
    whole = business_ms(calendar, start_ms, end_ms)
    assert whole == business_ms(calendar, start_ms, middle_ms) + business_ms(calendar, middle_ms, end_ms)
