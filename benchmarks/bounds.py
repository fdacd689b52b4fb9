"""What is without bounds in the input is bounded in the state: `python -m benchmarks.bounds`.

One customer opens a hundred thousand tickets, another one uses as many features, a third answers from ten thousand touchpoints,
one makes half of all events, and so on (`benchmarks.endless_loads`). Each load says how large the state gets, what an event costs
at its beginning and at its end, and what was told of what could not be kept.
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from benchmarks import machine
from benchmarks.endless_loads import DAY_MS, HOT, LOADS, Maker
from processors.state import CustomerState, encode
from schemas.codec import Codec
from schemas.events import CustomerEvent, Tick
from schemas.records import CustomerSnapshot
from streams.catalogue import Catalogue
from streams.collector import tune_collector
from streams.dead_letters import FailureLimit
from streams.driver import PartitionDriver
from streams.records import InputRecord
from streams.state_bytes import unpack
from streams.ticks import TICKS_TOPIC

START_MS: Final = 1_790_000_000_000
STEP_MS: Final = 10_000
COMMIT_EVERY: Final = 100
LOOKED_AT: Final = 1_000


class Outcome(Struct):
    """What a load came to: times are of the processor, an event, over the first and the last thousand.

    `state_bytes` and `encoded_bytes` are the largest state that was committed, as it is stored and before it is compressed;
    `state` is the last one, `totals` how many counts of the fleet it all came to.
    """

    events: int
    accepted: int
    state_bytes: int
    encoded_bytes: int
    totals: int
    state: CustomerState
    first_us: float
    last_us: float
    oddities: Counter[str]
    figures: dict[str, float | None]


def run(maker: Maker, events: int) -> Outcome:
    """Fold a load, with a daily tick and a commit every hundred events."""
    codec = Codec()
    driver = PartitionDriver(0, 1, "bounds", Catalogue().get, codec, FailureLimit(1e-9, 1_000), lambda: START_MS)
    driver.begin({})
    oddities: Counter[str] = Counter()
    newest: CustomerSnapshot | None = None
    times: list[float] = []
    accepted = largest = encoded = 0
    for number, (topic, event, at_ms) in enumerate(_stamped(maker, events)):
        record = InputRecord(topic, 0, number, at_ms, event.customer_id.encode(), codec.encode(topic, event))
        began_s = time.process_time()
        driver.process(record)
        last = number == events - 1
        if number % COMMIT_EVERY == COMMIT_EVERY - 1 or last:
            if last or number % 10_000 < COMMIT_EVERY:
                driver.process(_tick(codec, number, at_ms + (DAY_MS if last else 0)))
            transaction = driver.take()
            for (figure, dimension), count in transaction.tally.items():
                if figure == "oddities_by_day":
                    oddities[dimension] += count
                elif figure == "events_by_day":
                    accepted += count
            for output in transaction.outputs:
                if isinstance(output.record, CustomerSnapshot) and output.record.customer_id == HOT:
                    newest = output.record
            stored = driver.customers.values.get(HOT.encode())
            if stored is not None:
                largest, encoded = max(largest, len(stored)), max(encoded, len(encode(unpack(stored))))
        times.append(time.process_time() - began_s)
    figures = {figure.name: figure.value for figure in newest.figures if not figure.dimension} if newest else {}
    return Outcome(
        events,
        accepted,
        largest,
        encoded,
        len(driver.totals.values()),
        unpack(driver.customers.values[HOT.encode()]),
        _mean_us(times[:LOOKED_AT]),
        _mean_us(times[-LOOKED_AT:-1]),
        oddities,
        figures,
    )


def _stamped(maker: Maker, events: int) -> Iterator[tuple[str, CustomerEvent, int]]:
    for number in range(events):
        at_ms = START_MS + number * STEP_MS
        yield (*maker(number, at_ms), at_ms)


def _tick(codec: Codec, offset: int, at_ms: int) -> InputRecord:
    tick = Tick(occurred_at=at_ms, partition=0, config_version=0)
    return InputRecord(TICKS_TOPIC, 0, offset, at_ms, b"0", codec.encode(TICKS_TOPIC, tick))


def _mean_us(times: list[float]) -> float:
    return 1e6 * sum(times) / max(1, len(times))


def main() -> int:
    """Run all loads and print a line for each; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bounds", description="Bounds of a state.")
    parser.add_argument("--share", type=float, default=1.0, help="run this share of the events (1.0)")
    options = parser.parse_args()
    tune_collector()
    for name, (maker, events) in LOADS.items():
        found = run(maker, max(LOOKED_AT, round(events * options.share)))
        told = ", ".join(f"{count:,} {oddity}" for oddity, count in found.oddities.most_common()) or "nothing"
        print(
            f"{name}: {found.events:,} events, state at most {found.encoded_bytes:,} bytes, {found.state_bytes:,} stored, "
            f"{found.first_us:,.0f} µs an event at first, {found.last_us:,.0f} µs at last; told: {told}",
            flush=True,
        )
    print(machine.description())
    return 0


if __name__ == "__main__":
    sys.exit(main())
