"""How the definitions file declares business hours."""

import re
from collections.abc import Container
from datetime import date, datetime
from typing import Final
from zoneinfo import available_timezones

from processors.calendars import DAYS_OF_WEEK, OFFICE, Calendar, Calendars, Hours
from processors.toml_tables import Table, did_you_mean

_MAX_CALENDARS: Final = 64
_DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_SPAN: Final = re.compile(r"([01]\d|2[0-4]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)")
_END_OF_DAY: Final = 24 * 60
_EPOCH: Final = date(1970, 1, 1).toordinal()


def read(top: Table, touchpoints: Container[str]) -> Calendars:
    """The calendars of the file; mistakes are noted at their place.

    One without touchpoints is that of all touchpoints that no other names. There is at most one such; without any it is `OFFICE`.
    """
    tables = top.tables("calendars")
    if len(tables) > _MAX_CALENDARS:
        top.note("calendars", f"there are {len(tables)} of them", f"at most {_MAX_CALENDARS}")
    top.note_duplicates("calendars", tables)
    default = OFFICE
    default_is_there = False
    by_touchpoint: dict[str, Calendar] = {}
    for table in tables:
        named = table.texts("touchpoints")
        calendar = _calendar(table)
        for touchpoint in named:
            if touchpoint not in touchpoints:
                table.note("touchpoints", f'there is no touchpoint "{touchpoint}"', "the name of one under [[touchpoints]]")
            elif touchpoint in by_touchpoint:
                table.note("touchpoints", f'"{touchpoint}" has the calendar "{by_touchpoint[touchpoint].name}"', "one for each")
            by_touchpoint[touchpoint] = calendar
        if not named:
            if default_is_there:
                table.note("touchpoints", f'"{default.name}" already stands for all that no other names', "a list of touchpoints")
            default, default_is_there = calendar, True
    return Calendars(default, by_touchpoint)


def _calendar(table: Table) -> Calendar:
    calendar = Calendar(
        name=table.name("name"),
        time_zone=_time_zone(table),
        week=_week(table),
        holidays=_holidays(table),
    )
    table.finish()
    return calendar


def _time_zone(table: Table) -> str:
    name = table.text("time_zone", OFFICE.time_zone)
    known = available_timezones()
    if name in known:
        return name
    table.note("time_zone", f'there is no time zone "{name}"', did_you_mean(name, sorted(known)) if name else "")
    return OFFICE.time_zone


def _week(table: Table) -> tuple[Hours, ...]:
    """The hours by day; when none are declared those of an office, when some are, a day that is left out is closed."""
    if not table.has("hours"):
        return OFFICE.week
    hours = table.table("hours")
    week = tuple(_hours(hours, day) for day in _DAYS)
    hours.finish()
    if not any(week):
        table.note("hours", "no day is open", 'the hours of at least one day, for example monday = ["09:00-17:00"]')
    assert len(week) == DAYS_OF_WEEK, "a week has seven days"
    return week


def _hours(table: Table, day: str) -> Hours:
    found: list[tuple[int, int]] = []
    for text in table.texts(day):
        match = _SPAN.fullmatch(text)
        opens, closes = (_minutes(match[1], match[2]), _minutes(match[3], match[4])) if match else (0, 0)
        if not opens < closes <= _END_OF_DAY:
            table.note(
                day, f'"{text}" are no opening hours', 'from and until on one day, for example "09:00-17:00" or "22:00-24:00"'
            )
        elif found and opens < found[-1][1]:
            table.note(day, f'"{text}" begins before the hours in front of it are over', "hours in order, apart from each other")
        else:
            found.append((opens, closes))
    return tuple(found)


def _minutes(hours: str, minutes: str) -> int:
    return int(hours) * 60 + int(minutes)


def _holidays(table: Table) -> frozenset[int]:
    """The days of the list, counted from 1970."""
    listed = table.any("holidays")
    expected = "a list of dates without quotes, for example [2026-01-01]"
    if listed is None:
        return frozenset()
    if not isinstance(listed, list):
        table.note("holidays", f"{listed!r} is not what belongs here", expected)
        return frozenset()
    found = set()
    for day in listed:
        if isinstance(day, date) and not isinstance(day, datetime):
            found.add(day.toordinal() - _EPOCH)
        else:
            table.note("holidays", f"{day!r} is no date", expected)
    return frozenset(found)
