"""What may be wrong with a record around its event."""

import pytest

from processors.seen import GRACE_MS
from schemas.events import TicketEvent
from schemas.outcome import Reason
from streams.placing import REPLAY_HEADER, wrong_key, wrong_partition, wrong_time
from streams.records import InputRecord
from streams.topics import ALLOWED_SKEW_MS as SKEW_MS
from streams.topics import partition_of

NOW = 1_767_225_600_000


def event(occurred_at: int = NOW) -> TicketEvent:
    return TicketEvent(event_id="e", customer_id="käthe", occurred_at=occurred_at, kind="opened", ticket_id="t")


def record(key: bytes | None = "käthe".encode(), partition: int = 0, *, replayed: bool = False) -> InputRecord:
    return InputRecord("cs.tickets", partition, 0, NOW, key, b"", [(REPLAY_HEADER, b"id")] if replayed else None)


@pytest.mark.parametrize(("occurred_at", "reason"), [(NOW - GRACE_MS, None), (NOW - GRACE_MS - 1, Reason.LATE)])
def test_an_event_is_late_beyond_the_grace_and_not_at_it(occurred_at: int, reason: Reason | None) -> None:
    wrong = wrong_time(record(), event(occurred_at))
    assert (wrong.reason if wrong else None) == reason


@pytest.mark.parametrize(("occurred_at", "reason"), [(NOW + SKEW_MS, None), (NOW + SKEW_MS + 1, Reason.FUTURE)])
def test_an_event_is_from_the_future_beyond_the_allowed_skew_and_not_at_it(occurred_at: int, reason: Reason | None) -> None:
    wrong = wrong_time(record(), event(occurred_at))
    assert (wrong.reason if wrong else None) == reason


def test_a_replayed_dead_letter_may_be_late_but_not_from_the_future() -> None:
    assert wrong_time(record(replayed=True), event(NOW - 9 * GRACE_MS)) is None
    assert wrong_time(record(replayed=True), event(NOW + 9 * GRACE_MS)) is not None


@pytest.mark.parametrize("key", [None, b"", b"kathe", b"\xff"])
def test_a_key_that_is_not_the_customer_is_refused(key: bytes | None) -> None:
    wrong = wrong_key(record(key), event())
    assert wrong is not None
    assert wrong.reason == Reason.KEY_MISMATCH


def test_a_record_on_another_partition_than_its_key_says_is_misrouted_and_told_where_it_belongs() -> None:
    right = partition_of("käthe".encode(), 8)
    assert wrong_partition(record(partition=right), 8) is None
    wrong = wrong_partition(record(partition=(right + 1) % 8), 8)
    assert wrong is not None
    assert wrong.reason == Reason.MISROUTED
    assert f"partition {right}" in wrong.message
