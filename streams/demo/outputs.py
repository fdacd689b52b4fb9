"""Reads what the worker has committed, and what its changelogs weigh."""

import json
import time
from typing import Final

import confluent_kafka as ck
from msgspec import Struct

from streams.cluster import reading_consumer
from streams.demo.bounds import record_bytes
from streams.fleet_driver import FLEET_TOPICS
from streams.topics import TOPICS, changelog_topics, fleet_changelog_topic

READ_TOPICS: Final = ("cs.health-changes", "cs.churn-alerts", "cs.customer-snapshots", "cs.dead-letters", "cs.fleet-partials")
_CHUNK_RECORDS: Final = 2_000
_TIMEOUT_S: Final = 10.0
_STATISTICS_EVERY_MS: Final = 1_000
_ENOUGH_BYTES: Final = 1024 * 1024


class OutputsLost(Exception):
    """Records were dropped by the embedded broker before they were read."""


class Received(Struct, frozen=True, gc=False):
    """A record as it was read; `value` is None for a tombstone."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes | None


class OutputReader:
    """Reads the output topics and all changelogs from their beginning, in manual assignment."""

    def __init__(self, bootstrap_servers: str, app_id: str, partitions: int) -> None:
        self._wire_bytes = 0
        self._payload_bytes = 0
        own = {"statistics.interval.ms": _STATISTICS_EVERY_MS, "stats_cb": self._weigh, "log_level": 0}
        self._consumer = reading_consumer({"bootstrap.servers": bootstrap_servers, **own})
        self._next: dict[tuple[str, int], int] = {}
        for topic in READ_TOPICS:
            for partition in range(partitions if TOPICS[topic].partitioned else 1):
                self._next[topic, partition] = 0
        for topic in changelog_topics(app_id):
            for partition in range(partitions):
                self._next[topic, partition] = 0
        for topic in (fleet_changelog_topic(app_id), *FLEET_TOPICS.values()):
            self._next[topic, 0] = 0
        self._consumer.assign([ck.TopicPartition(topic, partition, 0) for topic, partition in self._next])

    def read(self, timeout_s: float) -> list[Received]:
        """What has come, waiting up to `timeout_s` for the first.

        Raises OutputsLost, and KafkaException from the client.
        """
        received = []
        for message in self._consumer.consume(_CHUNK_RECORDS, timeout_s):
            error = message.error()
            if error is None:
                received.append(self._received(message))
            elif error.code() == ck.KafkaError._PARTITION_EOF:
                self._next[_place(message)] = message.offset() or 0
            else:
                raise _translated(error)
        return received

    def rest(self) -> list[Received]:
        """Everything up to the ends as they are now; to be called when nobody writes any more.

        Raises OutputsLost, and KafkaException from the client.
        """
        ends = {place: self._consumer.get_watermark_offsets(ck.TopicPartition(*place), _TIMEOUT_S)[1] for place in self._next}
        received: list[Received] = []
        deadline = time.monotonic() + _TIMEOUT_S
        while any(self._next[place] < end for place, end in ends.items()):
            if time.monotonic() > deadline:
                raise OutputsLost("the outputs could not be read to their ends")
            received += self.read(0.1)
        return received

    @property
    def compressed_share(self) -> float:
        """What is left of a byte when it is sent, as measured over everything read so far; 1 until there is enough to tell."""
        if self._payload_bytes < _ENOUGH_BYTES or not self._wire_bytes:
            return 1.0
        return min(1.0, self._wire_bytes / self._payload_bytes)

    def close(self) -> None:
        """Leave the broker."""
        self._consumer.close()

    def _received(self, message: ck.Message) -> Received:
        place, offset = _place(message), message.offset() or 0
        expected = self._next[place]
        # Between two transactions lies a record of the broker's own, which a consumer never sees.
        if offset > expected + 1:
            low, _ = self._consumer.get_watermark_offsets(ck.TopicPartition(*place), _TIMEOUT_S)
            if low > expected:
                raise OutputsLost(f"{place[0]}[{place[1]}]: records {expected} to {low - 1} were dropped before they were read")
        self._next[place] = offset + 1
        self._payload_bytes += record_bytes(message.key(), message.value())
        return Received(*place, message.key(), message.value())

    def _weigh(self, statistics: str) -> None:
        """What the client counts of its connections: answers as they came, compressed."""
        self._wire_bytes = sum(broker["rxbytes"] for broker in json.loads(statistics)["brokers"].values())


def _place(message: ck.Message) -> tuple[str, int]:
    return str(message.topic()), message.partition() or 0


def _translated(error: ck.KafkaError) -> Exception:
    if error.code() in (ck.KafkaError.OFFSET_OUT_OF_RANGE, ck.KafkaError._AUTO_OFFSET_RESET):
        return OutputsLost(f"records were dropped before they were read: {error.str()}")
    return ck.KafkaException(error)
