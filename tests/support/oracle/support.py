"""How long customers wait for an answer: every duration in full, by the clock and in business hours."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from tests.support.oracle.acceptance import Event
from tests.support.oracle.events import DAY_MS, HOUR_MS, Names, is_in_window, read_definitions
from tests.support.oracle.tickets import courses

OFFICE: dict[str, Any] = {
    "time_zone": "UTC",
    "hours": {day: ["09:00-17:00"] for day in ("monday", "tuesday", "wednesday", "thursday", "friday")},
}
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
SPANS = ("first_response", "resolution")


class Wait(NamedTuple):
    """One first response or resolution."""

    span: str
    touchpoint: str
    agent: str
    ended_at: int
    clock_ms: int
    business_ms: int


def waits(events: Sequence[Event], names: Names) -> Iterator[Wait]:
    """All first responses and resolutions of a customer."""
    for course in courses(events, names).values():
        for span, answer in zip(SPANS, (course.first_response, course.resolution), strict=True):
            if answer is not None:
                open_ms = business_ms(_calendar(names, course.touchpoint), answer.opened_at, answer.ended_at)
                clock_ms = answer.ended_at - answer.opened_at
                yield Wait(span, course.touchpoint, answer.agent, answer.ended_at, clock_ms, open_ms)


def median_hours(
    events: Sequence[Event], names: Names, span: str, hours: str, as_of_ms: int
) -> tuple[float | None, int, int | None]:
    """The median of the last 90 days (of an even number the lower of the two in the middle), how many, and the newest's time."""
    mine = [wait for wait in waits(events, names) if wait.span == span and is_in_window(wait.ended_at, 90, as_of_ms)]
    if not mine:
        return None, 0, None
    durations = sorted(wait.clock_ms if hours == "hours" else wait.business_ms for wait in mine)
    middle = len(durations) // 2 if len(durations) % 2 else len(durations) // 2 - 1
    return durations[middle] / HOUR_MS, len(mine), max(wait.ended_at for wait in mine)


def opened_between(events: Sequence[Event], names: Names, as_of_ms: int, first_back: int, last_back: int) -> int:
    """How many tickets were opened on the UTC days from so many to so many before the one of now."""
    today = as_of_ms // DAY_MS
    opened = [at for course in courses(events, names).values() for kind, at in course.flows if kind == "opened"]
    return sum(today - last_back <= at // DAY_MS <= today - first_back for at in opened)


def business_ms(calendar: dict[str, Any], start_ms: int, end_ms: int) -> int:
    """Day by day of the calendar's zone; exact as long as no hours hold a change to or from daylight saving."""
    zone = ZoneInfo(calendar.get("time_zone", "UTC"))
    day = datetime.fromtimestamp(start_ms / 1000, zone).date()
    last = datetime.fromtimestamp(end_ms / 1000, zone).date()
    total = 0
    while day <= last:
        if day not in calendar.get("holidays", []):
            for text in calendar.get("hours", OFFICE["hours"]).get(DAYS[day.weekday()], []):
                opens, closes = text.split("-")
                total += max(0, min(end_ms, _instant(day, closes, zone)) - max(start_ms, _instant(day, opens, zone)))
        day += timedelta(days=1)
    return total


def _instant(day: date, clock: str, zone: ZoneInfo) -> int:
    if clock == "24:00":
        day, clock = day + timedelta(days=1), "00:00"
    there = datetime.combine(day, time.fromisoformat(clock), zone)
    return round(there.astimezone(UTC).timestamp()) * 1000


def _calendar(names: Names, touchpoint: str) -> dict[str, Any]:
    listed = read_definitions(names.definitions_text).get("calendars", [])
    for calendar in listed:
        if touchpoint in calendar.get("touchpoints", []):
            return dict(calendar)
    return dict(next((calendar for calendar in listed if not calendar.get("touchpoints")), OFFICE))
