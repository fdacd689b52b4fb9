"""A real incident log through `publish` and a worker: every day's counts are those of an independent batch computation.

The log is moved by whole days so that its last day is yesterday, and at the end of each day all partitions are told the time; the
partials of that tick then say what the fleet looked like at the end of that day.
"""

from collections import defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import pytest

from schemas.events import Tick
from schemas.jsonlines import Line
from streams.shift import shift
from streams.sources.bad_line import BadLine
from streams.sources.lines import line_of
from streams.sources.servicenow import read_servicenow
from tests.support.cluster import PARTITIONS, Cluster, now_ms
from tests.support.publishing import TICKS_TOPIC, publish_lines, wait_until_folded
from tests.support.servicenow_file import real_servicenow_log
from tests.support.servicenow_oracle import AGEING_DAYS, Log, end_of, read_log
from tests.support.topic_log import Logged, read_topic
from tests.support.worker import Workers

pytestmark = [pytest.mark.timeout(420), pytest.mark.slow]

DAY_MS = 86_400_000
FOLD_LIMIT_S = 300.0


@dataclass
class Shifted:
    """The log, moved by whole days."""

    log: Log
    by_days: int

    def day_number(self, day: date) -> int:
        """The day since 1970 that a day of the log was moved to."""
        return (day - date(1970, 1, 1)).days + self.by_days

    def last_moment_ms(self, day: date) -> int:
        """The last millisecond of a day of the log, where it was moved to."""
        return (self.day_number(day) + 1) * DAY_MS - 1


@pytest.fixture(scope="module")
def shifted() -> Shifted:
    log = read_log(real_servicenow_log())
    yesterday = now_ms() // DAY_MS - 1
    return Shifted(log, yesterday - (log.days()[-1] - date(1970, 1, 1)).days)


def read_lines() -> Iterator[Line | BadLine]:
    """The log's events as lines."""
    for event in read_servicenow(real_servicenow_log()):
        yield event if isinstance(event, BadLine) else line_of(event)


def lines_with_ticks(shifted: Shifted) -> Iterator[Line]:
    """The log's lines, and a tick for each partition at the last moment of each day."""
    moved: list[Line] = []
    for line in shift(read_lines(), shifted.by_days * DAY_MS):
        assert not isinstance(line, BadLine), line
        moved.append(line)
    for day in shifted.log.days():
        at_ms = shifted.last_moment_ms(day)
        for partition in range(PARTITIONS):
            tick = Tick(occurred_at=at_ms, partition=partition, config_version=0)
            moved.append(Line(topic=TICKS_TOPIC, value=tick, timestamp_ms=at_ms, key=str(partition).encode()))
    yield from sorted(moved, key=lambda line: line.timestamp_ms)


def name_of(record: Logged) -> tuple[str, str, int | None, int]:
    """Figure, dimension, bucket and partition of a partial, from its key."""
    assert record.key is not None
    figure, _, rest = record.key.decode().partition("|")
    dimension, bucket, partition, _incarnation = rest.rsplit("|", 3)
    return figure, dimension, int(bucket) if bucket else None, int(partition)


class Fleet:
    """The partials of all partitions, followed through time: a tick's partials of a partition end with its `as_of`."""

    def __init__(self, cluster: Cluster) -> None:
        self._waiting: dict[int, deque[Logged]] = {partition: deque() for partition in range(PARTITIONS)}
        self._counts: dict[tuple[str, str, int | None], dict[int, list[int]]] = defaultdict(dict)
        for record in read_topic(cluster.bootstrap, "cs.fleet-partials"):
            self._waiting[name_of(record)[3]].append(record)

    def go_to(self, at_ms: int) -> None:
        """Take in the partials up to a time."""
        for partition, waiting in self._waiting.items():
            while waiting and self._counts["as_of", "", None].get(partition, [0])[0] < at_ms:
                record = waiting.popleft()
                of_all = self._counts[name_of(record)[:3]]
                if record.value is None:
                    del of_all[partition]
                else:
                    of_all[partition] = record.fields()["counts"]

    def as_of(self) -> dict[int, int]:
        """How far each partition is."""
        return {partition: counts[0] for partition, counts in self._counts["as_of", "", None].items()}

    def by_dimension(self, figure: str) -> dict[str, int]:
        """The first place of a gauge, summed over the partitions, where it is not 0."""
        found: dict[str, int] = defaultdict(int)
        for (name, dimension, _), partitions in self._counts.items():
            if name == figure:
                found[dimension] += sum(counts[0] for counts in partitions.values())
        return {dimension: count for dimension, count in found.items() if count}

    def flow(self, figure: str, bucket: int) -> list[int]:
        """A flow's bucket, summed over dimensions and partitions."""
        parts = [
            counts
            for (name, _, at), partitions in self._counts.items()
            if name == figure and at == bucket
            for counts in partitions.values()
        ]
        return [sum(places) for places in zip(*parts, strict=True)] if parts else [0, 0, 0, 0, 0]


def ageing_of(by_opening_day: dict[str, int], today: int) -> list[int]:
    """Open tickets by age at the last moment of a day: opened on that day is an age below one day, and so on."""
    buckets = [0] * (len(AGEING_DAYS) + 1)
    for day, count in by_opening_day.items():
        age_days = today - int(day)
        buckets[sum(age_days >= border for border in AGEING_DAYS)] += count
    return buckets


def test_backlog_flows_and_ageing_at_the_end_of_each_day_equal_the_batch_computation(
    shifted: Shifted, cluster: Cluster, workers: Workers
) -> None:
    log = shifted.log
    publish_lines(cluster, lines_with_ticks(shifted))
    worker = workers.start(tick_interval_ms="0")
    wait_until_folded(cluster, workers.app_id, FOLD_LIMIT_S)
    assert worker.stop() == 0  # without isolation a state may be seen a moment before its outputs

    assert read_topic(cluster.bootstrap, "cs.dead-letters") == []
    fleet = Fleet(cluster)
    happened = {what: log.count_by_day(what) for what in ("opened", "solved", "reopened")}
    millisecond = timedelta(milliseconds=1)
    for day in log.days():
        at_ms, number = shifted.last_moment_ms(day), shifted.day_number(day)
        fleet.go_to(at_ms)
        assert fleet.as_of() == dict.fromkeys(range(PARTITIONS), at_ms)
        moment: datetime = end_of(day) - millisecond
        by_opening_day = fleet.by_dimension("open_tickets_by_opening_day")
        assert sum(by_opening_day.values()) == log.backlog_at(moment) == log.backlog_at(end_of(day)), day
        assert sum(fleet.by_dimension("open_tickets_by_priority").values()) == log.backlog_at(moment), day
        assert ageing_of(by_opening_day, number) == log.ageing_at(moment), day
        opened, solved, reopened, unknown, _ = fleet.flow("tickets_by_day", number * DAY_MS)
        expected = [happened[what].get(day, 0) for what in ("opened", "solved", "reopened")]
        assert ([opened, solved, reopened], unknown) == (expected, 0), day
