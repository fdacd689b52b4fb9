"""A broker that a worker is tested on: the embedded one or Apache Kafka, with the topics of one application on it."""

import time
from collections.abc import Mapping
from typing import Final, Protocol

import confluent_kafka as ck
from confluent_kafka.admin import AdminClient, ConsumerGroupDescription, NewTopic

from streams.embedded import EmbeddedBroker
from streams.topics import TopicSpec, specs
from tests.support.kafka.server import KafkaServer
from tests.support.kafka.trio import KafkaTrio
from tests.support.waiting import wait_until

ADMIN_LIMIT_S: Final = 30
PARTITIONS: Final = 4
ANSWER_S: Final = 5
PATIENCE_S: Final = 60


class Cluster(Protocol):
    """What the tests need of a broker."""

    bootstrap: str
    isolates: bool
    """Whether aborted and open transactions are hidden, and transactional offsets kept: not so on the embedded broker."""

    def create(self, wanted: list[TopicSpec]) -> None:
        """Create these topics."""


class EmbeddedCluster:
    """The simulator, in the process of the tests."""

    isolates = False

    def __init__(self, broker: EmbeddedBroker) -> None:
        self.broker = broker
        self.bootstrap = broker.bootstrap_servers

    def create(self, wanted: list[TopicSpec]) -> None:
        """Create these topics."""
        for spec in wanted:
            self.broker.create_topic(spec.name, spec.partitions)


class ApacheCluster:
    """Apache Kafka, shared by the tests one after the other: `clear` makes it as good as new."""

    isolates = True

    def __init__(self, brokers: KafkaServer | KafkaTrio) -> None:
        self.servers = brokers.servers if isinstance(brokers, KafkaTrio) else [brokers]
        self.bootstrap = brokers.bootstrap
        self._admin = AdminClient({"bootstrap.servers": brokers.bootstrap})

    def clear(self) -> None:
        """Delete the topics that other tests have left, and wait until they are gone."""
        left = self._topics()
        if left:
            for deleted in self._admin.delete_topics(left).values():
                deleted.result(ADMIN_LIMIT_S)
        wait_until(lambda: not self._topics(), ADMIN_LIMIT_S, "the topics to be deleted")

    def create(self, wanted: list[TopicSpec]) -> None:
        """Create these topics with their settings."""
        copies = len(self.servers)
        safe = {"min.insync.replicas": "2"} if copies > 1 else {}
        topics = [NewTopic(spec.name, spec.partitions, copies, config={**spec.config(), **safe}) for spec in wanted]
        for created in self._admin.create_topics(topics).values():
            created.result(ADMIN_LIMIT_S)
        names = {spec.name for spec in wanted}
        wait_until(lambda: names <= set(self._topics()), ADMIN_LIMIT_S, "the topics to be known")

    def members(self, group: str) -> dict[str, frozenset[tuple[str, int]]]:
        """The members of a group by their ids, with what each was given."""
        described = self._described(group)
        return {
            member.member_id: frozenset((tp.topic, tp.partition) for tp in member.assignment.topic_partitions)
            for member in described.members
        }

    def _described(self, group: str) -> ConsumerGroupDescription:
        """Ask until it is told: a coordinator that has just moved, or is not known yet, may let a request hang."""
        deadline_s = time.monotonic() + PATIENCE_S
        while True:
            try:
                asked = self._admin.describe_consumer_groups([group], request_timeout=ANSWER_S)
                found: ConsumerGroupDescription = asked[group].result(2 * ANSWER_S)
                return found
            except (ck.KafkaException, TimeoutError):
                if time.monotonic() > deadline_s:
                    raise
                self._admin = AdminClient({"bootstrap.servers": self.bootstrap})

    def is_whole(self) -> bool:
        """Whether every copy of every partition is up to date, so that any one broker may go."""
        topics = self._admin.list_topics(timeout=ADMIN_LIMIT_S).topics.values()
        return all(len(partition.isrs) == len(self.servers) for topic in topics for partition in topic.partitions.values())

    def _topics(self) -> list[str]:
        return [name for name in self._admin.list_topics(timeout=ADMIN_LIMIT_S).topics if not name.startswith("__")]


def create_topics(cluster: Cluster, app_id: str) -> None:
    """All topics of an application, as it wants them."""
    cluster.create(specs(app_id, PARTITIONS))


def produce(
    cluster: Cluster,
    topic: str,
    partition: int,
    records: list[tuple[bytes | None, bytes | None, int]],
    headers: Mapping[str, bytes] | None = None,
) -> None:
    """Put raw records (key, value, timestamp in ms) into a partition, and wait until the broker has them."""
    producer = ck.Producer({"bootstrap.servers": cluster.bootstrap, "linger.ms": 5, "message.max.bytes": 2_000_000})
    for key, value, timestamp_ms in records:
        while True:
            try:
                producer.produce(topic, value, key, partition, timestamp=timestamp_ms, headers=dict(headers or {}))
                break
            except BufferError:
                producer.poll(0.1)
    assert producer.flush(ADMIN_LIMIT_S) == 0, f"records for {topic} were not taken"


def now_ms() -> int:
    """The wall clock, which ends up in records' timestamps."""
    return time.time_ns() // 1_000_000
