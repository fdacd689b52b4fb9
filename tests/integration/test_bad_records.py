"""Records that cannot be processed: each ends as a dead letter with its reason, and everything else goes on."""

from typing import NamedTuple

import pytest

from schemas.codec import Codec
from schemas.events import SurveyEvent, TicketEvent
from streams.topics import partition_of
from tests.support.cluster import PARTITIONS, Cluster, now_ms, produce
from tests.support.publishing import wait_until_folded
from tests.support.topic_log import read_topic
from tests.support.worker import Workers

pytestmark = pytest.mark.timeout(180)

HOUR_MS = 3_600_000
CUSTOMER = b"customer-1"
HOME = partition_of(CUSTOMER, PARTITIONS)
ELSEWHERE = (HOME + 1) % PARTITIONS


class Bad(NamedTuple):
    topic: str
    partition: int
    key: bytes | None
    value: bytes | None
    reason: str


def ticket(at_ms: int, event_id: str = "t-1", customer_id: str = "customer-1") -> bytes:
    event = TicketEvent(event_id=event_id, customer_id=customer_id, occurred_at=at_ms, kind="opened", ticket_id="1")
    return Codec().encode("cs.tickets", event)


def bad_records(at_ms: int) -> list[Bad]:
    off_its_scale = SurveyEvent(
        event_id="s-1", customer_id="customer-1", occurred_at=at_ms, kind="answered", survey="nps", score=11, scale="0_10"
    )
    json = f'{{"event_id":"x","customer_id":"customer-1","occurred_at":{at_ms},'.encode()
    return [
        Bad("cs.tickets", HOME, CUSTOMER, b"\x07 no encoding begins like this", "undecodable"),
        Bad("cs.tickets", HOME, CUSTOMER, b"\xc3\x01" + b"\0" * 20, "unknown_schema"),
        Bad("cs.tickets", HOME, CUSTOMER, b"{" + b" " * 70_000 + b"}", "too_large"),
        Bad("cs.tickets", HOME, CUSTOMER, None, "null_value"),
        Bad("cs.tickets", HOME, CUSTOMER, json + b'"kind":7,"ticket_id":"1"}', "wrong_type"),
        Bad("cs.tickets", HOME, CUSTOMER, json + b'"kind":"opened"}', "missing_field"),
        Bad("cs.tickets", HOME, CUSTOMER, json + b'"kind":"forgotten","ticket_id":"1"}', "unknown_enum"),
        Bad("cs.surveys", HOME, CUSTOMER, Codec().encode("cs.surveys", off_its_scale), "bad_score"),
        Bad("cs.tickets", HOME, b"customer-2", ticket(at_ms), "key_mismatch"),
        Bad("cs.tickets", HOME, None, ticket(at_ms), "key_mismatch"),
        Bad("cs.tickets", ELSEWHERE, CUSTOMER, ticket(at_ms), "misrouted"),
        Bad("cs.tickets", HOME, CUSTOMER, ticket(at_ms - 49 * HOUR_MS), "late"),
        Bad("cs.tickets", HOME, CUSTOMER, ticket(at_ms + HOUR_MS), "future"),
    ]


def test_each_kind_of_bad_record_becomes_a_dead_letter_with_its_reason_and_the_rest_goes_on(
    cluster: Cluster, workers: Workers
) -> None:
    at_ms = now_ms()
    wrong = bad_records(at_ms)
    for bad in wrong:
        produce(cluster, bad.topic, bad.partition, [(bad.key, bad.value, at_ms)])
    produce(cluster, "cs.tickets", HOME, [(CUSTOMER, ticket(at_ms, "good"), at_ms)])

    worker = workers.start(tick_interval_ms="0")
    wait_until_folded(cluster, workers.app_id)
    assert worker.stop() == 0  # without isolation a state may be seen a moment before its outputs

    letters = [record.fields() for record in read_topic(cluster.bootstrap, "cs.dead-letters")]
    told = {(letter["topic"], letter["partition"], letter["original"], letter["key"]): letter["reason"] for letter in letters}
    cut = 64 * 1024
    assert told == {
        (bad.topic, bad.partition, None if bad.value is None else bad.value[:cut], bad.key): bad.reason for bad in wrong
    }
    assert len(letters) == len(wrong)
    changes = [record.fields() for record in read_topic(cluster.bootstrap, "cs.health-changes")]
    assert [change["caused_by"] for change in changes if change["purpose"] == "risk"] == [["good"]]
