"""What records for a customer and records of the fleet have in common."""

from typing import Literal

from msgspec import Struct

Cause = Literal["data", "time", "config"]
Severity = Literal["info", "warning", "high", "critical"]
EpisodeState = Literal["opened", "updated", "resolved", "retracted"]
Side = Literal["before", "after"]
Trend = Literal["up", "down", "flat", "unknown"]
Strength = Literal["strong", "weak", "neither", "unknown"]


class Evidence(Struct, frozen=True, kw_only=True, gc=False):
    """A figure that an alert rests on, beside the threshold it was held against."""

    figure: str
    dimension: str = ""
    value: float | None = None
    threshold: float | None = None
    n: int | None = None


class StationNow(Struct, frozen=True, kw_only=True, gc=False):
    """A station of the value chain, for one customer or the whole fleet.

    `csat_pct` is over 90 days with its 95 % interval; `trend_points` is the CSAT of the last 30 days minus that of the 30 before,
    with Newcombe's interval; `strength` is against all other touchpoints together.
    """

    touchpoint: str
    order: int
    side: Side
    department: str
    csat_pct: float | None
    low_pct: float | None
    high_pct: float | None
    n: int
    trend: Trend
    trend_points: float | None
    trend_low: float | None
    trend_high: float | None
    strength: Strength
    open_tickets: int
    interactions_30d: int
