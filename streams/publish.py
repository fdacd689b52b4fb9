"""Puts events into their topics: in the order given, on the partition of their customer, at the time their record carries.

What may not be sent is refused line by line, with a reason; the rest goes on. An import of history must be in order of time, as
the sources hand it out, because a partition's clock never goes back.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from confluent_kafka import KafkaError, KafkaException, Message, Producer
from msgspec import Struct, field

from processors.windows import DAY_MS
from schemas.codec import MAX_INPUT_BYTES, Codec, EncodingError
from schemas.events import AccountEvent, SurveyEvent, Tick, TicketEvent, UsageEvent
from schemas.jsonlines import Headers, Line
from streams.sources.bad_line import BadLine
from streams.ticks import TICKS_TOPIC
from streams.topics import ALLOWED_SKEW_MS, INPUT_TOPICS, MAX_RECORD_BYTES, TOPICS, partition_of

_BY_KEY = -1  # what librdkafka calls an unassigned partition: its partitioner chooses
_DELIVERY_TIMEOUT_MS = 60_000
_POLL_EVERY = 500
_FULL_WAIT_S = 0.1
_PROGRESS_EVERY = 1_000

PRODUCER_CONFIG: dict[str, str | int | float | bool] = {
    "partitioner": "murmur2_random",  # librdkafka's own default differs from Java's, and the pipeline refuses what is misplaced
    "enable.idempotence": True,  # a retry neither repeats a record nor changes the order
    "compression.type": "zstd",
    "linger.ms": 20,
    "message.max.bytes": MAX_RECORD_BYTES,
    "delivery.timeout.ms": _DELIVERY_TIMEOUT_MS,
    "queue.buffering.max.kbytes": 64 * 1024,
    "log_level": 2,  # what goes wrong is in the report or raised
}
"""What `publish` adds to the settings of the connection."""


class PublishError(Exception):
    """Nothing more can be sent: the brokers cannot be reached, a topic is missing, or the producer is broken. Says what to do."""


class Refusal(Struct, frozen=True, kw_only=True):
    """A record that was not sent, or whose sending failed: a short `reason` to count by, and the whole `message`."""

    reason: str
    message: str


class Ready(Struct, frozen=True, kw_only=True, gc=False):
    """A record as the producer takes it; `partition` is where it must come to lie."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes
    timestamp_ms: int
    headers: Headers


class Report(Struct, kw_only=True):
    """What became of the lines. `sent` were acknowledged by the brokers; `failed` were handed over and were not.

    `refused` counts by reason, with one `examples` message for each; `bad_lines` were never events.
    """

    sent: int = 0
    sent_bytes: int = 0
    by_topic: dict[str, int] = field(default_factory=dict)
    refused: dict[str, int] = field(default_factory=dict)
    examples: dict[str, str] = field(default_factory=dict)
    failed: int = 0
    bad_lines: int = 0

    @property
    def is_complete(self) -> bool:
        """Whether everything that was given lies in the topics."""
        return not (self.refused or self.failed or self.bad_lines)


class OnProgress(Protocol):
    """Told now and then, and at the end: lines handled, lines in all (None when unknown), bytes handed to the producer."""

    def __call__(self, count: int, total: int | None, sent_bytes: int) -> None:
        """Take note."""


def retention_of(topic: str) -> int | None:
    """How long a topic keeps records, as this project creates it."""
    return TOPICS[topic].retention_ms


def prepare(
    line: Line, codec: Codec, partitions: int, now_ms: int, retention: Callable[[str], int | None] = retention_of
) -> Ready | Refusal:
    """The record of a line, or why it may not be sent.

    Raises `RegistryUnreachable` when the encoding needs a registry that does not answer.
    """
    place = _place_of(line, partitions)
    if isinstance(place, Refusal):
        return place
    untimely = _untimely(line, now_ms, retention(line.topic))
    if untimely is not None:
        return untimely
    try:
        value = codec.encode(line.topic, line.value)
    except EncodingError as error:
        return Refusal(reason="unencodable", message=f"{_name(line)}: {error}")
    if len(value) > MAX_INPUT_BYTES:
        return Refusal(reason="too_large", message=f"{_name(line)}: {len(value)} bytes, and at most {MAX_INPUT_BYTES} are read")
    return Ready(
        topic=line.topic, partition=place, key=line.key, value=value, timestamp_ms=line.timestamp_ms, headers=line.headers
    )


def publish(
    lines: Iterable[Line | BadLine],
    *,
    connection: Mapping[str, str | int | float | bool],
    codec: Codec,
    now_ms: int,
    total: int | None = None,
    on_progress: OnProgress | None = None,
    on_bad_line: Callable[[BadLine], None] | None = None,
    retention: Callable[[str], int | None] = retention_of,
    broker_timeout_s: float = 15.0,
) -> Report:
    """Send the lines and wait until the brokers have them.

    `connection` are librdkafka's settings for reaching the brokers; `now_ms` is what retention and future are measured from.
    `broker_timeout_s` is how long a first answer is waited for. Memory is bounded by the producer's queue: when it is full,
    this waits.

    Raises:
        PublishError: nothing (more) can be sent.
        RegistryUnreachable: the encoding needs a registry that does not answer.
    """
    outbox = Outbox(connection)
    partitions = outbox.partitions(broker_timeout_s)
    report, count = outbox.report, 0
    for line in lines:
        count += 1
        if isinstance(line, BadLine):
            report.bad_lines += 1
            if on_bad_line is not None:
                on_bad_line(line)
        else:
            ready = prepare(line, codec, partitions, now_ms, retention)
            if isinstance(ready, Refusal):
                outbox.refuse(ready)
            else:
                outbox.send(ready)
        if on_progress is not None and count % _PROGRESS_EVERY == 0:
            on_progress(count, total, outbox.queued_bytes)
    outbox.finish()
    if on_progress is not None:
        on_progress(count, total, outbox.queued_bytes)
    return report


def missing_topics(names: Iterable[str]) -> str:
    """What is said when topics are not there."""
    return f"missing topics: {', '.join(names)}. `cspulse topics apply` creates them."


class Outbox:
    """The producer, and the count of what became of each record."""

    def __init__(self, connection: Mapping[str, str | int | float | bool]) -> None:
        self.report = Report()
        self.queued_bytes = 0
        self._servers = connection.get("bootstrap.servers", "")
        self._handed_over = 0
        self._fatal: str | None = None
        self._producer = Producer({**connection, **PRODUCER_CONFIG, "error_cb": self._broken})

    def partitions(self, timeout_s: float) -> int:
        """How many partitions each input topic has. Raises `PublishError` when one is missing or they differ."""
        try:
            # Asking for all topics, not for ours by name: a broker may create a topic that is asked for.
            known = self._producer.list_topics(timeout=timeout_s).topics
        except KafkaException as error:
            raise PublishError(f"no broker answers at {self._servers}: {_text(error.args[0])}") from error
        missing = [topic for topic in INPUT_TOPICS if topic not in known or not known[topic].partitions]
        if missing:
            raise PublishError(missing_topics(missing))
        counts = {topic: len(known[topic].partitions) for topic in INPUT_TOPICS}
        if len(set(counts.values())) > 1:
            told = ", ".join(f"{topic} has {count}" for topic, count in counts.items())
            raise PublishError(f"the input topics need the same number of partitions: {told}. `cspulse doctor` says more.")
        return next(iter(counts.values()))

    def refuse(self, refusal: Refusal) -> None:
        """Count a record that is not sent."""
        self.report.refused[refusal.reason] = self.report.refused.get(refusal.reason, 0) + 1
        self.report.examples.setdefault(refusal.reason, refusal.message)

    def send(self, ready: Ready) -> None:
        """Hand a record over, waiting while the queue is full."""
        # An event's partition is left to the partitioner, which is what other producers use, and checked on delivery.
        partition = ready.partition if ready.topic == TICKS_TOPIC else _BY_KEY
        headers: list[tuple[str, str | bytes | None]] = list(ready.headers)
        while True:
            try:
                self._producer.produce(
                    ready.topic,
                    value=ready.value,
                    key=ready.key,
                    timestamp=ready.timestamp_ms,
                    headers=headers,
                    on_delivery=lambda error, message: self._delivered(error, message, ready),
                    partition=partition,
                )
                break
            except BufferError:
                self._producer.poll(_FULL_WAIT_S)
                self._raise_if_broken()
            except KafkaException as error:
                raise PublishError(f"the producer does not take any more records: {_text(error.args[0])}") from error
        self.queued_bytes += len(ready.value)
        self._handed_over += 1
        if self._handed_over % _POLL_EVERY == 0:
            self._producer.poll(0)
            self._raise_if_broken()

    def finish(self) -> None:
        """Wait for the last acknowledgement. Each record has one within the delivery timeout, good or bad."""
        while self._producer.flush(1.0):
            self._raise_if_broken()
        self._raise_if_broken()

    def _delivered(self, error: KafkaError | None, message: Message, ready: Ready) -> None:
        report = self.report
        if error is not None:
            report.failed += 1
            report.examples.setdefault("failed", f"{ready.topic}: not delivered: {_text(error)}")
        elif message.partition() != ready.partition:
            report.failed += 1
            report.examples.setdefault(
                "failed",
                f"{ready.topic}: the record came to partition {message.partition()} instead of {ready.partition}: the number of "
                "partitions was changed",
            )
        else:
            report.sent += 1
            report.sent_bytes += len(ready.value)
            report.by_topic[ready.topic] = report.by_topic.get(ready.topic, 0) + 1

    def _broken(self, error: KafkaError) -> None:
        if error.fatal():
            self._fatal = _text(error)

    def _raise_if_broken(self) -> None:
        if self._fatal is not None:
            raise PublishError(f"the producer is broken after {self.report.sent} records: {self._fatal}")


def _place_of(line: Line, partitions: int) -> int | Refusal:
    value = line.value
    if isinstance(value, Tick):
        if value.partition < partitions:
            return value.partition
        return Refusal(
            reason="misrouted", message=f"{_name(line)}: a tick of partition {value.partition}; the topics have {partitions}"
        )
    if not isinstance(value, TicketEvent | UsageEvent | SurveyEvent | AccountEvent):
        return Refusal(reason="not_an_input", message=f"{line.topic} is an output; events go to {', '.join(INPUT_TOPICS)}")
    key = value.customer_id.encode()
    if line.key != key:
        return Refusal(reason="key_mismatch", message=f"{_name(line)}: the key must be the customer_id {value.customer_id!r}")
    return partition_of(key, partitions)


def _untimely(line: Line, now_ms: int, retention_ms: int | None) -> Refusal | None:
    """A broker drops what is older than the topic's retention, and refuses what is ahead of its clock."""
    age_ms = now_ms - line.timestamp_ms
    if retention_ms is not None and age_ms > retention_ms:
        return Refusal(
            reason="older_than_retention",
            message=f"{_name(line)}: {age_ms // DAY_MS} days old, and {line.topic} keeps {retention_ms // DAY_MS} days; it "
            "would be dropped. --shift-to-now moves the whole file to end now",
        )
    if -age_ms > ALLOWED_SKEW_MS:
        return Refusal(
            reason="future",
            message=f"{_name(line)}: its timestamp lies {-age_ms // 60_000} minutes ahead of the clock, and the topic allows "
            f"{ALLOWED_SKEW_MS // 60_000}. --shift-to-now moves the whole file to end now",
        )
    return None


def _name(line: Line) -> str:
    event_id = getattr(line.value, "event_id", None)
    return f"{line.topic}, event {event_id}" if event_id else line.topic


def _text(error: object) -> str:
    return str(error.str()) if isinstance(error, KafkaError) else str(error)
