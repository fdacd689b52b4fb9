"""The consumer of a sink: which partitions are ours, where each of them goes on, and batches of what comes.

A partition that comes to this process is held until its position is known: the one that the destination keeps, else the one that
was stored in the group, else where the sink starts. After a failure all partitions are placed anew in the same way, so there is
one way to begin and to go on.
"""

import logging
from collections.abc import Iterable, Mapping
from typing import Any, Final

import confluent_kafka as ck

from schemas.codec import Codec
from schemas.outcome import Malformed, Reason
from sinks.sink import Batch, Place, Positions, Sink, SinkRecord
from streams.reader import REFUSALS

logger = logging.getLogger(__name__)

ANSWER_TIMEOUT_S: Final = 10.0
_WAIT_S: Final = 0.05  # how long a batch is gathered; also how soon a request to stop is heard
_NOT_YET: Final = (ck.KafkaError._STATE, ck.KafkaError._UNKNOWN_PARTITION)
_LOST: Final = frozenset(
    {
        ck.KafkaError.ILLEGAL_GENERATION,
        ck.KafkaError.UNKNOWN_MEMBER_ID,
        ck.KafkaError.REBALANCE_IN_PROGRESS,
        ck.KafkaError.FENCED_INSTANCE_ID,
    }
)
"""Answers to a commit that mean: others have been given the partitions, and give their records again."""


class LogReplaced(Exception):
    """A position lies beyond the end of its partition: the topic is not the one that the destination was written from."""


class UnreadableRecord(Exception):
    """A record was written by a version of cspulse that this one does not understand."""


class FeedFailed(Exception):
    """The consumer met an error that it cannot mend by itself."""


class Feed:
    """Reads for one sink, as a member of its group. All methods belong to one thread."""

    def __init__(self, config: Mapping[str, Any], group: str, sink: Sink, codec: Codec) -> None:
        self._sink = sink
        self._codec = codec
        self._consumer = ck.Consumer(
            {
                **config,
                "group.id": group,
                "partition.assignment.strategy": "cooperative-sticky",
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
                "isolation.level": "read_committed",
                "enable.partition.eof": True,
                "auto.offset.reset": "error",
                "fetch.wait.max.ms": 50,
                "queued.max.messages.kbytes": 32768,
            }
        )
        self._positions: dict[Place, int] = {}
        self._unplaced: set[Place] = set()
        self._settled: dict[Place, int] = {}  # of partitions whose position the destination does not keep

    def open(self) -> None:
        """Join the group."""
        self._consumer.subscribe(
            list(self._sink.topics), on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._revoked
        )

    def close(self) -> None:
        """Leave the group."""
        self._consumer.close()

    @property
    def positions(self) -> Positions:
        """Where the partitions that are placed go on."""
        return self._positions

    @property
    def is_placed(self) -> bool:
        """Whether there are partitions, and the position of each is known."""
        return bool(self._positions) and not self._unplaced

    def place(self) -> None:
        """Find out where the partitions that have come go on.

        Raises Unavailable, Misconfigured from the sink, LogReplaced, and KafkaException when the brokers do not answer.
        """
        if not self._unplaced:
            return
        places = sorted(self._unplaced)
        known = dict(self._sink.assigned(places))
        missing = [place for place in places if place not in known]
        known.update(self._stored(missing))
        for place in places:
            self._start(place, known.get(place))
        for place in missing:
            if place in self._positions:
                self._settled[place] = self._positions[place]

    def place_anew(self, places: Iterable[Place] | None = None) -> None:
        """Ask again for the position of these partitions, or of all, and give again what is not settled."""
        again = [place for place in (list(self._positions) if places is None else places) if place in self._positions]
        if again:
            self._consumer.pause([ck.TopicPartition(*place) for place in again])
        for place in again:
            del self._positions[place]
            self._unplaced.add(place)

    def batches(self, timeout_s: float = _WAIT_S) -> list[Batch]:
        """What has come, at most one batch a partition.

        Raises RegistryUnreachable, UnreadableRecord, FeedFailed; what had come is then given again after `place_anew`.
        """
        records: dict[Place, list[SinkRecord]] = {}
        ends: dict[Place, int] = {}
        for message in self._consumer.consume(self._sink.records_at_most, timeout_s):
            place = Place(str(message.topic()), _number(message.partition()))
            error = message.error()
            if error is not None and error.code() != ck.KafkaError._PARTITION_EOF:
                self._judge(error, place)
                continue
            offset = _number(message.offset())
            if place not in self._positions or offset < self._positions[place]:
                continue
            ends[place] = offset + (error is None)
            record = None if error is not None else self._record(message, place, offset)
            if record is not None:
                records.setdefault(place, []).append(record)
        return [
            Batch(place, self._positions[place], end, records.get(place, []))
            for place, end in ends.items()
            if end > self._positions[place]
        ]

    def idle(self) -> None:
        """Go on living in the group, and read nothing: all partitions wait to be placed."""
        for message in self._consumer.consume(1, 2 * _WAIT_S):
            error = message.error()
            if error is not None and error.code() != ck.KafkaError._PARTITION_EOF:
                self._judge(error, Place(str(message.topic()), _number(message.partition())))

    def settled(self, positions: Positions) -> None:
        """Remember how far the destination has answered; of partitions whose position it does not keep, in the group.

        Raises KafkaException when the brokers do not take it.
        """
        ours = {place: position for place, position in positions.items() if place in self._positions}
        self._positions.update(ours)
        stored = {place: position for place, position in ours.items() if place in self._settled}
        if not stored:
            return
        self._settled.update(stored)
        try:
            self._consumer.commit(
                offsets=[ck.TopicPartition(*place, position) for place, position in stored.items()], asynchronous=False
            )
        except ck.KafkaException as error:
            if error.args[0].code() not in _LOST:
                raise
            logger.info("%s: partitions moved while their position was being stored", self._sink.name)

    def ends(self) -> Positions:
        """The ends of all partitions of the sink's topics, whoever reads them. Raises KafkaException."""
        found = {}
        for topic in self._sink.topics:
            metadata = self._consumer.list_topics(topic, ANSWER_TIMEOUT_S).topics[topic]
            for partition in sorted(metadata.partitions):
                _, end = self._watermarks(Place(topic, partition))
                found[Place(topic, partition)] = end
        return found

    # ---- inside ----

    def _assigned(self, consumer: ck.Consumer, partitions: list[ck.TopicPartition]) -> None:
        """Held at the beginning until the position is known: nothing that takes time may be done in this callback."""
        given = [ck.TopicPartition(one.topic, one.partition, 0) for one in partitions]
        consumer.incremental_assign(given)
        if given:
            consumer.pause(given)
        self._unplaced.update(Place(one.topic, one.partition) for one in partitions)
        logger.info("%s: %d partitions came, %d in all", self._sink.name, len(given), len(self._unplaced) + len(self._positions))

    def _revoked(self, consumer: ck.Consumer, partitions: list[ck.TopicPartition]) -> None:
        places = [Place(one.topic, one.partition) for one in partitions]
        for place in places:
            self._positions.pop(place, None)
            self._settled.pop(place, None)
            self._unplaced.discard(place)
        self._sink.revoked(places)
        consumer.incremental_unassign(partitions)
        logger.info("%s: %d partitions left", self._sink.name, len(places))

    def _stored(self, places: list[Place]) -> dict[Place, int]:
        """The positions that were stored in the group."""
        known = {place: self._settled[place] for place in places if place in self._settled}
        asked = [ck.TopicPartition(*place) for place in places if place not in known]
        if asked:
            found = self._consumer.committed(asked, ANSWER_TIMEOUT_S)
            known.update({Place(one.topic, one.partition): one.offset for one in found if one.offset >= 0})
        return known

    def _start(self, place: Place, position: int | None) -> None:
        low, end = self._watermarks(place)
        if position is None:
            position = low if self._sink.starts == "beginning" else end
        if position > end:
            raise LogReplaced(
                f"{place}: {self._sink.name} was written up to offset {position}, and the log ends at {end}: it is another log, "
                "or it has lost records"
            )
        if 0 < position < low:
            logger.warning(
                "%s: %s: records %d to %d have expired before they were read", self._sink.name, place, position, low - 1
            )
        try:
            self._consumer.seek(ck.TopicPartition(*place, max(position, low)))
        except ck.KafkaException as error:
            if error.args[0].code() in _NOT_YET:
                return  # the client has not taken the partition up yet; tried again at the next call
            raise
        self._unplaced.discard(place)
        self._positions[place] = position
        self._consumer.resume([ck.TopicPartition(*place)])

    def _watermarks(self, place: Place) -> tuple[int, int]:
        found = self._consumer.get_watermark_offsets(ck.TopicPartition(*place), ANSWER_TIMEOUT_S)
        if found is None:
            raise ck.KafkaException(ck.KafkaError(ck.KafkaError._TIMED_OUT, f"{place}: the brokers do not tell its ends"))
        return found

    def _record(self, message: ck.Message, place: Place, offset: int) -> SinkRecord | None:
        """The record, decoded; None for bytes that no version of cspulse has written."""
        record = sink_record(message, place, self._codec)
        if isinstance(record, Malformed):
            logger.error(
                "%s: %s, offset %d is no record of ours and is left out: %s", self._sink.name, place, offset, record.reason
            )
            return None
        return record

    def _judge(self, error: ck.KafkaError, place: Place) -> None:
        """Raises what cannot be mended by trying again, which the client does by itself."""
        if error.code() in (ck.KafkaError._AUTO_OFFSET_RESET, ck.KafkaError.OFFSET_OUT_OF_RANGE):
            self.place_anew([place])  # it expired while we were away, or while it was held
        elif error.fatal() or error.code() in REFUSALS:
            raise FeedFailed(error.str())
        else:
            logger.warning("%s: %s", self._sink.name, error.str())


def _number(value: int | None) -> int:
    assert value is not None, "a message that was read, and an error about a partition, have a place"
    return value


def sink_record(message: ck.Message, place: Place, codec: Codec) -> SinkRecord | Malformed:
    """A message as a sink is given it, or why no version of cspulse can have written it.

    Raises UnreadableRecord for what a newer version may have written, RegistryUnreachable.
    """
    value, offset = message.value(), message.offset() or 0
    decoded = None if value is None else codec.decode(place.topic, value)
    if isinstance(decoded, Malformed):
        if decoded.reason is Reason.UNKNOWN_SCHEMA:
            raise UnreadableRecord(f"{place}, offset {offset}: {decoded.message}; a newer version of cspulse may have written it")
        return decoded
    return SinkRecord(
        topic=place.topic,
        partition=place.partition,
        offset=offset,
        timestamp_ms=message.timestamp()[1],
        key=message.key(),
        value=decoded,
    )
