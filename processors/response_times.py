"""First response and resolution: how long customers wait, by the clock and in business hours, and who answered them.

First response time = first agent reply - opening. Resolution time = the solve that stands - opening: after a reopening it is
the next solve, one for each ticket, and while the ticket is open again it has none. Both count on the day they end. Without a
known opening there is neither. What is counted for the fleet is the difference that an event makes to its ticket, so a late
event puts right what was counted before.

A change of a calendar counts for what happens from then on. Where an event takes back what was measured with the calendar
before, it takes it back as the new one measures it: the number of tickets stays right, the bins may be off by that one.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import Final, Literal, NamedTuple

from processors.calendars import Calendars, business_ms
from processors.names import OTHER
from processors.sketch import bin_of, dimension_of
from processors.ticket_course import KIND_BITS, Course, course_of
from processors.totals import Flow, Totals
from processors.windows import DAY_MS, HOUR_MS, Window, first_day

Span = Literal["first_response", "resolution"]
SPANS: Final[tuple[Span, ...]] = ("first_response", "resolution")

_CLOCK: Final = (1, 0)
_BUSINESS: Final = (0, 1)


class Answer(NamedTuple):
    """How a ticket was answered once: where, between which times (epoch milliseconds), and by whom."""

    touchpoint: str
    opened_at: int
    ended_at: int
    agent: str


class Answers(NamedTuple):
    """The first response and the resolution of a ticket, None while there is none."""

    first_response: Answer | None
    resolution: Answer | None


class Median(NamedTuple):
    """The median of spans in hours, None without any; how many there are, and when the newest of them ended."""

    hours: float | None
    n: int
    newest_at: int | None


NO_ANSWERS: Final = Answers(None, None)


def answers_of(course: Course, base_ms: int, touchpoint: str, authors: dict[int, str]) -> Answers:
    """What a ticket's course says of its answers; `authors` are the names behind the entries of its history."""
    if course.opened is None or (course.responded is None and course.resolved is None):
        return NO_ANSWERS
    opened_at = base_ms + course.opened

    def answer(entry: int | None) -> Answer | None:
        if entry is None:
            return None
        return Answer(touchpoint, opened_at, base_ms + (entry >> KIND_BITS), authors.get(entry, OTHER))

    return Answers(answer(course.responded), answer(course.resolved))


def count_difference(before: Answers, after: Answers, calendars: Calendars, totals: Totals) -> None:
    """Count for the fleet what is new in a ticket's answers, and take back what is no longer so."""
    for place, (was, now) in enumerate(zip(before, after, strict=True)):
        if was == now:
            continue
        for answer, count in ((was, -1), (now, 1)):
            if answer is not None:
                _count(SPANS[place], answer, count, calendars, totals)


def hours_median(
    tickets: Iterable[tuple[int, str, list[int]]], span: Span, window: Window, as_of_ms: int, calendars: Calendars | None
) -> Median:
    """The median of a customer's spans that ended in a window.

    `tickets` are given by base, touchpoint and history; with `calendars` business hours are taken instead of the clock. The
    median is exact, and of an even number the lower of the two in the middle, as `processors.sketch` has it.
    """
    first, last = first_day(window, as_of_ms), as_of_ms // DAY_MS
    found: list[int] = []
    newest_at = None
    for base_ms, touchpoint, history in tickets:
        opened, *ends = _times(tuple(history))
        end = ends[SPANS.index(span)]
        if opened is None or end is None or not first <= (base_ms + end) // DAY_MS <= last:
            continue
        newest_at = base_ms + end if newest_at is None else max(newest_at, base_ms + end)
        if calendars is None:
            found.append(end - opened)
        else:
            found.append(business_ms(calendars.of(touchpoint), base_ms + opened, base_ms + end))
    if not found:
        return Median(None, 0, None)
    found.sort()
    return Median(found[(len(found) - 1) // 2] / HOUR_MS, len(found), newest_at)


@lru_cache(maxsize=32_768)
def _times(history: tuple[int, ...]) -> tuple[int | None, int | None, int | None]:
    """When a ticket was opened, first answered and resolved, in milliseconds since its base."""
    course = course_of(list(history))
    responded, resolved = course.responded, course.resolved
    return (
        None if course.assumed else course.opened,
        None if responded is None else responded >> KIND_BITS,
        None if resolved is None else resolved >> KIND_BITS,
    )


def _count(span: Span, answer: Answer, count: int, calendars: Calendars, totals: Totals) -> None:
    """Count an answer by touchpoint and by agent, each by the bins of both durations, and for the agent's load."""
    at = answer.ended_at
    clock_bin = bin_of(at - answer.opened_at)
    business_bin = bin_of(business_ms(calendars.of(answer.touchpoint), answer.opened_at, at))
    by_name: list[tuple[Flow, str]] = [("first_responses" if span == "first_response" else "resolutions", answer.touchpoint)]
    if span == "first_response":
        by_name.append(("agent_responses", answer.agent))
    for flow, name in by_name:
        for duration_bin, place in ((clock_bin, _CLOCK), (business_bin, _BUSINESS)):
            totals.add(flow, dimension_of(name, duration_bin), at, (place[0] * count, place[1] * count))
    load = (count, 0) if span == "first_response" else (0, count)
    totals.add("agent_load", answer.agent, at, load)
