"""A year of simulated customers through replay, held against the oracle at the end of each month: `python -m benchmarks.year`.

Ticks come hourly. At the end of each month every customer is compared with the batch oracle, which computes all figures and
scores from the plain list of events: as if its snapshot fell due then, on a copy of its state, so that looking changes nothing.
On the way every explanation must add up, every chain of health changes hold, and no customer have two open episodes of a rule.
"""

import argparse
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from typing import Any, Final

import msgspec

from benchmarks import machine
from benchmarks.watch import Outcome, Sizes, Watch
from processors import customer as domain
from processors.effects import Context
from processors.windows import DAY_MS
from schemas.codec import Codec
from schemas.events import CustomerEvent
from schemas.jsonlines import Line
from schemas.records import CustomerSnapshot
from streams.catalogue import Catalogue, default_text
from streams.collector import tune_collector
from streams.replay import INCARNATION, OutputLine, Replay
from streams.sources.simulator import Simulation, simulate
from streams.state_bytes import unpack
from streams.topics import partition_of
from tests.support.log_checker import wrong_in_snapshot
from tests.support.oracle.acceptance import judged

HOUR_MS: Final = 3_600_000
END_MS: Final = 1_767_225_600_000  # 2026-01-01T00:00:00Z
TOPICS: Final = frozenset({"cs.health-changes", "cs.churn-alerts"})


class Accepted:
    """The events of each customer that count, by the oracle's rules, as the records come."""

    def __init__(self, partitions: int) -> None:
        self._partitions = partitions
        self._records: list[list[tuple[Line, CustomerEvent]]] = [[] for _ in range(partitions)]

    def add(self, line: Line) -> None:
        """Take in a record."""
        assert isinstance(line.value, CustomerEvent)
        self._records[partition_of(line.key or b"", self._partitions)].append((line, line.value))

    def by_customer(self) -> dict[str, list[CustomerEvent]]:
        """What counts until now; an erasure forgets all before it."""
        found: defaultdict[str, list[CustomerEvent]] = defaultdict(list)
        for records in self._records:
            for judgement, (_, event) in zip(judged(_told(line, event) for line, event in records), records, strict=True):
                if not judgement.counts:
                    continue
                if event.kind == "erased":
                    found[event.customer_id].clear()
                else:
                    found[event.customer_id].append(event)
        return found


def _told(line: Line, event: CustomerEvent) -> dict[str, Any]:
    """A record as the oracle decides on it; what else the event says is not needed for that."""
    value = {
        "event_id": event.event_id,
        "customer_id": event.customer_id,
        "occurred_at": event.occurred_at,
        "kind": event.kind,
    }
    return {"topic": line.topic, "timestamp_ms": line.timestamp_ms, "value": value}


def run(simulation: Simulation, *, partitions: int, jobs: int = 0, days_between: int = 30, tick_ms: int = HOUR_MS) -> Outcome:
    """Replay a simulation and hold it against the oracle every so many days and at its end; `jobs` processes do that aside."""
    outcome = Outcome()
    watch, accepted, codec = Watch(outcome), Accepted(partitions), Codec()
    replay = Replay(partitions, topics=TOPICS)
    encoded: list[tuple[str, bytes]] = []
    pool = ProcessPoolExecutor(jobs) if jobs else None
    waiting: list[Future[tuple[list[str], float]]] = []
    next_tick_ms = simulation.span.start_ms - simulation.span.start_ms % tick_ms + tick_ms
    next_look_ms = simulation.span.start_ms + days_between * DAY_MS

    def let_pass(until_ms: int) -> None:
        nonlocal next_tick_ms, next_look_ms
        while next_tick_ms <= until_ms:
            outcome.ticks += 1
            _timed(outcome, watch, replay.tick(next_tick_ms))
            if next_tick_ms >= next_look_ms or next_tick_ms == simulation.end_ms:
                next_look_ms += days_between * DAY_MS
                _look(replay, accepted, next_tick_ms, outcome, pool, waiting)
            next_tick_ms += tick_ms

    for line in simulate(simulation):
        # what comes in the same millisecond as a tick is judged after it: the tick's time ends the month
        let_pass(line.timestamp_ms)
        outcome.events += 1
        accepted.add(line)
        encoded.append((line.topic, codec.encode(line.topic, line.value)))
        _timed(outcome, watch, replay.event(line))
    let_pass(simulation.end_ms)
    for future in waiting:
        sentences, seconds = future.result()
        outcome.tell(sentences)
        outcome.oracle_s += seconds
    if pool is not None:
        pool.shutdown()
    started = time.process_time()
    for topic, value in encoded:
        codec.decode(topic, value)
    outcome.ceiling_s = time.process_time() - started
    return outcome


def _timed(outcome: Outcome, watch: Watch, outputs: Iterator[OutputLine]) -> None:
    started = time.process_time()
    found = list(outputs)
    outcome.replay_s += time.process_time() - started
    for line in found:
        watch.see(line)


def _look(
    replay: Replay,
    accepted: Accepted,
    at_ms: int,
    outcome: Outcome,
    pool: ProcessPoolExecutor | None,
    waiting: list[Future[tuple[list[str], float]]],
) -> None:
    """Measure the states and hold every customer against the oracle."""
    started = time.process_time()
    for driver in replay.drivers:
        driver.take()
    outcome.replay_s += time.process_time() - started
    values = {key: value for driver in replay.drivers for key, value in driver.customers.values.items()}
    outcome.sizes.append(_sizes(at_ms, [len(value) for value in values.values()]))
    print(f"{outcome.events:,} events, {outcome.replay_s:.0f} s in replay: {outcome.sizes[-1]}", file=sys.stderr, flush=True)
    events = {customer_id: mine for customer_id, mine in accepted.by_customer().items() if mine}
    outcome.compared += len(events)
    work = [(values.get(customer_id.encode(), b""), events[customer_id], at_ms) for customer_id in sorted(events)]
    if pool is None:
        sentences, seconds = compare(work)
        outcome.tell(sentences)
        outcome.oracle_s += seconds
        return
    waiting.extend(pool.submit(compare, work[first : first + 50]) for first in range(0, len(work), 50))


def compare(work: Sequence[tuple[bytes, Sequence[CustomerEvent], int]]) -> tuple[list[str], float]:
    """What is wrong with customers, given by their states, accepted events and a time; and how many seconds that took."""
    started = time.process_time()
    text = default_text()
    definitions = Catalogue().get(0)
    assert definitions is not None
    found: list[str] = []
    for value, events, at_ms in work:
        if not value:
            found.append(f"there is no state of {events[0].customer_id}")
            continue
        shown = msgspec.to_builtins(_snapshot(value, at_ms, Context(definitions, 0, INCARNATION)))
        found += wrong_in_snapshot(shown, msgspec.to_builtins(events), text)
    return found, time.process_time() - started


def _snapshot(value: bytes, at_ms: int, context: Context) -> CustomerSnapshot:
    """The snapshot of a customer as if it were due at that time."""
    state = unpack(value)
    state.snapshot_due_at = state.next_due = at_ms
    domain.settle(state, at_ms, context)
    return next(record for record in reversed(context.effects.outputs) if isinstance(record, CustomerSnapshot))


def _sizes(at_ms: int, lengths: list[int]) -> Sizes:
    lengths.sort()

    def percentile(share: float) -> int:
        return lengths[min(len(lengths) - 1, int(share * len(lengths)))]

    return Sizes(at_ms, len(lengths), percentile(0.5), percentile(0.9), percentile(0.99), lengths[-1])


def report(outcome: Outcome, simulation: Simulation) -> Iterator[str]:
    """What a year has shown, as lines."""
    yield (
        f"{outcome.events:,} events of {simulation.customers:,} customers in {simulation.days} days, seed {simulation.seed}; "
        f"{outcome.ticks:,} ticks; {machine.description()}"
    )
    yield (
        f"{outcome.compared:,} customers at month's ends held against the oracle: {outcome.wrong_count} differences; "
        f"{outcome.health_changes:,} health changes, {outcome.episodes:,} episodes opened"
    )
    yield from outcome.wrong
    per_s = outcome.events / outcome.replay_s if outcome.replay_s else 0.0
    yield (
        f"of the processor: replay {outcome.replay_s:.0f} s ({per_s:,.0f} events/s), decoding the same events alone "
        f"{outcome.ceiling_s:.1f} s, {outcome.replay_s / max(outcome.ceiling_s, 1e-9):.0f} times that; the oracle "
        f"{outcome.oracle_s:.0f} s"
    )
    yield "| after days | customers | median bytes | p90 | p99 | largest |"
    yield "|---|---|---|---|---|---|"
    for one in outcome.sizes:
        days = (one.at_ms - simulation.span.start_ms) / DAY_MS
        yield f"| {days:.0f} | {one.customers:,} | {one.median:,} | {one.p90:,} | {one.p99:,} | {one.largest:,} |"


def main() -> int:
    """Run a year; returns 1 when anything is wrong."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.year", description="A simulated year, held against the oracle.")
    parser.add_argument("--customers", type=int, default=2000, help="how many (2000)")
    parser.add_argument("--days", type=int, default=365, help="over how many days (365)")
    parser.add_argument("--seed", type=int, default=1, help="which customers (1)")
    parser.add_argument("--partitions", type=int, default=4, help="of the inputs (4)")
    parser.add_argument("--jobs", type=int, default=1, help="processes for the oracle beside the replay; 0: none (1)")
    options = parser.parse_args()
    simulation = Simulation(customers=options.customers, days=options.days, seed=options.seed, end_ms=END_MS)
    tune_collector()
    outcome = run(simulation, partitions=options.partitions, jobs=options.jobs)
    print("\n".join(report(outcome, simulation)))
    return 1 if outcome.wrong_count else 0


if __name__ == "__main__":
    sys.exit(main())
