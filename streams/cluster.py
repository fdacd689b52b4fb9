"""What every command needs of a cluster: whether it answers, what it says of itself, and the newest records of its partitions."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import confluent_kafka as ck
from confluent_kafka.admin import AdminClient, ClusterMetadata

from streams.embedded import is_embedded
from streams.patience import patiently
from streams.security import KafkaConfig, kafka_config
from streams.settings import Settings

ANSWER_TIMEOUT_S: Final = 5.0
COMMAND_GROUP: Final = "cspulse-command"  # the client wants one; it is never joined
READ_TIMEOUT_S: Final = 30.0
_POLL_S: Final = 0.5  # also how soon an interrupt is heard
_QUIET: Final = 0  # librdkafka's own log lines would stand between ours; what they say comes with the exception
_FIRST_WINDOW_RECORDS: Final = 1_000
_WINDOW_GROWTH: Final = 4
_WINDOW_MAX_RECORDS: Final = 100_000


class BrokerUnreachable(Exception):
    """No broker answered; the text names them and the last reason that the client gave."""

    def __init__(self, servers: str, reason: str) -> None:
        super().__init__(f"no broker answers at {servers}: {reason}")
        self.servers = servers
        self.reason = reason


class ReadFailed(Exception):
    """A partition could not be read to its end."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster that answered: a client for administration and the metadata of that moment."""

    config: KafkaConfig
    admin: AdminClient
    metadata: ClusterMetadata

    @property
    def embedded(self) -> bool:
        """Whether it is the simulator, which has no topic settings and makes no topics on request."""
        return is_embedded(self.metadata.cluster_id)

    def partitions(self, topic: str) -> int:
        """How many partitions a topic has, 0 when there is no such topic."""
        found = self.metadata.topics.get(topic)
        return 0 if found is None or found.error is not None else len(found.partitions)


def client_config(settings: Settings) -> KafkaConfig:
    """The settings of a client that is used by a command: as everywhere, and without log lines of its own."""
    return {**kafka_config(settings), "log_level": _QUIET}


def reach(config: KafkaConfig, timeout_s: float = ANSWER_TIMEOUT_S) -> Cluster:
    """Ask the brokers for their metadata.

    Raises:
        BrokerUnreachable: none answered within `timeout_s`.
    """
    reasons: list[str] = []
    whole: dict[str, Any] = {**config, "error_cb": lambda error: reasons.append(error.str())}
    admin = AdminClient(whole)
    try:
        metadata = admin.list_topics(timeout=timeout_s)
    except ck.KafkaException as error:
        admin.poll(0)  # lets the client tell what it ran into
        told = [reason for reason in reasons if not reason.endswith("brokers are down")]
        raise BrokerUnreachable(str(config["bootstrap.servers"]), _last_words(told) or error.args[0].str()) from error
    return Cluster(config, admin, metadata)


def _last_words(reasons: list[str]) -> str:
    """The newest reason, without the address in front (the caller names it) and the client's timing behind."""
    if not reasons:
        return ""
    return reasons[-1].split(": ", 1)[-1].split(" (after ", 1)[0]


def reading_consumer(config: Mapping[str, Any]) -> ck.Consumer:
    """A consumer of committed records for manual assignment; it joins no group and commits nothing."""
    return ck.Consumer(
        {
            **config,
            "group.id": COMMAND_GROUP,
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
            "enable.partition.eof": True,
            "auto.offset.reset": "error",
            "fetch.wait.max.ms": 50,
        }
    )


def newest_record(
    consumer: ck.Consumer, topic: str, partition: int, wanted: Callable[[ck.Message], bool] = lambda _: True
) -> ck.Message | None:
    """The last committed record of a partition that is wanted, None if there is none.

    The partition is read from its end towards its beginning in growing windows: what is looked for is most often near the end.
    Raises `ReadFailed`, and `KafkaException` from the client.
    """
    place = ck.TopicPartition(topic, partition)
    low, end = patiently(lambda left_s: consumer.get_watermark_offsets(place, left_s), READ_TIMEOUT_S)
    window = _FIRST_WINDOW_RECORDS
    while end > low:
        start = max(low, end - window)
        found = None
        for message in _between(consumer, place, start, end):
            if wanted(message):
                found = message
        if found is not None:
            return found
        end, window = start, min(window * _WINDOW_GROWTH, _WINDOW_MAX_RECORDS)
    return None


def _between(consumer: ck.Consumer, place: ck.TopicPartition, start: int, end: int) -> Iterator[ck.Message]:
    """The committed records with offsets from `start` up to `end`, `end` excluded."""
    consumer.assign([ck.TopicPartition(place.topic, place.partition, start)])
    deadline_s = time.monotonic() + READ_TIMEOUT_S
    while time.monotonic() < deadline_s:
        message = consumer.poll(_POLL_S)
        if message is None:
            continue
        error = message.error()
        if error is not None and error.code() == ck.KafkaError._PARTITION_EOF:
            return
        if error is not None:
            raise ck.KafkaException(error)
        if (message.offset() or 0) >= end:
            return
        deadline_s = time.monotonic() + READ_TIMEOUT_S
        yield message
    raise ReadFailed(f"{place.topic}[{place.partition}]: nothing was read for {READ_TIMEOUT_S:.0f} s")
