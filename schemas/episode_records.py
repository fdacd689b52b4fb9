"""The records of an alert's episode: a state of it, and how it stands."""

from msgspec import Struct

from schemas.shared_records import Cause, EpisodeState, Evidence, Severity


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
    segment: str | None = None


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
