"""A rebuild in shadow beside a live application, the word given to it and back: no alert twice, none missing."""

import threading
from collections import Counter
from collections.abc import Iterator, Sequence

import msgspec
import pytest
from typer.testing import Result

from schemas.jsonlines import Line
from streams.sources.simulator import Disorder
from streams.topics import specs
from tests.chaos.storm import lines_of, paced
from tests.support.cluster import PARTITIONS, ApacheCluster, now_ms
from tests.support.command_line import run
from tests.support.publishing import publish_lines, publish_tick, wait_until_folded
from tests.support.topic_log import read_topic
from tests.support.waiting import wait_until
from tests.support.whole_log import violations
from tests.support.worker import Worker, Workers

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.timeout(600)]

SEED = 612
EVENTS = 60_000
PUBLISH_S = 150.0
"""Longer than a slow machine needs: what is left is not published once the word has been given back."""

LEAD_S = "12"
PATIENT = {"session_timeout_ms": "60000", "transaction_timeout_ms": "60000", "tick_interval_ms": "0"}
"""Of a worker that is frozen, and stays in its group."""

IN_ORDER = Disorder(duplicate_share=0.0, late_share=0.0)
TOLD = ("cs.health-changes", "cs.churn-alerts", "cs.customer-snapshots")


def as_of_now(lines: Sequence[Line], seconds: float, given_up: threading.Event) -> Iterator[Line]:
    """The ticket events of a month, happening one after the other from now on.

    Of one topic, because two live applications may merge what comes at the same moment in several topics in different orders.
    """
    for line in paced([line for line in lines if line.topic == "cs.tickets"], seconds, given_up):
        at_ms = now_ms()
        yield msgspec.structs.replace(line, timestamp_ms=at_ms, value=msgspec.structs.replace(line.value, occurred_at=at_ms))


class Side:
    """Two applications on one log, and the commands that somebody types there."""

    def __init__(self, cluster: ApacheCluster, workers: Workers) -> None:
        self.old, self.new = workers.app_id, f"{workers.app_id}-new"
        self._cluster = cluster
        cluster.create([spec for spec in specs(self.new, PARTITIONS) if spec.name.startswith(f"{self.new}-")])

    def cutover(self, to: str, *more: str) -> Result:
        shared = ["--bootstrap-servers", self._cluster.bootstrap, "--partitions", str(PARTITIONS)]
        return run(*shared, "cutover", to, "--in", LEAD_S, *more)

    def told(self) -> dict[str, int]:
        """How many records lie in each topic that people read."""
        return {topic: len(read_topic(self._cluster.bootstrap, topic)) for topic in TOLD}

    def markers(self) -> list[int]:
        """From when on somebody is given the word (epoch ms), by each marker there is."""
        ticks = [record.fields() for record in read_topic(self._cluster.bootstrap, "cs.ticks")]
        return [tick["occurred_at"] for tick in ticks if tick["active_app_id"]]

    def thaw_when_too_late(self, worker: Worker, markers_before: int) -> None:
        """Let a frozen worker go on as soon as the time of the next marker is over."""
        wait_until(lambda: len(self.markers()) > markers_before and max(self.markers()) < now_ms(), 60, "the marker's time")
        worker.thaw()

    def speaks_from_now_on(self, to: str, worker: Worker) -> None:
        """Give the word, and wait until the worker has taken it and told something: before, it is the other one who tells."""
        result = self.cutover(to)
        assert result.exit_code == 0, result.output
        assert f"{to} publishes from" in result.output
        for partition in range(PARTITIONS):
            worker.wait_for_line(rf"partition {partition}: publishes from here on")
        before = self.told()
        wait_until(lambda: self.told()["cs.health-changes"] > before["cs.health-changes"] + 100, 60, "something to be told")


def test_a_rebuild_takes_the_word_and_gives_it_back_and_nothing_is_told_twice_or_left_out(
    apache: ApacheCluster, apache_workers: Workers
) -> None:
    print(f"seed {SEED}")
    side = Side(apache, apache_workers)
    lines = lines_of(EVENTS, SEED, IN_ORDER)
    over = threading.Event()
    publisher = threading.Thread(target=publish_lines, args=(apache, as_of_now(lines, PUBLISH_S, over)))
    publisher.start()
    try:
        old, new = _to_and_fro(side, apache_workers)
    finally:
        over.set()
        publisher.join()
    for app_id in (side.old, side.new):
        wait_until_folded(apache, app_id)
    assert old.stop() == 0
    assert new.stop() == 0
    publish_tick(apache, now_ms())
    for app_id, shadow in ((side.old, "false"), (side.new, "true")):
        last = apache_workers.start(app_id=app_id, shadow=shadow, tick_interval_ms="0")
        wait_until_folded(apache, app_id)
        assert last.stop() == 0

    assert not violations(apache, partials_of=side.old)
    fleet = Counter(record.fields()["figure"] for record in read_topic(apache.bootstrap, "cs.fleet-snapshots"))
    assert fleet["churner_share"] > 0


def _to_and_fro(side: Side, apache_workers: Workers) -> tuple[Worker, Worker]:
    """Start both applications, give the word to the new one and, with that one killed and started again, back."""
    old = apache_workers.start(tick_interval_ms="1000")
    wait_until(lambda: side.told()["cs.customer-snapshots"] > 0, 60, "the first customer to be told of")

    unsaid = apache_workers.start(app_id=side.new)
    assert unsaid.wait(60) == 2
    assert "CSPULSE_SHADOW=true" in unsaid.said()
    nobody = side.cutover(side.new)
    assert nobody.exit_code == 1
    assert f"no worker of {side.new} runs" in nobody.output

    new = apache_workers.start(app_id=side.new, shadow="true", tick_interval_ms="1000")
    new.wait_until_running(range(PARTITIONS))
    side.speaks_from_now_on(side.new, new)
    new.kill()
    new.start()
    side.speaks_from_now_on(side.old, old)
    return old, new


def test_who_reads_the_marker_late_is_waited_for_and_who_does_not_read_it_is_named(
    apache: ApacheCluster, apache_workers: Workers
) -> None:
    side = Side(apache, apache_workers)
    worker = apache_workers.start(app_id=side.new, shadow="true", **PATIENT)
    publish_tick(apache, now_ms())
    wait_until_folded(apache, side.new)
    worker.freeze()
    unread = side.cutover(side.new, "--wait-s", "1")
    assert unread.exit_code == 4
    assert f"{side.new} has not read the marker in every partition yet" in unread.output

    worker.thaw()
    wait_until_folded(apache, side.new)
    worker.freeze()
    markers = len(side.markers())
    thawing = threading.Thread(target=side.thaw_when_too_late, args=(worker, markers))
    thawing.start()
    late = side.cutover(side.new)
    thawing.join()
    assert late.exit_code == 0, late.output
    assert f"{side.new} has not read the marker in every partition yet" in late.output
    assert f"{side.new} has read it in all {PARTITIONS} partitions" in late.output


def test_an_application_that_is_behind_is_not_given_the_word(apache: ApacheCluster, apache_workers: Workers) -> None:
    side = Side(apache, apache_workers)
    worker = apache_workers.start(app_id=side.new, shadow="true", **PATIENT)
    worker.wait_until_running(range(PARTITIONS))
    lines = lines_of(600, SEED, IN_ORDER)
    worker.freeze()
    publish_lines(apache, lines)
    result = side.cutover(side.new, "--wait-s", "1")
    worker.thaw()
    assert result.exit_code == 1
    assert "records behind" in result.output
