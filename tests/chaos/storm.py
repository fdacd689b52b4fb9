"""A storm: events flow, two workers fold them, and a plan says what happens to whom. A supervisor restarts what ends."""

import random
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from msgspec import structs

from schemas.events import Tick
from schemas.jsonlines import Line
from streams.sources.simulator import Disorder, Simulation, simulate
from tests.chaos.hits import Hit
from tests.chaos.supervised import CannotFinish, Supervised
from tests.support.cluster import PARTITIONS, ApacheCluster, now_ms
from tests.support.kafka.server import KafkaServer
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

SETTINGS: Final = {
    "tick_interval_ms": "0",
    "session_timeout_ms": "3000",
    "heartbeat_interval_ms": "300",
    "transaction_timeout_ms": "6000",
}
FROZEN_LIMIT_S: Final = 20.0
AHEAD_S: Final = 0.1

BROKER_HITS: Final = ("bounce", "burst", "restart everything")
BROKER_LIMIT_S: Final = 90.0
BURST: Final = 2
"""So many workers join and leave at once."""


REPEATING: Final = Disorder(duplicate_share=0.05, delayed_share=0.2, late_share=0.02)
"""A producer that sends things twice and in another order than they happened."""


def lines_of(events: int, seed: int, disorder: Disorder = DISORDER) -> list[Line]:
    """Events of a month that ends two hours ago, about as many as asked for, with ticks for all partitions twice a day."""
    end_ms = now_ms() - SETTLED_MS
    customers = max(1, events // EVENTS_A_CUSTOMER)
    simulation = Simulation(customers=customers, days=DAYS, seed=seed, end_ms=end_ms, disorder=disorder)
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


def happening_lately(lines: Sequence[Line], seconds: float, ago_ms: int) -> list[Line]:
    """The same events, one after the other within so many seconds that begin so long ago; for workers that write ticks of now."""
    events = [line for line in lines if line.topic != TICKS_TOPIC]
    begin_ms, step_ms = now_ms() - ago_ms, 1_000 * seconds / len(events)
    times = [begin_ms + round(number * step_ms) for number in range(len(events))]
    return [
        structs.replace(line, timestamp_ms=at_ms, value=structs.replace(line.value, occurred_at=at_ms))
        for line, at_ms in zip(events, times, strict=True)
    ]


def paced(lines: Sequence[Line], seconds: float, given_up: threading.Event | None = None) -> Iterator[Line]:
    """The lines, spread evenly over a time; no more of them once it is given up."""
    began = time.monotonic()
    for number, line in enumerate(lines):
        if given_up is not None and given_up.is_set():
            return
        ahead_s = began + seconds * number / len(lines) - time.monotonic()
        if ahead_s > AHEAD_S:
            time.sleep(ahead_s)
        yield line


class Storm:
    """One run on a cluster. Workers die at places of their code if `command` is one that `dies_at` a file in `arms`."""

    def __init__(
        self,
        cluster: ApacheCluster,
        workers: Workers,
        seed: int,
        command: Sequence[str] = WORKER,
        *,
        arms: Path | None = None,
        **settings: str,
    ) -> None:
        self._cluster = cluster
        self._app_id = workers.app_id
        self._random = random.Random(seed)
        self._arms = arms
        given = {**SETTINGS, **settings}
        self._pair = [workers.new(command=command, **given) for _ in range(2)]
        self._others = [workers.new(command=command, **given) for _ in range(BURST)]

    def run(self, lines: Sequence[Line], plan: Sequence[Hit], *, publish_s: float, finish_limit_s: float) -> None:
        """Publish, hit, and wait until everything is folded and the time of now has come to all partitions.

        `publish_s` is how long the events take to be published: 0 puts them there before the first worker starts.

        Raises CannotFinish.
        """
        given_up = threading.Event()
        publisher = threading.Thread(target=publish_lines, args=(self._cluster, paced(lines, publish_s, given_up)))
        publisher.start()
        try:
            if not publish_s:
                publisher.join()
            with Supervised(self._pair) as supervised:
                for number, hit in enumerate(plan, 1):
                    supervised.raise_if_hopeless()
                    print(f"hit {number} of {len(plan)}: {hit}; ended so far: {supervised.ended}", flush=True)
                    self._hit(supervised, hit)
                publisher.join()
                self._wait_until_folded(supervised, finish_limit_s)
                publish_tick(self._cluster, now_ms())
                self._wait_until_folded(supervised, finish_limit_s)
        finally:
            given_up.set()
            publisher.join()
            for worker in (*self._pair, *self._others):
                worker.clean_up()

    def _hit(self, supervised: Supervised, hit: Hit) -> None:
        target = hit.target
        if hit.kind not in BROKER_HITS:
            supervised.wait_until_it_reads(target)
        time.sleep(self._random.uniform(0.1, 1.5))  # somewhere in the work, which is the point
        supervised.hits += 1
        match hit.kind:
            case "kill":
                supervised.kill(target)
            case "leave":
                supervised.stop(target)
            case "die at":
                assert self._arms is not None, "no folder tells the workers where to die"
                supervised.die_at(target, self._arms / hit.point)
            case "burst":
                self._burst()
            case "bounce":
                self._bounce(self._cluster.servers[target])
            case "restart everything":
                supervised.kill_all_during(self._bounce_all)
            case "freeze":
                self._freeze(supervised.workers[target])

    def _freeze(self, worker: Worker) -> None:
        """Stop a worker until the group has given it up and the other one reads in its place; then let it go on."""
        before = set(self._cluster.members(self._app_id))
        worker.freeze()
        try:
            wait_until(lambda: self._is_given_up(before), FROZEN_LIMIT_S, "the group to give a frozen worker up")
            # the other one takes over, more or less far; now and then the brokers give the transaction up as well
            time.sleep(self._random.uniform(0.5, 5.0))
        except TookTooLong as error:
            raise CannotFinish(str(error)) from error
        finally:
            worker.thaw()

    def _is_given_up(self, before: set[str]) -> bool:
        return not before <= set(self._cluster.members(self._app_id))

    def _burst(self) -> None:
        """Workers join and are gone again, some before they have anything, half of them without a word."""
        for worker in self._others:
            worker.start()
        for number, worker in enumerate(self._others):
            time.sleep(self._random.uniform(0.5, 4.0))
            if worker.is_alive and number % 2:
                worker.kill()
            elif worker.is_alive:
                worker.stop()

    def _bounce(self, broker: KafkaServer) -> None:
        """Kill a broker, as by a power cut, and start it again; go on when no copy is missing any more."""
        broker.kill()
        time.sleep(self._random.uniform(0.1, 3.0))  # the others may or may not have noticed
        broker.start()
        self._wait_until_whole()

    def _bounce_all(self) -> None:
        for broker in self._cluster.servers:
            broker.kill()
        for broker in self._cluster.servers:
            broker.launch()
        for broker in self._cluster.servers:
            broker.wait_until_ready()
        self._wait_until_whole()

    def _wait_until_whole(self) -> None:
        try:
            wait_until(self._cluster.is_whole, BROKER_LIMIT_S, "every copy to be up to date")
        except TookTooLong as error:
            raise CannotFinish(str(error)) from error

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
