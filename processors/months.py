"""UTC calendar months: their first milliseconds, which name them in flows, and the steps between them."""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from processors.windows import DAY_MS

_MONTHS: Final = 12


@lru_cache(maxsize=4_096)
def _month_of_day(day: int) -> int:
    """The number of the month that a UTC day lies in, counted from the year 0."""
    date = datetime.fromtimestamp(day * DAY_MS // 1_000, UTC)
    return date.year * _MONTHS + date.month - 1


@lru_cache(maxsize=1_024)
def _start_of_number(number: int) -> int:
    """The first millisecond of a month by its number."""
    year, month = divmod(number, _MONTHS)
    return int(datetime(year, month + 1, 1, tzinfo=UTC).timestamp()) * 1_000


def month_start(at_ms: int) -> int:
    """The first millisecond of the UTC month that a time lies in."""
    return _start_of_number(_month_of_day(at_ms // DAY_MS))


def months_later(at_ms: int, months: int) -> int:
    """The first millisecond of the month so many months after the one that a time lies in; negative: before it."""
    return _start_of_number(_month_of_day(at_ms // DAY_MS) + months)


def months_between(since_ms: int, until_ms: int) -> int:
    """How many months one of the two times' months lies after the other's."""
    return _month_of_day(until_ms // DAY_MS) - _month_of_day(since_ms // DAY_MS)


def whole_months(since_ms: int, until_ms: int) -> int:
    """How many months have passed whole: one more on the same day of the month and at the same time of day, or at its end."""
    months = months_between(since_ms, until_ms)
    into_since, into_until = since_ms - month_start(since_ms), until_ms - month_start(until_ms)
    length_ms = months_later(until_ms, 1) - month_start(until_ms)
    return max(0, months if into_until >= min(into_since, length_ms - 1) else months - 1)


@lru_cache(maxsize=1_024)
def month_name(at_ms: int) -> str:
    """A month as figures name it: `2026-02`."""
    year, month = divmod(_month_of_day(at_ms // DAY_MS), _MONTHS)
    return f"{year:04d}-{month + 1:02d}"
