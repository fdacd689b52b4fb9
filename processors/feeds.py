"""Feeds that have gone quiet: nothing is heard from anybody, so silence says nothing of any one customer.

A feed is a family of events that are signs of life. It is quiet in a partition when no event of it was folded there for some
hours, although there were enough of them before: a feed that brings one event a week is no quieter than usual after a day.
"""

from collections.abc import Callable, Mapping
from typing import Final

from processors.fleet_file import FleetPlan
from processors.windows import DAY_MS
from schemas.events import CustomerEvent, SurveyEvent, TicketEvent, UsageEvent

DAYS_BEFORE: Final = 7
"""How many UTC days, up to that of the newest event, tell how much a feed brings: a whole week, with its week-end."""

_FEED_OF_RECORD: Final = {TicketEvent: "tickets", UsageEvent: "usage", SurveyEvent: "surveys"}

CountOfDay = Callable[[str, int], int]
"""The events of a feed in the UTC day that begins at a time in epoch milliseconds."""


def feed_of(event: CustomerEvent) -> str | None:
    """The feed that an event came by; None when its family's events are no signs of life."""
    return _FEED_OF_RECORD.get(type(event))


def quiet(newest: Mapping[str, int], as_of_ms: int, plan: FleetPlan, count: CountOfDay) -> dict[str, int]:
    """The feeds that are quiet at a time, each with the time of its newest event; `newest` holds those that had events."""
    return {
        feed: newest_ms
        for feed, newest_ms in newest.items()
        if as_of_ms - newest_ms >= plan.quiet_after_ms and _brings_enough(feed, newest_ms, plan, count)
    }


def _brings_enough(feed: str, newest_ms: int, plan: FleetPlan, count: CountOfDay) -> bool:
    """Whether the feed brought so much in the week before it ended that its silence is no chance."""
    last_day_ms = newest_ms - newest_ms % DAY_MS
    events = sum(count(feed, last_day_ms - days * DAY_MS) for days in range(DAYS_BEFORE))
    return events >= plan.quiet_least_events
