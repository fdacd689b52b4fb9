"""Simulated customers that publish into the topics: what has happened up to now at once, the rest when it happens.

Each record carries in a header which simulation it is of and its number in it, so that a start finds in the log what was
published before and goes on there: nothing is kept elsewhere. The last `BURST_RECORDS` are sent again, since a kill may have come
between the partitions; the pipeline drops what it has seen.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct

from processors.windows import DAY_MS
from schemas.codec import Codec
from schemas.jsonlines import Line
from streams.cluster import newest_record, reading_consumer
from streams.publish import Outbox, Refusal, prepare
from streams.sources.simulator import Simulation, simulate
from streams.topics import EVENT_TOPICS

HEADER: Final = "cspulse-simulation"
BURST_RECORDS: Final = 1_000  # after so many all are acknowledged, so that none behind the newest is missing by more
BROKER_TIMEOUT_S: Final = 15.0
_S_IN_MS: Final = 1_000


class Course(Struct, frozen=True, kw_only=True):
    """Which simulation is played, as the records' header says; the fields are those of `Simulation`."""

    customers: int
    seed: int
    days: int
    end_ms: int

    def simulation(self) -> Simulation:
        """It, with its usual untidiness."""
        return Simulation(customers=self.customers, seed=self.seed, days=self.days, end_ms=self.end_ms)


class Mark(Struct, frozen=True, kw_only=True):
    """What the header says: which course a record is of, and its number in it, from 1."""

    course: Course
    number: int


class Clock:
    """The wall clock, and waiting by it."""

    def now_ms(self) -> int:
        """Epoch milliseconds."""
        return time.time_ns() // 1_000_000

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


def new_course(customers: int, seed: int, days_before: int, days_ahead: int, now_ms: int) -> Course:
    """A course that began some days ago and ends some days ahead, by UTC days."""
    today_ms = now_ms // DAY_MS * DAY_MS
    return Course(customers=customers, seed=seed, days=days_before + days_ahead, end_ms=today_ms + days_ahead * DAY_MS)


def find_played(connection: Mapping[str, Any], partitions: int) -> Mark | None:
    """How far the newest course in the event topics has come; None when there is none.

    Raises `streams.cluster.ReadFailed`, and `KafkaException` from the client.
    """
    consumer = reading_consumer(connection)
    found: list[Mark] = []
    try:
        for topic in EVENT_TOPICS:
            for partition in range(partitions):
                message = newest_record(consumer, topic, partition, lambda message: _mark_of(message.headers()) is not None)
                mark = None if message is None else _mark_of(message.headers())
                if mark is not None:
                    found.append(mark)
    finally:
        consumer.close()
    return max(found, key=lambda mark: (mark.course.end_ms, mark.number), default=None)


def play(
    course: Course,
    after: int,
    *,
    connection: Mapping[str, Any],
    codec: Codec,
    follow: bool,
    clock: Clock,
    stopped: Callable[[], bool],
) -> int:
    """Publish the course behind a number, up to now, and with `follow` on until it ends or `stopped`; returns how many records.

    Raises PublishError when nothing more can be sent, RegistryUnreachable.
    """
    outbox = Outbox(connection)
    partitions = outbox.partitions(BROKER_TIMEOUT_S)
    for number, line in _timely(course, after, outbox, follow=follow, clock=clock, stopped=stopped):
        mark = msgspec.json.encode(Mark(course=course, number=number))
        marked = msgspec.structs.replace(line, headers=[*line.headers, (HEADER, mark)])
        ready = prepare(marked, codec, partitions, clock.now_ms())
        if isinstance(ready, Refusal):
            outbox.refuse(ready)
        else:
            outbox.send(ready)
    outbox.finish()
    return outbox.report.sent


def _timely(
    course: Course, after: int, outbox: Outbox, *, follow: bool, clock: Clock, stopped: Callable[[], bool]
) -> Iterator[tuple[int, Line]]:
    """The lines behind a number, each not before its own time. Before a pause everything that was sent is acknowledged."""
    for number, line in enumerate(simulate(course.simulation()), 1):
        if number <= after:
            continue
        if line.timestamp_ms > clock.now_ms():
            if not follow:
                return
            outbox.finish()
            while line.timestamp_ms > clock.now_ms():
                if stopped():
                    return
                clock.sleep(min(1.0, (line.timestamp_ms - clock.now_ms()) / _S_IN_MS))
        elif number % BURST_RECORDS == 0:
            outbox.finish()
            if stopped():
                return
        yield number, line


def _mark_of(headers: Any) -> Mark | None:
    for name, value in headers or ():
        if name == HEADER and value is not None:
            try:
                return msgspec.json.decode(value, type=Mark)
            except msgspec.DecodeError:
                return None
    return None
