"""Processor time of a partition's driver alone, bytes in, bytes out, no broker: `python -m benchmarks.driver`.

Two loads. `live`: the restless one of `benchmarks.loads`, 1,000 events/s, a transaction every 100 ms; the first events, which
begin the chain of every customer, are folded before the measurement. `simulated`: 60 days of simulated customers with an hourly
tick, a transaction every six hours, so that time alone brings about as many evaluations as the events do. Only ratios of one run
may be compared.
"""

import argparse
import random
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

import msgspec

from benchmarks import loads, machine
from benchmarks.ground import PARTITIONS
from schemas.codec import Codec
from schemas.events import CustomerEvent, Tick
from streams.catalogue import Catalogue
from streams.collector import tune_collector
from streams.dead_letters import FailureLimit
from streams.driver import PartitionDriver
from streams.fleet_driver import FleetDriver
from streams.partials import PARTIALS_TOPIC
from streams.records import InputRecord, OutputRecord
from streams.sources.simulator import Simulation, simulate
from streams.ticks import TICKS_TOPIC
from streams.topics import partition_of

END_MS: Final = 1_790_000_000_000
HOUR_MS: Final = 3_600_000
LIVE_PER_S: Final = 1000
LIVE_COMMIT_MS: Final = 100
LIVE_TICK_MS: Final = 60_000
SIMULATED_COMMIT_MS: Final = 6 * HOUR_MS
DAYS: Final = 60
SEED: Final = 7


class Log:
    """Input records in the order of time, with ticks in between."""

    def __init__(self, tick_ms: int) -> None:
        self.records: list[InputRecord] = []
        self.events = 0
        self._codec = Codec()
        self._tick_ms = tick_ms
        self._next_tick_ms = 0
        self._offsets: dict[tuple[str, int], int] = {}

    def add(self, topic: str, key: bytes, event: CustomerEvent, at_ms: int) -> None:
        """Write an event, and before it the ticks that have fallen due."""
        self._next_tick_ms = self._next_tick_ms or at_ms
        while self._next_tick_ms <= at_ms:
            for partition in range(PARTITIONS):
                tick = Tick(occurred_at=self._next_tick_ms, partition=partition, config_version=0)
                self._put(TICKS_TOPIC, partition, str(partition).encode(), tick, self._next_tick_ms)
            self._next_tick_ms += self._tick_ms
        self.events += 1
        self._put(topic, partition_of(key, PARTITIONS), key, event, at_ms)

    def _put(self, topic: str, partition: int, key: bytes, value: CustomerEvent | Tick, at_ms: int) -> None:
        place = (topic, partition)
        offset = self._offsets.get(place, 0)
        self._offsets[place] = offset + 1
        self.records.append(InputRecord(topic, partition, offset, at_ms, key, self._codec.encode(topic, value)))


def live(events: int) -> Log:
    """The restless load, at its pace by the records' times."""
    log, chance = Log(LIVE_TICK_MS), random.Random(loads.SEED)
    for number in range(events):
        at_ms = END_MS + number * 1000 // LIVE_PER_S
        topic, event = loads.restless_event(number, chance)
        log.add(topic, event.customer_id.encode(), msgspec.structs.replace(event, occurred_at=at_ms), at_ms)
    return log


def simulated(customers: int) -> Log:
    """Sixty days of simulated customers."""
    log = Log(HOUR_MS)
    lines = simulate(Simulation(customers=customers, days=DAYS, seed=SEED, end_ms=END_MS))
    for line in sorted(lines, key=lambda line: line.timestamp_ms):
        assert isinstance(line.value, CustomerEvent)
        log.add(line.topic, line.key or b"", line.value, line.timestamp_ms)
    return log


class Bench:
    """Drivers of all partitions and of the fleet, and the processor time that each kind took."""

    def __init__(self, commit_ms: int) -> None:
        catalogue, codec = Catalogue(), Codec()
        self._commit_ms = commit_ms
        self._drivers = [
            PartitionDriver(
                partition, PARTITIONS, "bench", catalogue.get, codec, FailureLimit(0.05, 1000), lambda: END_MS, "accept"
            )
            for partition in range(PARTITIONS)
        ]
        for driver in self._drivers:
            driver.begin({})
        self._fleet = FleetDriver(PARTITIONS, "bench", catalogue.get, codec, lambda: END_MS)
        self._fleet.begin({})
        self._partials = 0
        self._last_commit_ms = 0
        self.partitions_s = 0.0
        self.fleet_s = 0.0
        self.outputs = 0
        self.fleet_outputs = 0

    def run(self, records: Iterable[InputRecord]) -> None:
        """Fold records, with a transaction every so often of their time."""
        started = time.process_time()
        self.partitions_s = self.fleet_s = 0.0
        self.outputs = self.fleet_outputs = 0
        for record in records:
            if record.timestamp_ms >= self._last_commit_ms + self._commit_ms:
                self._last_commit_ms = record.timestamp_ms
                self._commit()
            self._drivers[record.partition].process(record)
        self._commit()
        self.partitions_s = time.process_time() - started - self.fleet_s

    def _commit(self) -> None:
        partials: list[OutputRecord] = []
        for driver in self._drivers:
            if driver.has_changes:
                outputs = driver.take().outputs
                self.outputs += len(outputs)
                partials += (output for output in outputs if output.topic == PARTIALS_TOPIC)
        if partials:
            self._fold_partials(partials)

    def _fold_partials(self, partials: Iterable[OutputRecord]) -> None:
        started = time.process_time()
        for partial in partials:
            self._fleet.process(InputRecord(PARTIALS_TOPIC, 0, self._partials, partial.as_of_ms, partial.key, partial.value))
            self._partials += 1
        self.fleet_outputs += len(self._fleet.take().outputs)
        self.fleet_s += time.process_time() - started


def measure(name: str, log: Log, warm_up: int, commit_ms: int) -> str:
    """A line of what one load took."""
    bench = Bench(commit_ms)
    bench.run(log.records[:warm_up])
    rest = log.records[warm_up:]
    events = sum(record.topic != TICKS_TOPIC for record in rest)
    bench.run(rest)
    return (
        f"{name}: {events:,} events, {bench.partitions_s / events * 1e6:,.0f} µs of processor each in the partitions, "
        f"{bench.fleet_s / events * 1e6:,.0f} µs in the fleet; {bench.outputs:,} and {bench.fleet_outputs:,} outputs"
    )


def main() -> int:
    """Measure and print; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.driver", description="Processor time of the driver alone.")
    parser.add_argument("--live-events", type=int, default=20_000, help="after as many that begin the chains (20000); 0: none")
    parser.add_argument("--customers", type=int, default=200, help="simulated customers of 60 days (200); 0: none")
    parser.add_argument("--profile", type=Path, help="write a cProfile of it to this file")
    options = parser.parse_args()
    tune_collector()
    _profiled(lambda: _measure_all(options.live_events, options.customers), options.profile)
    return 0


def _measure_all(live_events: int, customers: int) -> None:
    if live_events:
        print(measure("live", live(2 * live_events), live_events, LIVE_COMMIT_MS))
    if customers:
        print(measure("simulated", simulated(customers), 0, SIMULATED_COMMIT_MS))
    print(machine.description())


def _profiled(work: Callable[[], None], path: Path | None) -> None:
    if path is None:
        work()
        return
    import cProfile

    profile = cProfile.Profile()
    try:
        profile.runcall(work)
    finally:
        profile.dump_stats(path)


if __name__ == "__main__":
    sys.exit(main())
