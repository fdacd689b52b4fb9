"""What the definitions file says of the whole fleet: how often its figures go out, when a feed is quiet, and its rules."""

from typing import Final, Literal, TypeAlias

from msgspec import Struct

from processors.rule_file import SEVERITIES
from processors.toml_tables import Table
from processors.windows import HOUR_MS
from schemas.records import Severity

_MINUTE_MS: Final = 60_000
_MAX_RULES: Final = 16

FleetRuleKind: TypeAlias = Literal["churner_share", "wildcard_share", "source_quiet", "partition_stale"]


class FleetRule(Struct, frozen=True, kw_only=True):
    """A rule about the whole fleet. `figure` is the share that it is on, `beside` what its evidence shows beside it.

    Entered strictly above `enter_above_pct`, given at least `least_customers` in the denominator, and left strictly below
    `exit_below_pct`. A quiet source and a stale partition have none of these.
    """

    name: str
    kind: FleetRuleKind
    label: str
    version: int
    enabled: bool
    severity: Severity
    action: str
    figure: str = ""
    beside: tuple[str, ...] = ()
    enter_above_pct: float = 0.0
    exit_below_pct: float = 0.0
    least_customers: int = 0


class FleetPlan(Struct, frozen=True):
    """How the whole fleet is looked at.

    Figures are published at most once in `interval_ms` of the log's time. A feed is quiet in a partition after `quiet_after_ms`
    without an event, if by the same weekdays of the week before at least `quiet_expected_events` should have come. Owners get
    their morning list at `morning_hour`, a UTC hour of the day.

    A partition is stale when it is more than `stale_after_ms` behind the others.
    """

    interval_ms: int
    quiet_after_ms: int
    quiet_expected_events: int
    morning_hour: int
    rules: dict[str, FleetRule] = {}
    stale_after_ms: int = 15 * _MINUTE_MS


class _Share(Struct, frozen=True):
    """What a kind on a share is called, and its defaults."""

    label: str
    severity: Severity
    enter_above_pct: float
    exit_below_pct: float
    beside: tuple[str, ...]


_SHARES: Final[dict[FleetRuleKind, _Share]] = {
    "churner_share": _Share("Churners", "critical", 5, 4, ("churner_share_of_all", "quadrant_unknown_share")),
    "wildcard_share": _Share("Wildcards", "warning", 80, 75, ("quadrant_unknown_share",)),
}
_LABELS: Final[dict[FleetRuleKind, str]] = {"source_quiet": "Source quiet", "partition_stale": "Partition stale"}
_KINDS: Final[tuple[FleetRuleKind, ...]] = ("churner_share", "wildcard_share", "source_quiet", "partition_stale")


def read(top: Table) -> FleetPlan:
    """The section `[fleet]` and the rules `[[fleet_rules]]`; mistakes are noted at their place."""
    table = top.table("fleet")
    plan = FleetPlan(
        interval_ms=table.integer("interval_minutes", 5, least=1, most=24 * 60) * _MINUTE_MS,
        quiet_after_ms=table.integer("quiet_after_hours", 24, least=1, most=30 * 24) * HOUR_MS,
        quiet_expected_events=table.integer("quiet_expected_events", 20, least=1, most=1_000_000),
        morning_hour=table.integer("morning_hour", 6, least=0, most=23),
        rules=_rules(top),
        stale_after_ms=table.integer("stale_after_minutes", 15, least=1, most=7 * 24 * 60) * _MINUTE_MS,
    )
    table.finish()
    return plan


def _rules(top: Table) -> dict[str, FleetRule]:
    tables = top.tables("fleet_rules")
    if len(tables) > _MAX_RULES:
        top.note("fleet_rules", f"there are {len(tables)} of them", f"at most {_MAX_RULES}")
    top.note_duplicates("fleet_rules", tables)
    return {rule.name: rule for rule in map(_rule, tables) if rule}


def _rule(table: Table) -> FleetRule | None:
    """The rule; None when its kind is unknown, since nothing else can be checked then."""
    name = table.name("name")
    kind: FleetRuleKind = table.choice("kind", _KINDS)
    if table.peek("kind") != kind:
        return None
    share = _SHARES.get(kind)
    label, severity = (share.label, share.severity) if share else (_LABELS[kind], "warning")
    enter, leave, least = _limits(table, share) if share else (0.0, 0.0, 0)
    rule = FleetRule(
        name=name,
        kind=kind,
        label=table.text("label", label),
        version=table.integer("version", 1, least=1, most=1_000_000),
        enabled=table.flag("enabled", default=True),
        severity=table.choice("severity", SEVERITIES, severity),
        action=table.text("action"),
        figure=kind if share else "",
        beside=share.beside if share else (),
        enter_above_pct=enter,
        exit_below_pct=leave,
        least_customers=least,
    )
    table.finish()
    return rule


def _limits(table: Table, share: _Share) -> tuple[float, float, int]:
    enter = table.number("enter_above_pct", share.enter_above_pct, least=0.001, most=100)
    leave = table.number("exit_below_pct", share.exit_below_pct, least=0, most=100)
    if leave > enter:
        table.note("exit_below_pct", f"{leave:g} is above the {enter:g} at which the rule is entered", "a lower number")
    return enter, leave, table.integer("least_customers", 20, least=1, most=1_000_000)
