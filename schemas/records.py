"""The output records, as typed values.

Fields that every output for a customer carries: `record_id` = hash(incarnation, customer, kind, sequence); `sequence` counts
the records of that kind for that customer, from 1; `as_of` is the time it was judged at; `emitted_at` is the wall clock, added
outside the fold and None in a replay; `caused_by` are ids of the events since the last published health change, the newest ones,
and `caused_by_count` is how many there were; `config_version` is the version of the definitions. Times are epoch
milliseconds in UTC. Records of the whole fleet stand in
`schemas.fleet_records`.
"""

from typing import Literal

from msgspec import Struct

from schemas.fleet_records import (
    Criterion,
    FleetAlert,
    FleetOutput,
    FleetPartial,
    FleetSnapshot,
    MaturityAssessment,
    MaturityPoint,
    OwnerEntry,
    OwnerList,
    PlanProgress,
    StepConversion,
    TouchpointMap,
)
from schemas.shared_records import EpisodeState, Evidence, Severity, Side, StationNow, Strength, Trend

__all__ = [
    "Band",
    "Cause",
    "ChurnAlert",
    "Criterion",
    "CustomerOutput",
    "CustomerSnapshot",
    "DeadLetter",
    "DefinitionsVersion",
    "EpisodeState",
    "Evidence",
    "Figure",
    "FleetAlert",
    "FleetOutput",
    "FleetPartial",
    "FleetSnapshot",
    "Header",
    "HealthChange",
    "HealthNow",
    "LoyaltyChange",
    "MaturityAssessment",
    "MaturityPoint",
    "MeasureChange",
    "OpenAlert",
    "Output",
    "OwnerEntry",
    "OwnerList",
    "PlanProgress",
    "PromiseNow",
    "Quadrant",
    "Severity",
    "Side",
    "StationNow",
    "StepConversion",
    "Strength",
    "SurveyRequest",
    "TimelineEntry",
    "TouchpointMap",
    "Trend",
    "WayUp",
]

Band = Literal["red", "yellow", "green"]
Cause = Literal["data", "time", "config"]
Quadrant = Literal["advocate", "vip_support", "wildcard", "churner", "unknown"]


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


class MeasureChange(Struct, frozen=True, kw_only=True, gc=False):
    """One measure's part in a change of the score.

    `*_value` is the figure on the curve (0-100), `*_contribution` is weight x value / sum of the weights present, in points of
    the score; the `delta`s of all measures sum to the change of the score.
    """

    measure: str
    figure: str
    old_figure: float | None
    new_figure: float | None
    old_value: float | None
    new_value: float | None
    old_weight: float
    new_weight: float
    old_contribution: float
    new_contribution: float
    delta: float


class WayUp(Struct, frozen=True, kw_only=True, gc=False):
    """The single measure that needs the smallest relative change of its figure to reach the next band."""

    to_band: Band
    measure: str | None
    figure_now: float | None
    figure_needed: float | None
    text: str


class HealthChange(Struct, frozen=True, kw_only=True):
    """The displayed score moved by at least 1, or its band or coverage changed, against the last published value.

    Changes chain: the old values of a record are the new values of the one before it (`sequence` - 1).
    """

    record_id: str
    customer_id: str
    sequence: int
    as_of: int
    emitted_at: int | None
    caused_by: list[str]
    caused_by_count: int
    config_version: int
    scorecard: str
    purpose: Literal["risk", "upgrade_readiness", "advocacy"]
    cause: Cause
    revision: int
    old_score: float | None
    new_score: float | None
    old_displayed: float | None
    new_displayed: float | None
    old_band: Band | None
    new_band: Band | None
    old_measures_present: int
    new_measures_present: int
    measures_total: int
    measures: list[MeasureChange]
    override_score: float | None = None
    override_author: str | None = None
    override_reason: str | None = None
    override_expires_at: int | None = None
    way_up: WayUp | None = None


class ChurnAlert(Struct, frozen=True, kw_only=True):
    """One state of an alert episode. The newest record of an `episode_id` is its state now.

    `proactive` is True when somebody acted before the customer complained (a ticket, a bad answer, a cancellation), False when
    the complaint came first, None while neither has happened; `followed` says what followed, when the episode ends.
    """

    record_id: str
    customer_id: str
    sequence: int
    as_of: int
    emitted_at: int | None
    caused_by: list[str]
    caused_by_count: int
    config_version: int
    episode_id: str
    rule: str
    rule_version: int
    state: EpisodeState
    severity: Severity
    opened_at: int
    evidence: list[Evidence]
    explanation: str
    action: str
    cause: Cause
    mrr_cents: int | None = None
    currency: str | None = None
    renewal_at: int | None = None
    owner: str | None = None
    acknowledged_by: str | None = None
    acknowledged_at: int | None = None
    acted_by: str | None = None
    acted_at: int | None = None
    muted: bool = False
    resolution: str | None = None
    acted_action: str | None = None
    score_at_opening: float | None = None
    proactive: bool | None = None
    followed: str | None = None


class LoyaltyChange(Struct, frozen=True, kw_only=True):
    """A customer moved to another loyalty quadrant, its quadrant is unknown for another `reason`, or an advocate's weak
    touchpoint came or went.

    `csat_*` is over `csat_window_days`, with its 95 % interval. `promoters`, `passives` and `detractors` count the respondents by
    the kind of their newest valid answer, each on the scale it was given: a classification, no NPS, so both scales are in it.
    `borderline` and `few` say how sure the CSAT is of its side of the cut-off; `weak_touchpoint` marks an advocate who has a
    weak touchpoint. Changes chain by quadrant. `revision` counts how often a late event changed what had been published.
    """

    record_id: str
    customer_id: str
    sequence: int
    as_of: int
    emitted_at: int | None
    caused_by: list[str]
    caused_by_count: int
    config_version: int
    cause: Cause
    old_quadrant: Quadrant
    new_quadrant: Quadrant
    reason: str | None
    action: str
    satisfied_from_pct: float
    csat_window_days: int
    csat_pct: float | None
    csat_low_pct: float | None
    csat_high_pct: float | None
    csat_n: int
    promoters: int
    passives: int
    detractors: int
    borderline: bool
    few: bool
    worst_touchpoint: str | None
    weak_touchpoint: bool
    revision: int = 0


class SurveyRequest(Struct, frozen=True, kw_only=True):
    """A question to ask, or one that was deferred, expired or throttled."""

    record_id: str
    customer_id: str
    sequence: int
    as_of: int
    emitted_at: int | None
    caused_by: list[str]
    caused_by_count: int
    config_version: int
    request_id: str
    survey: Literal["csat", "nps", "ces", "product"]
    scale: Literal["good_bad", "1_5", "0_10", "1_10", "1_7"]
    state: Literal["due", "deferred", "expired", "throttled"]
    reason: str | None
    due_at: int
    expires_at: int
    respondent_id: str | None
    touchpoint: str | None
    interaction_id: str | None
    ticket_id: str | None
    locale: str
    question: str
    answers: list[str]


class OpenAlert(Struct, frozen=True, kw_only=True):
    """An open episode, as the customer's snapshot shows it."""

    episode_id: str
    rule: str
    severity: Severity
    opened_at: int
    explanation: str
    action: str
    acknowledged_by: str | None = None
    acted_by: str | None = None
    muted: bool = False


class HealthNow(Struct, frozen=True, kw_only=True):
    """A score as it stands, with what it is made of."""

    scorecard: str
    purpose: Literal["risk", "upgrade_readiness", "advocacy"]
    score: float | None
    displayed: float | None
    band: Band | None
    measures_present: int
    measures_total: int
    measures: list[MeasureChange]
    way_up: WayUp | None = None


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


class Header(Struct, frozen=True, kw_only=True, gc=False):
    """A header of a record that could not be processed; the value is cut to a bound."""

    name: str
    value: bytes | None


class DeadLetter(Struct, frozen=True, kw_only=True):
    """A record that could not be processed, with the reason and the original, so that it can be mended and replayed.

    `original` holds up to 64 kB of the value; `original_bytes` and `sha256` are those of the whole.
    """

    record_id: str
    customer_id: str | None
    as_of: int
    emitted_at: int | None
    config_version: int
    reason: str
    message: str
    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    headers: list[Header]
    original: bytes | None
    original_bytes: int
    truncated: bool
    sha256: str


class DefinitionsVersion(Struct, frozen=True, kw_only=True):
    """A version of the definitions file in the log; `text` is the TOML itself."""

    version: int
    applied_at: int
    author: str
    sha256: str
    text: str


CustomerOutput = HealthChange | ChurnAlert | LoyaltyChange | SurveyRequest | CustomerSnapshot
Output = CustomerOutput | FleetPartial | FleetOutput | DeadLetter | DefinitionsVersion
