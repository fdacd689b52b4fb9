"""One suite that every sink passes: what `sinks/sink.py` promises, held against a destination with faults.

A sink joins it by a subclass of the suites that apply to it, with a fixture `destination`.
"""

import random
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, suppress
from typing import ClassVar, Final, Protocol

import pytest

from schemas.records import Output
from sinks.sink import Batch, Moved, Place, Sink, SinkRecord, Unavailable
from tests.support.sinks.carrier import Carrier

PARTITIONS: Final = 3
CUSTOMERS: Final = 12
NUMBERS: Final = 25
"""So many records of each customer, numbered from 1."""


class Destination(Protocol):
    """A destination under the test's control, and the sink that brings records to it."""

    topic: str

    keeps_history: bool
    """Everything that arrived can be told, not only what stands now."""

    def sink(self) -> Sink:
        """A new sink, as after a restart of the process."""

    def value(self, customer_id: str, number: int) -> Output:
        """The record that says the `number`-th thing about a customer."""

    def arrived(self, customer_id: str) -> list[int]:
        """The numbers that whoever looks at the destination knows of, in the order they came; only the newest without history.

        A destination that is told ids drops what it has had before, as everybody who is told an id is asked to do.
        """

    def away(self) -> AbstractContextManager[None]:
        """Nobody answers."""

    def slow(self) -> AbstractContextManager[None]:
        """Every answer takes its time."""

    def loses_answers(self) -> AbstractContextManager[None]:
        """What is asked is done in whole or in part, and the answer never comes."""


class SinkConformance:
    """The suite."""

    SEEDS: ClassVar[Sequence[int]] = (1, 2, 3)

    @pytest.fixture
    def destination(self) -> Iterator[Destination]:
        raise NotImplementedError("a subclass gives the destination")

    @pytest.fixture(params=SEEDS)
    def seed(self, request: pytest.FixtureRequest) -> int:
        found: int = request.param
        return found

    def test_everything_arrives_in_the_order_of_each_customer(self, destination: Destination, seed: int) -> None:
        log = log_of(destination, seed)

        Carrier(log, seed).carry(destination.sink())

        assert_arrived(destination)

    def test_what_is_given_twice_arrives_once(self, destination: Destination, seed: int) -> None:
        log = log_of(destination, seed)
        sink = destination.sink()
        carrier = Carrier(log, seed)
        carrier.carry(sink)
        sink.assigned(list(carrier.stored))

        for place in carrier.stored:
            records = [record for record in log if Place(record.topic, record.partition) == place]
            for batch in (Batch(place, 0, records[-1].offset + 1, records), Batch(place, 0, records[4].offset + 1, records[:5])):
                give_again(sink, batch)

        assert_arrived(destination)

    def test_a_restart_between_any_two_writes_changes_nothing(self, destination: Destination, seed: int) -> None:
        chance = random.Random(seed)
        carrier = Carrier(log_of(destination, seed), seed)

        while not carrier.carry(sink := destination.sink(), writes_at_most=chance.randint(0, 4)):
            if chance.random() < 0.5:  # the others just die
                sink.close()

        assert_arrived(destination)

    def test_positions_that_were_not_stored_before_a_restart_change_nothing(self, destination: Destination, seed: int) -> None:
        chance = random.Random(seed)
        carrier = Carrier(log_of(destination, seed), seed)

        for _ in range(20):
            before = dict(carrier.stored)
            carrier.carry(destination.sink(), writes_at_most=chance.randint(1, 3))
            carrier.stored = before if chance.random() < 0.5 else carrier.stored
        carrier.carry(destination.sink())

        assert_arrived(destination)

    def test_a_destination_that_is_down_is_waited_for(self, destination: Destination, seed: int) -> None:
        carrier = Carrier(log_of(destination, seed), seed)
        sink = destination.sink()
        carrier.carry(sink, writes_at_most=2)
        before = {customer: destination.arrived(customer) for customer in customers()}

        with destination.away():
            records = [record for record in log_of(destination, seed) if record.partition == 0]
            start = carrier.stored.get(Place(destination.topic, 0), 0)
            left = [record for record in records if record.offset >= start]
            batch = Batch(Place(destination.topic, 0), start, left[-1].offset + 1, left[: sink.records_at_most])
            with pytest.raises(Unavailable) as raised:
                sink.write([batch])

        assert not raised.value.settled
        assert {customer: destination.arrived(customer) for customer in customers()} == before
        carrier.carry(sink)
        assert_arrived(destination)

    def test_a_destination_that_is_down_at_the_start_is_told(self, destination: Destination) -> None:
        with destination.away(), pytest.raises(Unavailable):
            destination.sink().assigned([Place(destination.topic, 0)])

    def test_a_slow_destination_gets_everything(self, destination: Destination) -> None:
        with destination.slow():
            Carrier(log_of(destination, 1), 1).carry(destination.sink())

        assert_arrived(destination)

    def test_lost_answers_repeat_nothing(self, destination: Destination, seed: int) -> None:
        chance = random.Random(seed)
        carrier = Carrier(log_of(destination, seed), seed)
        sink = destination.sink()
        done = False

        while not done:
            done = carrier.carry(sink, writes_at_most=chance.randint(1, 3))
            with destination.loses_answers():
                done = done or carrier.carry(sink, writes_at_most=1)
            if chance.random() < 0.3:
                sink = destination.sink()

        assert_arrived(destination)

    def test_an_empty_batch_moves_only_the_position(self, destination: Destination) -> None:
        sink = destination.sink()
        place = Place(destination.topic, 0)
        start = sink.assigned([place]).get(place, 0)

        sink.write([Batch(place, start, start + 7, [])])

        assert sink.assigned([place]).get(place, start + 7) == start + 7
        assert all(not destination.arrived(customer) for customer in customers())


class PositionsConformance(SinkConformance):
    """The suite of a sink whose destination keeps positions in one step with the data."""

    def test_a_sink_that_lost_its_partition_changes_nothing(self, destination: Destination, seed: int) -> None:
        log = log_of(destination, seed)
        carrier = Carrier(log, seed)
        older = destination.sink()
        carrier.carry(older, writes_at_most=1)
        before = dict(carrier.stored)
        carrier.carry(destination.sink())

        for place, start in before.items():
            left = [record for record in log if Place(record.topic, record.partition) == place and record.offset >= start][:10]
            with pytest.raises(Moved) as raised:
                older.write([Batch(place, start, left[-1].offset + 1, left)])
            assert raised.value.positions[place] == carrier.stored[place]

        assert_arrived(destination)


class ForgettingConformance(SinkConformance):
    """The suite of a sink that can take back what it told."""

    def test_a_customer_that_is_forgotten_is_gone_and_may_come_back(self, destination: Destination) -> None:
        whole = log_of(destination, 1)
        forgotten, back = customers()[0], customers()[1]
        tombstones = [tombstone(destination, whole, customer) for customer in (forgotten, back)]
        again = record_of(destination, back, NUMBERS + 1, tombstones[1].offset + 1)

        Carrier([*whole, *tombstones, again], 1).carry(destination.sink())

        assert destination.arrived(forgotten) == []
        assert destination.arrived(back)[-1] == NUMBERS + 1


def customers() -> list[str]:
    """The customers of the suite; a name may hold anything."""
    return [f"customer {number}: ấ" for number in range(CUSTOMERS)]


def log_of(destination: Destination, seed: int) -> list[SinkRecord]:
    """Every customer's records, in their order, mixed over the partitions; offsets have gaps, as transactions leave."""
    chance = random.Random(seed)
    waiting = dict.fromkeys(customers(), 0)
    offsets = [0] * PARTITIONS
    log = []
    while waiting:
        customer = chance.choice(list(waiting))
        waiting[customer] += 1
        partition = _partition(customer)
        offsets[partition] += chance.choice((1, 1, 1, 2))
        log.append(record_of(destination, customer, waiting[customer], offsets[partition]))
        if waiting[customer] == NUMBERS:
            del waiting[customer]
    return log


def record_of(destination: Destination, customer_id: str, number: int, offset: int) -> SinkRecord:
    """The `number`-th record of a customer."""
    return SinkRecord(
        topic=destination.topic,
        partition=_partition(customer_id),
        offset=offset,
        timestamp_ms=1_767_225_600_000 + number * 60_000,
        key=customer_id.encode(),
        value=destination.value(customer_id, number),
    )


def tombstone(destination: Destination, log: Sequence[SinkRecord], customer_id: str) -> SinkRecord:
    """A tombstone behind everything in the log."""
    partition = _partition(customer_id)
    last = max(record.offset for record in log if record.partition == partition)
    return SinkRecord(
        topic=destination.topic,
        partition=partition,
        offset=last + 1 + 2 * customers().index(customer_id),
        timestamp_ms=1_767_225_600_000 + NUMBERS * 60_000,
        key=customer_id.encode(),
        value=None,
    )


def give_again(sink: Sink, batch: Batch) -> None:
    """Give what was settled; the sink may take it for what it is, or say that it is further."""
    with suppress(Moved):
        sink.write([batch])


def assert_arrived(destination: Destination) -> None:
    """Everything of every customer has arrived, once, in order."""
    wanted = list(range(1, NUMBERS + 1)) if destination.keeps_history else [NUMBERS]
    assert {customer: destination.arrived(customer) for customer in customers()} == dict.fromkeys(customers(), wanted)


def _partition(customer_id: str) -> int:
    return customers().index(customer_id) % PARTITIONS
