"""How far a customer reaches its goals: actual / expected over 30 days, by the kind of the goal.

Expected is what the contract promised; where it promised nothing of a goal, what the definitions expect of the customer's
segment. In what unit, the goal's kind says:

| kind | actual | expected |
|---|---|---|
| count | completions in 30 days | as many |
| per_active_user | completions in 30 days / distinct users active in them | as many by each |
| reach | 1 once the goal was ever completed, else 0 | 1, whatever number above 0 was promised |
| correct_ratio | completed / (completed + failed) in 30 days | a share above 0 and up to 1 |

All 30 days are expected of everybody, also of a customer who began last week: it has not got there yet.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, NamedTuple

from processors import active_users, usage
from processors.goal_file import Goal
from processors.windows import D30

if TYPE_CHECKING:
    from processors.definitions import Definitions
    from processors.state import CustomerState

NOTHING_EXPECTED: Final = "nothing is promised or expected of the goal"
NOT_CONFIGURED: Final = "the goal is not in the definitions, so its completions are not told apart"
NOT_TRIED: Final = "the goal was not tried in 30 days"
NO_SHARE: Final = "a share of at most 1 can be expected of this goal, and more is"
NOBODY_NAMED: Final = "no use in 30 days names its user"
NO_USAGE: Final = "no usage was ever seen"


class Actual(NamedTuple):
    """What came of a goal in 30 days, in the unit of its kind; None with the reason when that cannot be known."""

    value: float | None
    reason: str | None = None


class Attainment(NamedTuple):
    """A goal of which something is expected: `ratio` is min(1, actual / expected), None with the reason when it is unknown."""

    goal: str
    expected: float
    actual: float | None
    ratio: float | None
    reason: str | None


def attainments(state: "CustomerState", as_of_ms: int, definitions: "Definitions") -> Iterator[Attainment]:
    """Every goal of which something is expected: those of the definitions in their order, then those only promised."""
    promised = state.promises.per_30_days
    segment = state.account.segment
    for name, goal in definitions.goals.items():
        expected = promised[name] if name in promised else goal.expected(segment)
        if expected:
            yield attainment(state, name, goal, expected, as_of_ms)
    for name, expected in promised.items():
        if expected and name not in definitions.goals:
            yield Attainment(name, expected, None, None, NOT_CONFIGURED)


def attainment(state: "CustomerState", name: str, goal: Goal | None, expected: float, as_of_ms: int) -> Attainment:
    """What became of one goal against what is expected."""
    if goal is None:
        return Attainment(name, expected, None, None, NOT_CONFIGURED)
    found = actual(state, goal, as_of_ms)
    if expected <= 0:
        return Attainment(name, expected, found.value, None, NOTHING_EXPECTED)
    if goal.kind == "correct_ratio" and expected > 1:
        return Attainment(name, expected, found.value, None, NO_SHARE)
    if found.value is None:
        return Attainment(name, expected, None, None, found.reason)
    wanted = 1.0 if goal.kind == "reach" else expected
    return Attainment(name, expected, found.value, min(1.0, found.value / wanted), None)


def actual(state: "CustomerState", goal: Goal, as_of_ms: int) -> Actual:
    """What came of a goal in 30 days, in the unit of its kind."""
    if not state.usage.newest_use_at:
        return Actual(None, NO_USAGE)
    if goal.kind == "reach":
        return Actual(float(usage.reached_ever(state.usage, goal.name)))
    counts = usage.goal_counts(state.usage, goal.name, D30, as_of_ms)
    if goal.kind == "correct_ratio":
        return Actual(counts.correct_ratio, None if counts.completed + counts.failed else NOT_TRIED)
    if goal.kind == "count" or not counts.completed:
        return Actual(float(counts.completed))
    users = active_users.monthly(state.usage.active, as_of_ms).users
    return Actual(counts.completed / users) if users else Actual(None, NOBODY_NAMED)


def mean(state: "CustomerState", as_of_ms: int, definitions: "Definitions") -> float | None:
    """The mean of the ratios over the goals of which something is expected and something known; None when there is none."""
    ratios = [found.ratio for found in attainments(state, as_of_ms, definitions) if found.ratio is not None]
    return sum(ratios) / len(ratios) if ratios else None
