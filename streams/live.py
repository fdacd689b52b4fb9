"""Simulated customers that publish into the topics: what has happened up to now at once, the rest when it happens.

Each record carries in a header which simulation it is of and its number in it, so that a start finds in the log what was
published before and goes on there: nothing is kept elsewhere. The producer keeps the order of each partition, so a record is in
the log just when its partition has one with its number or a higher one: nothing is sent twice, wherever a kill came between the
partitions. (What happened more than two days ago would be counted twice: its ids are not remembered any more.)
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
from streams.topics import EVENT_TOPICS, partition_of

HEADER: Final = "cspulse-simulation"
BURST_RECORDS: Final = 1_000  # after so many all are acknowledged, and whether to stop is asked
BROKER_TIMEOUT_S: Final = 15.0
_S_IN_MS: Final = 1_000
_WITHOUT_GAPS: Final = {"enable.gapless.guarantee": True}
"""A record that is given up breaks the producer, before one behind it is written: what is in the log is all up to a number."""


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


class Played(Struct, frozen=True, kw_only=True):
    """A course, and the number of its last record on each partition of each topic, where it has any."""

    course: Course
    reached: dict[tuple[str, int], int] = {}

    def has(self, topic: str, partition: int, number: int) -> bool:
        """Whether a record of the course that belongs there is in the log."""
        return number <= self.reached.get((topic, partition), 0)


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


def find_played(connection: Mapping[str, Any], partitions: int) -> Played | None:
    """The newest course in the event topics, and how far it has come; None when there is none.

    Raises `streams.cluster.ReadFailed`, and `KafkaException` from the client.
    """
    consumer = reading_consumer(connection)
    found: dict[tuple[str, int], Mark] = {}
    try:
        for topic in EVENT_TOPICS:
            for partition in range(partitions):
                message = newest_record(consumer, topic, partition, lambda message: _mark_of(message.headers()) is not None)
                mark = None if message is None else _mark_of(message.headers())
                if mark is not None:
                    found[topic, partition] = mark
    finally:
        consumer.close()
    if not found:
        return None
    newest = max(found.values(), key=lambda mark: (mark.course.end_ms, mark.number)).course
    return Played(course=newest, reached={place: mark.number for place, mark in found.items() if mark.course == newest})


def play(
    played: Played,
    *,
    connection: Mapping[str, Any],
    codec: Codec,
    follow: bool,
    clock: Clock,
    stopped: Callable[[], bool],
) -> int:
    """Publish what is not in the log of the course, up to now, and with `follow` on until it ends or `stopped`.

    Returns how many records were sent.

    Raises PublishError when nothing more can be sent, RegistryUnreachable.
    """
    outbox = Outbox({**connection, **_WITHOUT_GAPS})
    partitions = outbox.partitions(BROKER_TIMEOUT_S)
    for number, line in _timely(played.course, outbox, follow=follow, clock=clock, stopped=stopped):
        if played.has(line.topic, partition_of(line.key or b"", partitions), number):
            continue
        mark = msgspec.json.encode(Mark(course=played.course, number=number))
        marked = msgspec.structs.replace(line, headers=[*line.headers, (HEADER, mark)])
        ready = prepare(marked, codec, partitions, clock.now_ms())
        if isinstance(ready, Refusal):
            outbox.refuse(ready)
        else:
            outbox.send(ready)
    outbox.finish()
    return outbox.report.sent


def _timely(
    course: Course, outbox: Outbox, *, follow: bool, clock: Clock, stopped: Callable[[], bool]
) -> Iterator[tuple[int, Line]]:
    """The lines with their numbers, each not before its own time. Before a pause everything that was sent is acknowledged."""
    for number, line in enumerate(simulate(course.simulation()), 1):
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
