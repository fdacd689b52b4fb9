"""How each figure of the vocabulary is read from a customer's state."""

from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Final

from processors import csat, nps, tickets, usage
from processors.health import Reading, fall_points, score_shown
from processors.intervals import adjusted_wald_nps, wilson
from processors.windows import D7, D30, D90, D180, DAY_MS, Window
from schemas.records import Figure

if TYPE_CHECKING:
    from processors.nps import NpsScale
    from processors.state import CustomerState

Reader = Callable[["CustomerState", int], Reading]

UNKNOWN: Final = Reading(None)
_NO_ANSWERS: Final = "no answers in the window"
_NO_USAGE: Final = "no usage was ever seen"
_NO_GOALS: Final = "no goal was tried in the window"
_NO_SIGN: Final = "no usage, ticket or answer was ever seen"
_NO_TICKET: Final = "no ticket is open"
_AGES: Final = ("0-1d", "1-3d", "3-7d", "7-30d", "30d+")


class Sheet:
    """The figures of one customer as of one time, each read at most once."""

    __slots__ = ("_readings", "as_of_ms", "state")

    def __init__(self, state: "CustomerState", as_of_ms: int) -> None:
        self.state = state
        self.as_of_ms = as_of_ms
        self._readings: dict[str, Reading] = {}

    def read(self, name: str) -> Reading:
        """A figure of the vocabulary. The figures of the health score are to be read after it was judged."""
        reading = self._readings.get(name)
        if reading is None:
            reading = self._readings[name] = READERS[name](self.state, self.as_of_ms)
        return reading


def read(name: str, state: "CustomerState", as_of_ms: int) -> Reading:
    """A figure of the vocabulary as of a time."""
    return READERS[name](state, as_of_ms)


def _csat(window: Window, state: "CustomerState", as_of_ms: int) -> Reading:
    if not state.csat.by_touchpoint:
        return UNKNOWN
    return Reading(csat.share(state.csat, None, window, as_of_ms).value_pct, state.csat.newest_at)


def _nps(scale: "NpsScale", window: Window, state: "CustomerState", as_of_ms: int) -> Reading:
    if scale not in state.nps.by_scale:
        return UNKNOWN
    return Reading(nps.counts(state.nps, scale, window, as_of_ms).score, state.nps.newest_at[scale])


def _goals_completed(window: Window, state: "CustomerState", as_of_ms: int) -> Reading:
    newest_at = newest_usage_at(state)
    if not newest_at:
        return UNKNOWN
    return Reading(float(usage.goal_counts(state.usage, None, window, as_of_ms).completed), newest_at)


def _goals_correct_ratio(window: Window, state: "CustomerState", as_of_ms: int) -> Reading:
    if not state.usage.goals:
        return UNKNOWN
    return Reading(usage.goal_counts(state.usage, None, window, as_of_ms).correct_ratio, state.usage.newest_goal_at)


def _features_used(window: Window, state: "CustomerState", as_of_ms: int) -> Reading:
    newest_at = newest_usage_at(state)
    return Reading(float(usage.features_used(state.usage, window, as_of_ms)), newest_at) if newest_at else UNKNOWN


def newest_usage_at(state: "CustomerState") -> int:
    """When a goal or a feature was last seen; 0 for a customer whose usage nobody reports: its counts are unknown, not 0."""
    return max(state.usage.newest_goal_at, state.usage.newest_feature_at)


def _open_tickets(state: "CustomerState", _as_of_ms: int) -> Reading:
    return Reading(float(tickets.open_count(state.tickets)))


def _open_urgent_tickets(state: "CustomerState", _as_of_ms: int) -> Reading:
    return Reading(float(tickets.open_by_priority(state.tickets)["urgent"]) if state.tickets.open else 0.0)


def _oldest_open_ticket_days(state: "CustomerState", as_of_ms: int) -> Reading:
    opened_at = tickets.oldest_opened_at(state.tickets)
    return Reading(0.0 if opened_at is None else max(0, as_of_ms - opened_at) / DAY_MS)


def _days_since_last_sign(state: "CustomerState", as_of_ms: int) -> Reading:
    seen_at = state.last_seen_at
    return Reading(max(0, as_of_ms - seen_at) / DAY_MS) if seen_at else UNKNOWN


def _mrr_cents(state: "CustomerState", _as_of_ms: int) -> Reading:
    return _known(state.account.mrr_cents)


def _seats(state: "CustomerState", _as_of_ms: int) -> Reading:
    return _known(state.account.seats)


def _known(number: int | None) -> Reading:
    return UNKNOWN if number is None else Reading(float(number))


def _renewal_in_days(state: "CustomerState", as_of_ms: int) -> Reading:
    renewal_at = state.account.renewal_at
    return UNKNOWN if renewal_at is None else Reading((renewal_at - as_of_ms) / DAY_MS)


def _health_score(state: "CustomerState", _as_of_ms: int) -> Reading:
    memory = state.health.get("risk")
    return Reading(score_shown(memory)) if memory else UNKNOWN


def _health_fall_points(state: "CustomerState", _as_of_ms: int) -> Reading:
    memory = state.health.get("risk")
    return Reading(fall_points(memory)) if memory else UNKNOWN


READERS: Final[dict[str, Reader]] = {
    "csat_7d_pct": partial(_csat, D7),
    "csat_30d_pct": partial(_csat, D30),
    "csat_90d_pct": partial(_csat, D90),
    "nps_0_10_90d": partial(_nps, "0_10", D90),
    "nps_0_10_180d": partial(_nps, "0_10", D180),
    "nps_1_10_90d": partial(_nps, "1_10", D90),
    "nps_1_10_180d": partial(_nps, "1_10", D180),
    "goals_completed_7d": partial(_goals_completed, D7),
    "goals_completed_30d": partial(_goals_completed, D30),
    "goals_completed_90d": partial(_goals_completed, D90),
    "goals_correct_ratio_30d": partial(_goals_correct_ratio, D30),
    "features_used_7d": partial(_features_used, D7),
    "features_used_30d": partial(_features_used, D30),
    "features_used_90d": partial(_features_used, D90),
    "open_tickets": _open_tickets,
    "open_urgent_tickets": _open_urgent_tickets,
    "oldest_open_ticket_days": _oldest_open_ticket_days,
    "days_since_last_sign": _days_since_last_sign,
    "mrr_cents": _mrr_cents,
    "seats": _seats,
    "renewal_in_days": _renewal_in_days,
    "health_score": _health_score,
    "health_fall_points": _health_fall_points,
}


def all_figures(state: "CustomerState", as_of_ms: int) -> list[Figure]:
    """Every figure of a customer, as a snapshot shows it: whole and by dimension, with its interval where it is a share.

    A figure without a value says why. Dimensions without any event stand in no list.
    """
    return [
        *_csat_figures(state.csat, as_of_ms),
        *_nps_figures(state.nps, as_of_ms),
        *_ticket_figures(state.tickets, as_of_ms),
        *_usage_figures(state, as_of_ms),
        _moving("days_since_last_sign", _days_since_last_sign(state, as_of_ms).value, _NO_SIGN),
    ]


# Customers are alike in most of their figures, so those made of small counts are made once and shared.
_shared = lru_cache(maxsize=16_384)


def _moving(name: str, value: float | None, reason: str) -> Figure:
    """A figure that moves with time; the reason is told only when there is no value."""
    return Figure(name=name, reason=reason) if value is None else Figure(name=name, value=value)


@_shared
def _count(name: str, value: float | None, dimension: str = "", days: int | None = None, reason: str | None = None) -> Figure:
    """A figure without an interval; the reason is told only when there is no value."""
    if value is None:
        return Figure(name=name, dimension=dimension, window_days=days, reason=reason)
    return Figure(name=name, dimension=dimension, window_days=days, value=float(value))


@_shared
def _share(touchpoint: str, window: Window, good: int, n: int) -> Figure:
    """The share of good answers in percent, with Wilson's interval."""
    interval = wilson(good, n)
    return Figure(
        name=f"csat_{window.name}_pct",
        dimension=touchpoint,
        window_days=window.days,
        value=csat.Share(good, n).value_pct,
        n=n,
        low=None if interval is None else 100 * interval.low,
        high=None if interval is None else 100 * interval.high,
        reason=None if n else _NO_ANSWERS,
    )


@_shared
def _net_promoters(scale: "NpsScale", window: Window, counts: nps.Counts) -> Figure:
    """The Net Promoter Score, with the adjusted Wald interval."""
    interval = adjusted_wald_nps(*counts)
    return Figure(
        name=f"nps_{scale}_{window.name}",
        window_days=window.days,
        value=counts.score,
        n=counts.n,
        low=None if interval is None else interval.low,
        high=None if interval is None else interval.high,
        reason=None if counts.n else _NO_ANSWERS,
    )


def _csat_figures(state: csat.CsatState, as_of_ms: int) -> Iterator[Figure]:
    """The share of good answers, whole and by touchpoint."""
    touchpoints = sorted(state.by_touchpoint)
    for window in (D7, D30, D90):
        shares = [csat.share(state, touchpoint, window, as_of_ms) for touchpoint in touchpoints]
        yield _share("", window, sum(share.good for share in shares), sum(share.n for share in shares))
        for touchpoint, share in zip(touchpoints, shares, strict=True):
            yield _share(touchpoint, window, share.good, share.n)


def _nps_figures(state: nps.NpsState, as_of_ms: int) -> Iterator[Figure]:
    """The Net Promoter Score of each scale."""
    for scale in nps.SCALES:
        for window in (D90, D180):
            yield _net_promoters(scale, window, nps.counts(state, scale, window, as_of_ms))


def _ticket_figures(state: tickets.TicketsState, as_of_ms: int) -> Iterator[Figure]:
    """The backlog, whole and by priority, touchpoint and age, and the flows of 30 and 90 days."""
    by_priority = tickets.open_by_priority(state)
    yield _count("open_tickets", tickets.open_count(state))
    yield _count("open_urgent_tickets", by_priority["urgent"])
    opened_at = tickets.oldest_opened_at(state)
    yield _moving("oldest_open_ticket_days", None if opened_at is None else max(0, as_of_ms - opened_at) / DAY_MS, _NO_TICKET)
    for priority, n in by_priority.items():
        yield _count("open_tickets_by_priority", n, priority)
    for touchpoint, n in sorted(tickets.open_by_touchpoint(state).items()):
        yield _count("open_tickets_by_touchpoint", n, touchpoint)
    for age, n in zip(_AGES, tickets.ageing(state, as_of_ms), strict=True):
        yield _count("open_tickets_by_age", n, age)
    for window in (D30, D90):
        flows = tickets.flows(state, window, as_of_ms)
        yield _count(f"tickets_opened_{window.name}", flows.opened, "", window.days)
        yield _count(f"tickets_solved_{window.name}", flows.solved, "", window.days)
        yield _count(f"tickets_reopened_{window.name}", flows.reopened, "", window.days)


def _usage_figures(state: "CustomerState", as_of_ms: int) -> Iterator[Figure]:
    """Goals completed, whole and by goal, the share of them reached, and the features used."""
    seen = newest_usage_at(state) > 0
    goals = sorted(state.usage.goals)
    for window in (D7, D30, D90):
        days = window.days
        completed = f"goals_completed_{window.name}"
        by_goal = [usage.goal_counts(state.usage, goal, window, as_of_ms) for goal in goals]
        whole = usage.GoalCounts(sum(counts.completed for counts in by_goal), sum(counts.failed for counts in by_goal))
        yield _count(completed, whole.completed if seen else None, "", days, _NO_USAGE)
        yield _count(f"goals_correct_ratio_{window.name}", whole.correct_ratio, "", days, _NO_GOALS)
        for goal, counts in zip(goals, by_goal, strict=True):
            yield _count(completed, counts.completed, goal, days)
        used = usage.features_used(state.usage, window, as_of_ms) if seen else None
        yield _count(f"features_used_{window.name}", used, "", days, _NO_USAGE)
