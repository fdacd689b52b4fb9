"""Following a topic: committed records of all its partitions, as they are and as they come."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

import confluent_kafka as ck

from streams.cluster import reading_consumer
from streams.security import KafkaConfig

_WAIT_S: Final = 0.5  # also how soon an interrupt is heard


def follow(
    config: KafkaConfig,
    topic: str,
    partitions: Sequence[int],
    *,
    from_beginning: bool,
    until_end: bool,
    check: Callable[[], None],
) -> Iterator[ck.Message]:
    """Committed records of the partitions, each partition's in its order; without an end unless `until_end`.

    `check` is called between two looks at the brokers; what it raises ends the following. Raises KafkaException.
    """
    start = ck.OFFSET_BEGINNING if from_beginning else ck.OFFSET_END
    consumer = reading_consumer(config)
    try:
        consumer.assign([ck.TopicPartition(topic, partition, start) for partition in partitions])
        reading = set(partitions)
        while reading:
            check()
            message = consumer.poll(_WAIT_S)
            error = None if message is None else message.error()
            if message is None:
                continue
            if error is None:
                yield message
            elif error.code() != ck.KafkaError._PARTITION_EOF:
                raise ck.KafkaException(error)
            elif until_end:
                ended = {partition for partition in reading if partition == message.partition()}
                consumer.incremental_unassign([ck.TopicPartition(topic, partition) for partition in ended])
                reading -= ended
    finally:
        consumer.close()
