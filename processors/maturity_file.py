"""How the definitions file declares maturity: what each criterion reads, where its levels begin, and the plans to raise them."""

from datetime import UTC, date, datetime
from typing import Final, Literal, TypeAlias

from msgspec import Struct

from processors.toml_tables import Table, did_you_mean, is_number
from processors.windows import DAY_MS

MAX_PLANS: Final = 32
MAX_STEPS: Final = 32
LEVELS: Final = 5
LEAST_N: Final = 20
_MAX_PARTS: Final = 8

CriterionName: TypeAlias = Literal["satisfaction", "churn", "retention", "lifetime_value", "support_response", "feedback", "nps"]
CriterionSide: TypeAlias = Literal["service", "success"]
_SIDES: Final[tuple[CriterionSide, ...]] = ("service", "success")
_SECONDS_TO_MS: Final = 1_000


class Part(Struct, frozen=True):
    """A figure of the fleet, and where its levels 2, 3, 4 and 5 begin: rising where more is better, falling where less is."""

    figure: str
    thresholds: tuple[float, ...]

    @property
    def higher_is_better(self) -> bool:
        """Whether more of the figure is a higher level."""
        return self.thresholds[0] < self.thresholds[-1]


class CriterionPlan(Struct, frozen=True):
    """How a criterion is judged: its level is the lowest of its parts.

    `next_steps` say what to do at each of the levels 1 to 5, `measure_first` when there is no figure. `weight` is how much a
    level of it is worth beside one of the others. From fewer than `least_n` answers, tickets or customers no level is told: one
    good answer is no fifth level.
    """

    name: CriterionName
    parts: tuple[Part, ...]
    side: CriterionSide
    weight: float
    next_steps: tuple[str, ...]
    measure_first: str
    least_n: int = LEAST_N


class Plan(Struct, frozen=True):
    """A target for a criterion. `starts_at` is the first millisecond of its first day, `due_at` the first after its last day."""

    criterion: CriterionName
    figure: str
    baseline: float
    target: float
    starts_at: int
    due_at: int
    owner: str
    steps: tuple[str, ...]


class Maturity(Struct, frozen=True):
    """The seven criteria in their order, and the plans in that of the file."""

    criteria: tuple[CriterionPlan, ...]
    plans: tuple[Plan, ...]


_TRAILING: Final = "at_start_of_trailing_12_months_pct"

DEFAULTS: Final[tuple[CriterionPlan, ...]] = (
    CriterionPlan(
        "satisfaction",
        (Part("csat_90d_pct", (60, 75, 85, 92)),),
        "service",
        1,
        (
            "Read every bad answer of the last month and mend the one cause that is named most.",
            "Call back who answered badly within two days, and say what was done.",
            "Take the touchpoint map to the departments: each mends its weakest station.",
            "Give every station a target of its own and look at it monthly.",
            "Keep asking; write down what works, and teach it to those who are new.",
        ),
        "Ask after each interaction whether it was good: the survey plan does so.",
    ),
    CriterionPlan(
        "churn",
        (Part(f"logo_churn_rate_of_customers_{_TRAILING}", (30, 20, 12, 6)),),
        "success",
        1,
        (
            "Ask each customer who leaves for the reason, and write it on the cancellation.",
            "Work through the open alerts of your largest accounts every morning.",
            "Agree with every customer on goals, and look at them together each quarter.",
            "Find what those who left had in common in their first 90 days, and mend it there.",
            "Keep the rules sharp: look at what churned without an alert.",
        ),
        "Tell every contract, cancellation and lapse as an account event: a year of them makes the first figure.",
    ),
    CriterionPlan(
        "retention",
        (Part(f"grr_of_mrr_{_TRAILING}", (75, 85, 90, 95)),),
        "success",
        1,
        (
            "Begin each renewal 90 days ahead, with the account's goals on the table.",
            "Look at every contraction: which seats or products were not used, and why.",
            "Bring the accounts below green to green before their renewal comes near.",
            "Offer terms that reward staying, and keep the promises of the ledger.",
            "Keep it; the next gain is expansion.",
        ),
        "Let account events carry the monthly revenue: a year of it makes the first figure.",
    ),
    CriterionPlan(
        "lifetime_value",
        (Part("clv_in_months_of_arpa_by_monthly_churn_of_trailing_12_months", (12, 24, 36, 45)),),
        "success",
        1,
        (
            "Shorten the way to the first value: lead each new customer to one goal in its first month.",
            "Mend onboarding where most of those who leave early got stuck.",
            "Show customers who reach their goals what they could reach next.",
            "Ask advocates for references, and let them help others.",
            "Keep it; check the margin that the value is told with.",
        ),
        "Let account events carry the monthly revenue and tell who leaves: a month of it makes the first figure.",
    ),
    CriterionPlan(
        "support_response",
        (Part("first_response_p50_business_hours_30d", (24, 8, 4, 1)),),
        "service",
        1,
        (
            "Name somebody each day who answers what is new before anything else.",
            "Agree on a time to answer for each priority, and show the tickets that are near it.",
            "Balance the load: move tickets from the agents who have most.",
            "Answer the usual questions by the documentation, so that people answer the others.",
            "Keep it; look at the time to the solution next.",
        ),
        "Tell tickets as they are opened and first replied to.",
    ),
    CriterionPlan(
        "feedback",
        (
            Part("response_rate_90d_pct", (5, 15, 25, 40)),
            Part("answers_with_comment_90d_pct", (10, 20, 35, 50)),
            Part("feedback_with_touchpoint_or_reason_90d_pct", (30, 50, 70, 90)),
        ),
        "service",
        1,
        (
            "Ask in the moment, with one question, in the customer's language.",
            "Ask for a word beside the score, and say what was done with the last ones.",
            "Let every question name its touchpoint, so that an answer has an owner.",
            "Ask those who never answer in person.",
            "Keep it; read what is written every week.",
        ),
        "Send surveys, and tell what was sent as well as what was answered.",
    ),
    CriterionPlan(
        "nps",
        (Part("nps_0_10_180d", (0, 20, 40, 60)),),
        "success",
        1,
        (
            "Call each detractor within two days, and ask for the one thing to change.",
            "Find what promoters got that others did not, and give it to the passives.",
            "Turn the goals of each account into a plan that both sides look at.",
            "Ask promoters for references, and thank them in person.",
            "Keep it; watch the trend for each segment.",
        ),
        "Ask how likely customers are to recommend you, on 0 to 10, every 180 days: the survey plan does so.",
    ),
)
"""What stands in the default file."""

_NAMES: Final = tuple(criterion.name for criterion in DEFAULTS)


def read(top: Table) -> Maturity:
    """The sections `[maturity.*]` and `[[plans]]`; mistakes are noted at their place."""
    table = top.table("maturity")
    criteria = tuple(_criterion(table.table(default.name), default) for default in DEFAULTS)
    table.finish()
    tables = top.tables("plans")
    if len(tables) > MAX_PLANS:
        top.note("plans", f"there are {len(tables)} of them", f"at most {MAX_PLANS}")
    by_name = {criterion.name: criterion for criterion in criteria}
    plans = [_plan(one, by_name) for one in tables]
    return Maturity(criteria, tuple(plan for plan in plans if plan is not None))


def _criterion(table: Table, default: CriterionPlan) -> CriterionPlan:
    criterion = CriterionPlan(
        name=default.name,
        parts=_parts(table, default),
        side=table.choice("side", _SIDES, default.side),
        weight=table.number("weight", default.weight, least=0.01, most=100),
        least_n=table.integer("least_n", default.least_n, least=1, most=1_000_000),
        next_steps=_next_steps(table, default),
        measure_first=table.text("measure_first", default.measure_first),
    )
    table.finish()
    return criterion


def _parts(table: Table, default: CriterionPlan) -> tuple[Part, ...]:
    if not table.has("parts"):
        return default.parts
    tables = table.tables("parts")
    if not 1 <= len(tables) <= _MAX_PARTS:
        table.note("parts", f"there are {len(tables)} of them", f"1 to {_MAX_PARTS}")
    return tuple(map(_part, tables)) or default.parts


def _part(table: Table) -> Part:
    figure = table.text("figure")
    values = table.any("thresholds")
    expected = "four numbers, each above the one before it, or each below: where the levels 2 to 5 begin"
    thresholds: tuple[float, ...] = (1, 2, 3, 4)
    if not isinstance(values, list) or len(values) != LEVELS - 1 or not all(map(is_number, values)):
        table.note("thresholds", "is missing" if values is None else f"{values!r} is not what belongs here", expected)
    elif values not in (sorted(set(values)), sorted(set(values), reverse=True)):
        table.note("thresholds", f"{values!r} are in no order", expected)
    else:
        thresholds = tuple(map(float, values))
    table.finish()
    return Part(figure, thresholds)


def _next_steps(table: Table, default: CriterionPlan) -> tuple[str, ...]:
    if not table.has("next_steps"):
        return default.next_steps
    steps = table.texts("next_steps")
    if len(steps) != LEVELS:
        table.note("next_steps", f"there are {len(steps)} of them", f"{LEVELS} texts, one for each level")
        return default.next_steps
    return steps


def _plan(table: Table, criteria: dict[CriterionName, CriterionPlan]) -> Plan | None:
    """A plan; None when what it is for is unknown, since nothing else can be checked then."""
    name: CriterionName = table.choice("criterion", _NAMES)
    if table.peek("criterion") != name:
        return None
    figures = [part.figure for part in criteria[name].parts]
    figure = table.text("figure", figures[0])
    if figure not in figures:
        table.note("figure", f'the criterion {name} does not read "{figure}"', did_you_mean(figure, figures))
    baseline = table.number("baseline", least=-1e12, most=1e12)
    target = table.number("target", least=-1e12, most=1e12)
    if baseline == target and table.has("target"):
        table.note("target", f"{target:g} is the baseline itself", "a value to be reached")
    starts_at, due_at = _day(table, "starts_at"), _day(table, "due_at") + DAY_MS
    if table.has("starts_at") and table.has("due_at") and due_at <= starts_at:
        table.note("due_at", "lies before starts_at", "a later date")
    steps = table.texts("steps")
    if len(steps) > MAX_STEPS:
        table.note("steps", f"there are {len(steps)} of them", f"at most {MAX_STEPS}")
    plan = Plan(name, figure, baseline, target, starts_at, due_at, table.text("owner"), steps)
    table.finish()
    return plan


def _day(table: Table, key: str) -> int:
    """The first millisecond of a UTC day."""
    value = table.any(key)
    if not isinstance(value, date) or isinstance(value, datetime):
        table.note(key, "is missing" if value is None else f"{value!r} is not a date", "a date, for example 2026-07-01")
        return 0
    return int(datetime(value.year, value.month, value.day, tzinfo=UTC).timestamp()) * _SECONDS_TO_MS
