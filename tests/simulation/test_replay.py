"""Months of simulated customers through the whole topology in one process, held against the oracle."""

import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
import pytest

from processors import customer
from processors.state import CustomerState
from schemas.events import CustomerEvent
from schemas.jsonlines import Line, format_line
from streams.catalogue import default_text
from streams.dead_letters import TooManyFailures
from streams.replay import OutputLine, replay
from streams.sources.simulator import Disorder, Simulation, simulate
from streams.topics import partition_of
from tests.support.driven import Driven
from tests.support.histories import DAY_MS, HOUR_MS, numbered, tick
from tests.support.log_checker import check
from tests.support.oracle.acceptance import Record

SEED = 20_260
END_MS = 20_500 * DAY_MS + 9 * HOUR_MS
UNTIDY = Disorder(delayed_share=0.1, late_share=0.01, duplicate_share=0.03)
SIMULATION = Simulation(customers=30, days=120, seed=SEED, end_ms=END_MS, disorder=UNTIDY)
CLOSING_MS = END_MS + 2 * HOUR_MS
TICK_INTERVAL_MS = 6 * HOUR_MS  # rarer than in life: most of a replay is ticks and what the fleet makes of them
CUSTOMER_TOPICS = ("cs.health-changes", "cs.churn-alerts", "cs.customer-snapshots")


@cache
def lines() -> tuple[Line, ...]:
    print("seed", SEED)
    return tuple(simulate(SIMULATION))


def replayed(given: Iterable[Line], partitions: int = 2, until_ms: int = CLOSING_MS) -> list[OutputLine]:
    return list(replay(given, partitions=partitions, until_ms=until_ms, tick_interval_ms=TICK_INTERVAL_MS))


@cache
def outcome() -> tuple[OutputLine, ...]:
    return tuple(replayed(lines()))


def inputs(given: Iterable[Line], partitions: int, until_ms: int) -> list[Record]:
    """The log that the replay has read, with its last tick."""
    offsets: defaultdict[tuple[str, int], int] = defaultdict(int)
    found: list[Record] = []
    for line in sorted(given, key=lambda line: line.timestamp_ms):
        if line.timestamp_ms > until_ms:
            break
        partition = partition_of(line.key or b"", partitions)
        found.append(record_of(line, partition, offsets[line.topic, partition]))
        offsets[line.topic, partition] += 1
    return [*found, *({**tick(until_ms), "partition": partition, "offset": 0} for partition in range(partitions))]


def record_of(line: Line, partition: int = 0, offset: int = 0) -> dict[str, Any]:
    return {
        "topic": line.topic,
        "partition": partition,
        "offset": offset,
        "timestamp_ms": line.timestamp_ms,
        "value": msgspec.to_builtins(line.value),
    }


def outputs(found: Iterable[OutputLine]) -> list[dict[str, Any]]:
    return [
        {
            "topic": line.topic,
            "partition": line.partition,
            "offset": line.offset,
            "key": None if line.key is None else line.key.decode(),
            "value": None if line.value is None else msgspec.to_builtins(line.value, builtin_types=(bytes,)),
        }
        for line in found
    ]


def of_customers(found: Iterable[OutputLine]) -> dict[tuple[str, bytes | None], list[object]]:
    """What was published for each customer, in its order, wherever it lies."""
    by_customer: defaultdict[tuple[str, bytes | None], list[object]] = defaultdict(list)
    for line in found:
        if line.topic in CUSTOMER_TOPICS:
            by_customer[line.topic, line.key].append(line.value)
    return by_customer


REPLAY_IN_ANOTHER_PROCESS = """
import sys
from tests.simulation.test_replay import few, lines, replayed, text_of
sys.stdout.write("\\n".join(text_of(line) for line in replayed(few(lines(), 12), partitions=3)))
"""


def few(given: Iterable[Line], customers: int) -> list[Line]:
    """The lines of the first customers."""
    return [line for line in given if line.key is not None and line.key <= f"customer-{customers:06}".encode()]


def text_of(line: OutputLine) -> str:
    return format_line(
        line.topic, line.value, timestamp_ms=line.timestamp_ms, key=line.key, partition=line.partition, offset=line.offset
    )


def test_the_same_log_gives_the_same_outputs_byte_for_byte_in_every_process() -> None:
    found = [
        subprocess.run(
            [sys.executable, "-c", REPLAY_IN_ANOTHER_PROCESS],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            cwd=Path(__file__).parents[2],
            capture_output=True,
            check=True,
        ).stdout
        for hash_seed in ("1", "2")
    ]
    assert found[0].count(b"cs.health-changes") > 100
    assert found[0] == found[1]


def test_stopping_and_restoring_anywhere_changes_no_output() -> None:
    records = [record_of(line) for line in few(lines(), 12)]
    for place in range(len(records), 0, -25):
        records.insert(place, tick(records[place - 1]["timestamp_ms"]))
    uncut, cut = Driven(), Driven()
    for place, record in enumerate(numbered(records)):
        uncut.feed(record)
        cut.feed(record)
        if place % 53 == 0:
            cut.restart()
        elif place % 7 == 0:
            cut.take()
    uncut.take()
    cut.take()
    assert cut.outputs == uncut.outputs
    assert cut.gauges_of_totals() == cut.gauges_of_customers()
    assert uncut.gauges_of_totals() == uncut.gauges_of_customers()


def test_the_oracle_agrees_at_the_end() -> None:
    assert check(inputs(lines(), 2, CLOSING_MS), outputs(outcome()), default_text()) == []
    reasons = {line.value.reason for line in outcome() if line.topic == "cs.dead-letters"}  # type: ignore[union-attr]  # dead letters
    assert reasons == {"late"}


@pytest.mark.parametrize("days", [20, 61])
def test_the_oracle_agrees_in_between(days: int) -> None:
    until_ms = END_MS - days * DAY_MS - 1
    upto = [line for line in lines() if line.timestamp_ms <= until_ms - 2 * HOUR_MS]
    assert check(inputs(upto, 2, until_ms), outputs(replayed(upto, until_ms=until_ms)), default_text()) == []


def test_the_number_of_partitions_changes_nothing_that_is_said_of_a_customer() -> None:
    mine = few(lines(), 12)
    assert of_customers(replayed(mine, partitions=1)) == of_customers(replayed(mine, partitions=4))


class Poison:
    """A fold that raises on some events, however often it is tried, after it has changed half of the state."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, poisonous: set[str]) -> None:
        self._fold = customer.fold
        self._poisonous = poisonous
        monkeypatch.setattr(customer, "fold", self)

    def __call__(self, state: CustomerState, event: CustomerEvent, *given: Any) -> customer.Verdict:
        verdict = self._fold(state, event, *given)
        if event.event_id in self._poisonous:
            raise RuntimeError("poison")
        return verdict


def test_an_event_on_which_the_fold_fails_is_one_dead_letter_and_as_if_it_never_was(monkeypatch: pytest.MonkeyPatch) -> None:
    mine = few(lines(), 12)
    accepted = [line for line in mine if 0 <= line.timestamp_ms - line.value.occurred_at < HOUR_MS]  # type: ignore[union-attr]  # events
    poisonous = {line.value.event_id for line in islice(accepted, 40, None, 97)}  # type: ignore[union-attr]  # events
    assert len(poisonous) > 5
    healthy = [line for line in mine if line.value.event_id not in poisonous]  # type: ignore[union-attr]  # events
    without = replayed(healthy)
    Poison(monkeypatch, poisonous)
    with_them = replayed(mine)
    failed = [line.value for line in with_them if line.topic == "cs.dead-letters" and line.value.reason == "failed"]  # type: ignore[union-attr]  # dead letters
    offered = [line for line in mine if line.value.event_id in poisonous]  # type: ignore[union-attr]  # events
    assert len(failed) == len(offered)
    assert all("RuntimeError: poison" in letter.message for letter in failed)  # type: ignore[union-attr]  # dead letters
    assert of_customers(with_them) == of_customers(without)
    assert newest_partials(with_them) == newest_partials(without)


def newest_partials(found: Iterable[OutputLine]) -> dict[bytes | None, object]:
    newest = {}
    for line in found:
        if line.topic == "cs.fleet-partials":
            newest[line.key] = None if line.value is None else line.value.counts  # type: ignore[union-attr]  # partials
    return newest


def test_when_too_many_records_fail_the_run_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    Poison(monkeypatch, {line.value.event_id for line in lines()})  # type: ignore[union-attr]  # events
    with pytest.raises(TooManyFailures, match="RuntimeError: poison"):
        replayed(lines())


ONE_MORE_MEASURE = """
[[scorecards.measures]]
name = "urgency"
figure = "open_urgent_tickets"
curve = [[0, 100], [3, 0]]
weight = 30

"""


def test_new_definitions_judge_every_customer_anew_and_say_so() -> None:
    driven = Driven()
    recency = '[[scorecards.measures]]\nname = "recency"'
    driven.catalogue.put(2, default_text().replace(recency, ONE_MORE_MEASURE + recency))
    records = numbered([*(record_of(line) for line in few(lines(), 30)), tick(CLOSING_MS, config_version=2)])
    for record in records:
        driven.feed(record)
    driven.take()
    before = driven.plain_outputs()
    while driven.driver.work_aside(7):
        driven.take()
    driven.take()
    after = driven.plain_outputs()[len(before) :]
    changes = [output["value"] for output in after if output["topic"] == "cs.health-changes"]
    known = {output["key"] for output in before if output["topic"] == "cs.customer-snapshots"}
    assert len(known) == 30
    of_risk = [change for change in changes if change["purpose"] == "risk"]
    assert sorted(change["customer_id"] for change in of_risk) == sorted(known)
    assert {(change["cause"], change["config_version"]) for change in changes} == {("config", 2)}
    assert all("urgency" in {measure["measure"] for measure in change["measures"]} for change in of_risk)
