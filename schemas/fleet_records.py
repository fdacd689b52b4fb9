"""The records about the whole fleet, as typed values.

Fields that every record of the fleet carries: `record_id` = hash(incarnation, "fleet", kind and key, sequence); `sequence` counts
the records of that kind and key, from 1; `as_of` is the time up to which all partitions are complete; `emitted_at` and
`config_version` are as in `schemas.records`.
"""

from typing import Literal

from msgspec import Struct

from schemas.shared_records import EpisodeState, Evidence, Severity, StationNow


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
    """A figure of the whole fleet: `as_of` is the minimum over the partitions, `coverage_share` says how many have reported.

    `revision` is 0 when a month that is over is first told of, and counts how often its value has changed since.
    """

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
    revision: int = 0


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
    """An open episode as its owner's list shows it; it is ranked by monthly revenue x `urgency`.

    `ended`: a digest shows it as it was last, since it is over.
    """

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
    ended: bool = False


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


FleetOutput = FleetSnapshot | FleetAlert | TouchpointMap | OwnerList | MaturityAssessment
