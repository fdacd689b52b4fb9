"""The records of a score: a change of it, how it stands, and what each is made of."""

from typing import Literal

from msgspec import Struct

from schemas.shared_records import Cause

Band = Literal["red", "yellow", "green"]
Purpose = Literal["risk", "upgrade_readiness", "advocacy"]


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
    purpose: Purpose
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


class HealthNow(Struct, frozen=True, kw_only=True):
    """A score as it stands, with what it is made of."""

    scorecard: str
    purpose: Purpose
    score: float | None
    displayed: float | None
    band: Band | None
    measures_present: int
    measures_total: int
    measures: list[MeasureChange]
    way_up: WayUp | None = None
