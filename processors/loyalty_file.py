"""What the definitions file says of loyalty: the cut-offs between the quadrants, and what to do in each."""

from typing import Final

from msgspec import Struct

from processors.nps import MAX_VALID_DAYS
from processors.toml_tables import Table
from processors.windows import D30, D90, DAY_MS, Window
from schemas.records import Quadrant, Severity

QUADRANTS: Final[tuple[Quadrant, ...]] = ("unknown", "advocate", "vip_support", "wildcard", "churner")
"""In the order of their codes in the state."""

_ACTIONS: Final[dict[Quadrant, str]] = {
    "advocate": "Thank them in person, and ask for a reference, a review or an introduction while they are glad to give it.",
    "vip_support": (
        "Thank them for standing by you, apologise for what went badly, and give them a named contact who calls first and mends "
        "the worst touchpoint."
    ),
    "wildcard": (
        "Find out what disappoints behind the good marks: ask what they miss and what they compare you with, offer training on "
        "what they do not use, and look at the touchpoint map with them."
    ),
    "churner": "Ask the decision maker why, this week; agree on the one thing that must become better, who does it and by when.",
    "unknown": "Do not guess: ask for the missing answers at the next talk.",
}


class Lone(Struct, frozen=True):
    """How a rule treats a single customer while few of the fleet are where it is, and its revenue is not in the top tenth.

    The episode is then `info` with this action. `most_share` is the share of the fleet up to which that holds, 0 to 1.
    """

    most_share: float
    action: str


class Loyalty(Struct, frozen=True):
    """The cut-offs of the quadrants.

    A customer is satisfied from `satisfied_from_pct` CSAT over `window`, given at least `least_csat_answers`; a respondent's
    newest NPS answer counts for `nps_valid_ms`, and at least `least_nps_answers` of them are needed. Below `few_below` CSAT
    answers a quadrant rests on few; from there on it is borderline when the CSAT's interval contains the cut-off.
    """

    satisfied_from_pct: float
    window: Window
    least_csat_answers: int
    nps_valid_ms: int
    least_nps_answers: int
    few_below: int
    actions: dict[Quadrant, str]

    @property
    def settles_after_ms(self) -> int:
        """How long after the newest sign of life the CSAT's window can still move."""
        return (self.window.days + 1) * DAY_MS


def read(top: Table) -> Loyalty:
    """The section `[loyalty]`; mistakes are noted at their place."""
    table = top.table("loyalty")
    days = table.integer("window_days", D90.days, least=D30.days, most=D90.days)
    found = Loyalty(
        satisfied_from_pct=table.number("satisfied_from_pct", 50, least=0.001, most=100),
        window=Window(days, f"{days}d"),
        least_csat_answers=table.integer("least_csat_answers", 2, least=1, most=1000),
        nps_valid_ms=table.integer("nps_valid_days", 210, least=1, most=MAX_VALID_DAYS) * DAY_MS,
        least_nps_answers=table.integer("least_nps_answers", 1, least=1, most=100),
        few_below=table.integer("few_below", 4, least=1, most=1000),
        actions=_actions(table.table("actions")),
    )
    table.finish()
    return found


def read_quadrant(table: Table) -> Quadrant:
    """The quadrant that a rule is about."""
    return table.choice("quadrant", QUADRANTS[1:])


def read_lone(table: Table, quadrant: Quadrant, severity: Severity) -> Lone | None:
    """What a rule says of a single customer; None when it says nothing."""
    if not table.has("lone"):
        return None
    lone = table.table("lone")
    found = Lone(lone.number("most_share_pct", 5, least=0, most=100) / 100, lone.text("action"))
    lone.finish()
    if quadrant != "churner" and table.peek("quadrant") == quadrant:
        table.note("lone", f"the fleet's share of {quadrant} is not watched", 'quadrant = "churner", or no lone')
    if severity == "info":
        table.note("severity", "info is what a single customer's episode has", "a higher severity, or no lone")
    return found


def _actions(table: Table) -> dict[Quadrant, str]:
    found = {quadrant: table.text(quadrant, _ACTIONS[quadrant]) for quadrant in QUADRANTS}
    table.finish()
    return found
