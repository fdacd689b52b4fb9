"""Goals completed and failed, the features that were used, how much of them, and by whom."""

from typing import Final, NamedTuple

from msgspec import Struct, field

from processors import active_users
from processors.active_users import ActiveUsers
from processors.names import OTHER, Names, rarest
from processors.sketch import bin_of, dimension_of
from processors.totals import Totals
from processors.windows import D7, D30, D90, HOUR_MS, HOURS_A_DAY, Buckets, Days, Window, first_day, first_hour
from schemas.events import UsageEvent

MAX_QUANTITY: Final = 1_000_000_000
"""A larger quantity in one event counts as this many, so that sums fit into 64 bits."""

_COMPLETED: Final = 0
_FAILED: Final = 1
_GAP_BITS: Final = 12
_MAX_GAP: Final = (1 << _GAP_BITS) - 1
_D60: Final = Window(2 * D30.days, "60d")


class GoalCounts(NamedTuple):
    """How often a goal was completed and failed in a window."""

    completed: int
    failed: int

    @property
    def tried(self) -> int:
        """How often it was tried."""
        return self.completed + self.failed

    @property
    def correct_ratio(self) -> float | None:
        """The share completed / (completed + failed), 0 to 1; None when it was never tried."""
        return self.completed / self.tried if self.tried else None


class UsageState(Struct, array_like=True, gc=False):
    """Completions and failures by goal, and the two newest distinct hours in which each feature was used.

    Two hours, because the newest may lie a little ahead of the clock. They are one integer: newest * 4096 + hours back to the
    one before, 0 when there is none within 170 days. `folded_features` counts the features moved into `other` beyond the bound,
    the one used longest ago first, and `folded_goals` the rare goals; `other_names` the goals and touchpoints nobody configured.
    `newest_use_at` is the newest use of any kind. `volume` is the quantity of features used and sessions, by day; `reached` names
    the goals that were completed once, but so long ago that no window sees it.
    """

    goals: dict[str, Buckets] = field(default_factory=dict)
    features: dict[str, int] = field(default_factory=dict)
    folded_features: int = 0
    other_names: int = 0
    capped_quantities: int = 0
    newest_goal_at: int = 0
    newest_use_at: int = 0
    folded_goals: int = 0
    volume: Days = field(default_factory=lambda: Days(1))
    active: ActiveUsers = field(default_factory=ActiveUsers)
    reached: list[str] = field(default_factory=list)


def fold(
    state: UsageState,
    event: UsageEvent,
    clock_ms: int,  # noqa: ARG001 - the folds of all families are called alike
    definitions: Names,
    totals: Totals,
) -> None:
    """Count what a usage event says about goals, features and users; an interaction that ended is no use of the product."""
    kind, at = event.kind, event.occurred_at
    if kind == "interaction_ended":
        if event.touchpoint is not None and event.touchpoint not in definitions.touchpoints:
            state.other_names += 1
            totals.oddity("other_touchpoint", at)
        return
    state.newest_use_at = max(state.newest_use_at, at)
    active_users.note(state.active, event.user_id, at, totals)
    if kind == "goal_completed" or kind == "goal_failed":
        _count_goal(state, event, definitions, totals)
        return
    if kind == "feature_used":
        assert event.feature is not None, "a use without its feature is refused by the checks"
        _use(state, event.feature, at, definitions.max_features, totals)
    state.volume.add(at, 0, _quantity(state, event, totals))


def volume(state: UsageState, as_of_ms: int) -> int:
    """How much the product was used in the last 30 days: the quantities of features used and sessions."""
    return state.volume.total(D30, as_of_ms)[0]


def volume_before(state: UsageState, as_of_ms: int) -> int:
    """How much it was used in the 30 days before those."""
    first = first_day(D30, as_of_ms)
    return state.volume.between(first - D30.days, first - 1)[0]


def reached_ever(state: UsageState, goal: str) -> bool:
    """Whether a goal was ever completed."""
    if goal in state.reached:
        return True
    buckets = state.goals.get(goal)
    return buckets is not None and _has_completion(buckets)


def _has_completion(buckets: Buckets) -> bool:
    """Whether any day that is still counted has a completion."""
    return any(place == _COMPLETED and count > 0 for _, place, count in buckets.by_day())


def first_completed_day(state: UsageState, goal: str, from_day: int) -> int | None:
    """The first UTC day from a day on with a completion of a goal, of those that are still counted."""
    buckets = state.goals.get(goal)
    if buckets is None:
        return None
    days = (day for day, place, count in buckets.by_day() if place == _COMPLETED and count > 0 and day >= from_day)
    return min(days, default=None)


def goal_counts(state: UsageState, goal: str | None, window: Window, as_of_ms: int) -> GoalCounts:
    """Completions and failures of one goal, or of all of them, in a window."""
    if goal is None:
        chosen = list(state.goals.values())
    else:
        buckets = state.goals.get(goal)
        chosen = [] if buckets is None else [buckets]
    completed = failed = 0
    for buckets in chosen:
        more_completed, more_failed = buckets.total(window, as_of_ms)
        completed += more_completed
        failed += more_failed
    return GoalCounts(completed, failed)


def features_used(state: UsageState, window: Window, as_of_ms: int) -> int:
    """How many distinct features were used in a window; all of those in `other` count as one."""
    last = as_of_ms // HOUR_MS
    if window.days == D7.days:
        first = first_hour(as_of_ms)
    else:
        first = first_day(window, as_of_ms) * HOURS_A_DAY
        last = last // HOURS_A_DAY * HOURS_A_DAY + HOURS_A_DAY - 1
    used = 0
    for packed in state.features.values():
        hour = packed >> _GAP_BITS
        if hour > last:
            gap = packed & _MAX_GAP
            hour = hour - gap if gap else -1
        if first <= hour <= last:
            used += 1
    return used


def fold_features(state: UsageState, most: int, at_ms: int, totals: Totals) -> None:
    """Keep at most so many features by name; those used longest ago go into `other`."""
    features = state.features
    by_use = sorted((packed, name) for name, packed in features.items() if name != OTHER)
    for packed, name in by_use[: max(0, len(by_use) - most)]:
        _fold_into_other(features, packed, name)
        state.folded_features += 1
        totals.oddity("folded_feature", at_ms)


def fold_goals(state: UsageState, most: int, at_ms: int, totals: Totals) -> None:
    """Keep at most so many goals by name; the rarest go into `other`."""
    for goal in rarest(state.goals, most):
        rare = state.goals.pop(goal)
        state.goals.setdefault(OTHER, Buckets(2)).take_in(rare)
        state.folded_goals += 1
        totals.oddity("folded_goal", at_ms)


def prune(state: UsageState, as_of_ms: int) -> None:
    """Drop the goals and features that no window sees any more."""
    for goal, buckets in list(state.goals.items()):
        was_reached = goal not in state.reached and _has_completion(buckets)
        buckets.prune(as_of_ms, D90)
        if was_reached and not _has_completion(buckets):
            state.reached = sorted([*state.reached, goal])
        if buckets.empty:
            del state.goals[goal]
    state.volume.prune(as_of_ms, _D60)
    active_users.prune(state.active, as_of_ms)
    oldest = first_day(D90, as_of_ms) * HOURS_A_DAY << _GAP_BITS
    for feature in [name for name, packed in state.features.items() if packed < oldest]:
        del state.features[feature]


def _count_goal(state: UsageState, event: UsageEvent, definitions: Names, totals: Totals) -> None:
    """Count a goal completed, as often as the event says, or failed."""
    assert event.goal is not None, "a goal event without its goal is refused by the checks"
    at = event.occurred_at
    goal = event.goal
    if goal != OTHER and goal not in definitions.goals:
        goal = OTHER
        state.other_names += 1
        totals.oddity("other_goal", at)
    state.newest_goal_at = max(state.newest_goal_at, at)
    if event.kind == "goal_failed":
        place, quantity = _FAILED, 1
    else:
        place, quantity = _COMPLETED, _quantity(state, event, totals)
    if quantity == 0:
        return
    buckets = state.goals.get(goal)
    if buckets is None:
        buckets = state.goals[goal] = Buckets(2)
    buckets.add(at, place, quantity)
    totals.add("goals", goal, at, (0, quantity) if place == _FAILED else (quantity, 0))
    if place == _COMPLETED and event.duration_ms is not None:
        totals.add("goal_durations", dimension_of(goal, bin_of(event.duration_ms)), at, (1,))


def _quantity(state: UsageState, event: UsageEvent, totals: Totals) -> int:
    """The quantity of an event, 1 when it says none, capped and counted when it is absurd."""
    quantity = 1 if event.quantity is None else event.quantity
    if quantity > MAX_QUANTITY:
        state.capped_quantities += 1
        totals.oddity("capped_quantity", event.occurred_at)
        return MAX_QUANTITY
    return quantity


def _use(state: UsageState, feature: str, at_ms: int, max_features: int, totals: Totals) -> None:
    """Note the hour in which a feature was used, within the bound on features kept by name."""
    features = state.features
    known = features.get(feature)
    if known is not None:
        features[feature] = _with_hour(known, at_ms // HOUR_MS)
        return
    features[feature] = at_ms // HOUR_MS << _GAP_BITS
    if len(features) - (OTHER in features) > max_features:
        oldest = min((packed, name) for name, packed in features.items() if name != OTHER)
        _fold_into_other(features, *oldest)
        state.folded_features += 1
        totals.oddity("folded_feature", at_ms)


def _with_hour(packed: int, hour: int) -> int:
    """The two newest distinct hours of three."""
    newest = packed >> _GAP_BITS
    gap = packed & _MAX_GAP
    if hour > newest:
        newest, gap = hour, hour - newest
    elif hour < newest and (gap == 0 or newest - hour < gap):
        gap = newest - hour
    return newest << _GAP_BITS | (gap if gap <= _MAX_GAP else 0)


def _fold_into_other(features: dict[str, int], packed: int, name: str) -> None:
    """Drop a feature by name and keep its hours among those of `other`."""
    del features[name]
    other = features.get(OTHER)
    if other is None:
        features[OTHER] = packed
        return
    newest = packed >> _GAP_BITS
    other = _with_hour(other, newest)
    gap = packed & _MAX_GAP
    features[OTHER] = _with_hour(other, newest - gap) if gap else other
