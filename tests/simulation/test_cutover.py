"""A second application reads the same log in shadow, is given the word, and gives it back: together they say what one would."""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

import msgspec

from streams.sources.simulator import Disorder, Simulation, simulate
from streams.turns import TakesTurns
from tests.support.driven import Driven
from tests.support.histories import DAY_MS, HOUR_MS, numbered, tick

SEED = 41
END_MS = 20_500 * DAY_MS
DAYS = 45
FORTH_MS, BACK_MS = END_MS - 25 * DAY_MS, END_MS - 10 * DAY_MS
LEAD_MS = 30_000
UNTIDY = Disorder(delayed_share=0.1, late_share=0.02, duplicate_share=0.03)
RESTART_EVERY = 400


def marker(at_ms: int, app_id: str) -> dict[str, Any]:
    """A tick that gives the word, some time before it does."""
    record = tick(at_ms - LEAD_MS)
    return {**record, "value": {**record["value"], "occurred_at": at_ms, "active_app_id": app_id}}


@cache
def log() -> tuple[Mapping[str, Any], ...]:
    print("seed", SEED)
    events = [
        {"topic": line.topic, "timestamp_ms": line.timestamp_ms, "value": msgspec.to_builtins(line.value)}
        for line in simulate(Simulation(customers=10, days=DAYS, seed=SEED, end_ms=END_MS, disorder=UNTIDY))
    ]
    ticks = [tick(at_ms) for at_ms in range(END_MS - DAYS * DAY_MS, END_MS + DAY_MS, 6 * HOUR_MS)]
    both = sorted([*events, *ticks, marker(FORTH_MS, "new"), marker(BACK_MS, "old")], key=lambda record: record["timestamp_ms"])
    return tuple(numbered(both))


def run_of(driven: Driven) -> Driven:
    for number, record in enumerate(log(), 1):
        driven.feed(record)
        if number % RESTART_EVERY == 0:
            driven.restart()
    driven.take()
    return driven


def told(drivens: Iterable[Driven]) -> list[tuple[str, str, str, Any]]:
    """What was published, by topic, key and number; the parts for the fleet are each application's own affair."""
    found = []
    for driven in drivens:
        for output in driven.plain_outputs():
            if output["topic"] != "cs.fleet-partials":
                value = output["value"] or {}
                found.append((output["topic"], output["key"] or "", f"{value.get('sequence', 0):06}", value))
    return sorted(found, key=lambda one: one[:3])


def test_two_applications_that_take_turns_say_what_one_alone_says() -> None:
    alone = told([run_of(Driven())])
    old = run_of(Driven(voice=TakesTurns("old", in_shadow=False)))
    new = run_of(Driven(voice=TakesTurns("new", in_shadow=True)))

    assert told([old, new]) == alone
    assert len(told([old])) > len(alone) / 5
    assert len(told([new])) > len(alone) / 5


def test_what_is_told_by_the_second_application_falls_into_its_turn() -> None:
    new = run_of(Driven(voice=TakesTurns("new", in_shadow=True)))
    times = [value["as_of"] for topic, _, _, value in told([new]) if topic == "cs.health-changes"]
    assert min(times) >= FORTH_MS
    assert max(times) < BACK_MS


def test_whoever_is_given_the_word_shows_every_customer_within_a_day() -> None:
    new = run_of(Driven(voice=TakesTurns("new", in_shadow=True)))
    before = [record for record in log() if record["topic"] != "cs.ticks" and record["timestamp_ms"] < FORTH_MS]
    known = {record["value"]["customer_id"] for record in before}
    shown = {
        key
        for topic, key, _, value in told([new])
        if topic == "cs.customer-snapshots" and FORTH_MS <= value["as_of"] <= FORTH_MS + DAY_MS + 6 * HOUR_MS
    }
    assert shown == known


def test_the_fleet_is_silent_in_shadow_and_says_everything_once_when_it_is_given_the_word() -> None:
    always = run_of(Driven()).fleet().drain_outputs()
    new = run_of(Driven(voice=TakesTurns("new", in_shadow=True))).fleet().drain_outputs()
    old = run_of(Driven(voice=TakesTurns("old", in_shadow=False))).fleet().drain_outputs()

    assert min(output.as_of_ms for output in new) >= FORTH_MS
    assert max(output.as_of_ms for output in new) < BACK_MS
    first_ms = min(output.as_of_ms for output in new if output.topic == "cs.touchpoint-maps")
    said_first = {output.key for output in new if output.as_of_ms == first_ms}
    standing = {output.key for output in always if output.topic == "cs.fleet-snapshots" and output.as_of_ms <= first_ms}
    assert standing <= said_first
    assert not [output for output in old if FORTH_MS <= output.as_of_ms < BACK_MS]
    assert {output.topic for output in new} >= {"cs.fleet-snapshots", "cs.touchpoint-maps"}
