"""The one consumer of a worker: all partitions of all its tasks, in manual assignment, in a thread.

Positions belong to the tasks. A task that has restored its state adds its partitions at their committed offsets under an epoch;
whatever is read for it carries that epoch, so that a batch from before the partition left and came back can be told from a new
one. End-of-partition events say truthfully when a topic is empty. A partition whose queue is full is paused, and resumed when
the task has worked it off; the hand-over itself never blocks.
"""

import asyncio
import logging
import queue
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import confluent_kafka as ck
from msgspec import Struct

from streams.places import UNKNOWN, place_of_thread
from streams.records import InputRecord

logger = logging.getLogger(__name__)

CONSUME_MAX_RECORDS = 4000  # records handed over at a time: bounds the time of one conversion
CONSUME_TIMEOUT_S = 0.02  # also how soon a command (add, remove, resume) is seen
LOOK_EVERY_S = 1.0  # between two looks at where the partitions end
LEADERS_TIMEOUT_S = 1.0

TopicPartition = tuple[str, int]

REFUSALS = frozenset(
    {
        ck.KafkaError._AUTHENTICATION,
        ck.KafkaError.SASL_AUTHENTICATION_FAILED,
        ck.KafkaError.TOPIC_AUTHORIZATION_FAILED,
        ck.KafkaError.GROUP_AUTHORIZATION_FAILED,
    }
)
"""Errors that a person has to mend: trying again for ever would only hide them."""


class OffsetGone(Exception):
    """A committed offset is no longer in the log: records were deleted before they were read. Never a silent reset."""


class ReaderFailed(Exception):
    """The consumer met an error that it cannot mend by itself."""


class Batch(Struct, gc=False):
    """Records of one topic's partition, in the order of the log; `at_end`: the end was seen after the last of them."""

    topic: str
    partition: int
    epoch: int
    records: list[InputRecord]
    at_end: bool


class _Add(Struct):
    epoch: int
    positions: dict[TopicPartition, int]


class _Remove(Struct):
    topic_partitions: list[TopicPartition]


class _Resume(Struct):
    topic_partition: TopicPartition
    epoch: int


class Reader:
    """Reads for all tasks of a worker. The public methods belong to the event loop's thread.

    `deliver` is called on the loop with each list of batches. `failed` is called on the loop once, with the exception that ended
    the thread.
    """

    def __init__(
        self,
        config: Mapping[str, Any],
        deliver: Callable[[list[Batch]], None],
        failed: Callable[[BaseException], None],
        *,
        high_water_records: int,
        low_water_records: int,
    ) -> None:
        self._config = {
            **config,
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "isolation.level": "read_committed",
            "enable.partition.eof": True,
            "auto.offset.reset": "error",
            "fetch.wait.max.ms": 20,
            "fetch.queue.backoff.ms": 10,
            "queued.max.messages.kbytes": 32768,
        }
        self._deliver = deliver
        self._failed = failed
        self._high_water = high_water_records
        self._low_water = low_water_records
        self._commands: queue.SimpleQueue[_Add | _Remove | _Resume] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._moved_at_s = time.monotonic()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        # how many records of a partition are on their way or queued; the thread adds, the loop subtracts
        self._lock = threading.Lock()
        self._queued: dict[TopicPartition, int] = {}
        self._epochs: dict[TopicPartition, int] = {}
        self._paused: set[TopicPartition] = set()
        # the epochs as the thread has carried them out: what a consume() returns belongs to these, not to a later add()
        self._reading: dict[TopicPartition, int] = {}
        self._high_watermarks: dict[TopicPartition, int] = {}
        self._look_at_s = 0.0
        self._known_topics: set[str] = set()

    def start(self) -> None:
        """Start the thread; batches go to the running event loop."""
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._run, name="reader", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread and close the consumer; waits for it."""
        self._stopping.set()
        if self._thread is not None and self._thread.is_alive():
            self._thread.join()

    def still_s(self) -> float:
        """For how long the thread has not come round, whether there was anything to read or not; 0 when it does not run."""
        is_running = self._thread is not None and self._thread.is_alive()
        return time.monotonic() - self._moved_at_s if is_running else 0.0

    def moved(self) -> None:
        """Note that the thread gets on; it may be called from any thread."""
        self._moved_at_s = time.monotonic()

    @property
    def place(self) -> str:
        """Where the thread stands."""
        return place_of_thread(self._thread.ident or 0) if self._thread is not None else UNKNOWN

    def add(self, epoch: int, positions: Mapping[TopicPartition, int]) -> None:
        """Read these partitions from these offsets on, for the given epoch."""
        with self._lock:
            for tp in positions:
                self._epochs[tp] = epoch
                self._queued[tp] = 0
        self._commands.put(_Add(epoch, dict(positions)))

    def remove(self, topic_partitions: list[TopicPartition]) -> None:
        """Read these partitions no longer; what is under way still carries its old epoch."""
        with self._lock:
            for tp in topic_partitions:
                self._epochs.pop(tp, None)
                self._queued.pop(tp, None)
        self._commands.put(_Remove(list(topic_partitions)))

    def taken(self, tp: TopicPartition, epoch: int, records: int) -> None:
        """The task has worked off records of this partition; reading goes on once few are left."""
        with self._lock:
            if self._epochs.get(tp) != epoch:
                return
            self._queued[tp] -= records
            resume = tp in self._paused and self._queued[tp] <= self._low_water
        if resume:
            self._commands.put(_Resume(tp, epoch))

    @property
    def high_watermarks(self) -> Mapping[TopicPartition, int]:
        """Where the partitions end that are read, as the broker said with what was last fetched: at most a moment old."""
        return self._high_watermarks

    # ---- the thread ----

    def _run(self) -> None:
        consumer = None
        try:
            consumer = ck.Consumer(self._config)
            while not self._stopping.is_set():
                self.moved()
                self._obey(consumer)
                messages = consumer.consume(CONSUME_MAX_RECORDS, CONSUME_TIMEOUT_S)
                if messages:
                    self._hand_over(consumer, messages)
                self._look(consumer)
        except BaseException as error:  # noqa: BLE001 - whatever ends the thread must reach the loop, or the worker would hang
            self._call(self._failed, error)
        finally:
            if consumer is not None:
                consumer.close()

    def _look(self, consumer: ck.Consumer) -> None:
        """Note where the partitions end, now and then; the client knows it without asking."""
        now_s = time.monotonic()
        if now_s < self._look_at_s:
            return
        self._look_at_s = now_s + LOOK_EVERY_S
        found = {}
        for topic, partition in self._reading:
            marks = consumer.get_watermark_offsets(ck.TopicPartition(topic, partition), cached=True)
            if marks[1] >= 0:  # before the first fetch nothing is known
                found[topic, partition] = marks[1]
        self._high_watermarks = found

    def _obey(self, consumer: ck.Consumer) -> None:
        while True:
            try:
                command = self._commands.get_nowait()
            except queue.Empty:
                return
            match command:
                case _Add(positions=positions):
                    with self._lock:
                        self._paused.difference_update(positions)
                    self._reading.update(dict.fromkeys(positions, command.epoch))
                    self._ask_for_leaders(consumer, {topic for topic, _ in positions})
                    consumer.incremental_assign([ck.TopicPartition(t, p, offset) for (t, p), offset in positions.items()])
                    # the client remembers a pause across unassign and assign
                    consumer.resume([ck.TopicPartition(*tp) for tp in positions])
                case _Remove(topic_partitions=tps):
                    with self._lock:
                        self._paused.difference_update(tps)
                    for tp in tps:
                        self._reading.pop(tp, None)
                    consumer.incremental_unassign([ck.TopicPartition(t, p) for t, p in tps])
                case _Resume(topic_partition=tp, epoch=epoch):
                    with self._lock:
                        wanted = tp in self._paused and self._epochs.get(tp) == epoch
                        self._paused.discard(tp)
                    if wanted:
                        consumer.resume([ck.TopicPartition(*tp)])

    def _ask_for_leaders(self, consumer: ck.Consumer, topics: set[str]) -> None:
        """Ask for the leaders of topics that are read for the first time.

        The client would find them too, but only when its timer of one second comes round.
        """
        for topic in topics - self._known_topics:
            try:
                consumer.list_topics(topic, LEADERS_TIMEOUT_S)
            except ck.KafkaException as error:  # then the timer finds them
                logger.debug("reader: the leaders of %s are not known yet: %s", topic, error)
                return
            self._known_topics.add(topic)

    def _hand_over(self, consumer: ck.Consumer, messages: list[ck.Message]) -> None:
        batches: dict[TopicPartition, Batch] = {}
        batch: Batch | None = None
        for message in messages:
            error = message.error()
            topic, partition = message.topic(), message.partition()
            if error is not None and error.code() != ck.KafkaError._PARTITION_EOF:
                _judge_error(error, f"{topic}[{partition}]")
                continue
            if batch is None or partition != batch.partition or topic != batch.topic:  # most come in runs of one partition
                assert topic is not None, "a record, and the end of a partition, have a place"
                assert partition is not None
                batch = self._batch(batches, (topic, partition))
                if batch is None:
                    continue
            if error is not None:
                batch.at_end = True
                continue
            batch.at_end = False
            batch.records.append(_record(message, batch.topic, batch.partition))
        self._hold_back(consumer, batches)
        if batches:
            self._call(self._deliver, list(batches.values()))

    def _batch(self, batches: dict[TopicPartition, Batch], tp: TopicPartition) -> Batch | None:
        """The batch that a partition's records go to; None when the partition is not read any more."""
        batch = batches.get(tp)
        if batch is None:
            epoch = self._reading.get(tp)
            if epoch is not None:
                batch = batches[tp] = Batch(*tp, epoch, [], at_end=False)
        return batch

    def _hold_back(self, consumer: ck.Consumer, batches: Mapping[TopicPartition, Batch]) -> None:
        full = []
        with self._lock:
            for tp, batch in batches.items():
                if self._epochs.get(tp) != batch.epoch:
                    continue
                self._queued[tp] += len(batch.records)
                if self._queued[tp] > self._high_water and tp not in self._paused:
                    self._paused.add(tp)
                    full.append(ck.TopicPartition(*tp))
        if full:
            consumer.pause(full)

    def _call(self, function: Callable[[Any], None], argument: object) -> None:
        assert self._loop is not None
        try:
            self._loop.call_soon_threadsafe(function, argument)
        except RuntimeError:  # the loop was closed under a worker that ends
            self._stopping.set()


def _judge_error(error: ck.KafkaError, place: str) -> None:
    """Raises what cannot be mended by trying again, which the client does by itself."""
    if error.code() in (ck.KafkaError._AUTO_OFFSET_RESET, ck.KafkaError.OFFSET_OUT_OF_RANGE):
        raise OffsetGone(f"{place}: the next offset to read is no longer in the log ({error.str()})")
    if error.fatal() or error.code() in REFUSALS:
        raise ReaderFailed(f"{place}: {error.str()}")
    logger.warning("reader: %s: %s", place, error.str())


def _record(message: ck.Message, topic: str, partition: int) -> InputRecord:
    """A message that was read, as ours; the client's types also cover messages that are still to be sent."""
    offset: Any = message.offset()
    headers: Any = message.headers()
    return InputRecord(topic, partition, offset, message.timestamp()[1], message.key(), message.value(), headers)
