"""Whether the alerts foresaw who left: the truth is known, so it is told, misses and false alarms included.

A rule that fires often finds many who leave by luck. So the same question is asked of customers who stayed, at the same times:
did an alert stand open just before, too?
"""

from collections.abc import Iterable, Mapping, Sequence
from statistics import median
from typing import Final

from msgspec import Struct

from processors.due import NEVER
from processors.windows import DAY_MS
from schemas.records import ChurnAlert
from streams.sources.simulator import Truth

WINDOW_DAYS: Final = 30
"""An alert that stood open at some time in so many days before a departure has foreseen it."""


class Span(Struct, frozen=True, gc=False):
    """The life of an episode; `ended_ms` is NEVER while it is open."""

    opened_ms: int
    ended_ms: int


class Foresight(Struct, frozen=True, kw_only=True):
    """How the alerts did against the truth.

    Of `left` customers, `alerted` had an alert open in the 30 days before; `lead_days` is how early the first of these was
    opened, by quartiles (None when there are none). `missed_without_signs` left out of the blue: there was nothing to see. Of
    `stayed` customers `stayed_alerted` had at least one alert, `stayed_alerts` in all. `by_chance_share` is the share of
    customers who stayed that had an alert open in the same 30 days, on average over the departures.
    """

    left: int
    alerted: int
    missed: int
    missed_without_signs: int
    lead_days: tuple[float, float, float] | None
    stayed: int
    stayed_alerted: int
    stayed_alerts: int
    by_chance_share: float | None

    @property
    def lift(self) -> float | None:
        """How many times more often an alert stood open before a departure than before nothing."""
        if not self.left or not self.by_chance_share:
            return None
        return self.alerted / self.left / self.by_chance_share


def episodes_of(alerts: Iterable[ChurnAlert]) -> dict[str, list[Span]]:
    """The episodes of each customer, from the alert records in their order."""
    spans: dict[str, tuple[str, Span]] = {}
    for alert in alerts:
        ended_ms = NEVER if alert.state in ("opened", "updated") else alert.as_of
        spans[alert.episode_id] = (alert.customer_id, Span(alert.opened_at, ended_ms))
    found: dict[str, list[Span]] = {}
    for customer_id, span in spans.values():
        found.setdefault(customer_id, []).append(span)
    return found


def foresight(
    truths: Mapping[str, Truth], alerts: Iterable[ChurnAlert], first_seen: Mapping[str, int], from_ms: int, until_ms: int
) -> Foresight:
    """Hold the alerts against the departures from `from_ms` to `until_ms`; `first_seen` is since when a customer has a score."""
    episodes = episodes_of(alerts)
    departures = {
        customer: (truth.churned_at, truth)
        for customer, truth in truths.items()
        if truth.churned_at is not None and from_ms <= truth.churned_at <= until_ms
    }
    stayed = [customer for customer in truths if customer not in departures and customer in first_seen]
    leads, missed, chances = [], [], []
    for customer, (left_ms, truth) in departures.items():
        warned_ms = warned_at(episodes.get(customer, ()), left_ms)
        if warned_ms is None:
            missed.append(truth)
        else:
            leads.append((left_ms - warned_ms) / DAY_MS)
        there = [one for one in stayed if first_seen[one] < left_ms]
        if there:
            chances.append(sum(warned_at(episodes.get(one, ()), left_ms) is not None for one in there) / len(there))
    return Foresight(
        left=len(departures),
        alerted=len(leads),
        missed=len(missed),
        missed_without_signs=sum(not truth.signs for truth in missed),
        lead_days=_quartiles(leads),
        stayed=len(stayed),
        stayed_alerted=sum(customer in episodes for customer in stayed),
        stayed_alerts=sum(len(episodes.get(customer, ())) for customer in stayed),
        by_chance_share=sum(chances) / len(chances) if chances else None,
    )


def warned_at(episodes: Sequence[Span], at_ms: int) -> int | None:
    """When the first of the alerts was opened that stood open in the window before a time; None when none did."""
    from_ms = at_ms - WINDOW_DAYS * DAY_MS
    return min((one.opened_ms for one in episodes if one.opened_ms < at_ms and one.ended_ms >= from_ms), default=None)


def _quartiles(values: list[float]) -> tuple[float, float, float] | None:
    """The lower quartile, the median and the upper quartile, as medians of the halves."""
    if not values:
        return None
    ordered = sorted(values)
    half = (len(ordered) + 1) // 2
    return median(ordered[:half]), median(ordered), median(ordered[-half:])
