"""One worker with the whole domain over simulated events."""

import time
from collections.abc import Iterable, Iterator
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
    count = produce(cluster.bootstrap, placed(simulate(Simulation(customers=customers, days=DAYS, seed=SEED, end_ms=end_ms))))
    if not count:
        raise MeasurementFailed("the simulator made no events")
    return committed_pace(cluster.bootstrap, APP_ID, worker(cluster.bootstrap, APP_ID), count, LIMIT_S, folder)


def placed(lines: Iterable[Line]) -> Iterator[tuple[str, int, bytes, bytes, int]]:
    """Lines as records: topic, partition, key, value, timestamp in ms."""
    codec = Codec()
    for line in lines:
        key = line.key or b""
        yield line.topic, partition_of(key, PARTITIONS), key, codec.encode(line.topic, line.value), line.timestamp_ms


def worker(bootstrap: str, app_id: str, definitions: Path | None = None) -> list[str]:
    """The command of a worker; without a file of definitions it has the default ones."""
    given = [] if definitions is None else ["--definitions", str(definitions)]
    where = ["--bootstrap-servers", bootstrap, "--app-id", app_id, "--partitions", str(PARTITIONS)]
    return ["-m", "streams", "worker", *where, *given]
