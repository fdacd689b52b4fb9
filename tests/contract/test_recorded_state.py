"""The state that an earlier version has left in its changelogs is read, means what it meant, and goes on."""

import msgspec
import pytest

from processors.definitions import parse
from streams.fleet_driver import FleetDriver
from streams.state_bytes import FORMAT_VERSION, HEADER, UnreadableState, unpack
from tests.contract.record_state import meaning, next_records, read
from tests.support.driven import INCARNATION, Driven
from tests.support.histories import numbered

VERSIONS = range(1, FORMAT_VERSION + 1)


@pytest.mark.parametrize("version", VERSIONS)
def test_every_customer_means_what_it_meant_when_it_was_written(version: int) -> None:
    made = read(version)
    definitions = parse(made.definitions)
    states = {key.decode(): unpack(value) for table, key, value in made.changelog if table == "customers"}
    now = {name: meaning(state, made.as_of_ms, definitions) for name, state in states.items()}
    assert msgspec.to_builtins(now) == made.known
    assert len(now) > 5


@pytest.mark.parametrize("version", VERSIONS)
def test_a_partition_is_restored_from_it_and_folds_what_comes_next(version: int) -> None:
    made = read(version)
    driven = Driven(made.definitions)
    driven.changelog = list(made.changelog)
    driven.restart()
    before = {name: known["events_accepted"] for name, known in made.known.items()}
    for record in numbered(next_records(made)):
        driven.feed(record)
    driven.take()
    after = {key.decode(): unpack(value).events_accepted for key, value in driven.driver.customers.values.items()}
    assert len(made.next_lines) > 50
    assert sum(after.values()) - sum(before.values()) > 0.9 * len(made.next_lines)
    assert {output.topic for output in driven.outputs} >= {"cs.health-changes", "cs.customer-snapshots"}
    assert driven.gauges_of_totals() == driven.gauges_of_customers()


@pytest.mark.parametrize("version", VERSIONS)
def test_the_fleet_is_restored_from_it_and_repeats_nothing(version: int) -> None:
    made = read(version)
    driven = Driven(made.definitions)
    driver = FleetDriver(1, INCARNATION, driven.catalogue.get, driven.codec, lambda: None)
    driver.restorer("fleet")((key, value) for table, key, value in made.changelog if table == "fleet")
    driver.restored()
    driver.begin(driver.offsets)
    assert len(driver) > 100
    assert driver.store.state.is_complete
    assert driver.store.state.as_of_ms <= made.as_of_ms
    assert dict(driver.table("fleet")) == {key: value for table, key, value in made.changelog if table == "fleet"}
    assert driver.drain_outputs() == []


def test_a_state_of_a_later_version_is_refused_with_a_word_what_to_do() -> None:
    made = read(FORMAT_VERSION)
    value = next(value for table, _, value in made.changelog if table == "customers")
    _, config_version, next_due = HEADER.unpack_from(value)
    later = HEADER.pack(FORMAT_VERSION + 1, config_version, next_due) + value[HEADER.size :]
    with pytest.raises(UnreadableState, match="later"):
        unpack(later)
