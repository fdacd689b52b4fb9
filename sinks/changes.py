"""From a record to what it changes in the read model: absolute, and with a version by which the older one of two is known.

A version is the time that the record speaks of, then its offset. Under one application id both rise together. A rebuild under a
new one writes the same history again behind what is there: its records have higher offsets and older times, so they change
nothing until they have come as far. A tombstone speaks of the time in its timestamp.
"""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import msgspec
from msgspec import Struct

from schemas.records import (
    CustomerSnapshot,
    FleetAlert,
    FleetSnapshot,
    HealthNow,
    MaturityAssessment,
    OwnerList,
    Severity,
    TouchpointMap,
)
from sinks.read_model import ListKind, Standing
from sinks.sink import SinkRecord

SECTIONS: Final = ("health", "figures", "open_alerts", "timeline")
"""The fields of a snapshot that are kept by themselves, so that one can be read without the others."""

NOTHING_TO_LOSE: Final = frozenset({"lead", "trial", "cancelled", "lapsed"})
"""Stages without a contract that could be ended: not yet, or not any more."""

FIGURES: Final = "fleet:figures"
ALERTS: Final = "fleet:alerts"
TOUCHPOINT_MAP: Final = "touchpoint-map"
MATURITY: Final = "maturity"

_SEVERITIES: Final[tuple[Severity, ...]] = ("info", "warning", "high", "critical")
_HIGHEST_SCORE: Final = 100.0
_encode = msgspec.json.Encoder().encode


class CustomerChange(NamedTuple):
    """How a customer stands. `fields` are those of its hash.

    `risk` is its place among the customers at risk, None when it is none of them; `currency` and `mrr_cents` that by revenue.
    """

    customer_id: str
    as_of: int
    version: str
    fields: list[tuple[str, bytes]]
    risk: float | None
    currency: str
    mrr_cents: int


class Erasure(NamedTuple):
    """A customer is to be forgotten, and what speaks of it as it was before `as_of` does not bring it back."""

    customer_id: str
    as_of: int
    version: str


class ReportChange(NamedTuple):
    """A record about the whole fleet: under `field` of the hash `key`, or as the value of `key` when `field` is empty."""

    key: str
    field: str
    version: str
    value: bytes


class ListChange(NamedTuple):
    """An owner's list: what it says of itself, and its entries in their order, each with its customer."""

    owner: str
    kind: ListKind
    as_of: int
    version: str
    head: bytes
    entries: list[tuple[str, bytes]]


Change = CustomerChange | Erasure | ReportChange | ListChange


class _CompactFigure(Struct, omit_defaults=True):
    """A figure without what it does not have: most have no dimension, no interval and no reason."""

    name: str
    dimension: str = ""
    window_days: int | None = None
    value: float | None = None
    n: int | None = None
    low: float | None = None
    high: float | None = None
    reason: str | None = None


def change_of(record: SinkRecord) -> Change | None:
    """What a record changes; None for one that the model does not hold."""
    value = record.value
    if value is None:
        return _erasure(record)
    match value:
        case CustomerSnapshot():
            return _customer(value, record)
        case FleetSnapshot():
            window = "" if value.window_days is None else value.window_days
            return ReportChange(
                FIGURES, f"{value.figure}|{value.dimension}|{window}", version(value.as_of, record.offset), _encode(value)
            )
        case FleetAlert():
            return ReportChange(ALERTS, _key(record), version(value.as_of, record.offset), _encode(value))
        case TouchpointMap():
            return ReportChange(TOUCHPOINT_MAP, "", version(value.as_of, record.offset), _encode(value))
        case MaturityAssessment():
            return ReportChange(MATURITY, "", version(value.as_of, record.offset), _encode(value))
        case OwnerList():
            return _owner_list(value, record)
    return None


def version(as_of: int, offset: int) -> str:
    """A text that sorts as time and offset do."""
    return f"{max(0, as_of):015d}.{offset:019d}"


def standing_of(snapshot: CustomerSnapshot) -> Standing:
    """A customer in one line."""
    risk = next((health for health in snapshot.health if health.purpose == "risk"), None)
    severities = [alert.severity for alert in snapshot.open_alerts if not alert.muted]
    return Standing(
        customer_id=snapshot.customer_id,
        as_of=snapshot.as_of,
        stage=snapshot.stage,
        segment=snapshot.segment,
        scorecard=None if risk is None else risk.scorecard,
        score=None if risk is None else risk.displayed,
        band=None if risk is None else risk.band,
        quadrant=snapshot.quadrant,
        open_alerts=len(severities),
        severity=max(severities, key=_SEVERITIES.index, default=None),
        mrr_cents=snapshot.mrr_cents,
        currency=snapshot.currency,
        renewal_at=snapshot.renewal_at,
        owner=snapshot.owner,
    )


def _customer(snapshot: CustomerSnapshot, record: SinkRecord) -> CustomerChange:
    standing = standing_of(snapshot)
    figures = msgspec.convert(snapshot.figures, list[_CompactFigure], from_attributes=True)
    fields = [
        ("standing", _encode(standing)),
        ("account", _encode(_account(snapshot))),
        ("health", _encode(snapshot.health)),
        ("figures", _encode(figures)),
        ("open_alerts", _encode(snapshot.open_alerts)),
        ("timeline", _encode(snapshot.timeline)),
    ]
    risk = _risk(standing, snapshot.health)
    has_worth = risk is not None and snapshot.mrr_cents is not None and snapshot.currency is not None
    return CustomerChange(
        snapshot.customer_id,
        max(0, snapshot.as_of),
        version(snapshot.as_of, record.offset),
        fields,
        risk,
        (snapshot.currency or "") if has_worth else "",
        (snapshot.mrr_cents or 0) if has_worth else 0,
    )


def _account(snapshot: CustomerSnapshot) -> dict[str, Any]:
    """The fields that have no section of their own."""
    return {name: getattr(snapshot, name) for name in CustomerSnapshot.__struct_fields__ if name not in SECTIONS}


def _risk(standing: Standing, health: Sequence[HealthNow]) -> float | None:
    """How far a customer is from the best score, if it is at risk; 0 when nobody knows."""
    if standing.stage in NOTHING_TO_LOSE or not (standing.band in ("red", "yellow") or standing.open_alerts):
        return None
    score = next((one.score for one in health if one.purpose == "risk"), None)
    return 0.0 if score is None else _HIGHEST_SCORE - score


def _erasure(record: SinkRecord) -> Erasure | None:
    if record.topic != "cs.customer-snapshots":
        return None
    as_of = max(0, record.timestamp_ms)
    return Erasure(_key(record), as_of, version(as_of, record.offset))


def _owner_list(listed: OwnerList, record: SinkRecord) -> ListChange:
    head = {name: getattr(listed, name) for name in OwnerList.__struct_fields__ if name != "entries"}
    entries = [(entry.customer_id, _encode(entry)) for entry in listed.entries]
    as_of = max(0, listed.as_of)
    return ListChange(listed.owner, listed.kind, as_of, version(as_of, record.offset), _encode(head), entries)


def _key(record: SinkRecord) -> str:
    return (record.key or b"").decode("utf-8", "surrogateescape")
