"""Rules: when an alert opens and resolves, how severe it is, and how the definitions file declares it."""

from typing import Literal, TypeAlias

from msgspec import Struct

from processors.account_state import Stage
from processors.loyalty_file import Lone, read_lone, read_quadrant
from processors.toml_tables import Table, did_you_mean
from processors.vocabulary import TERMS
from processors.windows import DAY_MS, HOUR_MS
from schemas.records import Quadrant, Severity

_MAX_RULES = 64
SEVERITIES: tuple[Severity, ...] = ("info", "warning", "high", "critical")

RuleKind: TypeAlias = Literal[
    "health_red", "health_fell", "backlog", "silence", "new_detractor", "quadrant", "goals_fell", "renewal", "not_started"
]


CUSTOMERS: tuple[Stage, ...] = ("unknown", "known", "contracted", "handed_over", "onboarded", "reactivated")
"""The stages of customers, whom churn rules are about unless they say otherwise. An account of unknown stage counts as a customer
once it used the product, opened a ticket or answered a survey."""

_STAGES: tuple[Stage, ...] = (*CUSTOMERS, "lead", "trial")


class Limit(Struct, frozen=True):
    """A figure that must not rise: the rule is entered at `enter` or more, and left below or at `exit` as the kind says."""

    figure: str
    enter: float
    exit: float


class Raise(Struct, frozen=True):
    """The severity is at least `to` while the figure is at least or at most a value."""

    to: Severity
    figure: str
    at_least: float | None
    at_most: float | None

    def holds(self, value: float | None) -> bool:
        """Whether a value of the figure raises the severity; an unknown one does not."""
        if value is None:
            return False
        return value >= self.at_least if self.at_least is not None else value <= (self.at_most or 0.0)


class Rule(Struct, frozen=True):
    """A rule in force. `settings` are the whole numbers that its kind knows beside the limits.

    `quadrant` and `lone` are those of a rule on the loyalty quadrant. `stages` are those of the accounts that it is about.
    """

    name: str
    kind: RuleKind
    version: int
    enabled: bool
    dwell_ms: int
    severity: Severity
    raises: tuple[Raise, ...]
    action: str
    limits: tuple[Limit, ...]
    settings: dict[str, int]
    quadrant: Quadrant | None = None
    lone: Lone | None = None
    stages: tuple[str, ...] = CUSTOMERS

    def action_at(self, severity: Severity) -> str:
        """What to do about an episode of this severity; only a lone customer's is `info` where `lone` is said."""
        return self.lone.action if self.lone is not None and severity == "info" else self.action

    @property
    def settles_after_ms(self) -> int:
        """How long after the newest sign of life a window that the severity rests on can still move."""
        windows = (TERMS[lift.figure].window_days for lift in self.raises)
        longest = max((days + 1 for days in windows if days is not None), default=0)
        return max(longest, _LOOKS_BACK_DAYS.get(self.kind, 0)) * DAY_MS


_LOOKS_BACK_DAYS: dict[RuleKind, int] = {"goals_fell": 61}
"""How many days the window of a kind's own condition moves on after the newest sign of life."""


class _LimitSpec(Struct, frozen=True):
    """What a kind's limit is called, the figure it is on, and its defaults; without an exit it has none of its own."""

    key: str
    figure: str
    enter: float
    exit: float | None


class _Kind(Struct, frozen=True):
    limits: tuple[_LimitSpec, ...] = ()
    settings: dict[str, tuple[int, int, int]] = {}  # name -> default, least, most
    dwell_hours: float = 0


_KINDS: dict[RuleKind, _Kind] = {
    "health_red": _Kind(settings={"known_days": (30, 0, 365)}, dwell_hours=72),
    "health_fell": _Kind(limits=(_LimitSpec("fall_points", "health_fall_points", 20, 10),), dwell_hours=72),
    "backlog": _Kind(
        limits=(
            _LimitSpec("open_tickets", "open_tickets", 5, 3),
            _LimitSpec("open_urgent_tickets", "open_urgent_tickets", 3, 1),
        )
    ),
    "silence": _Kind(
        limits=(_LimitSpec("days_since_last_sign", "days_since_last_sign", 14, None),), settings={"least_signs": (3, 1, 100)}
    ),
    "new_detractor": _Kind(settings={"valid_days": (30, 1, 180)}),
    "quadrant": _Kind(),
    "goals_fell": _Kind(
        limits=(_LimitSpec("fall_share", "goals_completed_30d", 0.5, 0.25),),
        settings={"least_before": (4, 1, 1_000_000)},
        dwell_hours=168,
    ),
    "renewal": _Kind(settings={"within_days": (60, 1, 730), "overdue_days": (30, 0, 365)}, dwell_hours=168),
    "not_started": _Kind(settings={"after_days": (30, 1, 365)}),
}


def read(top: Table) -> dict[str, Rule]:
    """The rules of the file by name, in its order; mistakes are noted at their place."""
    tables = top.tables("rules")
    if len(tables) > _MAX_RULES:
        top.note("rules", f"there are {len(tables)} of them", f"at most {_MAX_RULES}")
    top.note_duplicates("rules", tables)
    return {rule.name: rule for rule in map(_rule, tables) if rule}


def _rule(table: Table) -> Rule | None:
    """The rule; None when its kind is unknown, since nothing else can be checked then."""
    name = table.name("name")
    kind: RuleKind = table.choice("kind", tuple(_KINDS))
    if table.peek("kind") != kind:
        return None
    spec = _KINDS[kind]
    settings = {key: table.integer(key, default, least=least, most=most) for key, (default, least, most) in spec.settings.items()}
    severity = table.choice("severity", SEVERITIES, "warning")
    quadrant = read_quadrant(table) if kind == "quadrant" else None
    rule = Rule(
        name=name,
        kind=kind,
        version=table.integer("version", 1, least=1, most=1_000_000),
        enabled=table.flag("enabled", default=True),
        dwell_ms=int(table.number("dwell_hours", spec.dwell_hours, least=0, most=24 * 90) * HOUR_MS),
        severity=severity,
        raises=tuple(_raise(item) for item in table.tables("raise")),
        action=table.text("action"),
        limits=_limits(table, spec),
        settings=settings,
        quadrant=quadrant,
        lone=read_lone(table, quadrant, severity) if quadrant is not None else None,
        stages=_stages(table),
    )
    table.finish()
    return rule


def _stages(table: Table) -> tuple[str, ...]:
    """The stages that a rule is about; who has left is in none of them."""
    stages = table.texts("stages")
    if not table.has("stages"):
        return CUSTOMERS
    for stage in stages:
        if stage not in _STAGES:
            table.note("stages", f'there is no stage "{stage}" that a rule can be about', did_you_mean(stage, _STAGES))
    if not stages:
        table.note("stages", "names no stage", "at least one, or no such line")
    return stages


def _limits(table: Table, spec: _Kind) -> tuple[Limit, ...]:
    if not spec.limits:
        return ()
    enter_table = table.table("enter")
    exit_table = table.table("exit") if any(limit.exit is not None for limit in spec.limits) else None
    limits = []
    for limit in spec.limits:
        enter = enter_table.number(limit.key, limit.enter, least=0.001, most=1_000_000)
        if limit.key.endswith("_share") and enter > 1:
            enter_table.note(limit.key, f"{enter:g} is no share", "a number from 0.001 to 1")
        leave = enter
        if exit_table is not None and limit.exit is not None:
            leave = exit_table.number(limit.key, limit.exit, least=0, most=1_000_000)
            if leave >= enter:
                exit_table.note(limit.key, f"{leave:g} is not below the {enter:g} at which the rule is entered", "a lower number")
        limits.append(Limit(limit.figure, enter, leave))
    enter_table.finish()
    if exit_table is not None:
        exit_table.finish()
    return tuple(limits)


def _raise(table: Table) -> Raise:
    to = table.choice("to", SEVERITIES)
    figure = table.text("figure")
    if figure and figure not in TERMS:
        table.note("figure", f'there is no figure "{figure}"', did_you_mean(figure, TERMS))
    bounds: dict[str, float] = {}
    for key in ("at_least", "at_most"):
        if table.has(key):
            bounds[key] = table.number(key, least=-1e12, most=1e12)
    if len(bounds) != 1:
        table.note("", "needs one bound", "either at_least or at_most")
    table.finish()
    return Raise(to, figure, bounds.get("at_least"), bounds.get("at_most"))
