"""The tasks of one worker: made at an assignment, ended at a revocation, and what they share."""

import asyncio
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

from msgspec import Struct

from schemas.events import FleetFigure
from sinks.samples import TaskSample
from streams.catalogue import Catalogue
from streams.duty import Driver, Duty, fleet_duty, label_of, partition_duty
from streams.kafka_state import KafkaState, group_metadata
from streams.life import Stand, Standing
from streams.partials import PARTIALS_TOPIC
from streams.places import place_of_coroutine, threads_at_work
from streams.reader import Batch, Reader
from streams.security import kafka_config
from streams.settings import Settings
from streams.task import Kept, PartitionTask, TaskObserver, TaskSettings
from streams.topics import INPUT_TOPICS
from streams.transactions import Fenced

logger = logging.getLogger(__name__)

THREADS = "task"  # how the names of the threads begin that wait for Kafka
REVOCATION_LIMIT_S = 3.0  # the longest a rebalance waits for the commits under way


class NotCoPartitioned(Exception):
    """This worker was given a partition of some input topics but not of all."""


class Stuck(Struct, frozen=True):
    """A task or the reader that does not move, and where it stands."""

    name: str
    place: str


class _Running(Struct):
    task: PartitionTask
    future: "asyncio.Task[None]"


class Runtime:
    """All tasks of a worker, its reader, and what they share. Belongs to the event loop's thread.

    `new_driver` makes what does the work of a duty; `fleet` gives the figures that ticks carry.
    """

    def __init__(
        self,
        settings: Settings,
        catalogue: Catalogue,
        observer: TaskObserver,
        new_driver: Callable[[Duty], Driver],
        fleet: Callable[[], list[FleetFigure]],
    ) -> None:
        self.hand_overs: asyncio.Queue[list[Batch]] = asyncio.Queue()
        self.failure: asyncio.Future[BaseException] = asyncio.get_running_loop().create_future()
        self._settings = settings
        self._catalogue = catalogue
        self._observer = observer
        self._new_driver = new_driver
        self._fleet = fleet
        self._config = kafka_config(settings)
        self._group = group_metadata(self._config, settings.app_id)
        self._executor = ThreadPoolExecutor(max_workers=max(8, settings.partitions + 1), thread_name_prefix=THREADS)
        self._reader = Reader(
            {**self._config, "group.id": settings.app_id},
            self._queue,
            self._fail,
            high_water_records=settings.queue_high_water_records,
            low_water_records=settings.queue_low_water_records,
        )
        self._epoch = 0
        self._is_assigned = False
        self._tasks: dict[str, _Running] = {}
        self._kept: dict[str, Kept] = {}
        self._reader.start()

    # ---- from Faust ----

    def assigned(self, partitions: Mapping[str, frozenset[int]]) -> None:
        """Start a task for each partition, and the fleet's where its topic is among them. Does not block."""
        owned = frozenset[int]().union(*(partitions.get(topic, frozenset()) for topic in INPUT_TOPICS))
        for topic in INPUT_TOPICS:
            missing = owned - partitions.get(topic, frozenset())
            if missing:
                self._fail(
                    NotCoPartitioned(
                        f"this worker was given partitions {sorted(owned)} but not {sorted(missing)} of {topic}: "
                        "all five input topics must exist with the same number of partitions"
                    )
                )
                return
        app_id = self._settings.app_id
        duties = [partition_duty(app_id, partition) for partition in sorted(owned)]
        if partitions.get(PARTIALS_TOPIC):
            duties.append(fleet_duty(app_id))
        for duty in duties:
            if duty.label not in self._tasks:
                self._start(duty)
        labels = {duty.label for duty in duties}
        self._kept = {label: kept for label, kept in self._kept.items() if label in labels}
        self._is_assigned = True
        self._observer.assigned([duty.label for duty in duties])

    async def revoked(self) -> None:
        """End all tasks; what they have committed is kept for the case that their partitions come back.

        A commit that does not end within the limit is left alone: the fence of the next owner aborts it, or it was done.
        """
        running, self._tasks = self._tasks, {}
        self._is_assigned = False
        for one in running.values():
            one.task.stop()
        if not running:
            return
        await asyncio.wait([one.future for one in running.values()], timeout=REVOCATION_LIMIT_S)
        for label, one in running.items():
            if not one.future.done():
                one.future.cancel()
                logger.warning("%s: the commit under way is left to the next owner's fence", one.task.duty.name)
            elif not one.future.cancelled() and one.future.exception() is None:
                kept = one.task.leave_behind()
                if kept is not None:
                    self._kept[label] = kept

    def hand_over(self, carrier: list[Batch]) -> None:
        """Give each batch to its task; one whose task is gone is dropped, it is read again by the next owner."""
        for batch in carrier:
            running = self._tasks.get(label_of(batch.topic, batch.partition))
            if running is not None:
                running.task.hand_over(batch)

    def refused(self, error: BaseException) -> None:
        """End the worker: it will never be given anything to do."""
        self._fail(error)

    def state_of(self, table: str) -> Iterator[tuple[bytes, bytes]]:
        """The bytes at rest of a table, of all running tasks."""
        for running in self._tasks.values():
            driver = running.task.driver
            if driver is not None and table in running.task.duty.changelogs:
                yield from driver.table(table)

    # ---- from the worker ----

    def standing(self) -> Standing:
        """What a probe is to be told."""
        tasks = {label: Stand(running.task.phase.value, running.task.entered_at_ms) for label, running in self._tasks.items()}
        return Standing(is_assigned=self._is_assigned, tasks=tasks)

    def stuck(self, limit_s: float) -> list[Stuck]:
        """The tasks, and the reader, that have not moved for so long, each with where it stands."""
        now_s = time.monotonic()
        late = [running for running in self._tasks.values() if now_s - running.task.moved_at_s > limit_s]
        stuck = [Stuck(running.task.duty.name, place_of_coroutine(running.future.get_coro())) for running in late]
        if self._reader.still_s() > limit_s:
            stuck.append(Stuck("the reader", self._reader.place))
        return stuck

    def calls(self) -> dict[str, str]:
        """Where each thread stands that waits for Kafka, by its name."""
        return threads_at_work(THREADS)

    def woke_up(self) -> None:
        """The whole process was stopped for a while, which is nobody's fault here."""
        self._reader.moved()
        for running in self._tasks.values():
            running.task.moved()

    def samples(self) -> list[TaskSample]:
        """How all tasks stand now, for the metrics."""
        now_ms, high_watermarks = self._observer.wall_clock_ms(), self._reader.high_watermarks
        return [running.task.sample(now_ms, high_watermarks) for running in self._tasks.values()]

    async def stop(self) -> None:
        """End everything: commit what was folded, stop reading."""
        await self.revoked()
        await asyncio.get_running_loop().run_in_executor(None, self._reader.stop)
        self._executor.shutdown(wait=False, cancel_futures=True)

    # ---- inside ----

    def _queue(self, batches: list[Batch]) -> None:
        """Queue what the reader brings, the fleet's batches apart: two agents take from here, each in its own order."""
        for is_fleet in (False, True):
            carrier = [batch for batch in batches if (batch.topic == PARTIALS_TOPIC) is is_fleet]
            if carrier:
                self.hand_overs.put_nowait(carrier)

    def _start(self, duty: Duty) -> None:
        self._epoch += 1
        settings = self._settings
        kafka = KafkaState(
            duty,
            settings.app_id,
            self._config,
            self._group,
            transaction_timeout_ms=settings.transaction_timeout_ms,
            progress=self._progress,
        )
        task = PartitionTask(
            duty,
            self._epoch,
            reader=self._reader,
            kafka=kafka,
            catalogue=self._catalogue,
            new_driver=self._new_driver,
            fleet=self._fleet,
            settings=TaskSettings(
                commit_interval_min_ms=settings.commit_interval_min_ms,
                commit_interval_max_ms=settings.commit_interval_max_ms,
                tick_interval_ms=settings.tick_interval_ms,
            ),
            executor=self._executor,
            kept=self._kept.pop(duty.label, None),
            observer=self._observer,
        )
        future = asyncio.create_task(task.run(), name=duty.transactional_id)
        running = self._tasks[duty.label] = _Running(task, future)
        future.add_done_callback(lambda _: self._ended(duty, running))

    def _progress(self, duty: Duty, topic: str, records: int, of: int) -> None:
        """Called in a thread of the executor."""
        running = self._tasks.get(duty.label)
        if running is not None:
            running.task.moved()
        self._observer.restoring(duty, topic, records, of)

    def _ended(self, duty: Duty, running: _Running) -> None:
        """A task that fails while its partition is ours ends the worker: there is one way to recover, used by every restart."""
        if running.future.cancelled():
            return
        error = running.future.exception()
        if error is None:
            return
        if isinstance(error, Fenced) and self._tasks.get(duty.label) is not running:
            logger.info("%s was fenced by its next owner", duty.name)
            return
        self._fail(error)

    def _fail(self, error: BaseException) -> None:
        if not self.failure.done():
            self.failure.set_result(error)
