"""The log of deliveries on Kafka: marks on `cs.deliveries`, compacted, and what was given up on `cs.delivery-failures`.

A mark is one record and needs no transaction: position and receipt stand in it together. It is keyed by destination, partition of
alerts and episode, and lies on the partition that bears the number of that of the alerts. A mark that another process wrote too
late shows an older position and is passed over by whoever reads.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from typing import Any, Final

import confluent_kafka as ck

from schemas.codec import Codec
from schemas.events import InputEvent
from schemas.outcome import Malformed
from schemas.records import DeliveryFailure, DeliveryMark, Output
from schemas.registry import RegistryUnreachable
from sinks.delivery_log import Edges, LogUnavailable, ended_in
from sinks.sink import Place, SinkRecord
from streams.cluster import reading_consumer
from streams.patience import patiently
from streams.sink_feed import UnreadableRecord, sink_record
from streams.topics import MAX_RECORD_BYTES

logger = logging.getLogger(__name__)

MARKS_TOPIC: Final = "cs.deliveries"
FAILURES_TOPIC: Final = "cs.delivery-failures"
ANSWER_TIMEOUT_S: Final = 10.0
_POLL_S: Final = 0.5
_SEPARATOR: Final = "\x1f"
_S_IN_MS: Final = 1_000


class KafkaDeliveryLog:
    """The log of one destination. All methods belong to one thread."""

    def __init__(self, config: Mapping[str, Any], codec: Codec, destination: str) -> None:
        self._config = dict(config)
        self._codec = codec
        self._destination = destination
        self._read: dict[int, int] = {}
        self._producer: ck.Producer | None = None
        self._consumer = reading_consumer(config)

    def read(self, places: Iterable[Place]) -> Sequence[DeliveryMark]:
        """The marks of this destination since the last time."""
        found: list[DeliveryMark] = []
        for partition in sorted({place.partition for place in places}):
            end = self.end(Place(MARKS_TOPIC, partition))
            found += self._read_on(partition, self._read.get(partition, 0), end)
            self._read[partition] = end
        return found

    def note(self, marks: Sequence[DeliveryMark], failures: Sequence[DeliveryFailure] = ()) -> None:
        """Write what was given up, then the marks, and wait until the brokers have them."""
        self._write(FAILURES_TOPIC, [(failure.partition, self._destination, failure) for failure in failures])
        self._write(MARKS_TOPIC, [(mark.partition, self._key(mark), mark) for mark in marks])

    def forget(self, marks: Sequence[DeliveryMark]) -> None:
        """Write tombstones for the marks of episodes."""
        self._write(MARKS_TOPIC, [(mark.partition, self._key(mark), None) for mark in marks])

    def edges(self, place: Place, since_ms: int) -> Edges:
        """Where to enter a partition of alerts."""
        end = self.end(place)
        try:
            asked = [ck.TopicPartition(*place, max(0, since_ms))]
            (found,) = patiently(lambda left_s: self._consumer.offsets_for_times(asked, left_s), ANSWER_TIMEOUT_S)
        except ck.KafkaException as error:
            raise LogUnavailable(f"{place}: {error.args[0].str()}") from error
        return Edges(end if found.offset < 0 else min(found.offset, end), end)

    def ended(self, place: Place, edges: Edges) -> Set[str]:
        """The episodes whose end lies between the edges."""
        return ended_in(self.records(place, edges))

    def record(self, place: Place, offset: int) -> SinkRecord | None:
        """A record of a partition of alerts once more."""
        found = next(iter(self.records(place, Edges(offset, offset + 1))), None)
        return found if found is not None and found.offset == offset else None

    def records(self, place: Place, edges: Edges) -> Iterator[SinkRecord]:
        """The committed records of a partition of alerts between the edges."""
        for message in self._messages(place, edges):
            try:
                record = sink_record(message, place, self._codec)
            except (UnreadableRecord, RegistryUnreachable) as error:
                raise LogUnavailable(str(error)) from error
            if not isinstance(record, Malformed):  # the feed tells of what is no record of ours, and leaves it out as well
                yield record

    def end(self, place: Place) -> int:
        """Where a partition ends now."""
        try:
            asked = ck.TopicPartition(*place)
            found = patiently(lambda left_s: self._consumer.get_watermark_offsets(asked, left_s), ANSWER_TIMEOUT_S)
        except ck.KafkaException as error:
            raise LogUnavailable(f"{place}: {error.args[0].str()}") from error
        if found is None:
            raise LogUnavailable(f"{place}: the brokers do not tell its ends")
        return found[1]

    def close(self) -> None:
        """Let go of the connections."""
        self._consumer.close()
        self._producer = None  # it has no more to send, and ends with its last reference

    # ---- inside ----

    def _read_on(self, partition: int, start: int, end: int) -> Iterator[DeliveryMark]:
        """The marks of this destination between two offsets of the log."""
        beginning = f"{self._destination}{_SEPARATOR}".encode()
        for message in self._messages(Place(MARKS_TOPIC, partition), Edges(start, end)):
            value = message.value()
            if value is not None and (message.key() or b"").startswith(beginning):
                mark = self._decoded(MARKS_TOPIC, value)
                assert isinstance(mark, DeliveryMark), "the codec gives each topic its own record"
                yield mark

    def _decoded(self, topic: str, value: bytes) -> InputEvent | Output:
        """The record. What cannot be read is waited for: whoever delivers may be replaced by a version that can."""
        try:
            record = self._codec.decode(topic, value)
        except RegistryUnreachable as error:
            raise LogUnavailable(str(error)) from error
        if isinstance(record, Malformed):
            raise LogUnavailable(
                f"a record on {topic} cannot be read, a newer version of cspulse may have written it: {record.reason}"
            )
        return record

    def _messages(self, place: Place, edges: Edges) -> Iterator[ck.Message]:
        """The committed messages of a partition between the edges."""
        if edges.start >= edges.end:
            return
        self._consumer.assign([ck.TopicPartition(*place, edges.start)])
        try:
            while (message := self._next(place)) is not None:
                offset = message.offset() or 0
                if offset < edges.end:
                    yield message
                if offset >= edges.end - 1:
                    return
        finally:
            self._consumer.unassign()

    def _next(self, place: Place) -> ck.Message | None:
        """The next record; None at the end of the partition."""
        for _ in range(int(ANSWER_TIMEOUT_S / _POLL_S)):
            message = self._consumer.poll(_POLL_S)
            error = None if message is None else message.error()
            if message is None:
                continue
            if error is None:
                return message
            if error.code() in (ck.KafkaError._PARTITION_EOF, ck.KafkaError._AUTO_OFFSET_RESET):
                return None  # the end, or expired since
            raise LogUnavailable(f"{place}: {error.str()}")
        raise LogUnavailable(f"{place}: nothing was read for {ANSWER_TIMEOUT_S:.0f} s")

    def _write(self, topic: str, records: Sequence[tuple[int, str, Output | None]]) -> None:
        """Produce and wait. Raises LogUnavailable; what was on its way then may still arrive, and is true all the same."""
        if not records:
            return
        producer = self._producer or ck.Producer(
            {
                **self._config,
                "acks": "all",
                "enable.idempotence": True,
                "linger.ms": 0,
                "compression.type": "lz4",
                "message.max.bytes": MAX_RECORD_BYTES,
                "delivery.timeout.ms": int(ANSWER_TIMEOUT_S * _S_IN_MS),
            }
        )
        self._producer = None  # one that failed is not used again
        errors: list[ck.KafkaError] = []

        def answered(error: ck.KafkaError | None, message: ck.Message) -> None:
            if error is not None:
                errors.append(error)
            elif topic == MARKS_TOPIC:
                self._noted(message.partition() or 0, message.offset() or 0)

        try:
            for partition, key, record in records:
                value = None if record is None else self._codec.encode(topic, record)
                producer.produce(topic, value, key.encode(), partition, on_delivery=answered)
            left = producer.flush(ANSWER_TIMEOUT_S + 1)
        except (ck.KafkaException, RegistryUnreachable) as error:
            raise LogUnavailable(f"{topic}: {error}") from error
        if errors or left:
            raise LogUnavailable(f"{topic}: {errors[0].str() if errors else 'the brokers do not answer'}")
        self._producer = producer

    def _noted(self, partition: int, offset: int) -> None:
        """Our own record need not be read, if nobody else has written before it."""
        if self._read.get(partition) == offset:
            self._read[partition] = offset + 1

    def _key(self, mark: DeliveryMark) -> str:
        episode = "" if mark.receipt is None else mark.receipt.episode_id
        return _SEPARATOR.join((self._destination, mark.topic, str(mark.partition), episode))
