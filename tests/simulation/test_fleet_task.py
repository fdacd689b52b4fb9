"""The fleet's driver and task: cut anywhere, faults anywhere, partials twice; what is published is the same, byte for byte."""

import asyncio
import contextlib
from random import Random

import pytest

from schemas.codec import Codec
from schemas.records import FleetAlert, FleetPartial, FleetSnapshot, TouchpointMap
from sinks.fleet_metrics import Standing
from streams.catalogue import Catalogue
from streams.duty import Duty, fleet_duty
from streams.fleet_driver import FleetDriver
from streams.partials import PARTIALS_TOPIC
from streams.records import InputRecord, OutputRecord, Transaction
from streams.replay import INCARNATION, Replay
from streams.sources.simulator import Disorder, Simulation, simulate
from streams.task import Kept, PartitionTask, TaskObserver, TaskSettings
from streams.transactions import CommitFailed
from tests.simulation.memory_kafka import FaultPlan, InlineExecutor, MemoryKafka, MemoryReader, PartitionLog

PARTITIONS = 3
END_MS = 1_767_225_600_000
DAY_MS = 86_400_000
CODEC = Codec()
FLEET = fleet_duty("app")
SETTINGS = TaskSettings(commit_interval_min_ms=1, commit_interval_max_ms=4, tick_interval_ms=100)
SEED = 17


def new_driver(_duty: Duty = FLEET) -> FleetDriver:
    return FleetDriver(PARTITIONS, INCARNATION, Catalogue().get, CODEC, lambda: None)


class Spy(Replay):
    """A replay that remembers the partials that the fleet was given."""

    def __init__(self) -> None:
        super().__init__(PARTITIONS)
        self.partials: list[InputRecord] = []
        process = self.fleet.process

        def noting(record: InputRecord) -> None:
            self.partials.append(record)
            process(record)

        self.fleet.process = noting  # type: ignore[method-assign]  # the driver goes on as before


def simulated() -> Spy:
    """Some weeks of customers, with a tick every six hours."""
    print("seed", SEED)
    run = Spy()
    lines = simulate(Simulation(customers=24, days=20, seed=SEED, end_ms=END_MS, disorder=Disorder()))
    next_tick_ms = END_MS - 20 * DAY_MS
    for line in sorted(lines, key=lambda line: line.timestamp_ms):
        while next_tick_ms <= line.timestamp_ms:
            list(run.tick(next_tick_ms))
            next_tick_ms += DAY_MS // 4
        list(run.event(line))
    list(run.tick(END_MS + DAY_MS))
    return run


@pytest.fixture(scope="module")
def run() -> Spy:
    return simulated()


@pytest.fixture(scope="module")
def partials(run: Spy) -> list[InputRecord]:
    return run.partials


def shown(outputs: list[OutputRecord]) -> list[tuple[str, bytes | None, bytes | None]]:
    return [(output.topic, output.key, output.value) for output in outputs]


def published(records: list[InputRecord]) -> FleetDriver:
    driver = new_driver()
    driver.begin({})
    for record in records:
        driver.process(record)
    return driver


@pytest.fixture(scope="module")
def undisturbed(partials: list[InputRecord]) -> Transaction:
    return published(partials).take()


def test_something_is_published(undisturbed: Transaction) -> None:
    assert {output.topic for output in undisturbed.outputs} >= {"cs.fleet-snapshots", "cs.touchpoint-maps"}
    assert len(undisturbed.outputs) > 1000


@pytest.mark.parametrize("every", [1, 7, 97])
def test_restarts_at_any_cut_publish_the_same_byte_for_byte(
    every: int, partials: list[InputRecord], undisturbed: Transaction
) -> None:
    changelog: list[tuple[bytes, bytes | None]] = []
    outputs: list[OutputRecord] = []
    driver = new_driver()
    driver.begin({})
    most = 150 if every == 1 else len(partials)
    for number, record in enumerate(partials[:most]):
        driver.process(record)
        if number % every == 0:
            transaction = driver.take()
            changelog += [(key, value) for _, key, value in transaction.changelog]
            outputs += transaction.outputs
            driver = new_driver()
            driver.restorer("fleet")(changelog)
            driver.restored()
            driver.begin(driver.offsets)
    outputs += driver.take().outputs
    assert shown(outputs) == shown(undisturbed.outputs)[: len(outputs)]
    assert most < len(partials) or len(outputs) == len(undisturbed.outputs)


def test_partials_that_come_twice_change_nothing(partials: list[InputRecord], undisturbed: Transaction) -> None:
    random, doubled = Random(3), list[InputRecord]()
    for record in partials:
        doubled.append(record)
        earlier = random.choice(doubled)
        if earlier.value is not None:
            doubled.append(earlier)
    assert shown(published(doubled).take().outputs) == shown(undisturbed.outputs)


def test_partials_of_another_incarnation_change_nothing(partials: list[InputRecord], undisturbed: Transaction) -> None:
    strangers = FleetDriver(PARTITIONS, "another", Catalogue().get, CODEC, lambda: None)
    strangers.begin({})
    for record in partials:
        strangers.process(record)
    assert strangers.take().outputs == []
    assert undisturbed.outputs


def test_in_whatever_order_the_partitions_come_the_sums_at_the_end_are_the_same(
    partials: list[InputRecord], undisturbed: Transaction
) -> None:
    """The order within a partition is that of its own log."""
    partition_of = [int((record.key or b"").rsplit(b"|", 2)[1]) for record in partials]
    shuffled = [
        record for wanted in (2, 0, 1) for record, partition in zip(partials, partition_of, strict=True) if partition == wanted
    ]
    mine, theirs = published(shuffled), published(partials)
    assert dict(mine.store.records()).keys() >= {key for key, _ in theirs.store.records() if b"part" in key}
    for key in theirs.store.state.counted():
        assert mine.store.state.parts(key) == theirs.store.state.parts(key)
    assert undisturbed.records == len(partials)


def test_the_fleet_knows_what_the_partitions_hold(run: Spy) -> None:
    fleet = run.fleet.store.state
    for figure in ("customers", "customers_by_mrr", "open_tickets_by_priority"):
        expected: dict[str, int] = {}
        for driver in run.drivers:
            for (name, dimension, _), counts in driver.totals.values().items():
                if name == figure and any(counts):
                    expected[dimension] = expected.get(dimension, 0) + counts[0]
        assert {one: fleet.total(figure, one, None, 0)[0] for one in fleet.dimensions(figure)} == expected
        assert expected


def test_nothing_but_the_coverage_is_published_until_all_partitions_were_heard_of(partials: list[InputRecord]) -> None:
    first_two = [record for record in partials if b"|2|" not in (record.key or b"")]
    outputs = published(first_two).take().outputs
    values = [CODEC.decode(output.topic, output.value) for output in outputs]
    told = [(value.figure, value.value) for value in values if isinstance(value, FleetSnapshot)]
    assert told == [("coverage_share", 1 / 3), ("coverage_share", 2 / 3)]


def test_a_partition_that_stands_still_is_told_of_once_while_no_figures_are_and_once_when_it_goes_on() -> None:
    driver, number = new_driver(), 0
    driver.begin({})
    told: list[tuple[object, ...]] = []
    for minute in range(0, 90, 5):
        for partition in range(PARTITIONS):
            if partition == 1 and 20 <= minute < 70:
                continue
            number += 1
            as_of_ms = END_MS + minute * 60_000
            partial = FleetPartial(
                partition=partition,
                incarnation=INCARNATION,
                sequence=number,
                as_of=as_of_ms,
                emitted_at=None,
                config_version=0,
                figure="as_of",
                dimension="",
                bucket=None,
                counts=[as_of_ms],
            )
            driver.process(InputRecord(PARTIALS_TOPIC, 0, number, as_of_ms, b"as_of", CODEC.encode(PARTIALS_TOPIC, partial)))
        for output in driver.drain_outputs():
            value = CODEC.decode(output.topic, output.value)
            if isinstance(value, FleetAlert):
                told.append((minute, value.rule, value.state, value.severity, value.evidence[0].value))
            if isinstance(value, FleetSnapshot) and value.figure == "coverage_share":
                told.append((minute, value.figure, value.value))
    assert told[:3] == [(0, "coverage_share", n / 3) for n in (1, 2, 3)]
    assert told[3:] == [
        (40, "coverage_share", 2 / 3),
        (40, "partition_stale", "opened", "warning", 1),
        (70, "coverage_share", 1),
        (70, "partition_stale", "resolved", "warning", 0),
    ]


def test_within_an_interval_nothing_is_published_twice(partials: list[InputRecord], undisturbed: Transaction) -> None:
    seen: dict[tuple[bytes | None, int], int] = {}
    for output in undisturbed.outputs:
        value = CODEC.decode(output.topic, output.value)
        if isinstance(value, FleetSnapshot | TouchpointMap) and not (output.key or b"").startswith(b"coverage"):
            place = (output.key, value.as_of // 300_000)
            seen[place] = seen.get(place, 0) + 1
    assert set(seen.values()) == {1}
    assert partials


class Owner:
    """Runs one task of the fleet after another over a log, as workers do that lose it, die, and get it back."""

    def __init__(self, log: PartitionLog, random: Random) -> None:
        self.log = log
        self.random = random
        self.faults = FaultPlan(random, 0.03)
        self.reader = MemoryReader(log, random)
        self.kept: Kept | None = None
        self.epoch = 0
        self.failures = 0

    def new_task(self) -> PartitionTask:
        self.epoch += 1
        kept, self.kept = self.kept, None
        return PartitionTask(
            FLEET,
            self.epoch,
            reader=self.reader,  # type: ignore[arg-type]  # the same methods, in memory
            kafka=MemoryKafka(self.log, self.faults),  # type: ignore[arg-type]  # as above
            catalogue=Catalogue(),
            new_driver=new_driver,
            fleet=list,
            settings=SETTINGS,
            executor=InlineExecutor(),
            kept=kept,
            observer=TaskObserver(),
        )

    async def live(self) -> bool:
        """One ownership; returns whether the log is done."""
        task = self.new_task()
        run = asyncio.create_task(task.run())
        lifetime = self.random.randrange(1, 60)
        while not run.done() and not task.caught_up and lifetime > 0:
            self.reader.pump(task)
            await asyncio.sleep(0)
            lifetime -= self.random.random() < 0.2
        done = task.caught_up
        if not run.done() and self.random.random() < 0.5:
            run.cancel()
        task.stop()
        with contextlib.suppress(asyncio.CancelledError):
            try:
                await run
            except CommitFailed:
                self.failures += 1
            else:
                self.kept = task.leave_behind()
        return done


async def test_whatever_strikes_where_the_task_publishes_what_an_undisturbed_one_does(
    partials: list[InputRecord], undisturbed: Transaction
) -> None:
    failures = 0
    for seed in range(SEED, SEED + 8):
        log = PartitionLog(partials, FLEET)
        owner = Owner(log, Random(seed))
        async with asyncio.timeout(120):
            while not await owner.live():
                pass
        failures += owner.failures
        assert log.offsets == {PARTIALS_TOPIC: len(partials)}, seed
        assert shown(log.outputs) == shown(undisturbed.outputs), seed
    assert failures


def test_a_partial_that_cannot_be_read_is_a_dead_letter_and_the_others_go_on(partials: list[InputRecord]) -> None:
    driver = new_driver()
    driver.begin({})
    driver.process(InputRecord(PARTIALS_TOPIC, 0, 0, END_MS, b"?", b"no partial"))
    driver.process(InputRecord(PARTIALS_TOPIC, 0, 1, END_MS, b"no name", None))
    for record in partials[:50]:
        driver.process(record)
    outputs = driver.take().outputs
    assert [output.topic for output in outputs].count("cs.dead-letters") == 1
    assert len(driver) > 0


def test_a_restart_tells_the_metrics_at_once_how_the_fleet_stands_though_nothing_is_published(
    partials: list[InputRecord], undisturbed: Transaction
) -> None:
    told: list[Standing] = []
    driver = FleetDriver(PARTITIONS, INCARNATION, Catalogue().get, CODEC, lambda: None, told.append)
    driver.begin({})
    for record in partials:
        driver.process(record)
    published_last = {(value.figure, value.dimension): value.value for value in told[-1].values}
    newest: dict[tuple[str, str], float | None] = {}
    for output in undisturbed.outputs:
        if isinstance(output.record, FleetSnapshot):
            newest[output.record.figure, output.record.dimension] = output.record.value
    assert {key: newest[key] for key in published_last} == published_last

    restarted = FleetDriver(PARTITIONS, INCARNATION, Catalogue().get, CODEC, lambda: None, told.append)
    restarted.restorer("fleet")([(key, value) for _, key, value in driver.take().changelog])
    restarted.restored()
    before = len(told)
    restarted.begin(restarted.offsets)

    assert len(told) == before + 1
    assert told[-1] == told[-2]
    assert not restarted.drain_outputs()
