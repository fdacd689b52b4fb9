"""Records for tests of the read model, with little in them but what the model goes by."""

from collections.abc import Sequence
from typing import Any, Final

from schemas.records import (
    Band,
    CustomerSnapshot,
    Figure,
    FleetAlert,
    FleetSnapshot,
    HealthNow,
    MaturityAssessment,
    MeasureChange,
    OpenAlert,
    OwnerEntry,
    OwnerList,
    TimelineEntry,
    TouchpointMap,
)

START_MS: Final = 1_767_225_600_000
MINUTE_MS: Final = 60_000

_COMMON: Final[dict[str, Any]] = {"emitted_at": None, "config_version": 0}


def band_of(score: float | None) -> Band | None:
    """Below 40 red, from 70 green."""
    return None if score is None else "red" if score < 40 else "yellow" if score < 70 else "green"


def snapshot(
    customer_id: str, number: int, score: float | None = 55.5, as_of: int | None = None, **other: Any
) -> CustomerSnapshot:
    """The `number`-th snapshot of a customer, a minute after the one before."""
    at = START_MS + number * MINUTE_MS if as_of is None else as_of
    fields: dict[str, Any] = {
        **_COMMON,
        "record_id": f"{customer_id}-{number}",
        "caused_by": [f"event-{number}"],
        "caused_by_count": 1,
        "stage": "onboarded",
        "stage_since": START_MS,
        "plan": "team",
        "mrr_cents": 10_000 + number,
        "currency": "EUR",
        "seats": 10,
        "segment": "standard",
        "renewal_at": START_MS + 10**10,
        "owner": "Hanh",
        "last_seen_at": at,
        "events_accepted": number,
        "flags": [],
        "health": [_health(score)],
        "figures": [
            Figure(name="open_tickets", value=float(number)),
            Figure(name="csat_90d_pct", window_days=90, n=0, reason="none"),
        ],
        "open_alerts": [],
        "timeline": [TimelineEntry(at=at, kind="health", text=f"number {number} · ấ")],
    }
    return CustomerSnapshot(customer_id=customer_id, sequence=number, as_of=at, **{**fields, **other})


def open_alert(rule: str, *, muted: bool = False, severity: Any = "high") -> OpenAlert:
    """An open episode."""
    return OpenAlert(
        episode_id=f"{rule}-1",
        rule=rule,
        severity=severity,
        opened_at=START_MS,
        explanation="the score is low",
        action="call",
        muted=muted,
    )


def fleet_figure(
    figure: str, value: float | None, as_of: int, dimension: str = "", window_days: int | None = None
) -> FleetSnapshot:
    """A figure of the whole fleet."""
    return FleetSnapshot(
        record_id=f"{figure}-{as_of}",
        sequence=1,
        as_of=as_of,
        figure=figure,
        dimension=dimension,
        window_days=window_days,
        value=value,
        numerator=None,
        denominator=None,
        n=None,
        low=None,
        high=None,
        coverage_share=1.0,
        reason=None,
        **_COMMON,
    )


def fleet_alert(rule: str, state: Any, as_of: int) -> FleetAlert:
    """A state of a fleet rule's episode."""
    return FleetAlert(
        record_id=f"{rule}-{as_of}",
        sequence=1,
        as_of=as_of,
        episode_id=f"{rule}-1",
        rule=rule,
        rule_version=1,
        state=state,
        severity="critical",
        opened_at=START_MS,
        evidence=[],
        explanation="too many",
        action="look",
        **_COMMON,
    )


def touchpoint_map(as_of: int) -> TouchpointMap:
    """A map without stations."""
    return TouchpointMap(record_id=f"map-{as_of}", sequence=1, as_of=as_of, stations=[], steps=[], coverage_share=1.0, **_COMMON)


def assessment(as_of: int) -> MaturityAssessment:
    """An assessment without criteria."""
    return MaturityAssessment(
        record_id=f"maturity-{as_of}", sequence=1, as_of=as_of, criteria=[], plans=[], history=[], coverage_share=1.0, **_COMMON
    )


def owner_list(owner: str, customers: Sequence[str], as_of: int, kind: Any = "morning_list") -> OwnerList:
    """An owner's list with an entry for each of the customers."""
    entries = [
        OwnerEntry(
            episode_id=f"{customer}-episode",
            customer_id=customer,
            rule="health_red",
            severity="high",
            opened_at=START_MS,
            mrr_cents=100,
            currency="EUR",
            renewal_at=None,
            urgency=2.0,
            acknowledged=False,
            acted=False,
        )
        for customer in customers
    ]
    return OwnerList(
        record_id=f"{owner}-{as_of}",
        sequence=1,
        as_of=as_of,
        owner=owner,
        kind=kind,
        day="2026-01-01",
        entries=entries,
        left_out=0,
        **_COMMON,
    )


def _health(score: float | None) -> HealthNow:
    measure = MeasureChange(
        measure="goals",
        figure="goal_attainment_30d_ratio",
        old_figure=0.5,
        new_figure=0.5,
        old_value=score,
        new_value=score,
        old_weight=20.0,
        new_weight=20.0,
        old_contribution=score or 0.0,
        new_contribution=score or 0.0,
        delta=0.0,
    )
    return HealthNow(
        scorecard="standard",
        purpose="risk",
        score=score,
        displayed=score,
        band=band_of(score),
        measures_present=1,
        measures_total=1,
        measures=[measure],
    )
