"""A task, of one partition or of the fleet: from the assignment to the commit, and back.

ASSIGNED -> FENCING -> RESTORING -> RUNNING -> CLOSING, all of it outside the rebalance callback. Fenced first, so that nobody
else can write; then the state is read to its end; then the positions; only then the reader is told to read, under a new epoch.
While it runs, records are merged by time and folded in slices, and one transaction at a time makes the results visible, offsets
included. Folding goes on while the last transaction commits: when that fails, everything in memory is dropped with the task.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from enum import StrEnum
from typing import ParamSpec, TypeVar

from msgspec import Struct

from schemas.codec import RegistryUnreachable
from schemas.events import FleetFigure
from sinks.samples import RunningSample, TaskSample
from streams.catalogue import Catalogue, UnknownDefinitions
from streams.duty import Driver, Duty
from streams.kafka_state import CommittedState, KafkaState
from streams.merge import Merge
from streams.pacing import Pace
from streams.reader import Batch, Reader
from streams.records import Transaction
from streams.ticks import TICKS_TOPIC, Ticker

P = ParamSpec("P")
T = TypeVar("T")

logger = logging.getLogger(__name__)

SLICE_S = 0.020  # the longest the event loop waits for a task's folding
STEPS_A_CHECK = 16  # due evaluations between two looks at the records
TURNS_A_CHECK = 8  # records, each with its due evaluations, between two looks at the clock
UNCOMMITTED_RECORDS_MAX = 5000  # folded but not yet handed to a transaction: bounds memory and the time to encode
AFTER_ANOTHER_MS = 5_000  # what another application has still to say of the time before comes first
DEFINITIONS_WAIT_S = 30.0
REGISTRY_WAIT_S = 60.0


class Phase(StrEnum):
    """Where a task is in its life."""

    ASSIGNED = "assigned"
    FENCING = "fencing"
    RESTORING = "restoring"
    RUNNING = "running"
    CLOSING = "closing"


class TaskSettings(Struct, frozen=True, kw_only=True):
    """What a task needs of the settings."""

    commit_interval_min_ms: int
    commit_interval_max_ms: int
    tick_interval_ms: int


class Kept(Struct):
    """The state of a partition that was left cleanly: reused when it comes back, from these ends of its changelogs on."""

    driver: Driver
    ends: dict[str, int]


class PartitionTask:
    """One duty: a partition of all input topics, or the fleet.

    Belongs to the event loop's thread; what blocks goes to the executor. `fleet` gives the
    figures of the fleet that a tick carries, as they are known now.
    """

    def __init__(
        self,
        duty: Duty,
        epoch: int,
        *,
        reader: Reader,
        kafka: KafkaState,
        catalogue: Catalogue,
        new_driver: Callable[[Duty], Driver],
        fleet: Callable[[], list[FleetFigure]],
        settings: TaskSettings,
        executor: Executor,
        kept: Kept | None,
        observer: "TaskObserver",
    ) -> None:
        self.duty = duty
        self.epoch = epoch
        self.phase = Phase.ASSIGNED
        self.entered_at_ms = observer.wall_clock_ms()
        self.moved_at_s = time.monotonic()
        self._reader = reader
        self._kafka = kafka
        self._catalogue = catalogue
        self._new_driver = new_driver
        self._fleet = fleet
        self._executor = executor
        self._kept = kept
        self._observer = observer
        self._merge = Merge(duty.topics)
        self._pace = Pace(settings.commit_interval_min_ms, settings.commit_interval_max_ms)
        self._ticker = Ticker(duty.partition, settings.tick_interval_ms if TICKS_TOPIC in duty.topics else 0)
        self._wakeup = asyncio.Event()
        self._next: dict[str, int] = {}
        self._begun: dict[str, int] = {}
        self._ends: dict[str, int] = {}
        self._commit: asyncio.Task[None] | None = None
        self._reading = False
        self._clean = False
        self._held_until_ms = 0.0
        self._driver: Driver | None = None
        self._folded_ms: list[int] = []  # the timestamps of the records since the last transaction, for their latency
        self._registry_away_since: float | None = None

    # ---- from outside ----

    def hand_over(self, batch: Batch) -> None:
        """Take in a batch of the reader; one of another epoch, or of records already taken, is dropped. Never blocks."""
        if batch.epoch != self.epoch or self.phase is not Phase.RUNNING:
            return
        expected = self._next[batch.topic]
        records = batch.records
        if records and records[0].offset < expected:
            fresh = [record for record in records if record.offset >= expected]
            known = len(records) - len(fresh)
            self._observer.dropped(self.duty, known)
            self._reader.taken((batch.topic, self.duty.partition), self.epoch, known)
            records = fresh
        if records:
            self._next[batch.topic] = records[-1].offset + 1
            if batch.topic == TICKS_TOPIC:
                self._ticker.seen(max(record.timestamp_ms for record in records))
        self._merge.deliver(batch.topic, records, at_end=batch.at_end)
        self._wakeup.set()

    def stop(self) -> None:
        """Commit what was folded and end; `run` returns soon after."""
        self._enter(Phase.CLOSING)
        self._wakeup.set()

    def leave_behind(self) -> Kept | None:
        """After `run` has ended: the state, if everything that was folded is committed."""
        if self._driver is None or not self._clean:
            return None
        return Kept(self._driver, self._ends)

    @property
    def driver(self) -> Driver | None:
        """The state, once it is restored."""
        return self._driver

    @property
    def caught_up(self) -> bool:
        """Whether everything that is in the log was read, folded and committed."""
        driver = self._driver
        return (
            self.phase is Phase.RUNNING
            and driver is not None
            and self._merge.caught_up()
            and not driver.busy
            and not driver.has_changes
            and self._commit is None
        )

    def moved(self) -> None:
        """Note that the task gets on; it may be called from any thread."""
        self.moved_at_s = time.monotonic()

    def sample(self, now_ms: int, high_watermarks: Mapping[tuple[str, int], int]) -> TaskSample:
        """How the task stands at a time of the wall clock; `high_watermarks` is where each partition of the log ends."""
        running = None
        driver = self._driver
        if self.phase is Phase.RUNNING and driver is not None:
            running = self._running_sample(driver, now_ms, high_watermarks)
        return TaskSample(label=self.duty.label, phase=self.phase.value, queued=self._merge.waiting(), running=running)

    def _running_sample(self, driver: Driver, now_ms: int, high_watermarks: Mapping[tuple[str, int], int]) -> RunningSample:
        lag = {}
        for topic in self.duty.topics:
            high = high_watermarks.get((topic, self.duty.partition))
            if self._merge.at_end(topic):
                lag[topic] = 0  # behind the last record there may be a transaction's mark, which is none
            elif high is not None:  # else nobody has heard yet where the topic ends
                done = driver.offsets.get(topic, self._begun[topic])
                lag[topic] = max(high - done, self._merge.waiting()[topic])
        measures = driver.measures()
        is_behind = driver.busy or any(lag.values())
        return RunningSample(
            lag_records=lag,
            lag_s=max(0, now_ms - measures.clock_ms) / 1000 if is_behind else 0.0,
            clock_ms=measures.clock_ms,
            due=measures.due,
            to_rejudge=measures.to_rejudge,
            state_records=measures.state_records,
            state_bytes=measures.state_bytes,
            config_version=driver.config_version,
        )

    # ---- its life ----

    async def run(self) -> None:
        """Live until `stop`.

        Raises Fenced when another owner took over, and whatever else ends the worker.
        """
        try:
            self._driver = driver = await self._begin()
            if self.phase is Phase.CLOSING:
                self._clean = True
                return
            self._enter(Phase.RUNNING)
            self._start_reading(driver)
            self._observer.running(self.duty, len(driver))
            while self.phase is Phase.RUNNING:
                await self._turn(driver)
            await self._finish(driver)
            self._clean = True
        finally:
            self._enter(Phase.CLOSING)
            self._stop_reading()

    def _enter(self, phase: Phase) -> None:
        """Begin a phase; one that lasts already goes on."""
        if phase is not self.phase:
            self.phase = phase
            self.entered_at_ms = self._observer.wall_clock_ms()

    async def _begin(self) -> Driver:
        self._enter(Phase.FENCING)
        await self._blocking(self._kafka.fence)
        self.moved()
        if self.phase is Phase.FENCING:
            self._enter(Phase.RESTORING)
        kept = self._kept or Kept(self._new_driver(self.duty), {})
        self._kept = None
        state: CommittedState = await self._blocking(self._kafka.read_state, kept.driver, kept.ends)
        await self._catalogue.wait_for(kept.driver.config_version, DEFINITIONS_WAIT_S)
        self.moved()
        self._ends = state.ends
        self._next = dict(state.positions)
        self._begun = dict(state.positions)
        return kept.driver

    def _start_reading(self, driver: Driver) -> None:
        driver.begin(self._next)
        self._reader.add(self.epoch, {(topic, self.duty.partition): offset for topic, offset in self._next.items()})
        self._reading = True

    def _stop_reading(self) -> None:
        if self._reading:
            self._reading = False
            self._reader.remove([(topic, self.duty.partition) for topic in self.duty.topics])

    async def _turn(self, driver: Driver) -> None:
        self._raise_failed_commit()
        if self._commit is None:
            self.moved()
        more = False
        if not self._full(driver):
            more = await self._work(driver)
        self._write_tick(driver)
        now_ms = time.monotonic() * 1000
        if driver.took_the_word():
            logger.info("%s: publishes from here on", self.duty.name)
            self._held_until_ms = now_ms + AFTER_ANOTHER_MS
        if self._commit is None and driver.has_changes and (self._full(driver) or now_ms >= self._commit_due_at(now_ms)):
            self._start_commit(driver)
        if more:
            await asyncio.sleep(0)
        else:
            await self._wait(driver)

    def _commit_due_at(self, now_ms: float) -> float:
        return max(self._pace.due_at(now_ms), self._held_until_ms)

    @staticmethod
    def _full(driver: Driver) -> bool:
        """Whether as much was folded as one transaction carries: then nothing more is, until it is under way."""
        return driver.uncommitted_records >= UNCOMMITTED_RECORDS_MAX

    async def _work(self, driver: Driver) -> bool:
        """Fold for one slice; returns whether there is more to do at once."""
        end = time.perf_counter() + SLICE_S
        taken: dict[str, int] = {}
        more = driver.work_aside(STEPS_A_CHECK)
        while time.perf_counter() < end and not self._full(driver):
            if not driver.busy:
                record = self._merge.next()
                if record is None:
                    break
                taken[record.topic] = taken.get(record.topic, 0) + 1
                self._folded_ms.append(record.timestamp_ms)
                driver.offer(record)
                more = True
            wanted = driver.wants_definitions
            if wanted is not None:
                with contextlib.suppress(UnknownDefinitions):
                    await self._catalogue.wait_for(wanted, DEFINITIONS_WAIT_S)
            try:
                driver.work(STEPS_A_CHECK)
                self._registry_away_since = None
            except RegistryUnreachable:
                await self._registry_back()
        for topic, count in taken.items():
            self._reader.taken((topic, self.duty.partition), self.epoch, count)
        return more or driver.busy

    async def _registry_back(self) -> None:
        """Wait a moment for the registry; raises RegistryUnreachable when it was away for too long."""
        now = time.monotonic()
        if self._registry_away_since is None:
            self._registry_away_since = now
            logger.warning("%s waits for the schema registry", self.duty.name)
        elif now - self._registry_away_since > REGISTRY_WAIT_S:
            raise RegistryUnreachable(f"the schema registry did not answer for {REGISTRY_WAIT_S:.0f} s")
        await asyncio.sleep(1.0)

    def _write_tick(self, driver: Driver) -> None:
        due_at = self._ticker.due_at()
        if due_at is None or not self._merge.at_end(TICKS_TOPIC):
            return
        now_ms = self._observer.wall_clock_ms()
        if now_ms >= due_at:
            driver.write_tick(self._ticker.write(now_ms, self._catalogue.newest_version, self._fleet()))

    async def _wait(self, driver: Driver) -> None:
        now_ms = time.monotonic() * 1000
        timeout_s = 1.0
        if self._commit is None and driver.has_changes:
            timeout_s = max(0.0, (self._commit_due_at(now_ms) - now_ms) / 1000)
        if timeout_s > 0:
            try:
                async with asyncio.timeout(timeout_s):
                    await self._wakeup.wait()
            except TimeoutError:
                pass
        self._wakeup.clear()

    # ---- commits ----

    def _start_commit(self, driver: Driver) -> None:
        self._pace.started(time.monotonic() * 1000)
        self._commit = asyncio.create_task(self._commit_one(driver.take(), self._take_times(driver)))

    def _take_times(self, driver: Driver) -> list[int]:
        """The timestamps of the records that the transaction has; one that is still worked on goes with the next."""
        times = self._folded_ms
        self._folded_ms = [times.pop()] if driver.busy and times else []
        return times

    async def _commit_one(self, transaction: Transaction, times_ms: list[int]) -> None:
        started = time.monotonic()
        try:
            ends = await self._blocking(self._kafka.commit, transaction)
            self._ends.update(ends)
        finally:
            self._wakeup.set()
        took_ms = (time.monotonic() - started) * 1000
        waiting = self._merge.total() > transaction.records
        self._pace.finished(waiting=waiting, took_ms=took_ms)
        self._observer.committed(self.duty, transaction, took_ms, times_ms)

    def _raise_failed_commit(self) -> None:
        if self._commit is not None and self._commit.done():
            commit, self._commit = self._commit, None
            commit.result()

    async def _finish(self, driver: Driver) -> None:
        """Commit what was folded; what is queued but not folded is read again by the next owner."""
        if self._commit is not None:
            commit, self._commit = self._commit, None
            await commit
        if driver.has_changes:
            await self._commit_one(driver.take(), self._take_times(driver))

    async def _blocking(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._executor, lambda: function(*args, **kwargs))


class TaskObserver:
    """What a task tells about itself, and the wall clock it is given."""

    def wall_clock_ms(self) -> int:
        """Epoch milliseconds."""
        return time.time_ns() // 1_000_000

    def assigned(self, labels: list[str]) -> None:
        """The group has given these tasks to the worker, those that it had before among them."""

    def restoring(self, duty: Duty, topic: str, records: int, of: int) -> None:
        """Called in a thread of the executor: so many records of a changelog are read, of at most `of`."""

    def running(self, duty: Duty, size: int) -> None:
        """The task has restored its state and reads."""

    def dropped(self, duty: Duty, records: int) -> None:
        """Records were delivered that had been taken before."""

    def committed(self, duty: Duty, transaction: Transaction, took_ms: float, times_ms: list[int]) -> None:
        """A transaction is visible; `times_ms` are the timestamps of the records whose work it carries."""
