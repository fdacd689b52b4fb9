"""A changelog that is gone is never taken for an empty state, and the inputs bring everything back."""

import pytest
from confluent_kafka import ConsumerGroupTopicPartitions, TopicPartition
from confluent_kafka.admin import AdminClient

from streams.topics import changelog_topics, specs
from tests.chaos.storm import lines_of
from tests.integration.test_rebuild import states_of
from tests.support.cluster import PARTITIONS, ApacheCluster, now_ms
from tests.support.publishing import publish_lines, publish_tick, wait_until_folded
from tests.support.topic_log import group_offsets
from tests.support.waiting import wait_until
from tests.support.worker import Workers

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(180)]

SEED = 77
LIMIT_S = 60


def test_a_worker_whose_changelogs_are_gone_says_so_and_a_new_application_id_rebuilds_in_silence(
    apache: ApacheCluster, apache_workers: Workers
) -> None:
    app_id = apache_workers.app_id
    publish_lines(apache, lines_of(1_500, SEED))
    publish_tick(apache, now_ms())
    worker = apache_workers.start(tick_interval_ms="0")
    wait_until_folded(apache, app_id)
    assert worker.stop() == 0
    before = states_of(apache, app_id)

    gone = changelog_topics(app_id)
    admin = AdminClient({"bootstrap.servers": apache.bootstrap})
    for deleted in admin.delete_topics(list(gone)).values():
        deleted.result(LIMIT_S)
    wait_until(lambda: not set(gone) & set(admin.list_topics(timeout=LIMIT_S).topics), LIMIT_S, "the changelogs to be gone")
    apache.create([spec for spec in specs(app_id, PARTITIONS) if spec.name in gone])

    again = apache_workers.start(tick_interval_ms="0", shadow="false")
    assert again.wait(LIMIT_S) == 1
    assert "the changelog holds no state that was written with it" in again.said()
    assert "Traceback" not in again.said()

    new = f"{app_id}-new"
    apache.create([spec for spec in specs(new, PARTITIONS) if spec.name.startswith(f"{new}-")])
    rebuilding = apache_workers.start(app_id=new, shadow="true", tick_interval_ms="0")
    wait_until_folded(apache, new)
    assert rebuilding.stop() == 0
    after = states_of(apache, new)
    assert after.keys() == before.keys()
    assert {key: state.events_accepted for key, state in after.items()} == {
        key: state.events_accepted for key, state in before.items()
    }


def test_an_offset_of_the_group_that_somebody_has_moved_ends_the_worker_and_putting_it_back_mends_it(
    apache: ApacheCluster, apache_workers: Workers
) -> None:
    publish_lines(apache, lines_of(600, SEED))
    publish_tick(apache, now_ms())
    worker = apache_workers.start(tick_interval_ms="0")
    wait_until_folded(apache, apache_workers.app_id)
    assert worker.stop() == 0
    place = next(one for one in group_offsets(apache.bootstrap, apache_workers.app_id, PARTITIONS).items() if one[1] > 5)
    (topic, partition), offset = place

    def move(to: int) -> None:
        admin = AdminClient({"bootstrap.servers": apache.bootstrap})
        wanted = ConsumerGroupTopicPartitions(apache_workers.app_id, [TopicPartition(topic, partition, to)])
        admin.alter_consumer_group_offsets([wanted])[apache_workers.app_id].result(LIMIT_S)

    move(offset - 3)
    misled = apache_workers.start(tick_interval_ms="0")
    assert misled.wait(LIMIT_S) == 1
    assert (
        f"{topic}[{partition}]: the group's committed offset is {offset - 3}, the state was written at {offset}" in misled.said()
    )
    move(offset)
    again = apache_workers.start(tick_interval_ms="0")
    again.wait_until_running(range(PARTITIONS))
    assert again.stop() == 0
