"""The fleet's task in real workers: what is published is the sum of the customers, whoever runs it and whoever is killed."""

from collections import Counter

import pytest

from schemas.events import AccountEvent
from streams.sources.lines import line_of
from streams.sources.simulator import Simulation, simulate
from streams.state_bytes import unpack
from streams.topics import changelog_topics
from tests.support.cluster import ApacheCluster, Cluster, now_ms
from tests.support.publishing import publish_lines, publish_tick, wait_until_folded
from tests.support.topic_log import newest_by_key, read_topic
from tests.support.waiting import wait_until
from tests.support.worker import Worker, Workers

pytestmark = pytest.mark.timeout(240)

HOUR_MS = 3_600_000
WAIT_S = 60.0
NO_TICKS = "0"
SEED = 20_260


def published(cluster: Cluster) -> dict[str, dict[str, object]]:
    """The newest record of each of the fleet's figures, by its key."""
    newest = {}
    for record in read_topic(cluster.bootstrap, "cs.fleet-snapshots"):
        assert record.key is not None
        newest[record.key.decode()] = record.fields()
    return newest


def stages_published(cluster: Cluster) -> dict[str, int]:
    figures = published(cluster)
    return {key.split("|")[1]: n for key, told in figures.items() if key.startswith("customers|") and (n := told["n"])}  # type: ignore[misc]  # whole numbers


def stages_of_customers(cluster: Cluster, app_id: str) -> dict[str, int]:
    """How many customers there are in each stage, as their own states say."""
    values = newest_by_key(read_topic(cluster.bootstrap, changelog_topics(app_id)[0])).values()
    return dict(Counter(unpack(value).account.stage for value in values))


def wait_until_published(cluster: Cluster, at_ms: int) -> None:
    """Wait until the fleet was published as of a time; the figures that ticks carry go out with every publication."""

    def is_there() -> bool:
        told = published(cluster).get("churner_share||")
        return told is not None and told["as_of"] == at_ms

    wait_until(is_there, WAIT_S, f"the fleet as of {at_ms}")


def known(number: int, at_ms: int) -> AccountEvent:
    return AccountEvent(event_id=f"a{number}", customer_id=f"customer-{number}", occurred_at=at_ms, kind="onboarded")


def test_the_fleet_s_figures_are_the_sum_over_all_partitions(cluster: Cluster, workers: Workers) -> None:
    start_ms = now_ms() - 2 * HOUR_MS
    publish_lines(cluster, [line_of(known(number, start_ms)) for number in range(30)])
    worker = workers.start(tick_interval_ms=NO_TICKS)
    worker.wait_for_line("fleet: running")
    wait_until_folded(cluster, workers.app_id)
    publish_tick(cluster, start_ms + HOUR_MS)
    wait_until_published(cluster, start_ms + HOUR_MS)
    assert stages_published(cluster) == {"onboarded": 30} == stages_of_customers(cluster, workers.app_id)
    assert published(cluster)["coverage_share||"]["value"] == 1.0
    maps = read_topic(cluster.bootstrap, "cs.touchpoint-maps")
    assert [station["touchpoint"] for station in maps[-1].fields()["stations"]][:2] == ["marketing", "trial"]
    assert worker.stop() == 0


def test_a_tick_that_a_worker_writes_carries_what_was_published_of_the_fleet(cluster: Cluster, workers: Workers) -> None:
    publish_lines(cluster, [line_of(known(number, now_ms())) for number in range(8)])
    workers.start(tick_interval_ms="300")

    def names() -> set[str]:
        return {figure["name"] for record in read_topic(cluster.bootstrap, "cs.ticks") for figure in record.fields()["fleet"]}

    wait_until(lambda: "churner_share" in names(), WAIT_S, "a tick with the share of churners")


def fleet_worker(workers: list[Worker]) -> Worker:
    """The worker that runs the fleet's task."""
    found: list[Worker] = []

    def has_it() -> bool:
        found[:] = [one for one in workers if "fleet: running" in one.said()]
        return bool(found)

    wait_until(has_it, WAIT_S, "a worker with the fleet's task")
    return found[-1]


@pytest.mark.kafka
def test_when_the_worker_with_the_fleet_s_task_is_killed_another_goes_on_exactly(
    apache: ApacheCluster, apache_workers: Workers
) -> None:
    print(f"seed {SEED}")
    end_ms = now_ms() - 3 * HOUR_MS
    lines = list(simulate(Simulation(customers=60, days=30, seed=SEED, end_ms=end_ms)))
    half = len(lines) // 2
    publish_lines(apache, lines[:half])
    both = [apache_workers.start(tick_interval_ms=NO_TICKS), apache_workers.start(tick_interval_ms=NO_TICKS)]
    for worker in both:
        worker.wait_for_line("partition . running|partition .: running")
    first = fleet_worker(both)
    wait_until_folded(apache, apache_workers.app_id)
    publish_tick(apache, lines[half - 1].timestamp_ms)
    wait_until_folded(apache, apache_workers.app_id)
    wait_until_published(apache, lines[half - 1].timestamp_ms)
    publish_lines(apache, lines[half:])

    first.kill()

    (second,) = (worker for worker in both if worker is not first)
    for at_ms in (end_ms + HOUR_MS, end_ms + 2 * HOUR_MS):
        wait_until_folded(apache, apache_workers.app_id)
        publish_tick(apache, at_ms)
        wait_until_published(apache, at_ms)
    assert "fleet: running" in second.said()
    assert stages_published(apache) == stages_of_customers(apache, apache_workers.app_id)
    told = [record.fields() for record in read_topic(apache.bootstrap, "cs.fleet-snapshots")]
    ids = [one["record_id"] for one in told]
    assert len(set(ids)) == len(ids)
    chains: dict[tuple[object, ...], int] = {}
    for one in told:
        place = (one["figure"], one["dimension"], one["window_days"])
        assert one["sequence"] == chains.get(place, 0) + 1, place
        chains[place] = one["sequence"]
