import pytest

from processors.calendar_file import read
from processors.calendars import OFFICE, Calendars
from processors.toml_tables import Mistake, load
from tests.support.judging import default_definitions

BOTH = """
[[calendars]]
name = "office"
time_zone = "Asia/Ho_Chi_Minh"
holidays = [2026-02-17, 2026-02-18]
[calendars.hours]
monday = ["08:00-12:00", "13:00-17:30"]

[[calendars]]
name = "desk"
touchpoints = ["support"]
hours = { sunday = ["00:00-24:00"] }
"""


def calendars(text: str) -> tuple[Calendars, list[Mistake]]:
    mistakes: list[Mistake] = []
    found = read(load(text, mistakes), ("support", "product"))
    return found, mistakes


def test_a_calendar_has_hours_holidays_and_a_time_zone() -> None:
    found, mistakes = calendars(BOTH)
    assert mistakes == []
    office, desk = found.of("product"), found.of("support")
    assert (office.name, office.time_zone, office.holidays) == ("office", "Asia/Ho_Chi_Minh", frozenset({20_501, 20_502}))
    assert office.week == (((480, 720), (780, 1050)), (), (), (), (), (), ())
    assert (desk.name, desk.time_zone, desk.week[6]) == ("desk", "UTC", ((0, 1440),))


def test_without_calendars_it_is_an_office_in_utc_as_in_the_default() -> None:
    found, mistakes = calendars("")
    assert (found.of("support"), mistakes) == (OFFICE, [])
    assert default_definitions().calendars == Calendars(OFFICE)


@pytest.mark.parametrize(
    ("body", "place", "says"),
    [
        ('time_zone = "Asia/Ho_Chi_Min"', "time_zone", 'did you mean "Asia/Ho_Chi_Minh"'),
        ('time_zone = "../etc/passwd"', "time_zone", "there is no time zone"),
        ('holidays = ["2026-01-01"]', "holidays", "a list of dates without quotes"),
        ("holidays = [2026-01-01T00:00:00]", "holidays", "a list of dates without quotes"),
        ("holidays = 2026-01-01", "holidays", "a list of dates without quotes"),
        ('hours = { monday = ["9-17"] }\n', "hours.monday", "no opening hours"),
        ('hours = { monday = ["17:00-09:00"], friday = ["09:00-17:00"] }', "hours.monday", "on one day"),
        ('hours = { monday = ["09:00-24:30"], friday = ["09:00-17:00"] }', "hours.monday", "no opening hours"),
        ('hours = { monday = ["09:00-12:00", "11:00-13:00"] }', "hours.monday", "in order, apart"),
        ('hours = { mondays = ["09:00-12:00"], friday = ["09:00-17:00"] }', "hours.mondays", "monday"),
        ("hours = {}", "hours", "no day is open"),
        ('touchpoints = ["suport"]', "touchpoints", "there is no touchpoint"),
        ('touchpoint = ["support"]', "touchpoint", "touchpoints"),
    ],
)
def test_a_mistake_is_told_with_its_place_and_what_would_be_right(body: str, place: str, says: str) -> None:
    _, mistakes = calendars(f'[[calendars]]\nname = "c"\n{body}')
    first = mistakes[0]
    assert first.place == f'calendars["c"].{place}'
    assert says in str(first)


def test_two_calendars_for_the_rest_or_for_one_touchpoint_are_a_mistake() -> None:
    _, (twice,) = calendars('[[calendars]]\nname = "a"\n[[calendars]]\nname = "b"')
    assert "already stands for all that no other names" in twice.message
    body = 'touchpoints = ["support"]\n'
    _, (shared,) = calendars(f'[[calendars]]\nname = "a"\n{body}[[calendars]]\nname = "b"\n{body}')
    assert '"support" has the calendar "a"' in shared.message
