"""The broker that is measured on, the records on it, and the processes that work on them."""

import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import confluent_kafka as ck
from confluent_kafka.admin import AdminClient
from msgspec import Struct

from streams.patience import patiently
from streams.topics import EVENT_TOPICS, specs
from tests.support.cluster import ApacheCluster

REPOSITORY = Path(__file__).parents[1]
PARTITIONS = 4
LOOK_EVERY_S = 0.03
START_LIMIT_S = 60.0
ANSWER_LIMIT_S = 5.0
STOP_LIMIT_S = 30.0
FLUSH_LIMIT_S = 60.0


class MeasurementFailed(Exception):
    """A program under measurement ended or did not get on; the message carries the end of its log."""


class Pace(Struct, frozen=True):
    """How fast a program committed its work: from its first commit to its last, seen from outside.

    `cpu_s` is the processor time of the whole process, start included.
    """

    records: int
    wall_s: float
    cpu_s: float

    @property
    def per_s(self) -> float:
        """Records a second."""
        return self.records / self.wall_s


def create_topics(cluster: ApacheCluster, app_id: str) -> None:
    """The topics of an application that are not there yet."""
    there = AdminClient({"bootstrap.servers": cluster.bootstrap}).list_topics(timeout=10).topics
    cluster.create([spec for spec in specs(app_id, PARTITIONS) if spec.name not in there])


def produce(bootstrap: str, records: Iterable[tuple[str, int, bytes, bytes, int]]) -> int:
    """Write (topic, partition, key, value, timestamp in ms); returns how many."""
    producer = ck.Producer({"bootstrap.servers": bootstrap, "linger.ms": 20, "queue.buffering.max.messages": 200_000})
    written = 0
    for topic, partition, key, value, timestamp_ms in records:
        while True:
            try:
                producer.produce(topic, value, key, partition, timestamp=timestamp_ms)
                break
            except BufferError:
                producer.poll(0.1)
        written += 1
    if producer.flush(FLUSH_LIMIT_S):
        raise MeasurementFailed("the broker did not take the events")
    return written


def committed_pace(bootstrap: str, app_id: str, command: Sequence[str], records: int, limit_s: float, folder: Path) -> Pace:
    """Start a program that reads `records` records as the group `app_id`, and watch its committed offsets."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with running(command, folder / f"{app_id}.log") as process:
        group = _Group(bootstrap, app_id)
        first_at, first = _wait_beyond(group, process, 0, START_LIMIT_S)
        last_at, last = _wait_beyond(group, process, records - 1, limit_s)
        group.close()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Pace(last - first, last_at - first_at, cpu_s)


def wait_committed(bootstrap: str, app_id: str, program: "Program", records: int, limit_s: float) -> None:
    """Wait until the group of a running program has committed so many records; raises MeasurementFailed."""
    group = _Group(bootstrap, app_id)
    _wait_beyond(group, program, records - 1, limit_s)
    group.close()


@contextmanager
def running(command: Sequence[str], log: Path) -> Iterator["Program"]:
    """A program of this project, ended with the block."""
    program = Program(command, log)
    try:
        yield program
    finally:
        program.stop()


class Program:
    """A process with a log of its own."""

    def __init__(self, command: Sequence[str], log: Path) -> None:
        self._log = log
        with log.open("ab") as out:
            self._process = subprocess.Popen(
                [sys.executable, *command],
                cwd=REPOSITORY,
                env={name: value for name, value in os.environ.items() if not name.startswith("CSPULSE_")},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
            )

    def check(self) -> None:
        """Raises MeasurementFailed when it has ended."""
        code = self._process.poll()
        if code is not None:
            raise MeasurementFailed(f"{self._log.stem} ended with {code}:\n{self.tail()}")

    def said(self) -> str:
        """Its log."""
        return self._log.read_text(errors="replace")

    def tail(self) -> str:
        """The end of its log."""
        return self.said()[-3000:]

    def stop(self) -> None:
        """Ask it to end, and wait for it."""
        self._process.terminate()
        try:
            self._process.wait(STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def wait(self, limit_s: float) -> str:
        """Wait for its end; returns what it said. Raises MeasurementFailed."""
        try:
            code = self._process.wait(limit_s)
        except subprocess.TimeoutExpired as error:
            raise MeasurementFailed(f"{self._log.stem} did not end within {limit_s:.0f} s:\n{self.tail()}") from error
        if code:
            raise MeasurementFailed(f"{self._log.stem} ended with {code}:\n{self.tail()}")
        return self.said()


class _Group:
    """How many records of the four event topics a consumer group has committed."""

    def __init__(self, bootstrap: str, app_id: str) -> None:
        # read_uncommitted: else the broker gives no answer while a transaction of the group is open, and one nearly always is
        config = {"bootstrap.servers": bootstrap, "group.id": app_id, "isolation.level": "read_uncommitted", "log_level": 0}
        self._consumer = ck.Consumer(config)
        self._places = [ck.TopicPartition(topic, p) for topic in EVENT_TOPICS for p in range(PARTITIONS)]

    def committed(self) -> int:
        places = patiently(lambda left_s: self._consumer.committed(self._places, min(left_s, ANSWER_LIMIT_S)), START_LIMIT_S)
        return sum(max(0, place.offset) for place in places)

    def close(self) -> None:
        self._consumer.close()


def _wait_beyond(group: _Group, program: Program, count: int, limit_s: float) -> tuple[float, int]:
    """When and with how many the group had committed more than `count` records."""
    deadline = time.monotonic() + limit_s
    while True:
        committed = group.committed()
        now = time.monotonic()
        if committed > count:
            return now, committed
        program.check()
        if now > deadline:
            raise MeasurementFailed(
                f"{committed} records after {limit_s:.0f} s, more than {count} were wanted:\n{program.tail()}"
            )
        time.sleep(LOOK_EVERY_S)
