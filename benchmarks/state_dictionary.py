"""Makes the dictionary that states are compressed with, from simulated customers: `python -m benchmarks.state_dictionary FILE`.

It is needed once for a format version of the state (`streams.state_bytes`); one that was ever released is never made anew.
"""

import sys
from pathlib import Path

import zstandard

from processors.state import encode
from streams.collector import tune_collector
from streams.replay import Replay
from streams.sources.simulator import Simulation, simulate
from streams.state_bytes import unpack

CUSTOMERS = 100
DAYS = (30, 90, 365)
SEED = 11
END_MS = 1_790_000_000_000
DICTIONARY_BYTES = 65_536


def states(days: int) -> list[bytes]:
    """The encoded states of simulated customers after so many days."""
    run = Replay(1, topics=frozenset())
    for line in simulate(Simulation(customers=CUSTOMERS, days=days, seed=SEED, end_ms=END_MS)):
        for _ in run.event(line):
            pass
    run.drivers[0].take()
    return [encode(unpack(value)) for value in run.drivers[0].customers.values.values()]


def main() -> None:
    """Write the dictionary."""
    tune_collector()
    samples = [state for days in DAYS for state in states(days)]
    dictionary = zstandard.train_dictionary(DICTIONARY_BYTES, [*samples])
    Path(sys.argv[1]).write_bytes(dictionary.as_bytes())
    before = sorted(map(len, samples))
    compress = zstandard.ZstdCompressor(level=2, dict_data=dictionary, write_checksum=False, write_dict_id=False).compress
    after = sorted(len(compress(sample)) for sample in samples)
    print(f"{len(samples)} states: median {before[len(before) // 2]} bytes, compressed {after[len(after) // 2]}")


if __name__ == "__main__":
    main()
