"""The consumer group of an application: who is in it, and how far it is behind."""

from typing import Final

from confluent_kafka import ConsumerGroupTopicPartitions, IsolationLevel, KafkaException, TopicPartition
from confluent_kafka.admin import OffsetSpec
from msgspec import Struct

from streams.cluster import Cluster
from streams.topics import INPUT_TOPICS

TIMEOUT_S: Final = 15.0


class GroupUnreadable(Exception):
    """The brokers do not say anything about the group."""


class GroupState(Struct, frozen=True):
    """`lag_records` counts the records (and transaction marks) of the inputs not yet processed; None: nothing committed."""

    state: str
    members: int
    lag_records: int | None


def group_state(cluster: Cluster, app_id: str) -> GroupState:
    """The group as the brokers see it now. Raises GroupUnreadable."""
    try:
        described = cluster.admin.describe_consumer_groups([app_id], request_timeout=TIMEOUT_S)[app_id].result(TIMEOUT_S)
        return GroupState(described.state.name.lower(), len(described.members), _lag(cluster, app_id))
    except KafkaException as error:
        raise GroupUnreadable(f"the group {app_id} could not be looked at: {error.args[0].str()}") from error
    except TimeoutError as error:
        raise GroupUnreadable(f"the group {app_id} could not be looked at: no answer within {TIMEOUT_S:.0f} s") from error


def _lag(cluster: Cluster, app_id: str) -> int | None:
    asked = cluster.admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(app_id)], request_timeout=TIMEOUT_S)
    committed: dict[tuple[str, int], int] = {
        (place.topic, place.partition): place.offset
        for place in asked[app_id].result(TIMEOUT_S).topic_partitions
        if place.topic in INPUT_TOPICS and place.offset >= 0
    }
    if not committed:
        return None
    latest = OffsetSpec.latest()  # type: ignore[no-untyped-call]  # the client's class has no annotations
    wanted = {TopicPartition(topic, partition): latest for topic, partition in committed}
    ends = cluster.admin.list_offsets(wanted, isolation_level=IsolationLevel.READ_COMMITTED, request_timeout=TIMEOUT_S)
    behind = {place: int(future.result(TIMEOUT_S).offset) for place, future in ends.items()}
    return sum(max(0, end - committed[place.topic, place.partition]) for place, end in behind.items())
