"""What a destination may be told of: a state of an episode, or a list of an owner."""

from typing import Literal, TypeAlias

from msgspec import Struct

from schemas.records import ChurnAlert, EpisodeState, FleetAlert, OwnerList, Severity
from sinks.sink import SinkRecord

ALERTS_TOPIC = "cs.churn-alerts"
TOPICS = (ALERTS_TOPIC, "cs.fleet-alerts", "cs.owner-lists")

NoticeKind: TypeAlias = Literal["churn-alert", "fleet-alert", "morning-list", "digest"]
NoticeRecord: TypeAlias = ChurnAlert | FleetAlert | OwnerList


class Notice(Struct, frozen=True, kw_only=True):
    """One thing to tell. `episode_id` is what its states have in common, `sequence` counts them.

    `subject` is whom it is about: the customer, "fleet", or the owner of a list. A list is told once and for all, so its state is
    `resolved`. `published_at` is when the record was written.
    """

    kind: NoticeKind
    topic: str
    record: NoticeRecord
    episode_id: str
    sequence: int
    state: EpisodeState
    subject: str
    rule: str
    severity: Severity
    segment: str | None
    owner: str | None
    muted: bool
    opened_at: int
    published_at: int

    @property
    def type(self) -> str:
        """What is told, as CloudEvents name it."""
        if self.is_list:
            return f"cspulse.owner-list.{self.kind}"
        return f"cspulse.{self.kind}.{self.state}"

    @property
    def is_list(self) -> bool:
        """Whether it is a list of an owner."""
        return self.kind in ("morning-list", "digest")

    @property
    def may_be_in_a_digest(self) -> bool:
        """Whether it is of an account, which has an owner or nobody: digests hold nothing else."""
        return self.kind == "churn-alert"

    @property
    def is_end(self) -> bool:
        """Whether nothing comes after it."""
        return self.state in ("resolved", "retracted")


def notice_of(record: SinkRecord) -> Notice | None:
    """What a record of the topics above tells; None for a tombstone, and for what says nothing to a destination."""
    value = record.value
    if isinstance(value, ChurnAlert):
        return _of_alert(record, value, "churn-alert", value.customer_id, value.segment, value.owner, muted=value.muted)
    if isinstance(value, FleetAlert):
        return _of_alert(record, value, "fleet-alert", "fleet", None, None, muted=False)
    if isinstance(value, OwnerList):
        return _of_list(record, value)
    return None


def _of_alert(
    record: SinkRecord,
    alert: ChurnAlert | FleetAlert,
    kind: NoticeKind,
    subject: str,
    segment: str | None,
    owner: str | None,
    *,
    muted: bool,
) -> Notice:
    return Notice(
        kind=kind,
        topic=record.topic,
        record=alert,
        episode_id=alert.episode_id,
        sequence=alert.sequence,
        state=alert.state,
        subject=subject,
        rule=alert.rule,
        severity=alert.severity,
        segment=segment,
        owner=owner,
        muted=muted,
        opened_at=alert.opened_at,
        published_at=_published_at(record, alert),
    )


def _of_list(record: SinkRecord, listed: OwnerList) -> Notice:
    return Notice(
        kind="digest" if listed.kind == "digest" else "morning-list",
        topic=record.topic,
        record=listed,
        episode_id=f"{listed.kind}|{listed.owner}|{listed.day}",
        sequence=listed.sequence,
        state="resolved",
        subject=listed.owner or "nobody",
        rule="",
        severity="info",
        segment=None,
        owner=listed.owner,
        muted=False,
        opened_at=listed.as_of,
        published_at=_published_at(record, listed),
    )


def _published_at(record: SinkRecord, value: NoticeRecord) -> int:
    """By the clock of who wrote it; a replay knows none."""
    return record.timestamp_ms if value.emitted_at is None else value.emitted_at
