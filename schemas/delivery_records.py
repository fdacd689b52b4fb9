"""The records of alert delivery, as typed values: what each destination has got, and what it never took.

Times are epoch milliseconds in UTC.
"""

from typing import Literal

from msgspec import Struct

from schemas.shared_records import EpisodeState, Severity

DeliveryOutcome = Literal["delivered", "given_up", "muted", "held", "digest", "history"]


class DeliveryReceipt(Struct, frozen=True, kw_only=True, gc=False):
    """What a destination knows of an episode: `told` is whether any state of it got there, the others are of the newest record.

    `outcome` is what became of that record: `muted` and `held` (beyond its owner's budget of the day, so it waits for the digest)
    were not sent and may be told of later, `digest` was told of there, `history` was too old. `status` is the HTTP status of the
    answer.
    """

    episode_id: str
    record_id: str
    sequence: int
    offset: int
    state: EpisodeState
    outcome: DeliveryOutcome
    told: bool
    severity: Severity
    owner: str | None
    opened_at: int
    status: int | None


class DeliveryMark(Struct, frozen=True, kw_only=True, gc=False):
    """How far a destination has got in a partition, and with it what became of an episode: one record, so both or neither.

    `position` is the next offset. `history_end` is where the partition ended when delivery to this destination began.
    """

    destination: str
    topic: str
    partition: int
    position: int
    at: int
    history_end: int = 0
    receipt: DeliveryReceipt | None = None


class DeliveryFailure(Struct, frozen=True, kw_only=True):
    """A message that a destination never took. `reason` is `refused` (for good) or `expired` (tried for as long as configured).

    `body` is what was sent, up to 64 kB; `body_bytes` is the length of the whole. `attempts` counts the calls since the sink last
    started.
    """

    record_id: str
    destination: str
    message_id: str
    type: str
    subject: str
    as_of: int
    emitted_at: int | None
    config_version: int
    reason: Literal["refused", "expired"]
    message: str
    attempts: int
    status: int | None
    topic: str
    partition: int
    offset: int
    content_type: str
    body: bytes
    body_bytes: int
    truncated: bool


DeliveryOutput = DeliveryMark | DeliveryFailure
