"""The stations of the value chain: how each does, for one customer or the whole fleet.

A station is weak when its CSAT lies below that of all other touchpoints together, and strong when it lies above, in both cases
with the whole of its 95 % interval. Its trend is the CSAT of the last 30 days minus that of the 30 before; it is flat while
Newcombe's interval contains 0. Without answers on both sides both are unknown.
"""

from typing import TYPE_CHECKING, Final

from processors import csat, tickets
from processors.csat import CsatState, Share
from processors.intervals import newcombe, wilson
from processors.names import OTHER, Names
from processors.readings import shared
from processors.totals import Totals
from processors.windows import D30, D90, DAY_MS, first_day
from schemas.events import UsageEvent
from schemas.records import StationNow, Strength, Trend

if TYPE_CHECKING:
    from processors.definitions import Definitions, Touchpoint
    from processors.state import CustomerState

MONTH_MS: Final = D30.days * DAY_MS
_NO_ANSWERS: Final = Share(0, 0)

Interactions = dict[str, dict[int, int]]
"""How many interactions ended, by touchpoint and by UTC day, counted from 1970."""


def fold(interactions: Interactions, event: UsageEvent, definitions: Names, totals: Totals) -> None:
    """Count the end of an interaction; anything else is none of this figure's. What nobody configured is `other`."""
    if event.kind != "interaction_ended":
        return
    touchpoint = event.touchpoint if event.touchpoint in definitions.touchpoints else OTHER
    assert touchpoint is not None, "None is configured nowhere"
    days = interactions.setdefault(touchpoint, {})
    day = event.occurred_at // DAY_MS
    days[day] = days.get(day, 0) + 1
    totals.add("interactions", touchpoint, event.occurred_at, (1,))


def prune(interactions: Interactions, as_of_ms: int) -> None:
    """Drop the days that the 30 days no longer see."""
    first = first_day(D30, as_of_ms)
    for touchpoint, days in list(interactions.items()):
        for day in [day for day in days if day < first]:
            del days[day]
        if not days:
            del interactions[touchpoint]


def interactions_30d(interactions: Interactions, touchpoint: str, as_of_ms: int) -> int:
    """How many interactions ended at a touchpoint in 30 days."""
    first, last = first_day(D30, as_of_ms), as_of_ms // DAY_MS
    return sum(count for day, count in interactions.get(touchpoint, {}).items() if first <= day <= last)


def stations(state: "CustomerState", as_of_ms: int, definitions: "Definitions") -> list[StationNow]:
    """The configured touchpoints of which anything is known, in their order."""
    backlog = tickets.open_by_touchpoint(state.tickets)
    total = csat.share(state.csat, None, D90, as_of_ms)
    found = []
    for name, touchpoint in definitions.touchpoints.items():
        share, recent, before = shares(state.csat, name, as_of_ms)
        ended = interactions_30d(state.interactions, name, as_of_ms)
        open_tickets = backlog.get(name, 0)
        if share.n or open_tickets or ended:
            found.append(station(touchpoint, share, rest(total, share), recent, before, open_tickets, ended))
    return found


def shares(state: CsatState, touchpoint: str, as_of_ms: int) -> tuple[Share, Share, Share]:
    """The answers at a touchpoint in 90 days, in the last 30, and in the 30 before those."""
    if touchpoint not in state.by_touchpoint:
        return _NO_ANSWERS, _NO_ANSWERS, _NO_ANSWERS
    share = csat.share(state, touchpoint, D90, as_of_ms)
    if not share.n:
        return _NO_ANSWERS, _NO_ANSWERS, _NO_ANSWERS
    recent = csat.share(state, touchpoint, D30, as_of_ms)
    return share, recent, csat.share(state, touchpoint, D30, as_of_ms - MONTH_MS)


def rest(total: Share, share: Share) -> Share:
    """The answers at all other touchpoints together."""
    return Share(total.good - share.good, total.n - share.n)


def strength(share: Share, others: Share) -> Strength:
    """Whether a touchpoint's interval lies below or above the CSAT of all others together."""
    interval = wilson(share.good, share.n)
    if interval is None or not others.n:
        return "unknown"
    level = others.good / others.n
    if interval.high < level:
        return "weak"
    return "strong" if interval.low > level else "neither"


@shared
def station(
    touchpoint: "Touchpoint", share: Share, others: Share, recent: Share, before: Share, open_tickets: int, ended: int
) -> StationNow:
    """A station as it is shown."""
    interval = wilson(share.good, share.n)
    change = newcombe(recent.good, recent.n, before.good, before.n)
    trend: Trend = "unknown"
    if change is not None:
        trend = "up" if change.low > 0 else "down" if change.high < 0 else "flat"
    return StationNow(
        touchpoint=touchpoint.name,
        order=touchpoint.order,
        side=touchpoint.side,
        department=touchpoint.department,
        csat_pct=share.value_pct,
        low_pct=None if interval is None else 100 * interval.low,
        high_pct=None if interval is None else 100 * interval.high,
        n=share.n,
        trend=trend,
        trend_points=None if change is None else 100 * (recent.good / recent.n - before.good / before.n),
        trend_low=None if change is None else 100 * change.low,
        trend_high=None if change is None else 100 * change.high,
        strength=strength(share, others),
        open_tickets=open_tickets,
        interactions_30d=ended,
    )
