"""The record of a question of the survey plan."""

from typing import Literal

from msgspec import Struct


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
