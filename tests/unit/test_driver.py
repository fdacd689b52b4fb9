"""What the driver does with ticks, old events and a domain that raises."""

from collections.abc import Callable
from typing import Any, Literal

import pytest

from processors import customer as domain
from processors.windows import DAY_MS, HOUR_MS
from schemas.codec import Codec
from schemas.events import InputEvent, Tick, TicketEvent
from schemas.records import DeadLetter
from streams.catalogue import Catalogue, default_text
from streams.dead_letters import FailureLimit
from streams.driver import PartitionDriver
from streams.records import InputRecord
from streams.ticks import TICKS_TOPIC

NOON = 1_767_268_800_000
CODEC = Codec()


def driver_with(catalogue: Catalogue, unverifiable: Literal["accept", "dead_letter"] = "accept") -> PartitionDriver:
    driver = PartitionDriver(0, 1, "app", catalogue.get, CODEC, FailureLimit(0.5, 100), lambda: None, unverifiable)
    driver.begin({})
    return driver


def feed(driver: PartitionDriver, event: InputEvent, at_ms: int) -> None:
    topic = TICKS_TOPIC if isinstance(event, Tick) else "cs.tickets"
    key = b"0" if isinstance(event, Tick) else event.customer_id.encode()
    offset = driver.uncommitted_records
    driver.process(InputRecord(topic, 0, offset, at_ms, key, CODEC.encode(topic, event)))


def opened(event_id: str, at_ms: int) -> TicketEvent:
    return TicketEvent(event_id=event_id, customer_id="ann", occurred_at=at_ms, kind="opened", ticket_id=event_id)


def dead_letters(driver: PartitionDriver) -> list[str]:
    letters = [CODEC.decode(one.topic, one.value) for one in driver.drain_outputs() if one.topic == "cs.dead-letters"]
    return [letter.reason for letter in letters if isinstance(letter, DeadLetter)]


def test_a_tick_that_names_definitions_nobody_knows_is_a_dead_letter_and_changes_nothing() -> None:
    driver = driver_with(Catalogue())
    feed(driver, Tick(occurred_at=NOON, partition=0, config_version=999), NOON)
    assert dead_letters(driver) == ["unknown_definitions"]
    assert driver.totals.meta.config_version == 0
    assert driver.totals.meta.as_of_ms == 0


def test_a_tick_of_another_partition_is_misrouted_whatever_definitions_it_names() -> None:
    driver = driver_with(Catalogue())
    tick = Tick(occurred_at=NOON, partition=3, config_version=999)
    driver.offer(InputRecord(TICKS_TOPIC, 0, 0, NOON, b"3", CODEC.encode(TICKS_TOPIC, tick)))
    assert driver.wants_definitions is None, "nobody needs to wait for them"
    driver.work(10)
    assert dead_letters(driver) == ["misrouted"]


def test_definitions_that_a_tick_names_are_waited_for_and_then_in_force() -> None:
    catalogue = Catalogue()
    driver = driver_with(catalogue)
    tick = Tick(occurred_at=NOON, partition=0, config_version=1)
    driver.offer(InputRecord(TICKS_TOPIC, 0, 0, NOON, b"0", CODEC.encode(TICKS_TOPIC, tick)))
    before = driver.wants_definitions
    catalogue.put(1, default_text())
    after = driver.wants_definitions
    driver.work(10)
    assert (before, after) == (1, None)
    assert driver.totals.meta.config_version == 1


def test_an_older_version_in_a_later_tick_takes_nothing_back() -> None:
    catalogue = Catalogue()
    catalogue.put(1, default_text())
    driver = driver_with(catalogue)
    feed(driver, Tick(occurred_at=NOON, partition=0, config_version=1), NOON)
    feed(driver, Tick(occurred_at=NOON + 1, partition=0, config_version=0), NOON + 1)
    assert driver.totals.meta.config_version == 1


@pytest.mark.parametrize(("unverifiable", "letters", "accepted"), [("accept", [], 3), ("dead_letter", ["unverifiable"], 2)])
def test_an_event_older_than_the_remembered_ids_counts_or_is_refused_as_the_setting_says(
    unverifiable: Literal["accept", "dead_letter"], letters: list[str], accepted: int
) -> None:
    driver = driver_with(Catalogue(), unverifiable)
    feed(driver, opened("a", NOON), NOON)
    feed(driver, opened("b", NOON + 4 * DAY_MS), NOON + 4 * DAY_MS)
    feed(driver, opened("a", NOON), NOON + HOUR_MS)
    assert dead_letters(driver) == letters
    customer = driver.customers.get(b"ann")
    assert customer is not None
    assert customer.state.events_accepted == accepted


def test_a_due_evaluation_that_raises_is_tried_again_a_day_later_and_nothing_of_it_remains(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    driver = driver_with(Catalogue())
    feed(driver, opened("a", NOON), NOON)
    settle: Callable[..., None] = domain.settle
    failures = 0

    def failing(state: Any, until_ms: int, context: Any) -> None:
        nonlocal failures
        settle(state, until_ms, context)
        if failures == 0:
            failures += 1
            raise ZeroDivisionError("a fault of ours")

    monkeypatch.setattr(domain, "settle", failing)
    customer = driver.customers.get(b"ann")
    assert customer is not None
    due_ms = customer.state.next_due
    before = driver.totals.values()
    driver.drain_outputs()
    feed(driver, Tick(occurred_at=due_ms, partition=0, config_version=0), due_ms)
    assert customer.state.next_due == due_ms + DAY_MS
    assert [one.topic for one in driver.drain_outputs() if one.topic != "cs.fleet-partials"] == []
    assert {key: value for key, value in driver.totals.values().items() if key[2] is not None} == {
        key: value for key, value in before.items() if key[2] is not None
    }
    feed(driver, opened("b", due_ms + 1), due_ms + 1)
    assert customer.state.events_accepted == 2, "its events go on"


def test_a_record_that_was_under_way_when_the_partition_left_is_forgotten_because_it_is_read_again() -> None:
    driver = driver_with(Catalogue())
    feed(driver, opened("a", NOON), NOON)
    later_ms = NOON + 9 * DAY_MS
    record = InputRecord("cs.tickets", 0, 1, later_ms, b"ann", CODEC.encode("cs.tickets", opened("b", later_ms)))
    driver.offer(record)
    driver.work(1)
    under_way = driver.busy
    offsets = driver.take().offsets
    driver.begin(offsets)
    assert under_way, "one step does not do nine days of due work"
    assert offsets == {"cs.tickets": 1}
    driver.process(record)
    customer = driver.customers.get(b"ann")
    assert customer is not None
    assert customer.state.events_accepted == 2
    assert driver.totals.counts(("oddities_by_day", "duplicate", later_ms - later_ms % DAY_MS)) == [0]
