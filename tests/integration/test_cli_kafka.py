"""The commands against Apache Kafka: what the embedded broker cannot show (topic settings, groups, fenced writers)."""

import json

import confluent_kafka as ck
import pytest
from confluent_kafka.admin import AdminClient, ConfigResource

from schemas.codec import Codec
from streams.catalogue import default_text
from streams.cluster import reach
from streams.definitions_log import TRANSACTIONAL_ID, apply, read_versions
from streams.topic_admin import survey
from streams.topics import specs
from tests.support.cluster import PARTITIONS, ApacheCluster, now_ms
from tests.support.command_line import run
from tests.support.waiting import wait_until

pytestmark = pytest.mark.kafka

LIMIT_S = 30.0


def given(cluster: ApacheCluster, app_id: str) -> list[str]:
    return ["--bootstrap-servers", cluster.bootstrap, "--app-id", app_id, "--partitions", str(PARTITIONS)]


def topic_config(cluster: ApacheCluster, topic: str) -> dict[str, str]:
    admin = AdminClient({"bootstrap.servers": cluster.bootstrap})
    resource = ConfigResource(ConfigResource.Type.TOPIC, topic)
    return {name: entry.value for name, entry in admin.describe_configs([resource])[resource].result(LIMIT_S).items()}


def test_apply_creates_every_topic_as_it_should_be_and_a_second_time_nothing(bare_apache: ApacheCluster, app_id: str) -> None:
    missing = run(*given(bare_apache, app_id), "topics", "show")
    first = run(*given(bare_apache, app_id), "topics", "apply")
    second = run(*given(bare_apache, app_id), "topics", "apply")
    shown = run(*given(bare_apache, app_id), "topics", "show")

    assert missing.exit_code == 3
    assert first.exit_code == 0, first.output
    assert "23 created, 0 failed, 0 differ" in first.stderr
    assert second.exit_code == 0, second.output
    assert "0 created, 0 failed, 0 differ" in second.stderr
    assert shown.exit_code == 0, shown.output
    assert topic_config(bare_apache, "cs.tickets")["message.timestamp.after.max.ms"] == "600000"
    assert topic_config(bare_apache, f"{app_id}-customers-changelog")["cleanup.policy"] == "compact"


def test_what_differs_is_said_and_never_altered(bare_apache: ApacheCluster, app_id: str) -> None:
    bare_apache.servers[0].create_topic("cs.tickets", 2, {"retention.ms": "1000"})

    told = run(*given(bare_apache, app_id), "topics", "apply")

    assert told.exit_code == 4
    assert "22 created, 0 failed, 1 differ" in told.stderr
    assert "partitions is 2, should be 4" in told.stdout
    assert "retention.ms is 1000, should be 34560000000" in told.stdout
    assert topic_config(bare_apache, "cs.tickets")["retention.ms"] == "1000"


def test_what_cannot_be_made_is_said_for_each_topic_and_ends_with_1(bare_apache: ApacheCluster, app_id: str) -> None:
    told = run(*given(bare_apache, app_id), "topics", "apply", "--replication-factor", "3")

    assert told.exit_code == 1
    assert "0 created, 23 failed" in told.stderr
    assert not any(
        state.exists for state in survey(reach({"bootstrap.servers": bare_apache.bootstrap}), specs(app_id, PARTITIONS))
    )


def test_doctor_sees_the_group_and_names_settings_that_differ(apache: ApacheCluster, app_id: str) -> None:
    admin = AdminClient({"bootstrap.servers": apache.bootstrap})
    consumer = ck.Consumer({"bootstrap.servers": apache.bootstrap, "group.id": app_id})
    try:
        consumer.commit(offsets=[ck.TopicPartition("cs.tickets", 0, 0)], asynchronous=False)
    finally:
        consumer.close()
    admin.delete_topics(["cs.fleet-alerts"])["cs.fleet-alerts"].result(LIMIT_S)
    wait_until(lambda: "cs.fleet-alerts" not in admin.list_topics(timeout=LIMIT_S).topics, LIMIT_S, "the topic to be gone")

    told = run(*given(apache, app_id), "doctor", "--json")

    checks = {one["check"]: one for one in json.loads(told.stdout)["checks"]}
    assert told.exit_code == 1
    assert "1 missing: cs.fleet-alerts" in checks["topics"]["found"]
    assert checks["topic settings"]["state"] == "ok"
    assert "0 members, 0 records behind" in checks["consumer group"]["found"]


def test_who_applies_definitions_locks_out_who_began_before(apache: ApacheCluster) -> None:
    config = {"bootstrap.servers": apache.bootstrap}
    slow = ck.Producer({**config, "transactional.id": TRANSACTIONAL_ID})
    slow.init_transactions(LIMIT_S)
    slow.begin_transaction()

    applied = apply(config, Codec(), default_text(), "Hanh", now_ms())

    slow.produce("cs.definitions", b"never seen", b"1", partition=0)
    with pytest.raises(ck.KafkaException):
        slow.commit_transaction(LIMIT_S)
    assert applied.written
    assert [(one.version, one.author) for one in read_versions(config)] == [(1, "Hanh")]
