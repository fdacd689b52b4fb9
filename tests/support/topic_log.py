"""Reading topics to their end, decoded from the Avro files alone: what a consumer that shares no code with the product sees."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import confluent_kafka as ck
import fastavro
import msgspec

from streams.patience import patiently
from streams.topics import INPUT_TOPICS

SCHEMAS: Final = Path(__file__).parents[2] / "schemas" / "avsc"
READ_LIMIT_S: Final = 30.0
SINGLE_OBJECT: Final = b"\xc3\x01"
FRAME_BYTES: Final = 10


@dataclass(frozen=True, slots=True)
class Logged:
    """One record of a topic."""

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None = field(repr=False)
    headers: list[tuple[str, bytes | None]] = field(default_factory=list)

    def fields(self) -> dict[str, Any]:
        """The value as a plain dict; times are epoch milliseconds."""
        assert self.value is not None, f"a tombstone in {self.topic}"
        return decode(self.topic, self.value)


def read_topic(bootstrap: str, topic: str, *, committed_only: bool = True) -> list[Logged]:
    """All records of all partitions of a topic, up to where it ends now; by default only the committed ones."""
    return list(each_record(bootstrap, topic, committed_only=committed_only))


def each_record(bootstrap: str, topic: str, *, committed_only: bool = True) -> Iterator[Logged]:
    """As `read_topic`, one by one: a topic may be too large to be kept. Those of a partition come in their order."""
    consumer = ck.Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "test-reader",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "isolation.level": "read_committed" if committed_only else "read_uncommitted",
            "auto.offset.reset": "error",
            "fetch.wait.max.ms": 20,
        }
    )
    try:
        partitions = consumer.list_topics(topic, timeout=READ_LIMIT_S).topics[topic].partitions
        yield from _drain(consumer, topic, set(partitions))
    finally:
        consumer.close()


def _drain(consumer: ck.Consumer, topic: str, reading: set[int]) -> Iterator[Logged]:
    consumer.assign([ck.TopicPartition(topic, partition, ck.OFFSET_BEGINNING) for partition in reading])
    while reading:
        message = consumer.poll(READ_LIMIT_S)
        assert message is not None, f"nothing came of {topic} for {READ_LIMIT_S:.0f} s"
        error, partition = message.error(), message.partition()
        assert partition is not None
        if error is not None:
            assert error.code() == ck.KafkaError._PARTITION_EOF, f"{topic}: {error}"
            reading.discard(partition)
            continue
        yield _logged(message, partition)


def _logged(message: ck.Message, partition: int) -> Logged:
    topic, offset, headers = message.topic(), message.offset(), message.headers() or []
    assert topic is not None
    assert offset is not None
    assert isinstance(headers, list)
    pairs = [(name, content.encode() if isinstance(content, str) else content) for name, content in headers]
    return Logged(topic, partition, offset, message.timestamp()[1], message.key(), message.value(), pairs)


def decode(topic: str, value: bytes) -> dict[str, Any]:
    """The fields of an Avro single object."""
    assert value[:2] == SINGLE_OBJECT, f"{topic}: no single object: {value[:12]!r}"
    body = BytesIO(value[FRAME_BYTES:])
    fields = fastavro.schemaless_reader(body, _schema(topic), None)
    assert isinstance(fields, dict)
    assert not body.read(), f"{topic}: bytes after the record"
    return fields


@cache
def _schema(topic: str) -> Any:
    newest = max((SCHEMAS / topic).glob("v*.avsc"), key=lambda file: int(file.stem[1:]))
    text = newest.read_text(encoding="utf-8")
    return fastavro.parse_schema(_without_logical_types(json.loads(text)))


def _without_logical_types(schema: Any) -> Any:
    """Times stay numbers."""
    if isinstance(schema, list):
        return [_without_logical_types(part) for part in schema]
    if isinstance(schema, dict):
        return {name: _without_logical_types(part) for name, part in schema.items() if name != "logicalType"}
    return schema


def newest_by_key(records: list[Logged]) -> dict[tuple[int, bytes], bytes]:
    """What compaction would leave: the newest value of each key, without those that were removed."""
    newest: dict[tuple[int, bytes], bytes] = {}
    for record in records:
        place = (record.partition, record.key or b"")
        if record.value is None:
            newest.pop(place, None)
        else:
            newest[place] = record.value
    return newest


def folded_offsets(bootstrap: str, app_id: str) -> dict[tuple[str, int], int]:
    """How far each input partition is consumed, as the state in the changelog says (on both brokers alike)."""
    offsets: dict[tuple[str, int], int] = {}
    for (partition, key), value in newest_by_key(read_topic(bootstrap, f"{app_id}-totals-changelog")).items():
        if key == b"meta":
            meta = msgspec.msgpack.decode(value)
            offsets.update({(topic, partition): offset for topic, offset in (meta[2] if len(meta) > 2 else {}).items()})
    return offsets


def group_offsets(bootstrap: str, app_id: str, partitions: int) -> dict[tuple[str, int], int]:
    """The committed offsets of the group, those that exist."""
    consumer = ck.Consumer({"bootstrap.servers": bootstrap, "group.id": app_id, "isolation.level": "read_committed"})
    try:
        asked = [ck.TopicPartition(topic, partition) for topic in INPUT_TOPICS for partition in range(partitions)]
        found = patiently(lambda left_s: consumer.committed(asked, left_s), READ_LIMIT_S)
        return {(tp.topic, tp.partition): tp.offset for tp in found if tp.offset >= 0}
    finally:
        consumer.close()


def ends(bootstrap: str, topics: tuple[str, ...]) -> dict[tuple[str, int], int]:
    """The offset after the last record of each partition that has any, transaction markers left out."""
    found: dict[tuple[str, int], int] = {}
    for topic in topics:
        for record in read_topic(bootstrap, topic):
            found[record.topic, record.partition] = record.offset + 1
    return found
