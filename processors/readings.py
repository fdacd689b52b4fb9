"""What the readers of all families of figures share: what a reading is when nothing is known, and how figures are made."""

from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from processors.health import Reading
from processors.windows import DAY_MS, Window, first_day
from schemas.records import Figure

if TYPE_CHECKING:
    from processors.definitions import Definitions
    from processors.state import CustomerState

Reader = Callable[["CustomerState", int, "Definitions"], Reading]
"""Reads a figure of a customer as of a time, by the definitions in force."""

UNKNOWN: Final = Reading(None)
_D60: Final = Window(60, "60d")

shared = lru_cache(maxsize=16_384)
"""Customers are alike in most of their figures, so those made of small counts are made once and shared."""


NOT_YET_60_DAYS: Final = "the customer was not known for the whole of the 60 days that are compared"


def was_known_for_60_days(state: "CustomerState", as_of_ms: int) -> bool:
    """Whether the customer's oldest event lies in or before the first of the 60 UTC days up to a time.

    Of one that came later, less in the first 30 days than in the last tells of its beginning, and nothing of a change.
    """
    return 0 < state.first_day <= first_day(_D60, as_of_ms)


def known_for_60_days_at(state: "CustomerState") -> int:
    """By when, at the latest, a daily evaluation has seen the customer known for 60 days; 0 for one without any event."""
    return (state.first_day + _D60.days) * DAY_MS if state.first_day else 0


def known(value: int | None) -> Reading:
    """The reading of a number that may be unknown."""
    return UNKNOWN if value is None else Reading(float(value))


def moving(name: str, value: float | None, reason: str) -> Figure:
    """A figure that moves with time; the reason is told only when there is no value."""
    return Figure(name=name, reason=reason) if value is None else Figure(name=name, value=value)


@shared
def ratio(name: str, value: float | None, n: int, days: int, reason: str) -> Figure:
    """A figure that rests on a number of things, without an interval; the reason is told only when there is no value."""
    return Figure(name=name, window_days=days, value=value, n=n, reason=reason if value is None else None)


@shared
def count(name: str, value: float | None, dimension: str = "", days: int | None = None, reason: str | None = None) -> Figure:
    """A figure without an interval; the reason is told only when there is no value."""
    if value is None:
        return Figure(name=name, dimension=dimension, window_days=days, reason=reason)
    return Figure(name=name, dimension=dimension, window_days=days, value=float(value))
