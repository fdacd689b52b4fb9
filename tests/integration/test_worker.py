"""A worker as a process, on the embedded broker and on Apache Kafka: from events to health changes and alerts."""

from itertools import pairwise

import pytest

from processors.windows import DAY_MS
from schemas.events import SurveyEvent
from schemas.jsonlines import Line
from streams.catalogue import default_text
from streams.codecs import codec_of
from streams.definitions_log import apply
from streams.settings import load_settings
from streams.sources.lines import line_of
from streams.sources.simulator import TIDY, Disorder, Simulation, simulate
from streams.topics import partition_of
from tests.support.cluster import PARTITIONS, ApacheCluster, Cluster, now_ms
from tests.support.publishing import TICKS_TOPIC, publish_lines, publish_tick, wait_until_folded
from tests.support.topic_log import folded_offsets, group_offsets, read_topic
from tests.support.waiting import wait_until
from tests.support.whole_log import assert_exact
from tests.support.worker import Workers, broken, wait_until_it_reads

pytestmark = pytest.mark.timeout(240)

HOUR_MS = 3_600_000
WAIT_S = 60.0
STOP_GRACE_S = 30.0
NO_TICKS = "0"
SEED = 20_260


def simulated(customers: int, days: int, disorder: Disorder | None = None) -> list[Line]:
    """Events of some customers that end two hours ago, so that a tick of now finds everything due done."""
    print(f"seed {SEED}")
    end_ms = now_ms() - 2 * HOUR_MS
    return list(simulate(Simulation(customers=customers, days=days, seed=SEED, end_ms=end_ms, disorder=disorder or Disorder())))


def finish(cluster: Cluster, app_id: str) -> None:
    """Let time go on to now in all partitions, and wait until its work is done."""
    wait_until_folded(cluster, app_id)
    publish_tick(cluster, now_ms())
    wait_until_folded(cluster, app_id)


def test_an_answer_becomes_a_health_change_and_an_alert_that_name_it_as_their_cause(cluster: Cluster, workers: Workers) -> None:
    answer = SurveyEvent(
        event_id="answer-1",
        customer_id="customer-1",
        occurred_at=now_ms(),
        kind="answered",
        survey="nps",
        score=1,
        scale="0_10",
        respondent_id="somebody",
    )
    publish_lines(cluster, [line_of(answer)])
    workers.start(tick_interval_ms=NO_TICKS)
    wait_until_folded(cluster, workers.app_id)
    # without isolation, as on the embedded broker, the state of a transaction may be seen a moment before its outputs
    for topic in ("cs.churn-alerts", "cs.health-changes"):
        wait_until(lambda topic=topic: bool(read_topic(cluster.bootstrap, topic)), WAIT_S, f"a record on {topic}")  # type: ignore[misc]  # binds the loop's topic

    (alert,) = read_topic(cluster.bootstrap, "cs.churn-alerts")
    told = alert.fields()
    assert (alert.key, alert.partition) == (b"customer-1", partition_of(b"customer-1", PARTITIONS))
    assert (told["rule"], told["state"], told["caused_by"]) == ("new_detractor", "opened", ["answer-1"])
    assert told["emitted_at"] >= answer.occurred_at
    changes = [record.fields() for record in read_topic(cluster.bootstrap, "cs.health-changes")]
    (change,) = [change for change in changes if change["purpose"] == "risk"]
    assert (change["cause"], change["caused_by"]) == ("data", ["answer-1"])


def test_a_worker_told_to_stop_commits_what_it_folded_and_the_next_one_goes_on_exactly(
    cluster: Cluster, workers: Workers
) -> None:
    lines = simulated(customers=60, days=60)
    publish_lines(cluster, lines)
    first = workers.start(tick_interval_ms=NO_TICKS)
    wait_until(lambda: sum(folded_offsets(cluster.bootstrap, workers.app_id).values()) > 0, WAIT_S, "the first commit")

    assert first.stop(STOP_GRACE_S) == 0

    folded = folded_offsets(cluster.bootstrap, workers.app_id)
    if cluster.isolates:
        wait_until(lambda: group_offsets(cluster.bootstrap, workers.app_id, PARTITIONS) == folded, WAIT_S, "the same offsets")
    second = workers.start(tick_interval_ms=NO_TICKS)
    finish(cluster, workers.app_id)
    assert second.stop(STOP_GRACE_S) == 0
    assert_exact(cluster)


@pytest.mark.kafka
def test_a_killed_worker_is_followed_by_one_that_goes_on_exactly(apache: ApacheCluster, apache_workers: Workers) -> None:
    publish_lines(apache, simulated(customers=60, days=60))
    first = apache_workers.start(tick_interval_ms=NO_TICKS)
    wait_until(lambda: sum(folded_offsets(apache.bootstrap, apache_workers.app_id).values()) > 0, WAIT_S, "the first commit")

    first.kill()

    apache_workers.start(tick_interval_ms=NO_TICKS)
    finish(apache, apache_workers.app_id)
    assert_exact(apache)


def test_partitions_that_leave_for_a_second_worker_and_come_back_stay_exact(cluster: Cluster, workers: Workers) -> None:
    # days pass in a second here, one topic days before another: ids of that age are forgotten, so nothing is sent twice, and a
    # third of the time is less than a survey request is followed
    lines = simulated(customers=120, days=30, disorder=TIDY)
    third = len(lines) // 3
    publish_lines(cluster, lines[:third])
    first = workers.start(tick_interval_ms=NO_TICKS)
    wait_until_folded(cluster, workers.app_id)

    second = workers.start(tick_interval_ms=NO_TICKS)
    wait_until_it_reads(second)
    publish_lines(cluster, lines[third : 2 * third])
    wait_until_folded(cluster, workers.app_id)
    assert second.stop(STOP_GRACE_S) == 0

    publish_lines(cluster, lines[2 * third :])
    finish(cluster, workers.app_id)
    assert first.stop(STOP_GRACE_S) == 0
    assert_exact(cluster)


def test_a_running_worker_writes_ticks_into_every_partition(cluster: Cluster, workers: Workers) -> None:
    workers.start(tick_interval_ms="200")

    def ticks_by_partition() -> dict[int, list[int]]:
        found: dict[int, list[int]] = {partition: [] for partition in range(PARTITIONS)}
        for record in read_topic(cluster.bootstrap, TICKS_TOPIC):
            tick = record.fields()
            assert (tick["partition"], tick["occurred_at"]) == (record.partition, record.timestamp_ms)
            found[record.partition].append(record.timestamp_ms)
        return found

    wait_until(lambda: all(len(times) >= 3 for times in ticks_by_partition().values()), WAIT_S, "three ticks a partition")
    for times in ticks_by_partition().values():
        assert all(later - earlier >= 200 for earlier, later in pairwise(times))


def test_definitions_applied_while_a_worker_runs_change_scores_with_the_cause_config(cluster: Cluster, workers: Workers) -> None:
    publish_lines(cluster, [line for line in simulated(customers=20, days=30) if line.timestamp_ms > now_ms() - 20 * DAY_MS])
    workers.start(tick_interval_ms="300")
    wait_until_folded(cluster, workers.app_id)
    settings = load_settings({"bootstrap_servers": cluster.bootstrap}, {})
    text = default_text().replace("weight = 20", "weight = 2", 1)
    assert text != default_text()

    apply({"bootstrap.servers": cluster.bootstrap}, codec_of(settings), text, "a test", now_ms())

    def by_config() -> list[int]:
        changes = [record.fields() for record in read_topic(cluster.bootstrap, "cs.health-changes")]
        return [change["config_version"] for change in changes if change["cause"] == "config"]

    wait_until(by_config, WAIT_S, "a change by the new definitions")
    assert set(by_config()) == {1}


@pytest.mark.kafka
def test_what_a_killed_worker_left_uncommitted_is_never_seen(apache: ApacheCluster, apache_workers: Workers) -> None:
    publish_lines(apache, simulated(customers=10, days=10))
    stuck = apache_workers.start(command=broken("commit_hangs"), tick_interval_ms=NO_TICKS)
    stuck.wait_for_line("a commit hangs")
    wait_until(lambda: read_topic(apache.bootstrap, "cs.health-changes", committed_only=False), WAIT_S, "uncommitted outputs")

    stuck.kill()

    assert read_topic(apache.bootstrap, "cs.health-changes") == []
    assert folded_offsets(apache.bootstrap, apache_workers.app_id) == {}
    apache_workers.start(tick_interval_ms=NO_TICKS)
    finish(apache, apache_workers.app_id)
    assert_exact(apache)
