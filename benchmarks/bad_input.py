"""What bad records cost the good ones: `python -m benchmarks.bad_input`.

The simulated load of `benchmarks.driver`, alone and with one bad record after each hundred good ones, in turns of one run.
Printed is the rate that the good ones keep.
"""

import argparse
import sys
import time
from collections.abc import Iterable, Iterator
from itertools import cycle
from statistics import median
from typing import Final

from msgspec.structs import replace

from benchmarks import machine
from benchmarks.driver import SIMULATED_COMMIT_MS, Bench, simulated
from benchmarks.ground import PARTITIONS
from streams.collector import tune_collector
from streams.records import InputRecord
from tests.support.bad_input import ACCEPTED, corpus

GOOD_A_BAD: Final = 100
REPEATS: Final = 6


def with_bad(records: Iterable[InputRecord], at_ms: int) -> Iterator[InputRecord]:
    """The records, with one of the corpus after every hundred of them."""
    bad = cycle(one for one in corpus(at_ms, PARTITIONS) if one.fate != ACCEPTED)
    for number, record in enumerate(records, 1):
        yield record
        if number % GOOD_A_BAD == 0:
            one = next(bad)
            yield replace(record, topic=one.topic, partition=one.partition, key=one.key, value=one.value)


def seconds(records: list[InputRecord]) -> float:
    """Processor time of folding them, dead letters and commits included."""
    bench = Bench(SIMULATED_COMMIT_MS)
    began_s = time.process_time()
    bench.run(records)
    return time.process_time() - began_s


def kept(good: list[InputRecord], mixed: list[InputRecord], *, mixed_first: bool) -> float:
    """The rate of the good ones among bad ones over their rate alone. Whoever is second is faster, so they take turns."""
    if mixed_first:
        with_bad_s = seconds(mixed)
        return seconds(good) / with_bad_s
    return seconds(good) / seconds(mixed)


def main() -> int:
    """Measure and print; returns the exit code, 1 when the good ones keep less than nine tenths of their rate."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bad_input", description="What bad records cost the good ones.")
    parser.add_argument("--customers", type=int, default=100, help="simulated customers of 60 days (100)")
    options = parser.parse_args()
    tune_collector()
    good = simulated(options.customers).records
    mixed = list(with_bad(good, good[-1].timestamp_ms))
    shares = sorted(kept(good, mixed, mixed_first=turn % 2 == 1) for turn in range(REPEATS))
    turns = f"{shares[0]:.3f} to {shares[-1]:.3f} in {REPEATS} turns"
    print(
        f"{len(good):,} good records keep {median(shares):.3f} of their rate ({turns}) "
        f"with {len(mixed) - len(good):,} bad ones among them"
    )
    print(machine.description())
    return int(median(shares) < 0.9)


if __name__ == "__main__":
    sys.exit(main())
