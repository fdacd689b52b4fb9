"""How a worker lives and ends: probes, what is stuck, clean and sudden ends, and names that survive a restart."""

import json
import signal
import time
import urllib.error
import urllib.request
from typing import Any

import pytest

from schemas.times import parse_time
from streams.ending import STOP_LIMIT_S
from tests.chaos.storm import lines_of
from tests.support.cluster import PARTITIONS, ApacheCluster, now_ms
from tests.support.kafka.server import KafkaServer
from tests.support.ports import free_ports
from tests.support.publishing import publish_lines, publish_tick, wait_until_folded
from tests.support.waiting import TookTooLong, wait_until
from tests.support.whole_log import assert_exact
from tests.support.worker import Worker, Workers, broken

pytestmark = pytest.mark.timeout(240)

LIMIT_S = 60.0
AT_ONCE_S = 5.0
STUCK_AFTER_S = 10.0
NO_TICKS = "0"
SEED = 5
HASTY = {"transaction_timeout_ms": "5000", "stuck_after_ms": "10000", "session_timeout_ms": "30000", "tick_interval_ms": NO_TICKS}
"""Who does not move is given up after ten seconds."""


def asked(port: int, path: str) -> tuple[int, dict[str, Any]]:
    """The status and the body of an answer; 0 when nobody answers."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)
    except OSError:
        return 0, {}


def idle_until(worker: Worker, limit_s: float) -> None:
    """Let time go by, while nothing is to be seen of a worker but that it does not end."""
    with pytest.raises(TookTooLong):
        worker.wait(limit_s)


@pytest.mark.usefixtures("cluster")
def test_a_worker_is_live_while_it_waits_for_brokers_and_ready_when_it_reads(workers: Workers) -> None:
    port, nobody = free_ports(2)
    waiting = workers.start(bootstrap_servers=f"127.0.0.1:{nobody}", probe_port=str(port))
    waiting.wait_for_line(f"no broker at 127.0.0.1:{nobody} yet")
    assert asked(port, "/live")[0] == 200
    assert asked(port, "/ready")[0] == 503
    assert waiting.stop() == 0

    begun_ms = now_ms()
    worker = workers.start(probe_port=str(port), tick_interval_ms=NO_TICKS)
    wait_until(lambda: asked(port, "/ready")[0] == 200, LIMIT_S, "the worker to be ready")
    worker.wait_until_running(range(PARTITIONS), 1.0)
    tasks = asked(port, "/ready")[1]["tasks"]
    assert sorted(tasks) == [*map(str, range(PARTITIONS)), "fleet"]
    assert all(task["phase"] == "running" and begun_ms <= parse_time(task["since"]) <= now_ms() for task in tasks.values())
    assert worker.stop() == 0
    assert asked(port, "/live")[0] == 0


@pytest.mark.usefixtures("cluster")
def test_a_port_that_is_taken_is_told_before_anything_starts(workers: Workers) -> None:
    (port,) = free_ports(1)
    first = workers.start(probe_port=str(port), tick_interval_ms=NO_TICKS)
    wait_until(lambda: asked(port, "/live")[0] == 200, LIMIT_S, "the first to answer")
    second = workers.start(probe_port=str(port))
    assert second.wait(LIMIT_S) == 2
    assert f"cannot be answered at 127.0.0.1:{port}" in second.said()
    assert first.stop() == 0


@pytest.mark.kafka
@pytest.mark.parametrize(
    ("mutant", "says", "place"),
    [
        ("commit_hangs", "a commit hangs", "commit_transaction (mutants/commit_hangs.py:"),
        ("loop_blocks", "the loop blocks", "block (mutants/loop_blocks.py:"),
        ("reader_hangs", "the reader hangs", "hang (mutants/reader_hangs.py:"),
    ],
)
def test_a_worker_that_is_stuck_says_where_and_asks_to_be_started_again(
    mutant: str, says: str, place: str, apache: ApacheCluster, apache_workers: Workers
) -> None:
    publish_lines(apache, lines_of(300, SEED))
    stuck = apache_workers.start(command=broken(mutant), **HASTY)
    stuck.wait_for_line(says)
    assert stuck.wait(LIMIT_S) == 75
    assert "has not moved for 10 s, the worker ends; at: " in stuck.said(), stuck.tail()
    assert place in stuck.said(), stuck.tail()


@pytest.mark.kafka
def test_a_second_signal_ends_a_worker_at_once_and_the_next_one_goes_on_exactly(
    apache: ApacheCluster, apache_workers: Workers
) -> None:
    publish_lines(apache, lines_of(300, SEED))
    stuck = apache_workers.start(command=broken("commit_hangs"), tick_interval_ms=NO_TICKS)
    stuck.wait_for_line("a commit hangs")
    stuck.terminate()
    stuck.wait_for_line("SIGTERM: finishing")
    stuck.terminate()
    assert stuck.wait(AT_ONCE_S) == 128 + signal.SIGTERM
    assert "second signal: ending at once" in stuck.said()

    worker = apache_workers.start(tick_interval_ms=NO_TICKS)
    wait_until_folded(apache, apache_workers.app_id)
    assert worker.stop() == 0
    assert_exact(apache)


@pytest.mark.kafka
def test_a_worker_told_to_stop_leaves_a_commit_that_hangs_to_the_next_owner(
    apache: ApacheCluster, apache_workers: Workers
) -> None:
    publish_lines(apache, lines_of(300, SEED))
    stuck = apache_workers.start(command=broken("commit_hangs"), tick_interval_ms=NO_TICKS)
    stuck.wait_for_line("a commit hangs")
    assert stuck.stop(STOP_LIMIT_S + AT_ONCE_S) == 0
    assert "the commit under way is left to the next owner's fence" in stuck.said()

    worker = apache_workers.start(tick_interval_ms=NO_TICKS)
    wait_until_folded(apache, apache_workers.app_id)
    assert worker.stop() == 0
    assert_exact(apache)


@pytest.mark.kafka
@pytest.mark.usefixtures("apache")
def test_a_worker_told_to_stop_while_brokers_are_away_ends_within_its_grace(apache_workers: Workers, kafka: KafkaServer) -> None:
    worker = apache_workers.start(tick_interval_ms=NO_TICKS)
    worker.wait_until_running(range(PARTITIONS))
    kafka.pause()
    try:
        assert worker.stop(STOP_LIMIT_S + AT_ONCE_S) == 0
    finally:
        kafka.resume()
    assert f"not done within {STOP_LIMIT_S:.0f} s" in worker.said()


@pytest.mark.kafka
def test_a_restore_that_takes_longer_than_standing_still_may_and_gets_on_is_not_stuck(
    apache: ApacheCluster, apache_workers: Workers
) -> None:
    publish_lines(apache, lines_of(300, SEED))
    first = apache_workers.start(**HASTY)
    wait_until_folded(apache, apache_workers.app_id)
    assert first.stop() == 0
    crawling = apache_workers.start(command=broken("restore_crawls"), **HASTY)
    crawling.wait_for_line("restoring")
    began_s = time.monotonic()
    crawling.wait_until_running(range(PARTITIONS))
    assert time.monotonic() - began_s > STUCK_AFTER_S, "it was too quick to show anything"
    assert crawling.stop() == 0
    assert "has not moved" not in crawling.said()


@pytest.mark.kafka
def test_a_worker_without_work_and_then_without_brokers_is_not_stuck(
    apache: ApacheCluster, apache_workers: Workers, kafka: KafkaServer
) -> None:
    (port,) = free_ports(1)
    worker = apache_workers.start(probe_port=str(port), **HASTY)
    worker.wait_until_running(range(PARTITIONS))
    idle_until(worker, STUCK_AFTER_S + AT_ONCE_S)
    kafka.pause()
    try:
        idle_until(worker, STUCK_AFTER_S + AT_ONCE_S)
        assert asked(port, "/live")[0] == 200
    finally:
        kafka.resume()
    publish_lines(apache, lines_of(300, SEED))
    wait_until_folded(apache, apache_workers.app_id)
    assert worker.stop() == 0
    assert "has not moved" not in worker.said()


@pytest.mark.kafka
def test_a_worker_that_was_suspended_with_its_machine_goes_on(apache: ApacheCluster, apache_workers: Workers) -> None:
    worker = apache_workers.start(**HASTY)
    worker.wait_until_running(range(PARTITIONS))
    worker.wait_for_line("fleet: running")
    # nothing is under way: a transaction would be given up by the brokers meanwhile, and its worker would rightly end
    worker.freeze()
    idle_until(worker, STUCK_AFTER_S + 2.0)
    worker.thaw()
    publish_lines(apache, lines_of(300, SEED))
    publish_tick(apache, now_ms())
    wait_until_folded(apache, apache_workers.app_id)
    assert worker.stop() == 0
    assert "has not moved" not in worker.said()


@pytest.mark.kafka
@pytest.mark.usefixtures("apache")
def test_a_worker_whose_clock_is_far_ahead_says_so(apache_workers: Workers) -> None:
    worker = apache_workers.start(command=broken("clock_ahead"), tick_interval_ms="500")
    assert worker.wait(LIMIT_S) == 75
    assert "the clock of this machine is too far ahead of the brokers': set it right" in worker.said()


def standing(port: int) -> dict[str, str]:
    """Since when each task of a worker runs; nothing while one of them does not."""
    status, told = asked(port, "/ready")
    return {label: task["since"] for label, task in told["tasks"].items()} if status == 200 else {}


@pytest.mark.kafka
def test_a_rolling_restart_under_names_that_stay_moves_no_partition(apache: ApacheCluster, apache_workers: Workers) -> None:
    settings = {"session_timeout_ms": "30000", "tick_interval_ms": NO_TICKS}
    ports = free_ports(2)
    names = dict(zip(("anna", "bert"), ports, strict=True))
    pair = [apache_workers.start(group_instance_id=name, probe_port=str(port), **settings) for name, port in names.items()]

    def is_settled() -> bool:
        tasks = [standing(port) for port in ports]
        return all(tasks) and sorted(label for one in tasks for label in one) == [*map(str, range(PARTITIONS)), "fleet"]

    wait_until(is_settled, LIMIT_S, "both workers to read their partitions, and one of them the fleet's")
    before = sorted(map(sorted, apache.members(apache_workers.app_id).values()))
    for number, worker in enumerate(pair):
        mine, other = ports[number], ports[1 - number]
        had, runs = set(standing(mine)), standing(other)
        assert worker.stop() == 0
        worker.start()
        wait_until(lambda mine=mine, had=had: set(standing(mine)) == had, LIMIT_S, "all of its tasks to run again")  # type: ignore[misc]  # binds the loop's names
        publish_lines(apache, lines_of(150, SEED + number))
        wait_until_folded(apache, apache_workers.app_id)
        assert sorted(map(sorted, apache.members(apache_workers.app_id).values())) == before
        assert standing(other) == runs, pair[1 - number].tail()
