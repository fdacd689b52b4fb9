"""The corpus of bad records through a worker: each ends as a dead letter with its reason, and everything else goes on."""

import pytest
from confluent_kafka import Producer

from streams.topics import partition_of
from tests.support.bad_input import ACCEPTED, CUSTOMER, corpus, ticket
from tests.support.cluster import PARTITIONS, ApacheCluster, Cluster, now_ms, produce
from tests.support.publishing import wait_until_folded
from tests.support.topic_log import read_topic
from tests.support.worker import Workers

pytestmark = pytest.mark.timeout(180)

LETTER_MAX_BYTES = 64 * 1024
KEY_MAX_BYTES = 1024


def test_each_bad_record_becomes_a_dead_letter_with_its_reason_and_the_rest_goes_on(cluster: Cluster, workers: Workers) -> None:
    at_ms = now_ms()
    offered = corpus(at_ms, PARTITIONS)
    for one in offered:
        produce(cluster, one.topic, one.partition, [(one.key, one.value, at_ms)])
    home = partition_of(CUSTOMER.encode(), PARTITIONS)
    produce(cluster, "cs.tickets", home, [(CUSTOMER.encode(), ticket(at_ms, "the last"), at_ms)])

    worker = workers.start(tick_interval_ms="0")
    wait_until_folded(cluster, workers.app_id)
    assert worker.stop() == 0  # without isolation a state may be seen a moment before its outputs

    letters = [record.fields() for record in read_topic(cluster.bootstrap, "cs.dead-letters")]
    told = sorted((one["topic"], one["partition"], one["original"] or b"", one["key"] or b"", one["reason"]) for one in letters)
    bad = [one for one in offered if one.fate != ACCEPTED]
    assert told == sorted(
        (one.topic, one.partition, (one.value or b"")[:LETTER_MAX_BYTES], (one.key or b"")[:KEY_MAX_BYTES], one.fate)
        for one in bad
    )
    changes = [record.fields() for record in read_topic(cluster.bootstrap, "cs.health-changes")]
    assert any("the last" in change["caused_by"] for change in changes if change["customer_id"] == CUSTOMER)
    good = {one.key.decode() for one in offered if one.fate == ACCEPTED and one.key}
    assert {change["customer_id"] for change in changes} == good
    assert "Traceback" not in worker.said()
    assert "DROP TABLE" not in worker.said()


@pytest.mark.kafka
def test_a_record_that_grows_a_thousandfold_when_it_is_unpacked_is_a_dead_letter_like_any_other(
    apache: ApacheCluster, apache_workers: Workers
) -> None:
    at_ms, home = now_ms(), partition_of(CUSTOMER.encode(), PARTITIONS)
    bomb = b'{"event_id":"' + b"0" * 50_000_000 + b'"}'
    producer = Producer({"bootstrap.servers": apache.bootstrap, "compression.type": "zstd", "message.max.bytes": 100_000_000})
    producer.produce("cs.tickets", bomb, CUSTOMER.encode(), home, timestamp=at_ms)
    assert producer.flush(30) == 0
    produce(apache, "cs.tickets", home, [(CUSTOMER.encode(), ticket(at_ms, "after it"), at_ms)])

    worker = apache_workers.start(tick_interval_ms="0")
    wait_until_folded(apache, apache_workers.app_id)
    assert worker.stop() == 0

    (letter,) = [record.fields() for record in read_topic(apache.bootstrap, "cs.dead-letters")]
    assert (letter["reason"], letter["original_bytes"]) == ("too_large", len(bomb))
    assert len(letter["original"]) == LETTER_MAX_BYTES
    changes = [record.fields() for record in read_topic(apache.bootstrap, "cs.health-changes")]
    assert any("after it" in change["caused_by"] for change in changes)
