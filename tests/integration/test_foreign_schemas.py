"""Records that others wrote with a registry's schemas, through a worker that asks a registry."""

import pytest

from streams.topics import partition_of
from tests.support.bad_schemas import registered
from tests.support.cluster import PARTITIONS, Cluster, now_ms, produce
from tests.support.publishing import wait_until_folded
from tests.support.registries import MemoryRegistry
from tests.support.registry_server import served
from tests.support.topic_log import read_topic
from tests.support.worker import Workers

pytestmark = pytest.mark.timeout(180)

CUSTOMER = "customer-1"


def test_each_record_of_a_foreign_schema_is_read_or_becomes_a_dead_letter_with_its_reason(
    cluster: Cluster, workers: Workers
) -> None:
    at_ms, registry = now_ms(), MemoryRegistry()
    key, home = CUSTOMER.encode(), partition_of(CUSTOMER.encode(), PARTITIONS)
    offered = registered(registry, CUSTOMER, at_ms)
    for one in offered:
        produce(cluster, one.topic, home, [(key, one.value, at_ms)])

    with served(registry) as address:
        worker = workers.start(tick_interval_ms="0", schema_registry_url=address, value_encoding="avro")
        wait_until_folded(cluster, workers.app_id)
        assert worker.stop() == 0  # without isolation a state may be seen a moment before its outputs

    letters = [record.fields() for record in read_topic(cluster.bootstrap, "cs.dead-letters")]
    told = sorted((one["topic"], one["original"], one["reason"]) for one in letters)
    assert told == sorted((one.topic, one.value, one.fate) for one in offered if one.fate != "accepted")
    taken = {one.name for one in offered if one.fate == "accepted"}  # these have their names as ids of their events
    changes = [record.fields() for record in read_topic(cluster.bootstrap, "cs.health-changes")]
    assert taken & {event_id for change in changes for event_id in change["caused_by"]}
    assert "Traceback" not in worker.said()
