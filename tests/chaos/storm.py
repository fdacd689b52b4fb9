"""A storm: events flow, two workers fold them, and a plan says who is killed or frozen when. A supervisor restarts what ends."""

import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from schemas.events import Tick
from schemas.jsonlines import Line
from streams.sources.simulator import Disorder, Simulation, simulate
from tests.support.cluster import PARTITIONS, ApacheCluster, now_ms
from tests.support.publishing import EVENT_TOPICS, TICKS_TOPIC, publish_lines, publish_tick
from tests.support.topic_log import ends, group_offsets
from tests.support.waiting import TookTooLong, wait_until
from tests.support.worker import WORKER, Worker, Workers

HOUR_MS: Final = 3_600_000
DAYS: Final = 30
EVENTS_A_CUSTOMER: Final = 30
TICK_EVERY_MS: Final = 12 * HOUR_MS
SETTLED_MS: Final = 2 * HOUR_MS
"""The events end this long before now, so that a tick of now finds everything due done."""

DISORDER: Final = Disorder(duplicate_share=0.0, late_share=0.02)
"""No event twice, so that one that is folded twice shows; many late ones, whose dead letters show it as well."""

SESSION_TIMEOUT_MS: Final = 3_000
READY_LIMIT_S: Final = 45.0
FROZEN_LIMIT_S: Final = 20.0
LOOK_EVERY_S: Final = 0.1
RESTARTS_MAX: Final = 60

Kind = Literal["kill", "freeze", "leave"]


class Hit(NamedTuple):
    """What is done to which worker."""

    kind: Kind
    worker: int


class CannotFinish(Exception):
    """The workers do not get through the log."""


def plan_of(seed: int, kills: int, freezes: int) -> list[Hit]:
    """Each of two workers is killed and frozen so often, in an order that the seed says."""
    plan = [Hit("kill", worker) for worker in (0, 1) for _ in range(kills)]
    plan += [Hit("freeze", worker) for worker in (0, 1) for _ in range(freezes)]
    random.Random(seed).shuffle(plan)
    return plan


def lines_of(events: int, seed: int) -> list[Line]:
    """Events of a month that ends two hours ago, about as many as asked for, with ticks for all partitions twice a day."""
    end_ms = now_ms() - SETTLED_MS
    customers = max(1, events // EVENTS_A_CUSTOMER)
    simulation = Simulation(customers=customers, days=DAYS, seed=seed, end_ms=end_ms, disorder=DISORDER)
    lines = list(simulate(simulation))[:events]
    first_ms, last_ms = lines[0].timestamp_ms, lines[-1].timestamp_ms
    ticks = [
        Line(
            topic=TICKS_TOPIC,
            value=Tick(occurred_at=at_ms, partition=partition, config_version=0),
            timestamp_ms=at_ms,
            key=str(partition).encode(),
        )
        for at_ms in range(first_ms + TICK_EVERY_MS, last_ms, TICK_EVERY_MS)
        for partition in range(PARTITIONS)
    ]
    return sorted([*lines, *ticks], key=lambda line: line.timestamp_ms)


def paced(lines: Sequence[Line], seconds: float) -> Iterator[Line]:
    """The lines, spread evenly over a time."""
    began = time.monotonic()
    for number, line in enumerate(lines):
        ahead_s = began + seconds * number / len(lines) - time.monotonic()
        if ahead_s > LOOK_EVERY_S:
            time.sleep(ahead_s)
        yield line


@dataclass
class Supervised:
    """Two workers; what ends without having been told to is started again, and noted."""

    workers: list[Worker]

    def __post_init__(self) -> None:
        self.ended: list[int | None] = []
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "Supervised":
        for worker in self.workers:
            worker.start()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def kill(self, number: int) -> None:
        """End a worker at once, and start it again."""
        self._again(number, self.workers[number].kill)

    def stop(self, number: int) -> None:
        """Tell a worker to end in good order, and start it again."""
        self._again(number, self.workers[number].stop)

    def _again(self, number: int, end: Callable[[], object]) -> None:
        worker = self.workers[number]
        with self._lock:
            if worker.is_alive:
                end()
            self.ended.append(worker.exit_code)
            worker.start()

    def wait_until_it_reads(self, number: int) -> None:
        """Wait until a worker has a partition: who is hit before does no harm."""
        worker = self.workers[number]
        wait_until(lambda: ": running" in worker.said(), READY_LIMIT_S, f"{worker.log.name} to read a partition")

    def raise_if_hopeless(self) -> None:
        """Raises CannotFinish when workers end again and again, or one says that starting again would not help."""
        if 2 in self.ended or len(self.ended) > RESTARTS_MAX:
            raise CannotFinish(f"workers ended with {self.ended}")

    def _watch(self) -> None:
        while not self._over.wait(LOOK_EVERY_S):
            with self._lock:
                for worker in self.workers:
                    if not worker.is_alive:
                        self.ended.append(worker.exit_code)
                        worker.start()


class Storm:
    """One run. `publish_s` is how long the events take to be published: 0 puts them there before the first worker starts."""

    def __init__(self, cluster: ApacheCluster, workers: Workers, seed: int, command: Sequence[str] = WORKER) -> None:
        self._cluster = cluster
        self._app_id = workers.app_id
        self._random = random.Random(seed)
        settings = {
            "tick_interval_ms": "0",
            "session_timeout_ms": str(SESSION_TIMEOUT_MS),
            "heartbeat_interval_ms": "300",
        }
        self._pair = [workers.new(command=command, **settings) for _ in range(2)]

    def run(self, lines: Sequence[Line], plan: Sequence[Hit], *, publish_s: float, finish_limit_s: float) -> None:
        """Publish, hit, and wait until everything is folded and the time of now has come to all partitions.

        Raises CannotFinish.
        """
        publisher = threading.Thread(target=publish_lines, args=(self._cluster, paced(lines, publish_s)))
        publisher.start()
        try:
            if not publish_s:
                publisher.join()
            with Supervised(self._pair) as supervised:
                self._hit(supervised, plan)
                publisher.join()
                self._wait_until_folded(supervised, finish_limit_s)
                publish_tick(self._cluster, now_ms())
                self._wait_until_folded(supervised, finish_limit_s)
        finally:
            publisher.join()
            for worker in self._pair:
                worker.clean_up()

    def _hit(self, supervised: Supervised, plan: Sequence[Hit]) -> None:
        for number, hit in enumerate(plan, 1):
            supervised.raise_if_hopeless()
            try:
                supervised.wait_until_it_reads(hit.worker)
            except TookTooLong as error:
                raise CannotFinish(str(error)) from error
            time.sleep(self._random.uniform(0.1, 1.5))  # somewhere in the work, which is the point
            print(f"hit {number} of {len(plan)}: {hit.kind} worker {hit.worker + 1}, ended so far: {supervised.ended}")
            if hit.kind == "kill":
                supervised.kill(hit.worker)
            elif hit.kind == "leave":
                supervised.stop(hit.worker)
            else:
                self._freeze(supervised.workers[hit.worker])

    def _freeze(self, worker: Worker) -> None:
        """Stop a worker until the group has given it up and the other one reads in its place; then let it go on."""
        before = set(self._cluster.members(self._app_id))
        worker.freeze()
        try:
            wait_until(lambda: self._is_given_up(before), FROZEN_LIMIT_S, "the group to give a frozen worker up")
            time.sleep(self._random.uniform(0.5, 2.5))  # the other one takes over, more or less far
        except TookTooLong as error:
            raise CannotFinish(str(error)) from error
        finally:
            worker.thaw()

    def _is_given_up(self, before: set[str]) -> bool:
        return not before <= set(self._cluster.members(self._app_id))

    def _wait_until_folded(self, supervised: Supervised, limit_s: float) -> None:
        wanted = ends(self._cluster.bootstrap, (*EVENT_TOPICS, TICKS_TOPIC))

        def is_folded() -> bool:
            supervised.raise_if_hopeless()
            folded = group_offsets(self._cluster.bootstrap, self._app_id, PARTITIONS)
            return all(folded.get(place, 0) >= end for place, end in wanted.items())

        try:
            wait_until(is_folded, limit_s, "everything to be folded")
        except TookTooLong as error:
            raise CannotFinish(f"{error}; workers ended with {supervised.ended}") from error
