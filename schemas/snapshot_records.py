"""The record of a customer: all that is known of it at one time."""

from msgspec import Struct

from schemas.episode_records import OpenAlert
from schemas.health_records import HealthNow
from schemas.loyalty_records import Quadrant
from schemas.shared_records import StationNow


class Figure(Struct, frozen=True, kw_only=True, gc=False, cache_hash=True):
    """A published figure: `value` is None when it cannot be known, and `reason` then says why.

    `dimension` is the touchpoint, scale, goal, … it is cut by, empty for the whole; `window_days` is None for a figure that has
    no window; `low` and `high` bound the 95 % interval in the unit of the value.
    """

    name: str
    dimension: str = ""
    window_days: int | None = None
    value: float | None = None
    n: int | None = None
    low: float | None = None
    high: float | None = None
    reason: str | None = None


class TimelineEntry(Struct, frozen=True, kw_only=True, gc=False):
    """Something that mattered in the customer's history."""

    at: int
    kind: str
    text: str


class PromiseNow(Struct, frozen=True, kw_only=True, gc=False):
    """A promised goal and what came of it: an entry of the promise ledger.

    `actual_30d` is in the unit of the goal's kind, `attainment_ratio` is min(1, actual / expected); `first_value_at` is None
    while the goal was never completed after the promise.
    """

    goal: str
    promised_at: int
    expected_per_30_days: float
    actual_30d: float | None
    attainment_ratio: float | None
    first_value_at: int | None
    days_to_first_value: float | None
    reason: str | None


class CustomerSnapshot(Struct, frozen=True, kw_only=True):
    """What is known of a customer at `as_of`: the account, every figure, the scores and the open episodes.

    `loyalty_flags` are those of `borderline`, `few` and `weak_touchpoint` that hold now. `revision` counts the events that came
    after a snapshot although they occurred more than an hour before it: each changed what had been published.
    """

    record_id: str
    customer_id: str
    sequence: int
    as_of: int
    emitted_at: int | None
    caused_by: list[str]
    caused_by_count: int
    config_version: int
    stage: str
    stage_since: int | None
    plan: str | None
    mrr_cents: int | None
    currency: str | None
    seats: int | None
    segment: str | None
    renewal_at: int | None
    owner: str | None
    last_seen_at: int | None
    events_accepted: int
    flags: list[str]
    health: list[HealthNow]
    figures: list[Figure]
    open_alerts: list[OpenAlert]
    quadrant: Quadrant = "unknown"
    timeline: list[TimelineEntry] = []
    quadrant_reason: str | None = None
    quadrant_action: str = ""
    touchpoints: list[StationNow] = []
    promises: list[PromiseNow] = []
    referred_by: str | None = None
    loyalty_flags: list[str] = []
    worst_touchpoint: str | None = None
    revision: int = 0
