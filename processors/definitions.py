"""What a business configures: touchpoints, goals, scorecards and rules, as typed and immutable values.

`parse` reads the TOML file (its sections are documented in `default.toml`) and raises one `DefinitionsError` with every mistake.
"""

from typing import Literal

from msgspec import Struct

from processors import (
    alert_file,
    calendar_file,
    commercial_file,
    delivery_file,
    fleet_file,
    goal_file,
    loyalty_file,
    maturity_file,
    rule_file,
    scorecard_file,
    survey_file,
)
from processors.alert_file import AlertSettings
from processors.calendars import Calendars
from processors.commercial_file import Commercial
from processors.delivery_file import DeliveryPlan
from processors.fleet_file import FleetPlan
from processors.goal_file import Goal, GoalKind
from processors.loyalty_file import Loyalty
from processors.maturity_file import Maturity
from processors.names import OTHER
from processors.rule_file import Limit, Raise, Rule
from processors.scorecard_file import Bands, Measure, Purpose, Scorecard
from processors.survey_file import SurveyPlan
from processors.toml_tables import Mistake, Table, load

__all__ = [
    "Bands",
    "Definitions",
    "DefinitionsError",
    "Goal",
    "GoalKind",
    "Limit",
    "Measure",
    "Mistake",
    "Raise",
    "Rule",
    "Scorecard",
    "Touchpoint",
    "parse",
]

MAX_TOUCHPOINTS = 64
MAX_FEATURES = 256

Side = Literal["before", "after"]
_SIDES: tuple[Side, ...] = ("before", "after")


class Touchpoint(Struct, frozen=True):
    """A station of the value chain; `side` is before or after the sale, `department` answers for it."""

    name: str
    order: int
    side: Side
    department: str


class Definitions(Struct, frozen=True):
    """A valid definitions file. Mappings keep their order: touchpoints along the value chain, all others as in the file.

    `scorecards` are by purpose, in the order in which the first that fits is taken. `settles_after_ms`: that long after a
    customer's newest sign of life no figure moves any more by time alone, beside what is due at a time of its own.
    """

    touchpoints: dict[str, Touchpoint]
    goals: dict[str, Goal]
    max_features: int
    snapshot_interval_ms: int
    scorecards: dict[Purpose, tuple[Scorecard, ...]]
    rules: dict[str, Rule]
    settles_after_ms: int
    fleet: FleetPlan
    loyalty: Loyalty
    surveys: SurveyPlan
    calendars: Calendars
    commercial: Commercial
    maturity: Maturity
    alerts: AlertSettings
    delivery: DeliveryPlan

    @property
    def renewal_grace_ms(self) -> int:
        """How long after a lapse a renewal still undoes it."""
        return self.commercial.renewal_grace_ms

    def is_before_sale(self, touchpoint: str) -> bool:
        """Whether a touchpoint lies before the sale."""
        return touchpoint in self.touchpoints and self.touchpoints[touchpoint].side == "before"


class DefinitionsError(Exception):
    """The definitions file is wrong; `mistakes` lists all of it, in the order of the sections."""

    def __init__(self, mistakes: list[Mistake]) -> None:
        self.mistakes = mistakes
        super().__init__("\n".join(str(mistake) for mistake in mistakes))


def parse(text: str) -> Definitions:
    """Read a definitions file.

    Raises:
        DefinitionsError: with every mistake in the file, each with its place and what would be right.
    """
    mistakes: list[Mistake] = []
    top = load(text, mistakes)
    if mistakes:
        raise DefinitionsError(mistakes)
    return read(top, mistakes)


def read(top: Table, mistakes: list[Mistake]) -> Definitions:
    """Read every section from the top table, which notes into `mistakes`.

    Raises:
        DefinitionsError: with all that was noted.
    """
    touchpoints = _touchpoints(top)
    goals = goal_file.read(top, touchpoints)
    features = top.table("features")
    max_features = features.integer("followed", MAX_FEATURES, least=1, most=MAX_FEATURES)
    features.finish()
    snapshots = top.table("snapshots")
    interval_minutes = snapshots.integer("interval_minutes", 15, least=1, most=7 * 24 * 60)
    snapshots.finish()
    scorecards = scorecard_file.read(top)
    rules = rule_file.read(top)
    fleet = fleet_file.read(top)
    loyalty = loyalty_file.read(top)
    surveys = survey_file.read(top, touchpoints)
    calendars = calendar_file.read(top, touchpoints)
    commercial = commercial_file.read(top)
    maturity = maturity_file.read(top)
    alerts = alert_file.read(top)
    delivery = delivery_file.read(top, rules, fleet.rules)
    top.finish()
    if mistakes:
        raise DefinitionsError(mistakes)
    return Definitions(
        touchpoints=touchpoints,
        goals=goals,
        max_features=max_features,
        snapshot_interval_ms=interval_minutes * 60_000,
        scorecards=scorecards,
        rules=rules,
        settles_after_ms=max(
            *(card.settles_after_ms for cards in scorecards.values() for card in cards),
            *(rule.settles_after_ms for rule in rules.values()),
            loyalty.settles_after_ms,
        ),
        fleet=fleet,
        loyalty=loyalty,
        surveys=surveys,
        calendars=calendars,
        commercial=commercial,
        maturity=maturity,
        alerts=alerts,
        delivery=delivery,
    )


def _touchpoints(top: Table) -> dict[str, Touchpoint]:
    found = []
    for position, table in enumerate(_named(top, "touchpoints", MAX_TOUCHPOINTS), 1):
        found.append(
            Touchpoint(
                name=table.name("name"),
                order=table.integer("order", position, least=0, most=10_000),
                side=table.choice("side", _SIDES, "after"),
                department=table.text("department"),
            )
        )
        table.finish()
    return {touchpoint.name: touchpoint for touchpoint in sorted(found, key=lambda touchpoint: touchpoint.order)}


def _named(top: Table, key: str, most: int) -> list[Table]:
    """The tables of a list whose names are their own, at most `most` of them."""
    tables = top.tables(key)
    if len(tables) > most:
        top.note(key, f"there are {len(tables)} of them", f"at most {most}")
    top.note_duplicates(key, tables)
    for table in tables:
        if table.peek("name") == OTHER:
            table.note("name", f'"{OTHER}" is where everything not configured is counted', "another name")
    return tables
