"""Feeds that have gone quiet: nothing is heard from anybody, so silence says nothing of any one customer.

A feed is a family of events that are signs of life. It is held against its own rate, by the day of the week: for each whole UTC
day of the gap, as many events are expected as the same weekday brought in the 7 whole UTC days before that of the newest event.
The feed is quiet when that comes to enough, while none came. Only whole days count, because a feed sleeps at night; and by the
weekday, because one of a business that rests at the week-end brings nothing then, however much it brings on other days. So a
feed of 500 events a working day that ends on a Tuesday is quiet when Wednesday is over, and one of 5 a week after a month.
"""

from collections.abc import Callable, Mapping
from typing import Final

from processors.fleet_file import FleetPlan
from processors.windows import DAY_MS
from schemas.events import CustomerEvent, SurveyEvent, TicketEvent, UsageEvent

USAGE: Final = "usage"
"""The feed that most signs of life come by: while it is quiet, nobody's silence, and no fall of use, says anything."""

_WEEK_DAYS: Final = 7
_FEED_OF_RECORD: Final = {TicketEvent: "tickets", UsageEvent: USAGE, SurveyEvent: "surveys"}
FEEDS: Final = tuple(_FEED_OF_RECORD.values())

CountOfDay = Callable[[str, int], int]
"""The events of a feed in the UTC day that begins at a time in epoch milliseconds."""


def feed_of(event: CustomerEvent) -> str | None:
    """The feed that an event came by; None when its family's events are no signs of life."""
    return _FEED_OF_RECORD.get(type(event))


def quiet(newest: Mapping[str, int], as_of_ms: int, plan: FleetPlan, count: CountOfDay) -> dict[str, int]:
    """The feeds that are quiet at a time, each with the time of its newest event; `newest` holds those that had events."""
    return {feed: newest_ms for feed, newest_ms in newest.items() if is_quiet(feed, newest_ms, as_of_ms, plan, count)}


def is_quiet(feed: str, newest_ms: int, as_of_ms: int, plan: FleetPlan, count: CountOfDay) -> bool:
    """Whether a feed whose newest event came at `newest_ms` is quiet: long enough, and against its own rate."""
    if as_of_ms - newest_ms < plan.quiet_after_ms:
        return False
    last_day = newest_ms // DAY_MS
    whole_days = as_of_ms // DAY_MS - last_day - 1
    weeks, rest = divmod(max(0, whole_days), _WEEK_DAYS)
    expected = 0
    for place in range(_WEEK_DAYS if weeks else rest):  # the weekdays in the order of the gap
        same_weekday = last_day - _WEEK_DAYS + (place + 1) % _WEEK_DAYS
        expected += (weeks + (place < rest)) * count(feed, same_weekday * DAY_MS)
    return expected >= plan.quiet_expected_events
