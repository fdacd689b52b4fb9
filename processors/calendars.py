"""Business hours: when those who answer customers are there, in their own time zone, and how much of a span that is.

Open is every instant at which the wall clock of the calendar's time zone reads a time within the hours of that day, and the day
is no holiday. So an hour that daylight saving skips is not there, and one that it repeats counts twice when it lies within the
hours. Time zones are those of the package `tzdata`, the same on every machine.
"""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, reset_tzpath

from msgspec import Struct

from processors.windows import DAY_MS

# The machine's own zones may be older or younger than its neighbour's; the same log must give the same figures on both.
reset_tzpath(to=())

MINUTE_MS: Final = 60_000
DAYS_OF_WEEK: Final = 7
_MONDAY: Final = 3  # 1970-01-01 was a Thursday
_BLOCK_DAYS: Final = 64

Hours = tuple[tuple[int, int], ...]
"""The opening hours of a day: from and until, in minutes since midnight, apart from each other and in order."""


class Calendar(Struct, frozen=True, gc=False, cache_hash=True):
    """The business hours of one team: by day of the week from Monday on, but for `holidays`, which are days counted from 1970.

    `time_zone` is a name of the IANA database, such as `Asia/Ho_Chi_Minh`.
    """

    name: str
    time_zone: str
    week: tuple[Hours, ...]
    holidays: frozenset[int] = frozenset()


class Calendars(Struct, frozen=True):
    """The calendar of each touchpoint that has one of its own, and the one of all others."""

    default: Calendar
    by_touchpoint: dict[str, Calendar] = {}

    def of(self, touchpoint: str) -> Calendar:
        """The hours in which those who answer at a touchpoint are there."""
        return self.by_touchpoint.get(touchpoint, self.default)


OFFICE: Final = Calendar("office", "UTC", (*[((9 * 60, 17 * 60),)] * 5, (), ()))
"""What is assumed where nothing is configured: Monday to Friday from 9 to 17 o'clock, in UTC."""


def business_ms(calendar: Calendar, from_ms: int, until_ms: int) -> int:
    """How much of the span from `from_ms` until before `until_ms` (epoch ms) is open; 0 when it is empty or reversed."""
    if until_ms <= from_ms:
        return 0
    first, last = from_ms // DAY_MS, (until_ms - 1) // DAY_MS
    if first == last:
        return _open_within(calendar, first, from_ms, until_ms)
    ends = _open_within(calendar, first, from_ms, (first + 1) * DAY_MS) + _open_within(calendar, last, last * DAY_MS, until_ms)
    return ends + _open_of_days(calendar, first + 1, last)


def is_open(calendar: Calendar, at_ms: int) -> bool:
    """Whether somebody is there at an instant."""
    return any(start <= at_ms < end for start, end in _open_spans(calendar, at_ms // DAY_MS))


def _open_within(calendar: Calendar, day: int, from_ms: int, until_ms: int) -> int:
    """How much of a span within one UTC day is open."""
    return sum(max(0, min(end, until_ms) - max(start, from_ms)) for start, end in _open_spans(calendar, day))


def _open_of_days(calendar: Calendar, first: int, end: int) -> int:
    """How much of the whole UTC days from `first` until before `end` is open; long spans are added up by blocks of days."""
    total = 0
    day = first
    while day < end:
        if day % _BLOCK_DAYS == 0 and day + _BLOCK_DAYS <= end:
            total += _open_of_block(calendar, day // _BLOCK_DAYS)
            day += _BLOCK_DAYS
        else:
            total += _open_of_day(calendar, day)
            day += 1
    return total


@lru_cache(maxsize=4096)
def _open_of_block(calendar: Calendar, block: int) -> int:
    return sum(_open_of_day(calendar, day) for day in range(block * _BLOCK_DAYS, (block + 1) * _BLOCK_DAYS))


def _open_of_day(calendar: Calendar, day: int) -> int:
    return sum(end - start for start, end in _open_spans(calendar, day))


@lru_cache(maxsize=8192)
def _open_spans(calendar: Calendar, day: int) -> tuple[tuple[int, int], ...]:
    """The open spans of a UTC day, in epoch milliseconds. A UTC day is never skipped, as days of some zones were."""
    found = []
    for start_ms, end_ms, offset_ms in _stretches(calendar.time_zone, day * DAY_MS, (day + 1) * DAY_MS):
        for local_day in range((start_ms + offset_ms) // DAY_MS, (end_ms - 1 + offset_ms) // DAY_MS + 1):
            if local_day in calendar.holidays:
                continue
            midnight_ms = local_day * DAY_MS - offset_ms
            for opens, closes in calendar.week[(local_day + _MONDAY) % DAYS_OF_WEEK]:
                opens_ms = max(start_ms, midnight_ms + opens * MINUTE_MS)
                closes_ms = min(end_ms, midnight_ms + closes * MINUTE_MS)
                if opens_ms < closes_ms:
                    found.append((opens_ms, closes_ms))
    return tuple(found)


def _stretches(time_zone: str, start_ms: int, end_ms: int) -> list[tuple[int, int, int]]:
    """A span cut where the zone's offset changes: (start, end, offset). No zone changes it twice within a day."""
    first, last = _offset_ms(time_zone, start_ms), _offset_ms(time_zone, end_ms - 1)
    if first == last:
        return [(start_ms, end_ms, first)]
    low, high = start_ms, end_ms - 1  # the offset is `first` at low and another one at high
    while high - low > 1:
        middle = (low + high) // 2
        if _offset_ms(time_zone, middle) == first:
            low = middle
        else:
            high = middle
    return [(start_ms, high, first), (high, end_ms, last)]


def _offset_ms(time_zone: str, at_ms: int) -> int:
    """How far the zone's clock is ahead of UTC at an instant."""
    offset = datetime.fromtimestamp(at_ms // 1000, UTC).astimezone(ZoneInfo(time_zone)).utcoffset()
    assert offset is not None, "a zone of the database has an offset at every instant"
    return round(offset.total_seconds() * 1000)
