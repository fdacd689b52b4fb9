"""Broken records by the million through the partitions' drivers: `python -m benchmarks.fuzz --records 1000000`.

Simulated events of all families, some sent twice, and ticks are damaged in every way that comes to mind (`benchmarks.damage`) and
folded, without a broker. It ends with 1 when anything raises, one record takes longer than a second of processor, a state is
longer than it may be, or a record has not exactly one fate: accepted, dropped, a tick, or a dead letter with its reason. That is
held partition by partition and commit by commit, so one that is missing cannot hide behind one that counts twice.
"""

import argparse
import faulthandler
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from benchmarks import machine
from benchmarks.damage import Stranger, registry
from processors.coarsen import LIMIT_BYTES
from schemas.codec import Codec
from schemas.events import Tick
from schemas.records import DeadLetter
from streams.catalogue import Catalogue
from streams.collector import tune_collector
from streams.dead_letters import FailureLimit
from streams.driver import PartitionDriver
from streams.records import InputRecord, Transaction
from streams.sources.simulator import Disorder, Simulation, simulate
from streams.ticks import TICKS_TOPIC

PARTITIONS: Final = 4
CUSTOMERS: Final = 60
DAYS: Final = 60
END_MS: Final = 1_700_000_000_000
DAY_MS: Final = 86_400_000
TICK_MS: Final = DAY_MS
COMMIT_EVERY: Final = 500
HANG_S: Final = 60
SLOWEST_S: Final = 1.0
DROPPED: Final = ("duplicate", "erased", "replayed_again")
TOLD_EVERY: Final = 100_000

Place = tuple[str, int]
"""Topic and offset of a record; the fuzzer uses an offset once."""


def damaged(records: int, seed: int) -> Iterator[InputRecord]:
    """Records in the order in which they come: month after month of the same customers, with ticks."""
    stranger = Stranger(seed, PARTITIONS)
    simulation = Simulation(customers=CUSTOMERS, days=DAYS, seed=seed, end_ms=END_MS, disorder=Disorder(duplicate_share=0.2))
    lines = sorted(simulate(simulation), key=lambda line: line.timestamp_ms)
    offset = next_tick_ms = 0
    while offset < records:
        round_number, place = divmod(offset, len(lines))
        line, shift_ms = lines[place], round_number * DAYS * DAY_MS
        at_ms = line.timestamp_ms + shift_ms
        if at_ms >= next_tick_ms:
            next_tick_ms = at_ms + TICK_MS
            for partition in range(PARTITIONS):
                tick = Tick(occurred_at=at_ms, partition=partition, config_version=0)
                yield stranger.tick(TICKS_TOPIC, tick, partition, at_ms, offset)
        event: Any = line.value
        event = msgspec.structs.replace(
            event, event_id=f"{event.event_id}-{round_number}", occurred_at=event.occurred_at + shift_ms
        )
        yield stranger.record(line.topic, event, line.key or b"", at_ms, offset)
        offset += 1


class Account:
    """Folds records and accounts for each of them. `unaccounted` counts those that have no fate, and those that have two."""

    def __init__(self) -> None:
        self.fates: Counter[str] = Counter()
        self.fed = 0
        self.unaccounted = 0
        self.slowest_s = 0.0
        self._fed_since: list[set[Place]] = [set() for _ in range(PARTITIONS)]
        codec, catalogue = Codec(registry()), Catalogue()
        self.drivers = [
            PartitionDriver(partition, PARTITIONS, "fuzz", catalogue.get, codec, FailureLimit(1e-9, 1_000), lambda: END_MS)
            for partition in range(PARTITIONS)
        ]
        for driver in self.drivers:
            driver.begin({})

    def feed(self, record: InputRecord) -> None:
        """Fold one record. Raises whatever the driver raises, TooManyFailures at the first event on which the fold fails."""
        began_s = time.process_time()
        self.drivers[record.partition].process(record)
        self.slowest_s = max(self.slowest_s, time.process_time() - began_s)
        self.fed += 1
        self._fed_since[record.partition].add((record.topic, record.offset))
        if self.fed % COMMIT_EVERY == 0:
            self.settle()

    def settle(self) -> None:
        """Commit, and count what became of the records of each partition."""
        for driver, waiting in zip(self.drivers, self._fed_since, strict=True):
            self._settle(driver.take(), waiting)
            waiting.clear()

    def _settle(self, transaction: Transaction, waiting: set[Place]) -> None:
        fates: Counter[str] = Counter()
        for letter in (one.record for one in transaction.outputs):
            if isinstance(letter, DeadLetter):
                fates[f"dead letter: {letter.reason}"] += 1
                self.unaccounted += (letter.topic, letter.offset) not in waiting
                waiting.discard((letter.topic, letter.offset))
        fates["tick"] = sum(topic == TICKS_TOPIC for topic, _ in waiting)
        taken = len(waiting) - fates["tick"]
        for (figure, dimension), count in transaction.tally.items():
            fate = _fate(figure, dimension)
            if fate is not None:
                fates[fate] += count
                taken -= count
        self.unaccounted += abs(taken)
        self.fates += fates

    def largest_state_bytes(self) -> int:
        """The longest encoded state of any customer."""
        return max((len(value) for driver in self.drivers for value in driver.customers.values.values()), default=0)

    def totals(self) -> int:
        """How many counts of the fleet the partitions keep."""
        return sum(len(driver.totals.values()) for driver in self.drivers)


def _fate(figure: str, dimension: str) -> str | None:
    """What a tally says of records that are no dead letters."""
    if figure == "events_by_day":
        return f"accepted: {dimension}"
    return f"dropped: {dimension}" if dimension in DROPPED else None


def main() -> int:
    """Fuzz and report; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fuzz", description="Broken records by the million.")
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    options = parser.parse_args()
    tune_collector()
    print(f"seed {options.seed}", flush=True)
    account, began_s = Account(), time.monotonic()
    for number, record in enumerate(damaged(options.records, options.seed), 1):
        faulthandler.dump_traceback_later(HANG_S, exit=True)
        account.feed(record)
        if number % TOLD_EVERY == 0:
            print(f"{number:,} records, {time.monotonic() - began_s:.0f} s", flush=True)
    faulthandler.cancel_dump_traceback_later()
    account.settle()
    for fate, count in account.fates.most_common():
        print(f"{count:>10,}  {fate}")
    took_s = time.monotonic() - began_s
    print(f"{account.fed:,} records in {took_s:.0f} s, {account.fed / took_s:,.0f}/s, {account.unaccounted} not accounted for")
    largest = account.largest_state_bytes()
    print(f"slowest record {account.slowest_s * 1000:.0f} ms; largest state {largest:,} bytes; {account.totals():,} fleet counts")
    print(machine.description())
    return int(account.unaccounted != 0 or account.slowest_s > SLOWEST_S or largest > LIMIT_BYTES)


if __name__ == "__main__":
    sys.exit(main())
