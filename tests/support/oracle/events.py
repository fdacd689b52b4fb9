"""A customer's accepted events and the windows they are counted in.

7 days are the current hour and the 167 before it, longer windows the current UTC day and those before it.
"""

import tomllib
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any, NamedTuple

from tests.support.oracle.acceptance import Event

HOUR_MS = 60 * 60 * 1000
DAY_MS = 24 * HOUR_MS
OTHER = "other"


class Names(NamedTuple):
    """The names that the definitions know; any other is counted as `other`."""

    touchpoints: frozenset[str]
    goals: frozenset[str]
    definitions_text: str = ""

    def touchpoint(self, name: str | None) -> str:
        return name if name in self.touchpoints else OTHER

    def goal(self, name: str) -> str:
        return name if name in self.goals else OTHER

    @property
    def goal_tables(self) -> dict[str, dict[str, Any]]:
        """What the definitions say of each goal."""
        return {table["name"]: table for table in read_definitions(self.definitions_text).get("goals", [])}

    @property
    def before_sale(self) -> set[str]:
        """The touchpoints before the sale."""
        tables = read_definitions(self.definitions_text).get("touchpoints", [])
        return {table["name"] for table in tables if table.get("side") == "before"}


@lru_cache(maxsize=8)
def read_definitions(definitions_text: str) -> dict[str, Any]:
    return tomllib.loads(definitions_text)


@lru_cache(maxsize=8)
def names_of(definitions_text: str) -> Names:
    read = read_definitions(definitions_text)
    touchpoints, goals = (frozenset(table["name"] for table in read.get(section, [])) for section in ("touchpoints", "goals"))
    return Names(touchpoints, goals, definitions_text)


def is_in_window(at_ms: int, days: int, as_of_ms: int) -> bool:
    if days == 7:
        return as_of_ms // HOUR_MS - 167 <= at_ms // HOUR_MS <= as_of_ms // HOUR_MS
    return as_of_ms // DAY_MS - (days - 1) <= at_ms // DAY_MS <= as_of_ms // DAY_MS


def in_window(events: Iterable[Event], days: int, as_of_ms: int) -> list[Event]:
    return [event for event in events if is_in_window(event["occurred_at"], days, as_of_ms)]


def known_for_60_days(events: Iterable[Event], as_of_ms: int) -> bool:
    """Whether anything is known of the customer from the first of the 60 UTC days up to a time, or from before."""
    oldest_ms: int = min(event["occurred_at"] for event in events)
    return oldest_ms // DAY_MS <= as_of_ms // DAY_MS - 59


def answers(events: Iterable[Event], survey: str) -> Iterator[Event]:
    return (event for event in events if event.get("survey") == survey and event["kind"] == "answered")


def is_ticket(event: Event) -> bool:
    return "ticket_id" in event and "survey" not in event


def is_usage(event: Event) -> bool:
    return event["kind"] in {"feature_used", "goal_completed", "goal_failed", "session", "interaction_ended"}


def newest_at(events: Iterable[Event]) -> int | None:
    return max((event["occurred_at"] for event in events), default=None)
