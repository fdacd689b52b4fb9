"""One worker with the whole domain over simulated events."""

import time
from pathlib import Path

from benchmarks.ground import PARTITIONS, MeasurementFailed, Pace, committed_pace, create_topics, produce
from schemas.codec import Codec
from schemas.jsonlines import Line
from streams.sources.simulator import Simulation, simulate
from streams.topics import partition_of
from tests.support.cluster import ApacheCluster

APP_ID = "bench-domain"
DAYS = 60
SEED = 7
HOUR_MS = 3_600_000
LIMIT_S = 150.0


def throughput(cluster: ApacheCluster, customers: int, folder: Path) -> Pace:
    """Events a second of one worker, default definitions, over the last 60 days of simulated customers."""
    create_topics(cluster, APP_ID)
    end_ms = int(time.time() * 1000) // HOUR_MS * HOUR_MS
    codec = Codec()
    lines = simulate(Simulation(customers=customers, days=DAYS, seed=SEED, end_ms=end_ms))
    records = ((*_place(line), codec.encode(line.topic, line.value), line.timestamp_ms) for line in lines)
    count = produce(cluster.bootstrap, records)
    if not count:
        raise MeasurementFailed("the simulator made no events")
    return committed_pace(cluster.bootstrap, APP_ID, worker(cluster.bootstrap, APP_ID), count, LIMIT_S, folder)


def _place(line: Line) -> tuple[str, int, bytes]:
    key = line.key or b""
    return line.topic, partition_of(key, PARTITIONS), key


def worker(bootstrap: str, app_id: str) -> list[str]:
    """The command of a worker."""
    return ["-m", "streams", "worker", "--bootstrap-servers", bootstrap, "--app-id", app_id, "--partitions", str(PARTITIONS)]
