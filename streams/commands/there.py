"""What a command reads of a cluster: topics that must be there, and what is newest of a customer."""

from typing import TYPE_CHECKING, Final

from streams.commands.failures import NOT_FOUND, CommandError

if TYPE_CHECKING:
    from confluent_kafka import Message

    from streams.cluster import Cluster

SNAPSHOTS: Final = "cs.customer-snapshots"


def partitions_of(cluster: "Cluster", topic: str) -> int:
    """How many partitions a topic has. Raises `CommandError` when there is none of this name."""
    count = cluster.partitions(topic)
    if not count:
        raise CommandError(f"the cluster has no topic {topic}", NOT_FOUND, "`cspulse topics apply` creates what is missing")
    return count


def newest_of(cluster: "Cluster", customer: str) -> "Message | None":
    """The newest record on the snapshots of a customer, which may be a tombstone; None if there is none.

    Raises `CommandError` when the topic is missing.
    """
    from streams.cluster import newest_record, reading_consumer
    from streams.topics import partition_of

    count, key = partitions_of(cluster, SNAPSHOTS), customer.encode()
    consumer = reading_consumer(cluster.config)
    try:
        return newest_record(consumer, SNAPSHOTS, partition_of(key, count), lambda message: message.key() == key)
    finally:
        consumer.close()
