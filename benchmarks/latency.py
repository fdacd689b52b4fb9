"""How long it takes from an event to what follows from it, visible to a consumer that reads committed records only."""

import os
import time
from pathlib import Path
from typing import NamedTuple

import confluent_kafka as ck
from msgspec import Struct

from benchmarks.domain import placed, worker
from benchmarks.ground import PARTITIONS, START_LIMIT_S, MeasurementFailed, create_topics, produce, running, wait_committed
from benchmarks.loads import LOADS, is_live, sent_at_ns
from schemas.codec import Codec
from schemas.records import ChurnAlert, HealthChange
from tests.support.cluster import ApacheCluster

APP_ID = "bench-latency"
WARM_UP_S = 8
QUIET_AFTER_S = 3.0
HISTORY_LIMIT_S = 200.0
TOPICS = ("cs.health-changes", "cs.churn-alerts")
NS_IN_MS = 1_000_000


class Arrival(NamedTuple):
    """A committed record, and when it was seen, in nanoseconds since 1970."""

    topic: str
    value: bytes
    seen_ns: int


class Latencies(Struct):
    """Milliseconds from handing an event to the producer to seeing its consequence, sorted, by topic of the output."""

    by_topic: dict[str, list[float]]
    load: float

    def percentile(self, topic: str, share: float) -> float:
        """The latency that this share of the records does not exceed."""
        found = self.by_topic[topic]
        return found[min(len(found) - 1, int(len(found) * share))]


def latencies(cluster: ApacheCluster, load: str, per_s: int, seconds: int, folder: Path) -> Latencies:
    """Measure with so many events of a load a second for so many seconds, after its history and a warm-up."""
    create_topics(cluster, APP_ID)
    history = produce(cluster.bootstrap, placed(LOADS[load].history()))
    with running(worker(cluster.bootstrap, APP_ID, LOADS[load].definitions), folder / "latency-worker.log") as work:
        deadline = time.monotonic() + START_LIMIT_S
        while work.said().count(": running with") < PARTITIONS:
            work.check()
            if time.monotonic() > deadline:
                raise MeasurementFailed(f"the worker did not start:\n{work.tail()}")
            time.sleep(0.2)
        wait_committed(cluster.bootstrap, APP_ID, work, history, HISTORY_LIMIT_S)
        consumer = _reader(cluster)
        generator = ["-m", "benchmarks.generator", cluster.bootstrap, load, str(per_s), str(seconds + WARM_UP_S)]
        with running(generator, folder / "generator.log") as source:
            arrivals = _arrivals(consumer, seconds)
            load_then = os.getloadavg()[0]
            source.wait(30)
        work.check()
    consumer.close()
    found = _measured(arrivals)
    return Latencies({topic: sorted(values) for topic, values in found.items()}, load_then)


def _reader(cluster: ApacheCluster) -> ck.Consumer:
    """A consumer of what comes from now on; what the first records miss is part of the warm-up."""
    consumer = ck.Consumer(
        {
            "bootstrap.servers": cluster.bootstrap,
            "group.id": f"{APP_ID}-reader",
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
            "fetch.wait.max.ms": 20,
        }
    )
    consumer.assign([ck.TopicPartition(topic, p, ck.OFFSET_END) for topic in TOPICS for p in range(PARTITIONS)])
    return consumer


def _arrivals(consumer: ck.Consumer, seconds: int) -> list[Arrival]:
    """What comes, until nothing more does. It is not looked at yet: that would take the processor from those who are measured."""
    found: list[Arrival] = []
    heard = time.monotonic()
    limit = heard + seconds + WARM_UP_S + START_LIMIT_S
    while time.monotonic() < limit and (not found or time.monotonic() - heard < QUIET_AFTER_S):
        messages = consumer.consume(500, 0.005)
        seen_ns = time.time_ns()
        for message in messages:
            topic, value = message.topic(), message.value()
            if message.error() is None and topic is not None and value is not None:
                heard = time.monotonic()
                found.append(Arrival(topic, value, seen_ns))
    return found


def _measured(arrivals: list[Arrival]) -> dict[str, list[float]]:
    """The latencies by topic, of what live events brought about after the warm-up."""
    codec = Codec()
    found: dict[str, list[float]] = {topic: [] for topic in TOPICS}
    first_ns = None
    for arrival in arrivals:
        record = codec.decode(arrival.topic, arrival.value)
        if not isinstance(record, HealthChange | ChurnAlert) or record.cause != "data" or not record.caused_by:
            continue
        if not is_live(record.caused_by[-1]):
            continue
        sent_ns = sent_at_ns(record.caused_by[-1])
        first_ns = first_ns or sent_ns
        if sent_ns - first_ns > WARM_UP_S * 1_000_000_000:
            found[arrival.topic].append((arrival.seen_ns - sent_ns) / NS_IN_MS)
    if not all(found.values()):
        raise MeasurementFailed("no alerts or no health changes were seen")
    return found
