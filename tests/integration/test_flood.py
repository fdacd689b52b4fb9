"""A flood: what a worker reads ahead is bounded, and so is its memory."""

import re
import threading
import urllib.request
from contextlib import suppress
from pathlib import Path

import pytest

from streams.reader import CONSUME_MAX_RECORDS
from tests.chaos.storm import lines_of
from tests.support.cluster import ApacheCluster
from tests.support.ports import free_ports
from tests.support.publishing import publish_lines, wait_until_folded
from tests.support.waiting import wait_until
from tests.support.worker import Workers

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.timeout(300)]

EVENTS = 40_000
SEED = 31
HIGH_WATER = 500
QUEUED = re.compile(r"^cspulse_queue_records\{[^}]*\} ([0-9.e+]+)$", re.MULTILINE)
PEAK = re.compile(r"^VmHWM:\s+(\d+) kB$", re.MULTILINE)
MEMORY_MAX_MB = 500


def test_a_worker_that_meets_a_flood_keeps_its_queues_and_its_memory_within_bounds(
    apache: ApacheCluster, apache_workers: Workers
) -> None:
    print(f"seed {SEED}")
    publish_lines(apache, lines_of(EVENTS, SEED))
    (port,) = free_ports(1)
    worker = apache_workers.start(
        metrics_port=str(port), tick_interval_ms="0", queue_high_water_records=str(HIGH_WATER), queue_low_water_records="100"
    )
    worker.wait_for_line(": running")
    fullest: list[float] = []
    over = threading.Event()

    def look() -> None:
        while not over.wait(0.2):
            with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answered:
                fullest.extend(map(float, QUEUED.findall(answered.read().decode())))

    looking = threading.Thread(target=look)
    looking.start()
    try:
        wait_until_folded(apache, apache_workers.app_id, 200)
        wait_until(lambda: fullest, 10, "the queues to be looked at")
        peak = PEAK.search(Path(f"/proc/{worker.pid}/status").read_text())
    finally:
        over.set()
        looking.join()
    assert worker.stop() == 0

    assert peak
    print(f"the fullest queue held {max(fullest):.0f} records; {int(peak[1]) // 1024} MB at most")
    assert max(fullest) <= HIGH_WATER + CONSUME_MAX_RECORDS
    assert int(peak[1]) / 1024 < MEMORY_MAX_MB
