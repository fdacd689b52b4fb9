"""The metrics of the whole fleet as it was last published: figures, touchpoint map, alerts about the fleet, maturity."""

from collections.abc import Iterator, Sequence
from typing import Final

from msgspec import Struct

from schemas.records import Criterion, PlanProgress, Severity, StationNow
from sinks.fleet_figures import SHOWN, Series, Value, series_of
from sinks.metric import Metric, gauge

_STRENGTHS: Final = {"weak": -1.0, "neither": 0.0, "strong": 1.0}
_PERCENT: Final = 0.01

OTHERS: Final[tuple[Metric, ...]] = (
    gauge("cspulse_fleet_as_of_timestamp_seconds", "seconds since 1970", "Time up to which the fleet's figures are complete."),
    gauge(
        "cspulse_fleet_touchpoint_order", "place", "Place of the station on the map, from 1.", "touchpoint", "department", "side"
    ),
    gauge(
        "cspulse_fleet_touchpoint_strength",
        "1",
        "-1: its CSAT of 90 days is below that of the others together, 1: above, 0: neither; absent when nobody knows.",
        "touchpoint",
    ),
    gauge(
        "cspulse_fleet_touchpoint_csat_trend_ratio",
        "ratio",
        "CSAT of the last 30 days - that of the 30 before.",
        "touchpoint",
    ),
    gauge("cspulse_fleet_touchpoint_csat_trend_ratio_low", "ratio", "The lower end of its 95 % interval.", "touchpoint"),
    gauge("cspulse_fleet_touchpoint_csat_trend_ratio_high", "ratio", "The upper end of its 95 % interval.", "touchpoint"),
    gauge("cspulse_fleet_touchpoint_open_tickets", "tickets", "Backlog of the station.", "touchpoint"),
    gauge("cspulse_fleet_touchpoint_interactions", "interactions", "Interactions that ended there in 30 days.", "touchpoint"),
    gauge("cspulse_fleet_rule_alerts_open", "episodes", "Open alerts about the fleet.", "rule", "feed", "severity"),
    gauge(
        "cspulse_fleet_maturity_level",
        "level from 1 to 5",
        "Level of the criterion; absent when it is not measured.",
        "criterion",
    ),
    gauge("cspulse_fleet_maturity_rank", "rank", "1: there is most to be gained.", "criterion"),
    gauge(
        "cspulse_fleet_plan_progress_ratio",
        "ratio",
        "(now - baseline) / (target - baseline) of the plan for the criterion.",
        "criterion",
    ),
)


class OpenAlert(Struct, frozen=True, kw_only=True):
    """An alert about the fleet that is open; `feed` is empty when its rule is not about feeds."""

    rule: str
    feed: str
    severity: Severity


class Standing(Struct, frozen=True, kw_only=True):
    """How the whole fleet stands: everything that was made for one publication, whether it changed or not."""

    as_of_ms: int
    values: Sequence[Value]
    stations: Sequence[StationNow]
    alerts: Sequence[OpenAlert]
    criteria: Sequence[Criterion]
    plans: Sequence[PlanProgress]


def _declared() -> Iterator[Metric]:
    known = set()
    for metric in (*OTHERS, *(metric for shown in SHOWN for metric in shown.metrics())):
        if metric.name not in known:
            known.add(metric.name)
            yield metric


FLEET_METRICS: Final[tuple[Metric, ...]] = tuple(_declared())
"""What is told of the whole fleet, by the worker that runs its task."""


def fleet_series(standing: Standing) -> Iterator[Series]:
    """Every series of the fleet. A figure that is not known has none."""
    yield "cspulse_fleet_as_of_timestamp_seconds", (), standing.as_of_ms / 1000
    yield from series_of(standing.values)
    for station in standing.stations:
        yield from _station(station)
    for alert in standing.alerts:
        yield "cspulse_fleet_rule_alerts_open", (alert.rule, alert.feed, alert.severity), 1.0
    for criterion in standing.criteria:
        yield "cspulse_fleet_maturity_rank", (criterion.name,), criterion.rank
        if criterion.level is not None:
            yield "cspulse_fleet_maturity_level", (criterion.name,), criterion.level
    for plan in standing.plans:
        if plan.progress_ratio is not None:
            yield "cspulse_fleet_plan_progress_ratio", (plan.criterion,), plan.progress_ratio


def _station(station: StationNow) -> Iterator[Series]:
    name = station.touchpoint
    yield "cspulse_fleet_touchpoint_order", (name, station.department, station.side), station.order
    yield "cspulse_fleet_touchpoint_open_tickets", (name,), station.open_tickets
    yield "cspulse_fleet_touchpoint_interactions", (name,), station.interactions_30d
    strength = _STRENGTHS.get(station.strength)
    if strength is not None:
        yield "cspulse_fleet_touchpoint_strength", (name,), strength
    for metric, points in (
        ("cspulse_fleet_touchpoint_csat_trend_ratio", station.trend_points),
        ("cspulse_fleet_touchpoint_csat_trend_ratio_low", station.trend_low),
        ("cspulse_fleet_touchpoint_csat_trend_ratio_high", station.trend_high),
    ):
        if points is not None:
            yield metric, (name,), points * _PERCENT
