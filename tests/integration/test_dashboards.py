"""The dashboards and rules on a real Prometheus that scrapes a real worker: every panel has data, and it is the oracle's."""

import urllib.request
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from streams.embedded import EmbeddedBroker
from streams.sources.simulator import Disorder, Simulation, simulate
from tests.support.cluster import PARTITIONS, EmbeddedCluster, create_topics, now_ms, produce
from tests.support.dashboards import panel_queries, without_data
from tests.support.panel_by_panel import DASHBOARD, wrong_panels
from tests.support.ports import free_port
from tests.support.prometheus import PrometheusServer, QueryFailed
from tests.support.publishing import publish_lines, publish_tick, wait_until_folded
from tests.support.scraped import Sample, samples
from tests.support.topic_log import read_topic
from tests.support.waiting import wait_until
from tests.support.whole_log import inputs_of
from tests.support.worker import Workers

pytestmark = [pytest.mark.embedded, pytest.mark.slow, pytest.mark.timeout(400)]

APP_ID = "dashboards"
SEED = 5
WAIT_S = 120.0
LATELY_S = 300.0
HOUR_MS, MINUTE_MS = 3_600_000, 60_000


class Watched:
    """A worker that has judged some weeks of customers, watched by a Prometheus."""

    def __init__(self, cluster: EmbeddedCluster, workers: Workers, folder: Path) -> None:
        self.cluster = cluster
        self.port = free_port()
        self.prometheus = PrometheusServer(folder, {"cspulse": [f"127.0.0.1:{self.port}"]})
        self._workers = workers
        self.as_of_ms = 0

    def run(self) -> None:
        """Start the worker and Prometheus, publish the last days while they watch, and wait until Prometheus has the end of it.

        What was before lies there when the worker starts, as with any history: published beside it, one topic would run weeks
        ahead of another, and answers would come when their requests are followed no longer.
        """
        print(f"seed {SEED}")
        end_ms = now_ms() - 2 * HOUR_MS
        untidy = Disorder(duplicate_share=0.02)
        lines = list(simulate(Simulation(customers=40, days=75, seed=SEED, end_ms=end_ms, disorder=untidy)))
        day_ms = 24 * HOUR_MS
        parts = [
            [line for line in lines if begin_ms <= line.timestamp_ms < until_ms]
            for begin_ms, until_ms in pairwise((0, end_ms - 3 * day_ms, end_ms - 2 * day_ms, end_ms - day_ms, now_ms()))
        ]
        publish_lines(self.cluster, parts[0])
        worker = self._workers.start(tick_interval_ms="0", metrics_port=str(self.port))
        self.prometheus.start()
        wait_until(lambda: self.prometheus.value("up") == 1, WAIT_S, "the worker to be scraped")
        worker.wait_until_running(range(PARTITIONS))
        wait_until_folded(self.cluster, APP_ID)
        self._tick(parts[0][-1].timestamp_ms + MINUTE_MS)
        for part in parts[1:]:
            publish_lines(self.cluster, part)
            wait_until_folded(self.cluster, APP_ID)
            self._tick(part[-1].timestamp_ms + MINUTE_MS)
        produce(self.cluster, "cs.usage", 0, [(b"customer-000001", b"not Avro", end_ms + HOUR_MS)])
        self._tick(now_ms())
        asked = "max(cspulse_fleet_as_of_timestamp_seconds)"
        wait_until(lambda: self.prometheus.value(asked) == self.as_of_ms / 1000, WAIT_S, "Prometheus to have the last figures")
        wait_until(lambda: self.prometheus.value("sum(cspulse_lag_records)") == 0, WAIT_S, "the worker to have caught up")

    def _tick(self, at_ms: int) -> None:
        self.as_of_ms = at_ms
        publish_tick(self.cluster, at_ms)
        wait_until_folded(self.cluster, APP_ID)

    def metrics(self) -> dict[Sample, float]:
        """What the worker itself offers."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=20) as answer:
            return samples(answer.read().decode())

    def stop(self) -> None:
        """End everything."""
        self.prometheus.stop()
        self._workers.clean_up()


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    folder = tmp_path_factory.mktemp("watched")
    with EmbeddedBroker() as broker:
        cluster = EmbeddedCluster(broker)
        create_topics(cluster, APP_ID)
        found = Watched(cluster, Workers(folder, cluster.bootstrap, APP_ID), folder / "prometheus")
        try:
            found.run()
            yield found
        finally:
            found.stop()


def test_no_panel_of_the_workers_is_without_data_and_no_query_fails(watched: Watched) -> None:
    queries = [query for query in panel_queries() if not query.is_of_sinks]
    assert without_data(watched.prometheus, queries, LATELY_S) == []


def test_that_check_would_notice_a_query_without_data_and_one_that_fails(watched: Watched) -> None:
    assert watched.prometheus.now("cspulse_no_such_metric") == []
    with pytest.raises(QueryFailed, match="parse error"):
        watched.prometheus.lately("sum(", 1)


def test_every_rule_is_evaluated_without_an_error(watched: Watched) -> None:
    rules = watched.prometheus.rules()
    assert len(rules) > 20
    assert {rule["name"]: rule.get("lastError") for rule in rules if rule["health"] != "ok"} == {}


def test_every_panel_of_the_customers_shows_what_the_oracle_says(watched: Watched) -> None:
    found, with_data = wrong_panels(watched.prometheus, watched.cluster)
    assert found == []
    assert with_data == sum(query.dashboard == DASHBOARD for query in panel_queries())


def test_what_the_pipeline_says_of_itself_agrees_with_the_log(watched: Watched) -> None:
    value = watched.prometheus.value
    letters = [record.fields()["reason"] for record in read_topic(watched.cluster.bootstrap, "cs.dead-letters")]
    for reason in set(letters):
        assert value(f'sum(cspulse_dead_letters_total{{reason="{reason}"}})') == letters.count(reason)
    assert "undecodable" in letters
    log = inputs_of(watched.cluster)
    assert value('sum(cspulse_records_consumed_total{partition!="fleet"})') == len(log)
    assert value('sum(cspulse_end_to_end_latency_seconds_count{partition!="fleet"})') == len(log)
    duplicates = sum(
        told["counts"][0]
        for told in _newest_partials(watched)
        if (told["figure"], told["dimension"]) == ("oddities_by_day", "duplicate")
    )
    assert value('sum(cspulse_oddities_total{oddity="duplicate"})') == duplicates > 0


def _newest_partials(watched: Watched) -> list[dict[str, Any]]:
    newest: dict[bytes, dict[str, Any]] = {}
    for record in read_topic(watched.cluster.bootstrap, "cs.fleet-partials"):
        if record.value is None:
            newest.pop(record.key or b"", None)
        else:
            newest[record.key or b""] = record.fields()
    return list(newest.values())


def test_no_label_of_any_series_is_a_customer(watched: Watched) -> None:
    found = watched.metrics()
    assert len(found) < 3_000, "so few series whatever the number of customers"
    assert not [labels for _, labels in found if any("customer-0" in value for _, value in labels)]
