"""The record of a move from one loyalty quadrant to another."""

from typing import Literal

from msgspec import Struct

from schemas.shared_records import Cause

Quadrant = Literal["advocate", "vip_support", "wildcard", "churner", "unknown"]


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
