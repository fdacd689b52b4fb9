"""Loyalty quadrants, the stations of the value chain and the timeline, from a customer's accepted events as of a time."""

from collections.abc import Iterator, Mapping, Sequence
from math import sqrt
from typing import Any

from tests.support.oracle.acceptance import Event
from tests.support.oracle.events import DAY_MS, answers, in_window, names_of, read_definitions
from tests.support.oracle.figures import Z, is_good
from tests.support.oracle.tickets import courses

MINUTE_MS = 60_000
STEPS = {
    "lead",
    "trial_started",
    "contracted",
    "handed_over",
    "onboarded",
    "renewed",
    "plan_changed",
    "cross_sold",
    "cancelled",
    "lapsed",
    "reactivated",
}
QUADRANTS = {
    (True, True): "advocate",
    (False, True): "vip_support",
    (True, False): "wildcard",
    (False, False): "churner",
}


def quadrant(events: Sequence[Event], as_of_ms: int, definitions_text: str, before: str) -> tuple[str, str | None]:
    """The quadrant of a customer that was in the quadrant `before`, and why it is unknown if it is."""
    cutoffs = read_definitions(definitions_text)["loyalty"]
    satisfied = _satisfied(events, as_of_ms, cutoffs)
    promoters, passives, detractors = valid_answers(events, as_of_ms, cutoffs["nps_valid_days"])
    enough = promoters + passives + detractors >= cutoffs["least_nps_answers"]
    if satisfied is None or not enough:
        lacks = ["too few CSAT answers"] * (satisfied is None) + ["no valid NPS answer"] * (not enough)
        return "unknown", " and ".join(lacks)
    if promoters == detractors and before == "unknown":
        return "unknown", "undecided"
    loyal = promoters > detractors if promoters != detractors else before in {"advocate", "vip_support"}
    return QUADRANTS[satisfied, loyal], None


def _satisfied(events: Sequence[Event], as_of_ms: int, cutoffs: Mapping[str, Any]) -> bool | None:
    found = in_window(answers(events, "csat"), cutoffs["window_days"], as_of_ms)
    if len(found) < cutoffs["least_csat_answers"]:
        return None
    return bool(sum(map(is_good, found)) * 100 / len(found) >= cutoffs["satisfied_from_pct"] - 1e-9)


def flags(events: Sequence[Event], as_of_ms: int, definitions_text: str, shown_quadrant: str) -> list[str]:
    """What is to be said beside the quadrant that is shown."""
    cutoffs = read_definitions(definitions_text)["loyalty"]
    found = in_window(answers(events, "csat"), cutoffs["window_days"], as_of_ms)
    if len(found) < cutoffs["few_below"]:
        said = ["few"]
    else:
        low, high = _wilson(found)
        said = ["borderline"] if low <= cutoffs["satisfied_from_pct"] / 100 <= high else []
    places = stations(events, as_of_ms, definitions_text)
    return said + ["weak_touchpoint"] * (shown_quadrant == "advocate" and any(place["strength"] == "weak" for place in places))


def worst_touchpoint(events: Sequence[Event], as_of_ms: int, definitions_text: str) -> str | None:
    """The station with the lowest CSAT, of two the one with more answers, of those the first."""
    bad = [place for place in stations(events, as_of_ms, definitions_text) if place["n"] and place["csat_pct"] < 100]
    return min(bad, key=lambda place: (place["csat_pct"], -place["n"]))["touchpoint"] if bad else None


def valid_answers(events: Sequence[Event], as_of_ms: int, days: int) -> tuple[int, int, int]:
    """The respondents whose newest NPS answer is a promoter's, a passive's, a detractor's, and younger than so many days."""
    scores = [event["score"] for event in newest_answers(events).values() if as_of_ms < event["occurred_at"] + days * DAY_MS]
    promoters, detractors = sum(score >= 9 for score in scores), sum(score <= 6 for score in scores)
    return promoters, len(scores) - promoters - detractors, detractors


def newest_answers(events: Sequence[Event]) -> dict[str, Event]:
    """The newest NPS answer of each respondent; of two in one millisecond that on the scale 1-10, and then the worse."""
    found: dict[str, Event] = {}
    for event in sorted(
        answers(events, "nps"), key=lambda event: (event["occurred_at"], event["scale"] == "1_10", -event["score"])
    ):
        if event["respondent_id"] is not None:
            found[event["respondent_id"]] = event
    return found


def stations(events: Sequence[Event], as_of_ms: int, definitions_text: str) -> list[dict[str, Any]]:
    """The configured touchpoints of which anything is known, in their order."""
    names = names_of(definitions_text)
    tables = read_definitions(definitions_text)["touchpoints"]
    ordered = sorted(enumerate(tables, 1), key=lambda item: (item[1].get("order", item[0]), item[0]))
    rated = in_window(answers(events, "csat"), 90, as_of_ms)
    backlog = [course.touchpoint for course in courses(events, names).values() if course.is_open]
    ended = in_window((event for event in events if event["kind"] == "interaction_ended"), 30, as_of_ms)
    found = []
    for place, table in ordered:
        name = table["name"]
        here = [event for event in rated if event["touchpoint"] == name]
        elsewhere = [event for event in rated if event["touchpoint"] != name]
        open_tickets, interactions = backlog.count(name), sum(event["touchpoint"] == name for event in ended)
        if here or open_tickets or interactions:
            low, high = _wilson(here)
            found.append(
                {
                    "touchpoint": name,
                    "order": table.get("order", place),
                    "side": table.get("side", "after"),
                    "department": table["department"],
                    "csat_pct": None if not here else 100 * _share(here),
                    "low_pct": None if not here else 100 * low,
                    "high_pct": None if not here else 100 * high,
                    "n": len(here),
                    "strength": _strength(here, elsewhere),
                    "open_tickets": open_tickets,
                    "interactions_30d": interactions,
                    **_trend(in_window(here, 30, as_of_ms), in_window(here, 30, as_of_ms - 30 * DAY_MS)),
                }
            )
    return found


def _share(found: Sequence[Event]) -> float:
    return sum(map(is_good, found)) / len(found)


def _wilson(found: Sequence[Event]) -> tuple[float, float]:
    """The two shares at which the observed one lies just Z standard errors away."""
    n = len(found)
    if n == 0:
        return 0.0, 1.0
    p = _share(found)
    root = Z * sqrt(Z * Z + 4 * n * p * (1 - p))
    low, high = ((2 * n * p + Z * Z + sign * root) / (2 * (n + Z * Z)) for sign in (-1, 1))
    return (low if p > 0 else 0.0), (high if p < 1 else 1.0)


def _strength(here: Sequence[Event], elsewhere: Sequence[Event]) -> str:
    if not here or not elsewhere:
        return "unknown"
    low, high = _wilson(here)
    return "weak" if high < _share(elsewhere) else "strong" if low > _share(elsewhere) else "neither"


def _trend(recent: Sequence[Event], before: Sequence[Event]) -> dict[str, Any]:
    if not recent or not before:
        return {"trend": "unknown", "trend_points": None, "trend_low": None, "trend_high": None}
    p1, p2 = _share(recent), _share(before)
    (l1, u1), (l2, u2) = _wilson(recent), _wilson(before)
    low = p1 - p2 - sqrt((p1 - l1) ** 2 + (u2 - p2) ** 2)
    high = p1 - p2 + sqrt((u1 - p1) ** 2 + (p2 - l2) ** 2)
    trend = "up" if low > 0 else "down" if high < 0 else "flat"
    return {"trend": trend, "trend_points": 100 * (p1 - p2), "trend_low": 100 * low, "trend_high": 100 * high}


def happenings(events: Sequence[Event]) -> Iterator[tuple[int, str]]:
    """The steps of the account and the payments that were not in time, each with its minute."""
    for event in events:
        kind = event["kind"]
        if kind == "payment" and event["status"] != "paid":
            kind = f"payment_{event['status']}"
        if kind in STEPS or kind.startswith("payment_"):
            yield event["occurred_at"] // MINUTE_MS * MINUTE_MS, kind


def opinions(events: Sequence[Event]) -> Iterator[tuple[int, str]]:
    """The respondents whose newest NPS answer is a promoter's or a detractor's, each with its minute."""
    for event in newest_answers(events).values():
        if event["score"] >= 9 or event["score"] <= 6:
            kind = "promoter" if event["score"] >= 9 else "detractor"
            yield event["occurred_at"] // MINUTE_MS * MINUTE_MS, kind
