"""Reading a compacted topic's partition to its end: the changelogs at a restore, and the definitions."""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import confluent_kafka as ck

from streams.patience import patiently

CHUNK_RECORDS = 5000
CHUNK_TIMEOUT_S = 0.1  # how long an empty changelog takes at the least
STALL_TIMEOUT_S = 60.0

Progress = Callable[[int, int], None]
"""Called with (records read, records to read); the second is an upper bound in a compacted topic."""


class RestoreFailed(Exception):
    """A changelog could not be read to its end."""


def read_to_end(
    config: Mapping[str, Any],
    topic: str,
    partition: int,
    from_offset: int,
    sink: Callable[[list[tuple[bytes, bytes | None]]], None],
    progress: Progress,
) -> int:
    """Read committed records from `from_offset` to the end, in chunks, into `sink`; returns the offset after it.

    A compacted log begins at offset 0 for ever: one that does not has lost records (the embedded broker drops them silently).

    Raises RestoreFailed when the topic is missing, records were lost, or nothing comes for a minute.
    """
    consumer = ck.Consumer(
        {
            **config,
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
            "enable.partition.eof": True,
            "auto.offset.reset": "error",
            "fetch.wait.max.ms": 10,
        }
    )
    try:
        place = ck.TopicPartition(topic, partition)
        low, high = patiently(lambda left_s: consumer.get_watermark_offsets(place, left_s), STALL_TIMEOUT_S)
        if low > 0:
            raise RestoreFailed(
                f"{topic}[{partition}] begins at offset {low}: older records were deleted, so the state cannot be restored from "
                "it; the topic must be compacted and never deleted from"
            )
        start = from_offset
        consumer.assign([ck.TopicPartition(topic, partition, start)])
        return _drain(consumer, topic, partition, sink, lambda offset: progress(offset - start, high - start))
    except ck.KafkaException as error:
        raise RestoreFailed(f"{topic}[{partition}]: {error.args[0].str()}") from error
    finally:
        consumer.close()


def _drain(
    consumer: ck.Consumer,
    topic: str,
    partition: int,
    sink: Callable[[list[tuple[bytes, bytes | None]]], None],
    at: Callable[[int], None],
) -> int:
    last_heard = time.monotonic()
    while True:
        messages = consumer.consume(CHUNK_RECORDS, CHUNK_TIMEOUT_S)
        end = _feed(messages, sink)
        if end is not None:
            at(end)
            return end
        if messages:
            last_heard = time.monotonic()
            at((messages[-1].offset() or 0) + 1)
        elif time.monotonic() - last_heard > STALL_TIMEOUT_S:
            raise RestoreFailed(f"{topic}[{partition}]: nothing read for {STALL_TIMEOUT_S:.0f} s")


def _feed(messages: Iterable[ck.Message], sink: Callable[[list[tuple[bytes, bytes | None]]], None]) -> int | None:
    chunk: list[tuple[bytes, bytes | None]] = []
    end: int | None = None
    for message in messages:
        error = message.error()
        if error is None:
            chunk.append((message.key() or b"", message.value()))
        elif error.code() == ck.KafkaError._PARTITION_EOF:
            end = message.offset()
        elif error.fatal() or not error.retriable():
            raise ck.KafkaException(error)
    if chunk:
        sink(chunk)
    return end
