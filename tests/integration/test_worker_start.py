"""What a worker says, and with which code it ends, when it cannot start."""

import socket
from dataclasses import replace
from pathlib import Path

import confluent_kafka as ck
import pytest

from streams.topics import specs
from tests.support.cluster import PARTITIONS, Cluster, EmbeddedCluster, create_topics
from tests.support.worker import Workers

pytestmark = pytest.mark.timeout(120)

END_LIMIT_S = 40.0
SYNC_GROUP = 14  # the Kafka protocol's number of the request


def test_a_missing_topic_ends_the_worker_with_2_and_its_name(bare_cluster: Cluster, workers: Workers) -> None:
    bare_cluster.create([spec for spec in specs(workers.app_id, PARTITIONS) if spec.name != "cs.surveys"])

    worker = workers.start()

    assert worker.wait(END_LIMIT_S) == 2
    assert "cs.surveys" in worker.said()
    assert "cs.usage" not in worker.said()
    assert "Traceback" not in worker.said()


def test_a_topic_with_another_number_of_partitions_ends_the_worker_with_2_and_its_name(
    bare_cluster: Cluster, workers: Workers
) -> None:
    wanted = specs(workers.app_id, PARTITIONS)
    bare_cluster.create([replace(spec, partitions=PARTITIONS + 1) if spec.name == "cs.usage" else spec for spec in wanted])

    worker = workers.start()

    assert worker.wait(END_LIMIT_S) == 2
    assert f"cs.usage has {PARTITIONS + 1} partitions and must have {PARTITIONS}" in worker.said()
    assert "Traceback" not in worker.said()


def test_every_missing_topic_is_named_at_once(bare_cluster: Cluster, workers: Workers) -> None:
    missing = {"cs.tickets", "cs.dead-letters", f"{workers.app_id}-totals-changelog"}
    bare_cluster.create([spec for spec in specs(workers.app_id, PARTITIONS) if spec.name not in missing])

    worker = workers.start()

    assert worker.wait(END_LIMIT_S) == 2
    assert all(f"topic {name} does not exist" in worker.said() for name in missing)


def test_without_a_broker_a_worker_waits_says_so_and_stops_when_told(tmp_path: Path) -> None:
    with socket.socket() as nobody_listens:
        nobody_listens.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{nobody_listens.getsockname()[1]}"
        workers = Workers(tmp_path, address, "nobody")
        worker = workers.start()
        try:
            worker.wait_for_line(f"no broker at {address} yet", END_LIMIT_S)
            assert worker.stop() == 0
            assert "Traceback" not in worker.said()
        finally:
            workers.clean_up()


@pytest.mark.embedded
def test_a_worker_that_the_group_refuses_for_good_ends_and_asks_to_be_started_again(
    bare_embedded: EmbeddedCluster, tmp_path: Path
) -> None:
    workers = Workers(tmp_path, bare_embedded.bootstrap, "refused")
    create_topics(bare_embedded, workers.app_id)
    bare_embedded.broker.fail_requests(SYNC_GROUP, [ck.KafkaError.INVALID_REQUEST])
    worker = workers.start()
    try:
        assert worker.wait(END_LIMIT_S) == 75
        assert "InvalidRequest" in worker.said()
    finally:
        workers.clean_up()


def test_a_wrong_definitions_file_is_told_before_a_broker_is_asked(tmp_path: Path) -> None:
    file = tmp_path / "business.toml"
    file.write_text("[snapshots]\nintervall_minutes = 5\n", encoding="utf-8")
    workers = Workers(tmp_path, "127.0.0.1:1", "nobody")
    worker = workers.start(DEFINITIONS=str(file))
    try:
        assert worker.wait(END_LIMIT_S) == 2
        assert "intervall_minutes" in worker.said()
        assert "no broker" not in worker.said()
    finally:
        workers.clean_up()


def test_a_taken_metrics_port_ends_the_worker_with_2_and_the_settings_name(
    bare_embedded: EmbeddedCluster, app_id: str, tmp_path: Path
) -> None:
    create_topics(bare_embedded, app_id)
    workers = Workers(tmp_path, bare_embedded.bootstrap, app_id)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        worker = workers.start(METRICS_PORT=str(taken.getsockname()[1]))
        try:
            assert worker.wait(END_LIMIT_S) == 2
            assert "CSPULSE_METRICS_PORT" in worker.said()
            assert "Traceback" not in worker.said()
        finally:
            workers.clean_up()


def test_an_interrupted_worker_ends_with_130(bare_embedded: EmbeddedCluster, app_id: str, tmp_path: Path) -> None:
    create_topics(bare_embedded, app_id)
    workers = Workers(tmp_path, bare_embedded.bootstrap, app_id)
    worker = workers.start()
    try:
        worker.wait_until_running(range(PARTITIONS))
        worker.interrupt()
        assert worker.wait(END_LIMIT_S) == 130
    finally:
        workers.clean_up()
