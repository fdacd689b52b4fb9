"""Every figure that a snapshot publishes, by name, dimension and window, from a customer's accepted events as of a time."""

from collections.abc import Callable, Sequence
from math import sqrt

from tests.support.oracle.acceptance import Event
from tests.support.oracle.account import account
from tests.support.oracle.commercial_customer import of_customer
from tests.support.oracle.events import (
    DAY_MS,
    Names,
    answers,
    in_window,
    is_in_window,
    is_usage,
    known_for_60_days,
    newest_at,
    read_definitions,
)
from tests.support.oracle.found import Found, Key
from tests.support.oracle.support import SPANS, median_hours, opened_between
from tests.support.oracle.surveys import surveys
from tests.support.oracle.terms import terms_of
from tests.support.oracle.tickets import Course, courses
from tests.support.oracle.usage import usage

Z = 1.959963984540054
GOOD_FROM = {"good_bad": 1, "1_5": 4, "1_7": 5}
PRIORITIES = ("low", "normal", "high", "urgent")
AGES = (("0-1d", 0, 1), ("1-3d", 1, 3), ("3-7d", 3, 7), ("7-30d", 7, 30), ("30d+", 30, 10**6))


def figures(events: Sequence[Event], as_of_ms: int, names: Names) -> dict[Key, Found]:
    return {
        **_csat(events, as_of_ms, names),
        **_nps(events, as_of_ms),
        **_tickets(events, as_of_ms, names),
        **_waiting(events, as_of_ms, names),
        **usage(events, as_of_ms, names),
        **surveys(events, as_of_ms, names),
        **_commercial(events, as_of_ms, names),
        ("days_since_last_sign", "", None): Found(days_since_last_sign(events, as_of_ms)),
    }


def _commercial(events: Sequence[Event], as_of_ms: int, names: Names) -> dict[Key, Found]:
    found = of_customer(events, as_of_ms, terms_of(read_definitions(names.definitions_text)))
    return {(name, "", days): Found(value) for (name, days), value in found.items()}


def last_sign_at(events: Sequence[Event]) -> int | None:
    """When the customer last gave a sign of life."""
    return newest_at(event for event in events if is_sign(event))


def is_sign(event: Event) -> bool:
    """Usage, a ticket that the customer opened or opened again (not what an agent did to it) or an answer."""
    return is_usage(event) or event["kind"] in ("opened", "reopened", "answered")


def days_since_last_sign(events: Sequence[Event], as_of_ms: int) -> float | None:
    at = last_sign_at(events)
    return None if at is None else max(0, as_of_ms - at) / DAY_MS


def is_good(event: Event) -> bool:
    return bool(event["score"] >= GOOD_FROM[event["scale"]])


def _csat(events: Sequence[Event], as_of_ms: int, names: Names) -> dict[Key, Found]:
    found: dict[Key, Found] = {}
    for days in (7, 30, 90):
        mine = in_window(answers(events, "csat"), days, as_of_ms)
        found[f"csat_{days}d_pct", "", days] = _share(mine)
        for touchpoint in {names.touchpoint(event["touchpoint"]) for event in mine}:
            there = [event for event in mine if names.touchpoint(event["touchpoint"]) == touchpoint]
            found[f"csat_{days}d_pct", touchpoint, days] = _share(there)
        for scale in {event["scale"] for event in mine}:
            found[f"csat_answers_{days}d", scale, days] = Found(sum(event["scale"] == scale for event in mine))
    return found


def _share(found: Sequence[Event]) -> Found:
    n = len(found)
    if n == 0:
        return Found(None, 0)
    p = sum(map(is_good, found)) / n
    middle = p + Z * Z / (2 * n)
    half = Z * sqrt(p * (1 - p) / n + Z * Z / (4 * n * n))
    scale = 1 + Z * Z / n
    return Found(100 * p, n, 100 * max(0, (middle - half) / scale), 100 * min(1, (middle + half) / scale))


def _nps(events: Sequence[Event], as_of_ms: int) -> dict[Key, Found]:
    found: dict[Key, Found] = {}
    for scale in ("0_10", "1_10"):
        for days in (90, 180):
            scores = [event["score"] for event in in_window(answers(events, "nps"), days, as_of_ms) if event["scale"] == scale]
            found[f"nps_{scale}_{days}d", "", days] = _net_promoters(scores)
    return found


def _net_promoters(scores: Sequence[int]) -> Found:
    n = len(scores)
    if n == 0:
        return Found(None, 0)
    promoters = sum(score >= 9 for score in scores)
    detractors = sum(score <= 6 for score in scores)
    value = 100 * (promoters - detractors) / n
    p, d = (promoters + 0.75) / (n + 3), (detractors + 0.75) / (n + 3)
    half = 100 * Z * sqrt((p + d - (p - d) ** 2) / (n + 3))
    middle = 100 * (p - d)
    return Found(value, n, min(value, max(-100, middle - half)), max(value, min(100, middle + half)))


def _tickets(events: Sequence[Event], as_of_ms: int, names: Names) -> dict[Key, Found]:
    followed = courses(events, names)
    open_now = [course for course in followed.values() if course.is_open]
    ages = [max(0, as_of_ms - course.opened_at) / DAY_MS for course in open_now if course.opened_at is not None]

    def count(holds: Callable[[Course], bool]) -> Found:
        return Found(sum(map(holds, open_now)))

    found: dict[Key, Found] = {
        ("open_tickets", "", None): Found(len(open_now)),
        ("open_urgent_tickets", "", None): count(lambda course: course.priority == "urgent"),
        ("oldest_open_ticket_days", "", None): Found(max(ages, default=None)),
    }
    for priority in PRIORITIES:
        found["open_tickets_by_priority", priority, None] = count(lambda course, name=priority: course.priority == name)  # type: ignore[misc]  # a default argument is not inferred in a lambda
    for touchpoint in {course.touchpoint for course in open_now}:
        found["open_tickets_by_touchpoint", touchpoint, None] = count(lambda course, name=touchpoint: course.touchpoint == name)  # type: ignore[misc]  # as above
    for name, low, high in AGES:
        found["open_tickets_by_age", name, None] = Found(sum(low <= age < high for age in ages))
    for days in (30, 90):
        for flow in ("opened", "solved", "reopened"):
            mine = [at for course in followed.values() for kind, at in course.flows if kind == flow]
            found[f"tickets_{flow}_{days}d", "", days] = Found(sum(is_in_window(at, days, as_of_ms) for at in mine))
    return found


def _waiting(events: Sequence[Event], as_of_ms: int, names: Names) -> dict[Key, Found]:
    found: dict[Key, Found] = {}
    for span in SPANS:
        for hours in ("hours", "business_hours"):
            value, n, newest = median_hours(events, names, span, hours, as_of_ms)
            found[f"{span}_median_{hours}_90d", "", 90] = Found(value, n, newest_at=newest)
    seats = account(events)["seats"]
    now, before = opened_between(events, names, as_of_ms, 0, 29), opened_between(events, names, as_of_ms, 30, 59)
    found["tickets_opened_per_seat_30d", "", 30] = Found(now / seats if seats else None)
    found["ticket_inflow_per_seat_change_30d", "", 30] = Found(
        (now - before) / seats if seats and known_for_60_days(events, as_of_ms) else None
    )
    return found
