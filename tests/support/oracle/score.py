"""The health score of a customer, from the scorecard in the definitions file."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from tests.support.oracle.acceptance import Event
from tests.support.oracle.account import account
from tests.support.oracle.events import DAY_MS, answers, names_of, newest_at, read_definitions
from tests.support.oracle.figures import figures
from tests.support.oracle.found import Found, Key
from tests.support.oracle.usage import uses

BANDS = ("red", "yellow", "green")


class Score(NamedTuple):
    """The exact score, how many measures it rests on, and the bands it may be shown in: the margin holds on to the one before."""

    value: float | None
    present: int
    bands: set[str | None]


def score(events: Sequence[Event], as_of_ms: int, definitions_text: str, purpose: str = "risk") -> Score:
    card = _scorecard(events, definitions_text, purpose)
    found = figures(events, as_of_ms, names_of(definitions_text))
    weighted = weights = 0.0
    present = 0
    for measure in card["measures"]:
        figure, newest = reading(measure["figure"], events, found)
        stale_after = measure.get("stale_after_days")
        stale = stale_after is not None and newest is not None and as_of_ms - newest > stale_after * DAY_MS
        if figure is None or stale:
            missing = measure.get("missing", "redistribute")
            if missing == "redistribute":
                continue
            points = 50.0 if missing == "neutral" else 0.0
        else:
            present += 1
            points = height(measure["curve"], figure)
        weighted += measure["weight"] * points
        weights += measure["weight"]
    value = weighted / weights if present else None
    return Score(value, present, _bands(value, present / len(card["measures"]), card.get("bands", {})))


def reading(name: str, events: Sequence[Event], found: Mapping[Key, Found]) -> tuple[float | None, int | None]:
    """A figure as a scorecard reads it, and when the newest event of its kind occurred."""
    value = next((figure.value for (known, dimension, _), figure in found.items() if (known, dimension) == (name, "")), None)
    if name.startswith("csat"):
        return value, newest_at(answers(events, "csat"))
    if name.startswith("nps"):
        return value, newest_at(event for event in answers(events, "nps") if event["scale"] in name)
    if name.startswith("goals_correct"):
        return value, newest_at(event for event in events if event["kind"] in {"goal_completed", "goal_failed"})
    if name.startswith(("goal", "features", "active", "stickiness", "seats_used", "usage_volume")):
        return value, newest_at(uses(events))
    if name.startswith(("first_response", "resolution")):
        return value, found[name, "", 90].newest_at
    if name == "oldest_open_ticket_days" and value is None:
        return 0.0, None  # no open ticket is a good figure, not a missing one
    return value, None


def height(curve: Sequence[Sequence[float]], x: float) -> float:
    """The height of straight lines between points, flat beyond the ends."""
    if x <= curve[0][0]:
        return curve[0][1]
    for (x0, y0), (x1, y1) in pairwise(curve):
        if x <= x1:
            return y0 + (y1 - y0) * (x - x0) / (x1 - x0)
    return curve[-1][1]


def _scorecard(events: Sequence[Event], definitions_text: str, purpose: str) -> dict[str, Any]:
    cards = [card for card in read_definitions(definitions_text)["scorecards"] if card["purpose"] == purpose]
    known = account(events)
    fitting = [
        card for card in cards if all(known[name] in (card.get(f"{name}s") or [known[name]]) for name in ("segment", "stage"))
    ]
    return dict(fitting[0] if fitting else next(card for card in cards if card["name"] == "standard"))


def _bands(value: float | None, coverage: float, bands: dict[str, float]) -> set[str | None]:
    if value is None or coverage < bands.get("least_coverage_pct", 50) / 100:
        return {None}
    margin = bands.get("margin", 3)
    boundaries = (bands.get("yellow_from", 40), bands.get("green_from", 70))
    lowest = sum(value >= boundary + margin for boundary in boundaries)
    highest = sum(value >= boundary - margin for boundary in boundaries)
    return set(BANDS[lowest : highest + 1])
