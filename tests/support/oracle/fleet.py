"""What is to be published of the whole fleet, from every customer's accepted events as of a time.

Shares are made from all customers together, percentiles from every duration in full. The quadrant and band of a customer are
given, because a tie and a margin hold on to what they were: what they may be is told by `loyalty.quadrant` and `score.score`.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import floor
from typing import Any, NamedTuple

from tests.support.oracle.acceptance import Event
from tests.support.oracle.account import account
from tests.support.oracle.events import DAY_MS, HOUR_MS, OTHER, Names, answers, in_window, is_in_window, read_definitions
from tests.support.oracle.figures import is_good
from tests.support.oracle.loyalty import stations
from tests.support.oracle.support import SPANS, waits
from tests.support.oracle.surveys import is_answer, length, names_touchpoint, requests, share
from tests.support.oracle.tickets import Course, courses
from tests.support.oracle.usage import STEPS, quantity, step_days, uses

SHARES = (("p50", 0.5), ("p90", 0.9), ("p95", 0.95))
AGES = (("0-1d", 0, 1), ("1-3d", 1, 3), ("3-7d", 3, 7), ("7-30d", 7, 30), ("30d+", 30, 10**6))
FLOWS = {
    "opened": "opened",
    "solved": "solved",
    "reopened": "reopened",
    "unknown_solved": "solved_unknown",
    "early_replies": "replied_early",
}
QUADRANTS = ("advocate", "vip_support", "wildcard", "churner")
BANDS = ("red", "yellow", "green")
SKETCH_ERROR = 0.01


class Due(NamedTuple):
    """What a figure must be: its value, and where they are told its n and interval; a percentile may be `error` of it away."""

    value: float | None
    n: int | None = None
    low: float | None = None
    high: float | None = None
    error: float = 0.0


Found = dict[tuple[str, str], Due]
Customers = Mapping[str, Sequence[Event]]


def fleet(customers: Customers, as_of_ms: int, names: Names, quadrants: Mapping[str, str], bands: Mapping[str, str]) -> Found:
    """The figures by name and dimension; only those of customers who were never erased."""
    return dict(
        [
            *_goals(customers, as_of_ms, names),
            *_quadrants(customers, quadrants, bands),
            *_said(customers, as_of_ms, names),
            *_backlog(customers, as_of_ms, names),
            *_flows(customers, as_of_ms, names),
            *_waits(customers, as_of_ms, names),
            *_use(customers, as_of_ms),
        ]
    )


def departments(names: Names) -> dict[str, str]:
    """The department of each configured touchpoint."""
    tables = read_definitions(names.definitions_text).get("touchpoints", [])
    return {table["name"]: table["department"] for table in tables}


def exactly(durations: Sequence[float], q: float) -> float | None:
    """The one at rank floor(q (n - 1)) of them in order."""
    return sorted(durations)[floor(q * (len(durations) - 1))] if durations else None


def percentiles(
    figure: str, cut: str, dimension: str, hours: Sequence[float], suffix: str
) -> Iterator[tuple[tuple[str, str], Due]]:
    """The percentiles of durations in hours."""
    for name, q in SHARES:
        due = Due(exactly(hours, q), len(hours), error=SKETCH_ERROR)
        yield (f"{figure}_{name}_{suffix}{cut}", dimension), due


def _goals(customers: Customers, as_of_ms: int, names: Names) -> Iterator[tuple[tuple[str, str], Due]]:
    stations = {name: table.get("touchpoint", OTHER) for name, table in names.goal_tables.items()}
    for days in (7, 30, 90):
        tried: list[tuple[str, int, int]] = []
        for events in customers.values():
            for event in in_window(events, days, as_of_ms):
                if event["kind"] == "goal_completed":
                    tried.append((names.goal(event["goal"]), quantity(event), 0))
                elif event["kind"] == "goal_failed":
                    tried.append((names.goal(event["goal"]), 0, 1))
        for goal in ("", *{name for name, done, failed in tried if done or failed}):
            yield from _tried("", [row for row in tried if goal in ("", row[0])], days, goal)
        if days == 30:
            at = [(stations.get(goal, OTHER), done, failed) for goal, done, failed in tried]
            yield from _by_place("_by_touchpoint", at, {name: name for name in names.touchpoints}, days)
            yield from _by_place("_by_department", at, departments(names), days)


def _by_place(
    cut: str, rows: Sequence[tuple[str, int, int]], places: Mapping[str, str], days: int
) -> Iterator[tuple[tuple[str, str], Due]]:
    placed = [(places.get(name, OTHER), done, failed) for name, done, failed in rows]
    for place in {*places.values(), *(place for place, _, _ in placed)}:
        yield from _tried(cut, [row for row in placed if row[0] == place], days, place)


def _tried(cut: str, rows: Sequence[tuple[str, int, int]], days: int, dimension: str) -> Iterator[tuple[tuple[str, str], Due]]:
    done, failed = sum(row[1] for row in rows), sum(row[2] for row in rows)
    yield (f"goals_completed_{days}d{cut}", dimension), Due(done)
    yield (f"goals_correct_ratio_{days}d{cut}", dimension), ratio_of(done, done + failed)


def ratio_of(part: int, n: int) -> Due:
    found = share(part, n)
    value, low, high = (None if one is None else one / 100 for one in (found.value, found.low, found.high))
    return Due(value, n, low, high)


def _pct(part: int, n: int) -> Due:
    found = share(part, n)
    return Due(found.value, n, found.low, found.high)


def is_customer(events: Iterable[Event]) -> bool:
    return account(events)["stage"] not in {"lead", "trial", "cancelled", "lapsed"}


def _quadrants(
    customers: Customers, quadrants: Mapping[str, str], bands: Mapping[str, str]
) -> Iterator[tuple[tuple[str, str], Due]]:
    here = [customer_id for customer_id, events in customers.items() if is_customer(events)]
    standing = Counter(quadrants.get(customer_id, "unknown") for customer_id in here)
    known = sum(standing[quadrant] for quadrant in QUADRANTS)
    for quadrant in QUADRANTS:
        yield (f"{quadrant}_share", ""), ratio_of(standing[quadrant], known)
    yield ("churner_share_of_all", ""), ratio_of(standing["churner"], len(here))
    yield ("quadrant_unknown_share", ""), ratio_of(len(here) - known, len(here))
    shown = Counter(bands[customer_id] for customer_id in here if bands.get(customer_id))
    for band in BANDS:
        yield ("band_share", band), ratio_of(shown[band], shown.total())
    yield ("band_unknown_share", ""), ratio_of(len(here) - shown.total(), len(here))


def _said(customers: Customers, as_of_ms: int, names: Names) -> Iterator[tuple[tuple[str, str], Due]]:
    sendings = [
        (part, answered)
        for events in customers.values()
        for sent_at, part, answered in requests(events, names)
        if is_in_window(sent_at, 90, as_of_ms)
    ]
    for dimension in {"", *(part.split("/")[0] for part, _ in sendings), *(part for part, _ in sendings)}:
        mine = [answered for part, answered in sendings if dimension in ("", part, part.split("/")[0])]
        yield ("response_rate_90d_pct", dimension), _pct(sum(mine), len(mine))
    everything = [event for events in customers.values() for event in in_window(events, 90, as_of_ms)]
    said = list(filter(is_answer, everything))
    yield ("answers_90d", ""), Due(len(said))
    yield ("answers_with_comment_90d_pct", ""), _pct(sum(length(event) > 0 for event in said), len(said))
    yield ("answers_with_touchpoint_90d_pct", ""), _pct(sum(map(names_touchpoint, said)), len(said))
    rated = list(answers(everything, "csat"))
    for cut, places in (("touchpoint", {name: name for name in names.touchpoints}), ("department", departments(names))):
        for place in set(places.values()):
            here = [event for event in rated if places.get(event["touchpoint"]) == place]
            yield (f"csat_90d_by_{cut}_pct", place), _pct(sum(map(is_good, here)), len(here))
            mine = [answered for part, answered in sendings if "/" in part and places.get(part.split("/")[1]) == place]
            yield (f"response_rate_90d_by_{cut}_pct", place), _pct(sum(mine), len(mine))


def _backlog(customers: Customers, as_of_ms: int, names: Names) -> Iterator[tuple[tuple[str, str], Due]]:
    now = [course for events in customers.values() for course in courses(events, names).values() if course.is_open]
    yield ("open_tickets", ""), Due(len(now))
    for priority, n in Counter(course.priority for course in now).items():
        yield ("open_tickets_by_priority", priority), Due(n)
    for cut, places in _places(names):
        by_place = Counter(places.get(course.touchpoint, OTHER) for course in now)
        for place in {*places.values(), *by_place}:
            yield (f"open_tickets_by_{cut}", place), Due(by_place[place])
    ages = [as_of_ms // DAY_MS - course.opened_at // DAY_MS for course in now if course.opened_at is not None]
    for name, low, high in AGES:
        yield ("open_tickets_by_age", name), Due(sum(low <= age < high for age in ages))


def _places(names: Names) -> Iterator[tuple[str, dict[str, str]]]:
    yield "touchpoint", {name: name for name in names.touchpoints}
    yield "department", departments(names)


def _flows(customers: Customers, as_of_ms: int, names: Names) -> Iterator[tuple[tuple[str, str], Due]]:
    happened: list[tuple[str, str, int]] = []
    for events in customers.values():
        course: Course
        for course in courses(events, names).values():
            happened += [(kind, course.touchpoint, at) for kind, at in course.flows]
    for days in (30, 90):
        for kind, figure in FLOWS.items():
            mine = [touchpoint for other, touchpoint, at in happened if other == kind and is_in_window(at, days, as_of_ms)]
            yield (f"tickets_{figure}_{days}d", ""), Due(len(mine))
            for cut, places in _places(names):
                by_place = Counter(places.get(touchpoint, OTHER) for touchpoint in mine)
                for place in {*places.values(), *by_place}:
                    yield (f"tickets_{figure}_{days}d_by_{cut}", place), Due(by_place[place])


def _waits(customers: Customers, as_of_ms: int, names: Names) -> Iterator[tuple[tuple[str, str], Due]]:
    every = [wait for events in customers.values() for wait in waits(events, names)]
    for days in (30, 90):
        recent = [wait for wait in every if is_in_window(wait.ended_at, days, as_of_ms)]
        for span in SPANS:
            mine = [wait for wait in recent if wait.span == span]
            load = "tickets_first_answered" if span == "first_response" else "tickets_resolved"
            for agent, n in Counter(wait.agent for wait in mine).items():
                yield (f"{load}_{days}d_by_agent", agent), Due(n)
            groups: dict[tuple[str, str], list[Any]] = defaultdict(list, {("", ""): mine})
            for cut, places in _places(names):
                groups.update({(f"_by_{cut}", place): [] for place in places.values()})
                for wait in mine:
                    groups[f"_by_{cut}", places.get(wait.touchpoint, OTHER)].append(wait)
            for wait in mine if span == "first_response" else ():
                groups["_by_agent", wait.agent].append(wait)
            for (cut, place), group in groups.items():
                clock, business = [wait.clock_ms / HOUR_MS for wait in group], [wait.business_ms / HOUR_MS for wait in group]
                yield from percentiles(span, cut, place, clock, f"hours_{days}d")
                yield from percentiles(span, cut, place, business, f"business_hours_{days}d")


def _use(customers: Customers, as_of_ms: int) -> Iterator[tuple[tuple[str, str], Due]]:
    here = [events for events in customers.values() if is_customer(events)]
    active = sum(bool(in_window(uses(events), 30, as_of_ms)) for events in here)
    yield ("active_customers_30d", ""), Due(active)
    yield ("active_customers_30d_ratio", ""), ratio_of(active, len(here))


def touchpoint_map(customers: Customers, as_of_ms: int, names: Names) -> list[dict[str, Any]]:
    """Every configured station in its order, over all customers; tickets of two customers may have one id."""
    everything = [event for events in customers.values() for event in events if "ticket_id" not in event or "survey" in event]
    known = {station["touchpoint"]: station for station in stations(everything, as_of_ms, names.definitions_text)}
    backlog = Counter(
        course.touchpoint for events in customers.values() for course in courses(events, names).values() if course.is_open
    )
    tables = read_definitions(names.definitions_text)["touchpoints"]
    ordered = sorted(enumerate(tables, 1), key=lambda item: (item[1].get("order", item[0]), item[0]))
    return [{**known.get(table["name"], _unheard_of(table)), "open_tickets": backlog[table["name"]]} for _, table in ordered]


def _unheard_of(table: Mapping[str, Any]) -> dict[str, Any]:
    nothing = {"touchpoint": table["name"], "department": table["department"], "csat_pct": None, "n": 0, "interactions_30d": 0}
    return {**nothing, "strength": "unknown", "trend": "unknown"}


def step_conversions(customers: Customers, as_of_ms: int) -> dict[tuple[str, int], tuple[int, int]]:
    """By step and window, how many first reached it in the window, and how many of them a later one then or after."""
    found: dict[tuple[str, int], tuple[int, int]] = {}
    order = list(STEPS.values())
    for step in order[:-1]:
        for days in (90, 180):
            there = [reached for events in customers.values() if step in (reached := step_days(events))]
            there = [reached for reached in there if is_in_window(reached[step] * DAY_MS, days, as_of_ms)]
            later = order[order.index(step) + 1 :]
            went_on = sum(any(reached.get(other, -1) >= reached[step] for other in later) for reached in there)
            found[step, days] = (len(there), went_on)
    return found
