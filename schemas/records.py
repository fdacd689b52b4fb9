"""The output records, as typed values.

Fields that every output for a customer carries: `record_id` = hash(incarnation, customer, kind, sequence); `sequence` counts
the records of that kind for that customer, from 1; `as_of` is the time it was judged at; `emitted_at` is the wall clock, added
outside the fold and None in a replay; `caused_by` are ids of the events since the last published health change, the newest ones,
and `caused_by_count` is how many there were; `config_version` is the version of the definitions. Times are epoch
milliseconds in UTC.
"""

from typing import Literal

from msgspec import Struct

Band = Literal["red", "yellow", "green"]
Cause = Literal["data", "time", "config"]
Severity = Literal["info", "warning", "high", "critical"]
EpisodeState = Literal["opened", "updated", "resolved", "retracted"]
Quadrant = Literal["advocate", "vip_support", "wildcard", "churner", "unknown"]
Side = Literal["before", "after"]
Trend = Literal["up", "down", "flat", "unknown"]
Strength = Literal["strong", "weak", "neither", "unknown"]


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


class Evidence(Struct, frozen=True, kw_only=True, gc=False):
    """A figure that an alert rests on, beside the threshold it was held against."""

    figure: str
    dimension: str = ""
    value: float | None = None
    threshold: float | None = None
    n: int | None = None


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
    """A customer moved to another loyalty quadrant, or its quadrant is unknown for another `reason`.

    `csat_*` is over `csat_window_days`, with its 95 % interval; `promoters`, `passives` and `detractors` count the respondents'
    newest valid answers. `borderline` and `few` say how sure the CSAT is of its side of the cut-off; `weak_touchpoint` marks an
    advocate who has a weak touchpoint. Changes chain by quadrant.
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
    """What is known of a customer at `as_of`: the account, every figure, the scores and the open episodes."""

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


class FleetPartial(Struct, frozen=True, kw_only=True, gc=False):
    """One partition's part of a fleet figure: absolute, so that receiving it twice or late changes nothing.

    `bucket` is the start of the hour or day it counts, None for a gauge; what each place of `counts` means is said by
    `processors.fleet.FIGURES`.
    """

    partition: int
    incarnation: str
    sequence: int
    as_of: int
    emitted_at: int | None
    config_version: int
    figure: str
    dimension: str
    bucket: int | None
    counts: list[int]


class FleetSnapshot(Struct, frozen=True, kw_only=True):
    """A figure of the whole fleet: `as_of` is the minimum over the partitions, `coverage_share` says how many have reported."""

    record_id: str
    sequence: int
    as_of: int
    emitted_at: int | None
    config_version: int
    figure: str
    dimension: str
    window_days: int | None
    value: float | None
    numerator: float | None
    denominator: float | None
    n: int | None
    low: float | None
    high: float | None
    coverage_share: float
    reason: str | None
    note: str | None = None


class FleetAlert(Struct, frozen=True, kw_only=True):
    """One state of an episode of a fleet rule."""

    record_id: str
    sequence: int
    as_of: int
    emitted_at: int | None
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
    resolution: str | None = None


class StepConversion(Struct, frozen=True, kw_only=True, gc=False):
    """How many of those who reached a step of the sale in the window went on to the next, with Wilson's interval."""

    step: str
    next_step: str
    window_days: int
    reached: int
    converted: int
    ratio: float | None
    low: float | None
    high: float | None
    reason: str | None


class TouchpointMap(Struct, frozen=True, kw_only=True):
    """The stations of the value chain in their order, over the whole fleet, and the conversion from step to step of the sale."""

    record_id: str
    sequence: int
    as_of: int
    emitted_at: int | None
    config_version: int
    stations: list[StationNow]
    steps: list[StepConversion]
    coverage_share: float


class OwnerEntry(Struct, frozen=True, kw_only=True, gc=False):
    """An open episode as its owner's list shows it; it is ranked by monthly revenue x `urgency`."""

    episode_id: str
    customer_id: str
    rule: str
    severity: Severity
    opened_at: int
    mrr_cents: int | None
    currency: str | None
    renewal_at: int | None
    urgency: float
    acknowledged: bool
    acted: bool


class OwnerList(Struct, frozen=True, kw_only=True):
    """What an owner is to look at: the morning list of open episodes, or a digest of the alerts beyond the day's budget."""

    record_id: str
    sequence: int
    as_of: int
    emitted_at: int | None
    config_version: int
    owner: str
    kind: Literal["morning_list", "digest"]
    day: str
    entries: list[OwnerEntry]
    left_out: int


class Criterion(Struct, frozen=True, kw_only=True, gc=False):
    """One of the seven criteria of maturity; `level` is None when it is not measured, and `reason` then says why.

    `distance` is from the value to `threshold_next`, where the next level begins, as a positive number; None at level 5.
    """

    name: str
    rank: int
    level: int | None
    figure: str
    value: float | None
    n: int | None
    threshold_next: float | None
    distance: float | None
    next_step: str
    side: Literal["service", "success"]
    reason: str | None


class PlanProgress(Struct, frozen=True, kw_only=True, gc=False):
    """A target for a criterion: `progress_ratio` = (now - baseline) / (target - baseline)."""

    criterion: str
    baseline: float
    target: float
    now: float | None
    progress_ratio: float | None
    starts_at: int
    due_at: int
    owner: str
    steps: list[str]
    state: Literal["on_track", "behind", "reached", "missed", "not_measured"]


class MaturityPoint(Struct, frozen=True, kw_only=True, gc=False):
    """A criterion as it stood at the end of a month."""

    month: str
    criterion: str
    level: int | None
    value: float | None


class MaturityAssessment(Struct, frozen=True, kw_only=True):
    """How mature customer success is, by seven criteria, those first where most is to be gained; with plans and history."""

    record_id: str
    sequence: int
    as_of: int
    emitted_at: int | None
    config_version: int
    criteria: list[Criterion]
    plans: list[PlanProgress]
    history: list[MaturityPoint]
    coverage_share: float


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
FleetOutput = FleetSnapshot | FleetAlert | TouchpointMap | OwnerList | MaturityAssessment
Output = CustomerOutput | FleetPartial | FleetOutput | DeadLetter | DefinitionsVersion
