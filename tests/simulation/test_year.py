"""Months of simulated customers through replay, held against the oracle on the way: a small year."""

from functools import cache

import msgspec
import pytest

from benchmarks.watch import Outcome, Watch
from benchmarks.year import END_MS, HOUR_MS, compare, report, run
from schemas.events import TicketEvent
from schemas.records import ChurnAlert, HealthChange
from streams.replay import OutputLine
from streams.sources.simulator import Disorder, Simulation
from tests.support.demo_records import alert

pytestmark = pytest.mark.timeout(300)

UNTIDY = Disorder(delayed_share=0.08, late_share=0.01, duplicate_share=0.03)
SMALL = Simulation(customers=40, days=120, seed=5, end_ms=END_MS, disorder=UNTIDY)


@cache
def outcome() -> Outcome:
    return run(SMALL, partitions=4, tick_ms=6 * HOUR_MS)


def test_the_oracle_agrees_on_every_customer_at_the_end_of_each_month_and_every_explanation_adds_up() -> None:
    found = outcome()
    assert found.wrong == []
    assert found.wrong_count == 0
    assert found.compared > 3 * 25
    assert found.health_changes > 1000
    assert found.episodes > 20


def test_the_states_are_measured_at_the_end_of_each_month() -> None:
    sizes = outcome().sizes
    assert [(one.at_ms - SMALL.span.start_ms) // 86_400_000 for one in sizes] == [30, 60, 90, 120]
    assert all(0 < one.median <= one.p90 <= one.p99 <= one.largest for one in sizes)
    assert any("| 120 | " in line for line in report(outcome(), SMALL))


def test_what_the_oracle_sees_otherwise_is_told() -> None:
    """The check can fail: a customer of whom the pipeline knows nothing is one difference."""
    event = TicketEvent(event_id="e", customer_id="c", occurred_at=END_MS, kind="opened", ticket_id="t")
    found, _ = compare([(b"", [event], END_MS)])
    assert found == ["there is no state of c"]


def seen(*records: HealthChange | ChurnAlert) -> list[str]:
    found = Outcome()
    watch = Watch(found)
    for record in records:
        watch.see(OutputLine(topic="", value=record, timestamp_ms=0, key=None, partition=0, offset=0))
    return found.wrong


def test_a_second_open_episode_of_a_rule_is_told() -> None:
    first = alert("c", "silence", 1, "opened", 1, 1)
    second = msgspec.structs.replace(alert("c", "silence", 2, "opened", 2, 2), episode_id="another")
    assert seen(first) == []
    assert len(seen(first, second)) == 1


def test_an_end_of_an_episode_that_is_not_open_is_told() -> None:
    first, ended = alert("c", "silence", 1, "opened", 1, 1), alert("c", "silence", 1, "resolved", 1, 2)
    ended = msgspec.structs.replace(ended, episode_id=first.episode_id)
    assert seen(first, ended) == []
    assert len(seen(first, ended, ended)) == 1
