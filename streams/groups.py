"""The consumer group of an application: who is in it, and how far it is behind."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Final

from confluent_kafka import ConsumerGroupTopicPartitions, IsolationLevel, KafkaException, TopicPartition
from confluent_kafka.admin import ConsumerGroupDescription, OffsetSpec
from msgspec import Struct

from streams.cluster import Cluster
from streams.topics import INPUT_TOPICS

TIMEOUT_S: Final = 15.0

Place = tuple[str, int]
"""A topic and a partition."""


class GroupUnreadable(Exception):
    """The brokers do not say anything about the group."""


class GroupState(Struct, frozen=True):
    """`lag_records` counts the records (and transaction marks) of the inputs not yet processed; None: nothing committed."""

    state: str
    members: int
    lag_records: int | None


def group_state(cluster: Cluster, app_id: str) -> GroupState:
    """The group as the brokers see it now. Raises GroupUnreadable."""
    with _told(app_id):
        described = _described(cluster, app_id)
        return GroupState(described.state.name.lower(), len(described.members), _lag(cluster, app_id))


def members_of(cluster: Cluster, app_id: str) -> int:
    """How many members a group has. Raises GroupUnreadable."""
    with _told(app_id):
        return len(_described(cluster, app_id).members)


def committed_offsets(cluster: Cluster, group: str) -> dict[Place, int]:
    """What a group has committed, by topic and partition. Raises KafkaException, TimeoutError."""
    asked = cluster.admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)], request_timeout=TIMEOUT_S)
    return {(place.topic, place.partition): place.offset for place in asked[group].result(TIMEOUT_S).topic_partitions}


def ends_of(cluster: Cluster, places: Iterable[Place]) -> dict[Place, int]:
    """Where the committed records of partitions end now, transaction marks included. Raises KafkaException, TimeoutError."""
    latest = OffsetSpec.latest()  # type: ignore[no-untyped-call]  # the client's class has no annotations
    wanted = {TopicPartition(*place): latest for place in places}
    found = cluster.admin.list_offsets(wanted, isolation_level=IsolationLevel.READ_COMMITTED, request_timeout=TIMEOUT_S)
    return {(place.topic, place.partition): int(future.result(TIMEOUT_S).offset) for place, future in found.items()}


@contextmanager
def _told(app_id: str) -> Iterator[None]:
    """Raises GroupUnreadable for what the client raises."""
    try:
        yield
    except KafkaException as error:
        raise GroupUnreadable(f"the group {app_id} could not be looked at: {error.args[0].str()}") from error
    except TimeoutError as error:
        raise GroupUnreadable(f"the group {app_id} could not be looked at: no answer within {TIMEOUT_S:.0f} s") from error


def _described(cluster: Cluster, app_id: str) -> ConsumerGroupDescription:
    asked = cluster.admin.describe_consumer_groups([app_id], request_timeout=TIMEOUT_S)
    found: ConsumerGroupDescription = asked[app_id].result(TIMEOUT_S)
    return found


def _lag(cluster: Cluster, app_id: str) -> int | None:
    offsets = committed_offsets(cluster, app_id)
    committed = {place: offset for place, offset in offsets.items() if place[0] in INPUT_TOPICS and offset >= 0}
    if not committed:
        return None
    return sum(max(0, end - committed[place]) for place, end in ends_of(cluster, committed).items())
