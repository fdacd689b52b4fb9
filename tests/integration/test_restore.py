"""Restoring a partition with 200,000 customers: the other partitions go on meanwhile, and nobody leaves the group."""

import threading
from collections.abc import Iterator

import confluent_kafka as ck
import pytest

from schemas.codec import Codec
from schemas.events import UsageEvent
from streams.replay import Replay
from streams.sources.simulator import Simulation, simulate
from streams.topics import changelog_topics, partition_of
from tests.support.cluster import PARTITIONS, ApacheCluster, now_ms, produce
from tests.support.waiting import wait_until
from tests.support.worker import Workers

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.timeout(300)]

CUSTOMERS = 200_000
LARGE = 0
OTHERS = [partition for partition in range(PARTITIONS) if partition != LARGE]
RESTORE_LIMIT_S = 90.0


def customers_of(partition: int) -> Iterator[tuple[bytes, bytes]]:
    """200,000 customers of one partition, each with the same state of an ordinary customer: a restore reads only its header.

    Each is there twice, as in a changelog that is not compacted yet.
    """
    value = ordinary_state()
    found, number = 0, 0
    while found < CUSTOMERS:
        number += 1
        key = f"customer-{number}".encode()
        if partition_of(key, PARTITIONS) == partition:
            found += 1
            yield key, value
            yield key, value


def ordinary_state() -> bytes:
    """The encoded state of median size after a simulated quarter."""
    run = Replay(1)
    for line in simulate(Simulation(customers=9, days=90, seed=1, end_ms=now_ms())):
        for _ in run.event(line):
            pass
    run.drivers[0].take()
    return sorted(run.drivers[0].customers.values.values(), key=len)[4]


def somebody_in(partition: int) -> str:
    """A customer of a partition."""
    return next(name for name in (f"somebody-{number}" for number in range(1_000)) if _home(name) == partition)


def _home(name: str) -> int:
    return partition_of(name.encode(), PARTITIONS)


class Traffic:
    """Events for some partitions, one each every few milliseconds, until it is left."""

    def __init__(self, cluster: ApacheCluster, partitions: list[int]) -> None:
        self._cluster = cluster
        self._customers = {partition: somebody_in(partition) for partition in partitions}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        codec, number = Codec(), 0
        while not self._over.wait(0.02):
            number += 1
            for partition, customer in self._customers.items():
                event = UsageEvent(
                    event_id=f"e-{number}", customer_id=customer, occurred_at=now_ms(), kind="feature_used", feature="reports"
                )
                record = (customer.encode(), codec.encode("cs.usage", event), event.occurred_at)
                produce(self._cluster, "cs.usage", partition, [record])


class Commits:
    """How many committed changelog records of each partition there are; asking takes milliseconds."""

    def __init__(self, cluster: ApacheCluster, topic: str, partitions: list[int]) -> None:
        self.seen = dict.fromkeys(partitions, 0)
        self._consumer = ck.Consumer(
            {
                "bootstrap.servers": cluster.bootstrap,
                "group.id": "test-commits",
                "enable.auto.commit": False,
                "isolation.level": "read_committed",
                "fetch.wait.max.ms": 20,
            }
        )
        self._consumer.assign([ck.TopicPartition(topic, partition, ck.OFFSET_BEGINNING) for partition in partitions])

    def look(self) -> None:
        """Take in what was committed since the last look."""
        for message in self._consumer.consume(1_000, 0.05):
            partition = message.partition()
            if message.error() is None and partition is not None:
                self.seen[partition] += 1

    def close(self) -> None:
        """Give the consumer back."""
        self._consumer.close()


def test_other_partitions_go_on_while_200000_customers_are_restored(apache: ApacheCluster, apache_workers: Workers) -> None:
    changelog = changelog_topics(apache_workers.app_id)[0]
    produce(apache, changelog, LARGE, [(key, value, now_ms()) for key, value in customers_of(LARGE)])
    worker = apache_workers.new(tick_interval_ms="0", session_timeout_ms="10000")
    commits = Commits(apache, changelog, OTHERS)

    def is_restored() -> bool:
        done = f"partition {LARGE}: running with {CUSTOMERS} customers" in worker.said()
        if not done:
            commits.look()  # only what was committed before the large partition was there counts
        return done

    with Traffic(apache, OTHERS):
        worker.start()
        wait_until(is_restored, RESTORE_LIMIT_S, "the large partition to be restored")
    commits.close()

    # Each change of the group ends all tasks and starts them again, so one line a partition means that nobody left.
    assert [worker.said().count(f"partition {partition}: running") for partition in range(PARTITIONS)] == [1] * PARTITIONS
    assert len(apache.members(apache_workers.app_id)) == 1
    assert all(commits.seen.values()), f"no progress during the restore: {commits.seen}"
    assert worker.stop() == 0
