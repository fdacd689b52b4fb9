"""How long it takes from an event to what follows from it, visible to a consumer that reads committed records only."""

import os
import time
from pathlib import Path

import confluent_kafka as ck
from msgspec import Struct

from benchmarks.domain import worker
from benchmarks.generator import sent_at_ns
from benchmarks.ground import PARTITIONS, START_LIMIT_S, MeasurementFailed, create_topics, running
from schemas.codec import Codec
from schemas.records import ChurnAlert, HealthChange
from tests.support.cluster import ApacheCluster

APP_ID = "bench-latency"
PER_S = 1000
WARM_UP_S = 8
QUIET_AFTER_S = 3.0
TOPICS = ("cs.health-changes", "cs.churn-alerts")
NS_IN_MS = 1_000_000


class Latencies(Struct):
    """Milliseconds from handing an event to the producer to seeing its consequence, sorted, by topic of the output."""

    by_topic: dict[str, list[float]]
    load: float

    def percentile(self, topic: str, share: float) -> float:
        """The latency that this share of the records does not exceed."""
        found = self.by_topic[topic]
        return found[min(len(found) - 1, int(len(found) * share))]


def latencies(cluster: ApacheCluster, seconds: int, folder: Path) -> Latencies:
    """Measure for so many seconds, after a warm-up."""
    create_topics(cluster, APP_ID)
    consumer = ck.Consumer(
        {
            "bootstrap.servers": cluster.bootstrap,
            "group.id": f"{APP_ID}-reader",
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
            "fetch.wait.max.ms": 20,
        }
    )
    consumer.assign([ck.TopicPartition(topic, p, ck.OFFSET_BEGINNING) for topic in TOPICS for p in range(PARTITIONS)])
    with running(worker(cluster.bootstrap, APP_ID), folder / "latency-worker.log") as work:
        deadline = time.monotonic() + START_LIMIT_S
        while work.said().count(": running with") < PARTITIONS:
            work.check()
            if time.monotonic() > deadline:
                raise MeasurementFailed(f"the worker did not start:\n{work.tail()}")
            time.sleep(0.2)
        generator = ["-m", "benchmarks.generator", cluster.bootstrap, str(PER_S), str(seconds + WARM_UP_S)]
        with running(generator, folder / "generator.log") as source:
            found = _collect(consumer, seconds)
            source.wait(30)
        work.check()
    consumer.close()
    return Latencies({topic: sorted(values) for topic, values in found.items()}, os.getloadavg()[0])


def _collect(consumer: ck.Consumer, seconds: int) -> dict[str, list[float]]:
    """The latencies of what is seen until nothing more comes; of the warm-up only the time is taken."""
    codec = Codec()
    found: dict[str, list[float]] = {topic: [] for topic in TOPICS}
    first_ns = None
    heard = time.monotonic()
    limit = heard + seconds + WARM_UP_S + START_LIMIT_S
    while time.monotonic() < limit and (first_ns is None or time.monotonic() - heard < QUIET_AFTER_S):
        for message in consumer.consume(500, 0.005):
            seen_ns = time.time_ns()
            topic, value = message.topic(), message.value()
            if message.error() is not None or topic is None:
                continue
            heard = time.monotonic()
            record = codec.decode(topic, value)
            if not isinstance(record, HealthChange | ChurnAlert) or record.cause != "data" or not record.caused_by:
                continue
            sent_ns = sent_at_ns(record.caused_by[-1])
            first_ns = first_ns or sent_ns
            if sent_ns - first_ns > WARM_UP_S * 1_000_000_000:
                found[topic].append((seen_ns - sent_ns) / NS_IN_MS)
    if not all(found.values()):
        raise MeasurementFailed("no alerts or no health changes were seen")
    return found
