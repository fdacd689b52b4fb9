"""How the figures of usage are read from a state, and shown."""

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Final

from processors import usage
from processors.health import Reading
from processors.readings import UNKNOWN, Reader, count, moving, ratio
from processors.windows import D7, D30, D90, DAY_MS, Window
from schemas.records import Figure

if TYPE_CHECKING:
    from processors.definitions import Definitions
    from processors.state import CustomerState

_NO_USAGE: Final = "no usage was ever seen"
_NO_GOALS: Final = "no goal was tried in the window"
_NO_SIGN: Final = "no usage, ticket or answer was ever seen"


def _goals_completed(window: Window, state: "CustomerState", as_of_ms: int, _definitions: "Definitions") -> Reading:
    newest_at = newest_usage_at(state)
    if not newest_at:
        return UNKNOWN
    return Reading(float(usage.goal_counts(state.usage, None, window, as_of_ms).completed), newest_at)


def _goals_correct_ratio(window: Window, state: "CustomerState", as_of_ms: int, _definitions: "Definitions") -> Reading:
    if not state.usage.goals:
        return UNKNOWN
    return Reading(usage.goal_counts(state.usage, None, window, as_of_ms).correct_ratio, state.usage.newest_goal_at)


def _features_used(window: Window, state: "CustomerState", as_of_ms: int, _definitions: "Definitions") -> Reading:
    newest_at = newest_usage_at(state)
    return Reading(float(usage.features_used(state.usage, window, as_of_ms)), newest_at) if newest_at else UNKNOWN


def newest_usage_at(state: "CustomerState") -> int:
    """When the product was last used; 0 for a customer whose usage nobody reports: its counts are unknown, not 0."""
    return state.usage.newest_use_at


def _days_since_last_sign(state: "CustomerState", as_of_ms: int, _definitions: "Definitions") -> Reading:
    seen_at = state.last_seen_at
    return Reading(max(0, as_of_ms - seen_at) / DAY_MS) if seen_at else UNKNOWN


READERS: Final[dict[str, Reader]] = {
    "goals_completed_7d": partial(_goals_completed, D7),
    "goals_completed_30d": partial(_goals_completed, D30),
    "goals_completed_90d": partial(_goals_completed, D90),
    "goals_correct_ratio_30d": partial(_goals_correct_ratio, D30),
    "features_used_7d": partial(_features_used, D7),
    "features_used_30d": partial(_features_used, D30),
    "features_used_90d": partial(_features_used, D90),
    "days_since_last_sign": _days_since_last_sign,
}


def listed(state: "CustomerState", as_of_ms: int, definitions: "Definitions") -> Iterator[Figure]:
    """Goals completed, whole and by goal, the share of them reached, the features used, and the last sign of life."""
    seen = newest_usage_at(state) > 0
    goals = sorted(state.usage.goals)
    for window in (D7, D30, D90):
        days = window.days
        completed = f"goals_completed_{window.name}"
        by_goal = [usage.goal_counts(state.usage, goal, window, as_of_ms) for goal in goals]
        whole = usage.GoalCounts(sum(counts.completed for counts in by_goal), sum(counts.failed for counts in by_goal))
        yield count(completed, whole.completed if seen else None, "", days, _NO_USAGE)
        yield ratio(f"goals_correct_ratio_{window.name}", whole.correct_ratio, whole.tried, days, _NO_GOALS)
        for goal, counts in zip(goals, by_goal, strict=True):
            yield count(completed, counts.completed, goal, days)
        used = usage.features_used(state.usage, window, as_of_ms) if seen else None
        yield count(f"features_used_{window.name}", used, "", days, _NO_USAGE)
    yield moving("days_since_last_sign", _days_since_last_sign(state, as_of_ms, definitions).value, _NO_SIGN)
