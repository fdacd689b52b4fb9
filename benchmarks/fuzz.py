"""Broken records by the million through the partitions' drivers: `python -m benchmarks.fuzz --records 1000000`.

Simulated events of all families are damaged in every way that comes to mind (bits, bytes, cuts, splices, other types, extremes,
keys, partitions, times) and folded with ticks in between, without a broker. It ends with 1 when anything raises, one record takes
longer than a second of processor, or one is not accounted for: as accepted, as dropped, as a tick, or as a dead letter with its
reason.
"""

import argparse
import faulthandler
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, Final

import msgspec

from benchmarks import machine
from schemas.codec import Codec, Encoding
from schemas.events import CustomerEvent, Tick
from schemas.jsonlines import Line
from schemas.records import DeadLetter
from streams.catalogue import Catalogue
from streams.collector import tune_collector
from streams.dead_letters import FailureLimit
from streams.driver import PartitionDriver
from streams.records import InputRecord
from streams.sources.simulator import Disorder, Simulation, simulate
from streams.ticks import TICKS_TOPIC
from streams.topics import partition_of

PARTITIONS: Final = 4
CUSTOMERS: Final = 60
DAYS: Final = 60
END_MS: Final = 1_700_000_000_000
DAY_MS: Final = 86_400_000
TICK_MS: Final = DAY_MS
COMMIT_EVERY: Final = 500
HANG_S: Final = 60
SLOWEST_S: Final = 1.0
LONGEST_BYTES: Final = 1_000  # of what is repeated; beyond 64 kB nothing is looked at
GOOD_SHARE: Final = 0.3
DROPPED: Final = ("duplicate", "erased", "replayed_again")
TOLD_EVERY: Final = 100_000

NASTY: Final[tuple[Any, ...]] = (
    *(None, True, False, 0, -1, 1, 2**31, 2**53 + 1, 2**63 - 1, -(2**63), 2**64, 10**30, 0.5, -0.0, 1e308, 5e-324),
    *("", " ", "\0", "\u202e", "\ud7ff", "x" * 257, "0", "opened", "2026-02-30", "9999-12-31T23:59:59Z", [], [[]], {}, {"a": {}}),
)


class Stranger:
    """Takes good records and gives back what a careless or hostile producer would send. The same for the same seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._codecs: dict[Encoding, Codec] = {"avro": Codec(), "json": Codec(encoding="json")}
        self._before = b"{}"
        self._ways: tuple[Callable[[bytes], bytes | None], ...] = (
            *(self._flip, self._cut, self._splice, self._insert, self._remove, self._repeat, self._noise, self._nothing),
            *(self._other_value, self._other_value, self._other_value, self._without_member),
        )

    def record(self, number: int, line: Line, event: CustomerEvent, at_ms: int, offset: int) -> InputRecord:
        """One record, damaged or not."""
        chance = self._random
        key = line.key or b""
        encoding: Encoding = "json" if chance.random() < 0.5 else "avro"
        value: bytes | None = self._codecs[encoding].encode(line.topic, event)
        partition, timestamp_ms = partition_of(key, PARTITIONS), at_ms
        sent_key: bytes | None = key
        if chance.random() > GOOD_SHARE:
            good = value or b""
            for _ in range(chance.choice((1, 1, 1, 2, 3))):
                value = chance.choice(self._ways)(value or b"")
            self._before = good
            if chance.random() < 0.1:
                sent_key = chance.choice((None, b"", b"\xff", b"k" * 3_000, str(number).encode()))
            if chance.random() < 0.05:
                partition = chance.randrange(PARTITIONS)
            if chance.random() < 0.1:
                timestamp_ms += chance.choice((-1, 1)) * chance.choice((1, 60_000, DAY_MS, 60 * DAY_MS))
        headers: list[tuple[str, bytes | None]] = (
            [("cspulse-replay", chance.randbytes(chance.choice((0, 8, 16))))] if chance.random() < 0.02 else []
        )
        return InputRecord(line.topic, partition, offset, max(0, timestamp_ms), sent_key, value, headers)

    def _flip(self, value: bytes) -> bytes:
        if not value:
            return value
        changed = bytearray(value)
        for _ in range(self._random.choice((1, 1, 2, 8))):
            changed[self._random.randrange(len(changed))] ^= 1 << self._random.randrange(8)
        return bytes(changed)

    def _cut(self, value: bytes) -> bytes:
        return value[: self._random.randrange(len(value) + 1)]

    def _splice(self, value: bytes) -> bytes:
        return value[: self._random.randrange(len(value) + 1)] + self._before[self._random.randrange(len(self._before) + 1) :]

    def _insert(self, value: bytes) -> bytes:
        at = self._random.randrange(len(value) + 1)
        return value[:at] + self._random.randbytes(self._random.randrange(1, 9)) + value[at:]

    def _remove(self, value: bytes) -> bytes:
        at = self._random.randrange(len(value) + 1)
        return value[:at] + value[at + self._random.randrange(1, 9) :]

    def _repeat(self, value: bytes) -> bytes:
        return value[:LONGEST_BYTES] * self._random.choice((2, 3, 700))

    def _noise(self, _value: bytes) -> bytes:
        return self._random.choice((b"", b"\xc3\x01", b"\0", b"{", b"[")) + self._random.randbytes(self._random.randrange(200))

    def _nothing(self, _value: bytes) -> None:
        return None

    def _other_value(self, value: bytes) -> bytes:
        members = _members(value)
        if members is None:
            return self._flip(value)
        members[self._random.choice([*members, "quantity", "score", "goals", "mrr_cents"])] = self._random.choice(NASTY)
        return json.dumps(members).encode()

    def _without_member(self, value: bytes) -> bytes:
        members = _members(value)
        if not members:
            return self._cut(value)
        del members[self._random.choice(list(members))]
        return json.dumps(members).encode()


def _members(value: bytes) -> dict[str, Any] | None:
    if value[:1] != b"{":
        return None
    try:
        members = json.loads(value)
    except (ValueError, RecursionError):
        return None
    return members if isinstance(members, dict) else None


def damaged(records: int, seed: int) -> Iterator[InputRecord]:
    """Records in the order in which they come: month after month of the same customers, with ticks."""
    stranger = Stranger(seed)
    simulation = Simulation(customers=CUSTOMERS, days=DAYS, seed=seed, end_ms=END_MS, disorder=Disorder(duplicate_share=0.05))
    lines = sorted(simulate(simulation), key=lambda line: line.timestamp_ms)
    codec = Codec()
    offset = next_tick_ms = 0
    while True:
        round_number, place = divmod(offset, len(lines))
        line, shift_ms = lines[place], round_number * DAYS * DAY_MS
        at_ms = line.timestamp_ms + shift_ms
        if at_ms >= next_tick_ms:
            next_tick_ms = at_ms + TICK_MS
            for partition in range(PARTITIONS):
                tick = Tick(occurred_at=at_ms, partition=partition, config_version=0)
                yield InputRecord(TICKS_TOPIC, partition, offset, at_ms, b"", codec.encode(TICKS_TOPIC, tick))
        event: Any = line.value
        event = msgspec.structs.replace(
            event, event_id=f"{event.event_id}-{round_number}", occurred_at=event.occurred_at + shift_ms
        )
        yield stranger.record(offset, line, event, at_ms, offset)
        offset += 1
        if offset >= records:
            return


class Account:
    """Folds records and accounts for each of them."""

    def __init__(self) -> None:
        self.fates: Counter[str] = Counter()
        self.fed = 0
        self.slowest_s = 0.0
        self._drivers = [
            PartitionDriver(
                partition, PARTITIONS, "fuzz", Catalogue().get, Codec(), FailureLimit(1e-9, 1_000), lambda: END_MS, "accept"
            )
            for partition in range(PARTITIONS)
        ]
        for driver in self._drivers:
            driver.begin({})

    def feed(self, record: InputRecord) -> None:
        """Fold one record. Raises whatever the driver raises, TooManyFailures at the first event on which the fold fails."""
        began_s = time.process_time()
        self._drivers[record.partition].process(record)
        self.slowest_s = max(self.slowest_s, time.process_time() - began_s)
        self.fed += 1
        if record.topic == TICKS_TOPIC:
            self.fates["tick"] += 1
        if self.fed % COMMIT_EVERY == 0:
            self.settle()

    def settle(self) -> None:
        """Commit, and count what became of the records."""
        for driver in self._drivers:
            transaction = driver.take()
            letters = [one.record for one in transaction.outputs if isinstance(one.record, DeadLetter)]
            self.fates.update(f"dead letter: {letter.reason}" for letter in letters)
            for (figure, dimension), count in transaction.tally.items():
                if figure == "events_by_day":
                    self.fates["accepted"] += count
                elif dimension in DROPPED:
                    self.fates[f"dropped: {dimension}"] += count

    @property
    def unaccounted(self) -> int:
        """How many records were fed and have no fate; below 0 when some have two."""
        return self.fed - self.fates.total()

    def largest_state_bytes(self) -> int:
        """The longest encoded state of any customer."""
        return max((len(value) for driver in self._drivers for value in driver.customers.values.values()), default=0)


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
    print(f"{account.fed:,} records in {time.monotonic() - began_s:.0f} s, {account.unaccounted} not accounted for")
    print(f"slowest record {account.slowest_s * 1000:.0f} ms; largest state {account.largest_state_bytes():,} bytes")
    print(machine.description())
    return int(account.unaccounted != 0 or account.slowest_s > SLOWEST_S)


if __name__ == "__main__":
    sys.exit(main())
