"""Outputs as the demo reads them, with only what a test speaks of."""

from typing import Any

from schemas.records import ChurnAlert, CustomerSnapshot, EpisodeState, FleetPartial, HealthChange, MeasureChange

_COMMON: dict[str, Any] = {"emitted_at": None, "caused_by": [], "caused_by_count": 0, "config_version": 0}


def measure(name: str, value: float | None, weight: float, contribution: float, delta: float = 0.0) -> MeasureChange:
    """A measure as it is after a change; `value` is its figure."""
    return MeasureChange(
        measure=name,
        figure=f"{name}_figure",
        old_figure=None,
        new_figure=value,
        old_value=None,
        new_value=None,
        old_weight=weight,
        new_weight=weight,
        old_contribution=contribution - delta,
        new_contribution=contribution,
        delta=delta,
    )


def change(
    customer: str, sequence: int, old: float | None, new: float | None, *measures: MeasureChange, **other: Any
) -> HealthChange:
    """A health change whose bands follow from its scores: below 40 red, from 70 green."""
    fields: dict[str, Any] = {
        **_COMMON,
        "record_id": f"{sequence:032x}",
        "as_of": sequence,
        "scorecard": "standard",
        "purpose": "risk",
        "cause": "data",
        "revision": 0,
        "old_displayed": old,
        "new_displayed": new,
        "old_band": _band(old),
        "new_band": _band(new),
        "old_measures_present": 0 if old is None else 7,
        "new_measures_present": 0 if new is None else 7,
        "measures_total": 7,
    }
    return HealthChange(
        customer_id=customer, sequence=sequence, old_score=old, new_score=new, measures=list(measures), **{**fields, **other}
    )


def alert(customer: str, rule: str, number: int, state: EpisodeState, opened_at: int, as_of: int) -> ChurnAlert:
    """A state of the episode `number` of a customer and rule."""
    return ChurnAlert(
        record_id=f"{hash((customer, rule, number, state, as_of)) & (2**127 - 1):032x}",
        customer_id=customer,
        sequence=1,
        as_of=as_of,
        **_COMMON,
        episode_id=f"{customer}-{rule}-{number}",
        rule=rule,
        rule_version=1,
        state=state,
        severity="warning",
        opened_at=opened_at,
        evidence=[],
        explanation="",
        action="",
        cause="data",
    )


def snapshot(customer: str, stage: str, mrr_cents: int | None = None) -> CustomerSnapshot:
    """What is known of a customer: stage and revenue."""
    unknown: dict[str, Any] = dict.fromkeys(("stage_since", "plan", "seats", "segment", "renewal_at", "owner", "last_seen_at"))
    return CustomerSnapshot(
        record_id="0",
        customer_id=customer,
        sequence=1,
        as_of=0,
        **_COMMON,
        **unknown,
        stage=stage,
        mrr_cents=mrr_cents,
        currency=None if mrr_cents is None else "EUR",
        events_accepted=1,
        flags=[],
        health=[],
        figures=[],
        open_alerts=[],
    )


def partial(
    partition: int, sequence: int, figure: str, dimension: str, counts: list[int], bucket: int | None = None
) -> FleetPartial:
    """One partition's part of a fleet figure."""
    return FleetPartial(
        partition=partition,
        incarnation="demo",
        sequence=sequence,
        as_of=0,
        emitted_at=None,
        config_version=0,
        figure=figure,
        dimension=dimension,
        bucket=bucket,
        counts=counts,
    )


def _band(score: float | None) -> str | None:
    if score is None:
        return None
    return "red" if score < 40 else "green" if score >= 70 else "yellow"
