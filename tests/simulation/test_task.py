"""The task under faults, in memory: whatever strikes where, the outputs are those of an undisturbed run, record for record."""

import asyncio
import contextlib
from collections import Counter
from random import Random

import pytest

from schemas.codec import Codec
from schemas.events import Tick
from streams.catalogue import Catalogue
from streams.dead_letters import FailureLimit
from streams.driver import PartitionDriver
from streams.duty import Duty
from streams.records import InputRecord, OutputRecord
from streams.sources.simulator import Disorder, Simulation, simulate
from streams.task import Kept, PartitionTask, TaskObserver, TaskSettings
from streams.ticks import TICKS_TOPIC
from streams.topics import partition_of
from streams.transactions import CommitFailed
from tests.simulation.memory_kafka import (
    PARTITION_0,
    FaultPlan,
    FencesTooLate,
    InlineExecutor,
    MemoryKafka,
    MemoryReader,
    PartitionLog,
    ReaderWithoutEpochs,
)

PARTITIONS = 2
END_MS = 1_767_225_600_000
DAY_MS = 86_400_000
NOW_MS = END_MS + 5
CODEC = Codec()
FAULT_PROBABILITY = 0.08
SETTINGS = TaskSettings(commit_interval_min_ms=1, commit_interval_max_ms=4, tick_interval_ms=0)


class Observer(TaskObserver):
    """A wall clock that stands still, so that records can be compared byte for byte."""

    def wall_clock_ms(self) -> int:
        return NOW_MS


def log_records(customers: int, days: int) -> list[InputRecord]:
    """Partition 0 of a simulation with its untidiness, and a tick every six hours."""
    simulation = Simulation(customers=customers, days=days, seed=11, end_ms=END_MS, disorder=Disorder())
    lines = [line for line in simulate(simulation) if partition_of(line.key or b"", PARTITIONS) == 0]
    records = [(line.timestamp_ms, line.topic, line.key, CODEC.encode(line.topic, line.value)) for line in lines]
    for at_ms in range(END_MS - days * DAY_MS, END_MS + 1, DAY_MS // 4):
        tick = Tick(occurred_at=at_ms, partition=0, config_version=0)
        records.append((at_ms, TICKS_TOPIC, b"0", CODEC.encode(TICKS_TOPIC, tick)))
    records.sort(key=lambda record: record[0])
    offsets: dict[str, int] = {}
    log = []
    for at_ms, topic, key, value in records:
        offset = offsets.get(topic, 0)
        offsets[topic] = offset + 1
        log.append(InputRecord(topic, 0, offset, at_ms, key, value))
    return log


def new_driver(duty: Duty = PARTITION_0) -> PartitionDriver:
    return PartitionDriver(
        duty.partition, PARTITIONS, "app", Catalogue().get, CODEC, FailureLimit(0.05, 1000), Observer().wall_clock_ms
    )


def shown(outputs: list[OutputRecord]) -> list[tuple[str, bytes | None, bytes | None]]:
    return [(output.topic, output.key, output.value) for output in outputs]


@pytest.fixture(scope="module")
def records() -> list[InputRecord]:
    return log_records(customers=30, days=25)


@pytest.fixture(scope="module")
def undisturbed(records: list[InputRecord]) -> PartitionLog:
    """The same log folded in one piece."""
    from streams.merge import Merge
    from streams.topics import INPUT_TOPICS

    merge, driver, log = Merge(INPUT_TOPICS), new_driver(), PartitionLog(records)
    driver.begin({})
    for topic, queue in log.inputs.items():
        merge.deliver(topic, queue, at_end=True)
    while (record := merge.next()) is not None:
        driver.process(record)
    transaction = driver.take()
    log.outputs = transaction.outputs
    log.offsets = transaction.offsets
    for table, key, value in transaction.changelog:
        log.changelogs[table].append((key, value))
    return log


class Owner:
    """Runs one task after another over a log, as a worker does that loses its partition, dies, and gets it back."""

    def __init__(self, log: PartitionLog, random: Random, fault_probability: float) -> None:
        self.log = log
        self.random = random
        self.faults = FaultPlan(random, fault_probability)
        self.reader = MemoryReader(log, random)
        self.kafka: type[MemoryKafka] = MemoryKafka
        self.kept: Kept | None = None
        self.epoch = 0
        self.failures = 0
        self.came_back = 0

    def new_task(self) -> PartitionTask:
        self.epoch += 1
        kept, self.kept = self.kept, None
        self.came_back += kept is not None
        return PartitionTask(
            PARTITION_0,
            self.epoch,
            reader=self.reader,  # type: ignore[arg-type]  # the same methods, in memory
            kafka=self.kafka(self.log, self.faults),  # type: ignore[arg-type]  # as above
            catalogue=Catalogue(),
            new_driver=new_driver,
            fleet=list,
            settings=SETTINGS,
            executor=InlineExecutor(),
            kept=kept,
            observer=Observer(),
        )

    async def live(self) -> bool:
        """One ownership, ended by a fault, a kill, a revocation or the end of the log; returns whether the log is done."""
        task = self.new_task()
        run = asyncio.create_task(task.run())
        lifetime = self.random.randrange(1, 12)
        while not run.done() and not task.caught_up and lifetime > 0:
            self.reader.pump(task)
            await asyncio.sleep(0)
            lifetime -= self.random.random() < 0.2
        done = task.caught_up
        if not run.done() and self.random.random() < 0.5:
            run.cancel()  # killed: what was folded and not committed is lost
        task.stop()
        with contextlib.suppress(asyncio.CancelledError):
            try:
                await run
            except CommitFailed:
                self.failures += 1
            else:
                self.kept = task.leave_behind()
        return done


@pytest.mark.parametrize("seed", range(12))
async def test_whatever_strikes_where_the_outputs_are_those_of_an_undisturbed_run(
    seed: int, records: list[InputRecord], undisturbed: PartitionLog
) -> None:
    print("seed", seed)
    owner = Owner(PartitionLog(records), Random(seed), fault_probability=FAULT_PROBABILITY)
    async with asyncio.timeout(60):
        while not await owner.live():
            pass
    assert owner.log.offsets == undisturbed.offsets
    assert shown(owner.log.outputs) == shown(undisturbed.outputs)
    restored, expected = new_driver(), new_driver()
    for driver, log in ((restored, owner.log), (expected, undisturbed)):
        for table, changelog in log.changelogs.items():
            driver.restorer(table)(changelog)
    assert restored.customers.values == expected.customers.values
    assert restored.totals.values() == expected.totals.values()


async def test_without_epochs_a_batch_from_before_the_partition_left_is_folded_in_the_wrong_place(
    records: list[InputRecord], undisturbed: PartitionLog
) -> None:
    for seed in range(12):
        owner = Owner(PartitionLog(records), Random(seed), FAULT_PROBABILITY)
        owner.reader = ReaderWithoutEpochs(owner.log, owner.random)
        while not await owner.live():
            pass
        if shown(owner.log.outputs) != shown(undisturbed.outputs):
            return
    pytest.fail("these runs would not notice that the epochs are gone")


async def test_a_state_that_is_read_before_the_fence_misses_what_a_frozen_owner_commits_when_it_wakes_up(
    records: list[InputRecord], undisturbed: PartitionLog
) -> None:
    for seed in range(12):
        owner = Owner(PartitionLog(records), Random(seed), fault_probability=0.2)
        owner.kafka = FencesTooLate
        while not await owner.live():
            pass
        if shown(owner.log.outputs) != shown(undisturbed.outputs):
            return
    pytest.fail("these runs would not notice that the fence comes too late")


async def test_faults_and_returns_of_the_partition_do_happen_in_these_runs(records: list[InputRecord]) -> None:
    struck: set[str] = set()
    failures = came_back = 0
    woken: Counter[str] = Counter()
    for seed in range(12):
        owner = Owner(PartitionLog(records), Random(seed), fault_probability=FAULT_PROBABILITY)
        while not await owner.live():
            pass
        struck.update(owner.faults.struck)
        failures += owner.failures
        came_back += owner.came_back
        woken += owner.log.woken
    assert {"before commit", "after commit", "read state"} <= struck
    assert failures > 5
    assert came_back > 5
    assert woken["committed"]
    assert woken["fenced"]
