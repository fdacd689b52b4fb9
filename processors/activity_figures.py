"""How the figures of activity are read from a state and shown: who uses the product, how much, and how far goals are reached."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from processors import active_users, attainment, journey, usage
from processors.active_users import Monthly
from processors.health import Reading
from processors.intervals import Interval
from processors.readings import NOT_YET_60_DAYS, UNKNOWN, Reader, count, ratio, was_known_for_60_days
from processors.windows import D30
from schemas.records import Figure

if TYPE_CHECKING:
    from processors.definitions import Definitions
    from processors.state import CustomerState

_NO_USAGE: Final = "no usage was ever seen"
_NO_VOLUME_BEFORE: Final = "there was no use in the 30 days before"
_NOBODY: Final = "nobody was active in 30 days"
_NO_SEATS: Final = "the number of seats paid for is not known"
_NOTHING_EXPECTED: Final = "nothing is promised or expected of this customer"
_NOTHING_KNOWN: Final = "of no goal that is expected anything is known"


def _active_days(state: "CustomerState", as_of_ms: int, _definitions: "Definitions") -> Reading:
    newest_at = state.usage.newest_use_at
    return Reading(float(active_users.days_active(state.usage.active, as_of_ms)), newest_at) if newest_at else UNKNOWN


def _active_users(state: "CustomerState", as_of_ms: int, _definitions: "Definitions") -> Reading:
    newest_at = state.usage.newest_use_at
    return Reading(_users(active_users.monthly(state.usage.active, as_of_ms)), newest_at) if newest_at else UNKNOWN


def _stickiness(state: "CustomerState", as_of_ms: int, _definitions: "Definitions") -> Reading:
    return Reading(active_users.monthly(state.usage.active, as_of_ms).stickiness, state.usage.newest_use_at or None)


def _seats_used(state: "CustomerState", as_of_ms: int, definitions: "Definitions") -> Reading:
    users, newest_at = _active_users(state, as_of_ms, definitions)
    seats = state.account.seats
    return Reading(users / seats if users is not None and seats else None, newest_at)


def _volume(state: "CustomerState", as_of_ms: int, _definitions: "Definitions") -> Reading:
    newest_at = state.usage.newest_use_at
    return Reading(float(usage.volume(state.usage, as_of_ms)), newest_at) if newest_at else UNKNOWN


def _volume_change(state: "CustomerState", as_of_ms: int, _definitions: "Definitions") -> Reading:
    before = usage.volume_before(state.usage, as_of_ms) if was_known_for_60_days(state, as_of_ms) else 0
    change = usage.volume(state.usage, as_of_ms) / before - 1 if before else None
    return Reading(change, state.usage.newest_use_at or None)


def _attainment(state: "CustomerState", as_of_ms: int, definitions: "Definitions") -> Reading:
    return Reading(attainment.mean(state, as_of_ms, definitions), state.usage.newest_use_at or None)


READERS: Final[dict[str, Reader]] = {
    "active_days_30d": _active_days,
    "active_users_30d": _active_users,
    "stickiness_30d_ratio": _stickiness,
    "seats_used_30d_ratio": _seats_used,
    "usage_volume_30d": _volume,
    "usage_volume_change_30d_ratio": _volume_change,
    "goal_attainment_30d_ratio": _attainment,
}


def listed(state: "CustomerState", as_of_ms: int, definitions: "Definitions") -> Iterator[Figure]:
    """Who used the product and how much, how far each goal was reached, and what went before the sale."""
    days = D30.days
    yield count("active_days_30d", _active_days(state, as_of_ms, definitions).value, "", days, _NO_USAGE)
    yield from _listed_users(state, as_of_ms)
    yield count("usage_volume_30d", _volume(state, as_of_ms, definitions).value, "", days, _NO_USAGE)
    change = _volume_change(state, as_of_ms, definitions).value
    whole = _NO_VOLUME_BEFORE if was_known_for_60_days(state, as_of_ms) else NOT_YET_60_DAYS
    reason = whole if state.usage.newest_use_at else _NO_USAGE
    yield count("usage_volume_change_30d_ratio", change, "", days, reason)
    yield from _listed_goals(state, as_of_ms, definitions)
    yield count("interactions_before_sale", state.journey.interactions_before_sale)
    for step in journey.steps(state.journey):
        if step.days_to_next is not None:
            yield count("days_to_next_step", step.days_to_next, step.name)


def _users(monthly: Monthly) -> float | None:
    """Distinct users of a customer whose usage is seen; None when there was use, and all of it without a name."""
    return monthly.users if monthly.followed or monthly.share < 1 or not monthly.unnamed else None


def _listed_users(state: "CustomerState", as_of_ms: int) -> Iterator[Figure]:
    """The figures made of distinct users; with an interval where they are estimated from a sample."""
    monthly = active_users.monthly(state.usage.active, as_of_ms)
    seen = state.usage.newest_use_at > 0
    users = _users(monthly) if seen else None
    interval = monthly.users_interval
    n = monthly.followed
    reason = attainment.NOBODY_NAMED if seen else _NO_USAGE
    yield _estimated("active_users_30d", users, interval, n, reason)
    nobody = _NOBODY if users == 0 else reason
    yield _estimated("stickiness_30d_ratio", monthly.stickiness, monthly.stickiness_interval, n, nobody)
    seats = state.account.seats
    if not seats:
        yield _estimated("seats_used_30d_ratio", None, None, n, _NO_SEATS)
        return
    of_seats = None if interval is None else Interval(interval.low / seats, interval.high / seats)
    yield _estimated("seats_used_30d_ratio", None if users is None else users / seats, of_seats, n, reason)


def _estimated(name: str, value: float | None, interval: Interval | None, n: int, reason: str) -> Figure:
    """A figure of `n` users that are told apart; with an interval where they are a sample."""
    if value is None or interval is None:
        return ratio(name, value, n, D30.days, reason)
    return Figure(name=name, window_days=D30.days, value=value, n=n, low=interval.low, high=interval.high)


def _listed_goals(state: "CustomerState", as_of_ms: int, definitions: "Definitions") -> Iterator[Figure]:
    """How far each goal was reached, and the mean of those of which something is known."""
    found = list(attainment.attainments(state, as_of_ms, definitions))
    ratios = [goal.ratio for goal in found if goal.ratio is not None]
    mean = sum(ratios) / len(ratios) if ratios else None
    reason = _NOTHING_KNOWN if found else _NOTHING_EXPECTED
    yield ratio("goal_attainment_30d_ratio", mean, len(ratios), D30.days, reason)
    for goal in found:
        yield count("goal_attainment_30d_ratio", goal.ratio, goal.goal, D30.days, goal.reason)
