"""The customers most at risk, and what costs each of them most."""

from collections import Counter
from collections.abc import Mapping
from heapq import nsmallest

from msgspec import Struct

from schemas.records import Band, CustomerSnapshot, HealthChange, MeasureChange

_GONE = ("cancelled", "lapsed")
_PROSPECTS = ("lead", "trial")
_NOTHING_TO_LOSE = (*_PROSPECTS, *_GONE)
"""Stages in which there is no contract to be ended: not yet, or not any more."""
_FULL_POINTS = 100.0


class Cost(Struct, frozen=True, kw_only=True):
    """What a measure costs the score, in points: the distance of its contribution from the best possible."""

    measure: str
    figure: str
    figure_value: float | None
    points: float


class Standing(Struct, frozen=True, kw_only=True):
    """How many stand where: customers by band, those of whom too little is known for one, leads and trials, and who has left."""

    red: int
    yellow: int
    green: int
    without_band: int
    prospects: int
    gone: int


class AtRisk(Struct, frozen=True, kw_only=True):
    """A customer with a score, the measures that cost most, and what is at stake; `mrr_cents` is None when nobody said."""

    customer_id: str
    score: float
    band: Band | None
    mrr_cents: int | None
    currency: str | None
    costs: list[Cost]


def costs_of(measures: list[MeasureChange], limit: int) -> list[Cost]:
    """The measures that cost most, in the order of what they cost; those that cost nothing are left out."""
    weights = sum(measure.new_weight for measure in measures)
    if not weights:
        return []
    costs = [
        Cost(
            measure=measure.measure,
            figure=measure.figure,
            figure_value=measure.new_figure,
            points=_FULL_POINTS * measure.new_weight / weights - measure.new_contribution,
        )
        for measure in measures
        if measure.new_weight
    ]
    costs.sort(key=lambda cost: (-cost.points, cost.measure))
    return [cost for cost in costs[:limit] if cost.points >= 0.05]


def standing(health: Mapping[str, HealthChange], snapshots: Mapping[str, CustomerSnapshot]) -> Standing:
    """Where the customers stand. Who has left is gone, whatever the last score was; leads and trials are no customers."""
    gone = {customer_id for customer_id, snapshot in snapshots.items() if snapshot.stage in _GONE}
    prospects = {customer_id for customer_id, snapshot in snapshots.items() if snapshot.stage in _PROSPECTS}
    bands = Counter(change.new_band for customer_id, change in health.items() if customer_id not in gone | prospects)
    return Standing(
        red=bands["red"],
        yellow=bands["yellow"],
        green=bands["green"],
        without_band=bands[None],
        prospects=len(prospects & health.keys()),
        gone=len(gone & health.keys()),
    )


def most_at_risk(
    health: Mapping[str, HealthChange], snapshots: Mapping[str, CustomerSnapshot], limit: int, reasons: int = 2
) -> list[AtRisk]:
    """The customers with the lowest scores that have a band and a contract; of equal scores the larger revenue first."""
    candidates = []
    for customer_id, change in health.items():
        if change.new_score is None or change.new_band is None:
            continue
        snapshot = snapshots.get(customer_id)
        if snapshot is not None and snapshot.stage in _NOTHING_TO_LOSE:
            continue
        mrr_cents = None if snapshot is None else snapshot.mrr_cents
        candidates.append((change.new_score, -(mrr_cents or 0), customer_id, snapshot))
    chosen = nsmallest(limit, candidates, key=lambda candidate: candidate[:3])
    return [
        AtRisk(
            customer_id=customer_id,
            score=score,
            band=health[customer_id].new_band,
            mrr_cents=None if snapshot is None else snapshot.mrr_cents,
            currency=None if snapshot is None else snapshot.currency,
            costs=costs_of(health[customer_id].measures, reasons),
        )
        for score, _, customer_id, snapshot in chosen
    ]
