"""What a task's commits and looks tell the metrics, held against what the log, the outputs and the state say."""

import asyncio
from collections import Counter
from random import Random

import pytest

from schemas.codec import Codec
from schemas.events import Tick
from schemas.records import DeadLetter
from sinks.metrics import WorkerMetrics
from sinks.samples import TaskSample
from streams.catalogue import Catalogue
from streams.dead_letters import FailureLimit
from streams.driver import PartitionDriver
from streams.duty import Duty
from streams.observing import LoggingObserver
from streams.records import InputRecord, OutputRecord
from streams.sources.simulator import Disorder, Simulation, simulate
from streams.task import PartitionTask, TaskSettings
from streams.ticks import TICKS_TOPIC
from tests.simulation.memory_kafka import PARTITION_0, FaultPlan, InlineExecutor, MemoryKafka, MemoryReader, PartitionLog
from tests.support.scraped import Sample, offered, one

END_MS = 1_767_225_600_000
DAY_MS = 86_400_000
SEED = 23
CODEC = Codec()
SETTINGS = TaskSettings(commit_interval_min_ms=1, commit_interval_max_ms=4, tick_interval_ms=0)


def log_records() -> list[InputRecord]:
    """Some customers with their untidiness, a record that cannot be decoded, and daily ticks."""
    print("seed", SEED)
    lines = simulate(Simulation(customers=8, days=20, seed=SEED, end_ms=END_MS, disorder=Disorder(duplicate_share=0.05)))
    found = [(line.timestamp_ms, line.topic, line.key, CODEC.encode(line.topic, line.value)) for line in lines]
    found.append((END_MS - DAY_MS, "cs.usage", b"customer-000001", b"not Avro"))
    for at_ms in range(END_MS - 20 * DAY_MS, END_MS + 1, DAY_MS):
        tick = Tick(occurred_at=at_ms, partition=0, config_version=0)
        found.append((at_ms, TICKS_TOPIC, b"0", CODEC.encode(TICKS_TOPIC, tick)))
    found.sort(key=lambda record: record[0])
    offsets: Counter[str] = Counter()
    records = []
    for at_ms, topic, key, value in found:
        records.append(InputRecord(topic, 0, offsets[topic], at_ms, key, value))
        offsets[topic] += 1
    return records


class Worked(PartitionLog):
    """A log over which one task has run to its end."""

    def __init__(self) -> None:
        super().__init__(log_records())
        self.metrics = WorkerMetrics()
        self.driver: PartitionDriver | None = None
        self.early: TaskSample | None = None
        self.before: dict[Sample, float] = {}
        self.after: dict[Sample, float] = {}

    def new_driver(self, duty: Duty) -> PartitionDriver:
        limit = FailureLimit(0.05, 1000)
        self.driver = PartitionDriver(duty.partition, 1, "app", Catalogue().get, CODEC, limit, lambda: None)
        return self.driver

    async def work(self) -> None:
        """Fold everything; look at the task half-way and at the end."""
        observer, random = LoggingObserver(self.metrics), Random(SEED)
        reader = MemoryReader(self, random)
        observer.assigned(["0"])
        task = PartitionTask(
            PARTITION_0,
            1,
            reader=reader,  # type: ignore[arg-type]  # the same methods, in memory
            kafka=MemoryKafka(self, FaultPlan(random, 0.0)),  # type: ignore[arg-type]  # as above
            catalogue=Catalogue(),
            new_driver=self.new_driver,
            fleet=list,
            settings=SETTINGS,
            executor=InlineExecutor(),
            kept=None,
            observer=observer,
        )
        ends = {(topic, 0): len(records) for topic, records in self.inputs.items()}
        run = asyncio.create_task(task.run())
        while not task.caught_up:
            reader.pump(task)
            await asyncio.sleep(0)
            if not self.before and self.commits > 3:
                self.early = task.sample(END_MS, {})
                self.metrics.sampled([task.sample(END_MS, ends)], 0)
                self.before = offered(self.metrics.registry)
        self.metrics.sampled([task.sample(END_MS + 1, ends)], 0)
        task.stop()
        await run
        self.after = offered(self.metrics.registry)


@pytest.fixture(scope="module")
def worked() -> Worked:
    worked = Worked()
    asyncio.run(worked.work())
    return worked


def by_label(found: dict[Sample, float], name: str, label: str) -> dict[str, float]:
    return {dict(labels)[label]: value for (sample, labels), value in found.items() if sample == name and value}


def letters(outputs: list[OutputRecord]) -> Counter[str]:
    return Counter(output.record.reason for output in outputs if isinstance(output.record, DeadLetter))


def test_every_record_is_counted_once_and_has_a_latency(worked: Worked) -> None:
    records = sum(map(len, worked.inputs.values()))
    assert one(worked.after, "cspulse_records_consumed_total", partition="0") == records
    assert one(worked.after, "cspulse_end_to_end_latency_seconds_count", partition="0") == records
    assert one(worked.after, "cspulse_commit_duration_seconds_count", partition="0") == worked.commits


def test_outputs_and_dead_letters_are_those_of_the_log(worked: Worked) -> None:
    topics = Counter(output.topic for output in worked.outputs)
    assert by_label(worked.after, "cspulse_outputs_committed_total", "topic") == topics
    assert by_label(worked.after, "cspulse_dead_letters_total", "reason") == letters(worked.outputs)
    assert letters(worked.outputs)["undecodable"] == 1


def test_changelog_bytes_are_those_of_the_changelogs(worked: Worked) -> None:
    sizes = {table: sum(len(value or b"") for _, value in log) for table, log in worked.changelogs.items()}
    assert by_label(worked.after, "cspulse_changelog_bytes_total", "table") == sizes


def test_events_and_oddities_are_those_of_the_totals(worked: Worked) -> None:
    assert worked.driver is not None
    counted: dict[str, Counter[str]] = {"events_by_day": Counter(), "oddities_by_day": Counter()}
    for (figure, dimension, _), counts in worked.driver.totals.values().items():
        if figure in counted:
            counted[figure][dimension] += counts[0]
    assert by_label(worked.after, "cspulse_events_accepted_total", "family") == counted["events_by_day"]
    assert by_label(worked.after, "cspulse_oddities_total", "oddity") == counted["oddities_by_day"]
    assert counted["oddities_by_day"]["duplicate"] > 0, "the simulation sends nothing twice"


def test_the_last_look_shows_a_task_that_has_caught_up_and_its_whole_state(worked: Worked) -> None:
    assert worked.driver is not None
    values = worked.driver.customers.values.values()
    assert one(worked.after, "cspulse_state_records", partition="0") == len(values) == 8
    assert one(worked.after, "cspulse_state_bytes", partition="0") == sum(map(len, values))
    assert one(worked.after, "cspulse_lag_seconds", partition="0") == 0
    assert by_label(worked.after, "cspulse_lag_records", "topic") == {}
    assert one(worked.after, "cspulse_clock_timestamp_seconds", partition="0") == END_MS / 1000


def test_a_look_half_way_shows_what_is_left(worked: Worked) -> None:
    assert one(worked.before, "cspulse_lag_seconds", partition="0") > DAY_MS / 1000
    left = sum(by_label(worked.before, "cspulse_lag_records", "topic").values())
    assert 0 < left < sum(map(len, worked.inputs.values()))
    waiting = by_label(worked.before, "cspulse_queue_records", "topic")
    assert sum(waiting.values()) <= left


def test_there_is_no_lag_of_a_topic_before_it_is_known_where_it_ends(worked: Worked) -> None:
    assert worked.early is not None
    running = worked.early.running
    assert running is not None
    assert not any(running.lag_records.values())
    assert set(running.lag_records) < set(PARTITION_0.topics)


def test_a_state_that_was_restored_counts_on_from_where_it_was(worked: Worked) -> None:
    limit = FailureLimit(0.05, 1000)
    restored = PartitionDriver(0, 1, "app", Catalogue().get, CODEC, limit, lambda: None)
    for table, changelog in worked.changelogs.items():
        restored.restorer(table)(changelog)
    restored.begin(worked.offsets)
    assert worked.driver is not None
    assert restored.measures() == worked.driver.measures()
    again = next(record for record in reversed(worked.inputs["cs.usage"]) if record.value != b"not Avro")
    restored.process(InputRecord("cs.usage", 0, worked.offsets["cs.usage"], END_MS, again.key, again.value))
    assert restored.take().tally == {("oddities_by_day", "duplicate"): 1}
