"""The reader of a worker, on the embedded broker."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator

import confluent_kafka as ck
import pytest

from streams.embedded import EmbeddedBroker
from streams.reader import Batch, OffsetGone, Reader
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.embedded, pytest.mark.timeout(60)]

TOPIC = "events"
HIGH, LOW = 50, 10


@pytest.fixture
def broker() -> Iterator[EmbeddedBroker]:
    with EmbeddedBroker() as running:
        running.create_topic(TOPIC, 2)
        yield running


class Listener:
    """What the reader has delivered, and a way to wait for more."""

    def __init__(self) -> None:
        self.batches: list[Batch] = []
        self.failures: list[BaseException] = []
        self._changed = asyncio.Event()

    def deliver(self, batches: list[Batch]) -> None:
        self.batches += batches
        self._changed.set()

    def failed(self, error: BaseException) -> None:
        self.failures.append(error)
        self._changed.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not condition():
                await self._changed.wait()
                self._changed.clear()

    def offsets(self, partition: int, epoch: int) -> list[int]:
        return [
            record.offset
            for batch in self.batches
            if (batch.partition, batch.epoch) == (partition, epoch)
            for record in batch.records
        ]


@pytest.fixture
async def listener() -> Listener:
    return Listener()


@pytest.fixture
async def reader(broker: EmbeddedBroker, listener: Listener) -> AsyncIterator[Reader]:
    config = {"bootstrap.servers": broker.bootstrap_servers, "group.id": "readers"}
    made = Reader(config, listener.deliver, listener.failed, high_water_records=HIGH, low_water_records=LOW)
    made.start()
    yield made
    await asyncio.to_thread(made.stop)


def publish(broker: EmbeddedBroker, partition: int, count: int, start: int = 0) -> None:
    producer = ck.Producer({"bootstrap.servers": broker.bootstrap_servers, "batch.num.messages": 20})
    for number in range(start, start + count):
        producer.produce(TOPIC, str(number).encode(), b"key", partition, timestamp=1000 + number)
    assert producer.flush(20) == 0


async def test_records_come_in_order_with_their_epoch_and_the_end_is_told(
    broker: EmbeddedBroker, reader: Reader, listener: Listener
) -> None:
    publish(broker, 0, 30)
    reader.add(7, {(TOPIC, 0): 5, (TOPIC, 1): 0})
    await listener.until(lambda: {batch.partition for batch in listener.batches if batch.at_end} == {0, 1})
    assert listener.offsets(0, 7) == list(range(5, 30))
    first = next(batch for batch in listener.batches if batch.records).records[0]
    assert (first.key, first.value, first.timestamp_ms) == (b"key", b"5", 1005)


async def test_it_knows_where_the_partitions_end_that_it_reads(broker: EmbeddedBroker, reader: Reader) -> None:
    publish(broker, 0, 400)
    publish(broker, 1, 7)
    reader.add(1, {(TOPIC, 0): 100, (TOPIC, 1): 0})
    both = {(TOPIC, 0): 400, (TOPIC, 1): 7}
    await asyncio.to_thread(wait_until, lambda: reader.high_watermarks == both, 20, "the ends of both partitions")
    reader.remove([(TOPIC, 0)])
    await asyncio.to_thread(wait_until, lambda: reader.high_watermarks == {(TOPIC, 1): 7}, 20, "only the other's end")


async def test_a_full_partition_is_held_back_and_goes_on_when_it_was_worked_off(
    broker: EmbeddedBroker, reader: Reader, listener: Listener
) -> None:
    publish(broker, 0, 400)
    reader.add(1, {(TOPIC, 0): 0, (TOPIC, 1): 0})
    await listener.until(lambda: len(listener.offsets(0, 1)) > HIGH)
    publish(broker, 1, 10)
    await listener.until(lambda: len(listener.offsets(1, 1)) == 10)
    taken = 0
    while len(listener.offsets(0, 1)) < 400:
        arrived = len(listener.offsets(0, 1))
        reader.taken((TOPIC, 0), 1, arrived - taken)
        taken = arrived
        await listener.until(lambda arrived=arrived: len(listener.offsets(0, 1)) > arrived)  # type: ignore[misc]  # binds the loop's value
    assert listener.offsets(0, 1) == list(range(400))


async def test_a_partition_that_left_while_it_was_held_back_is_read_again_when_it_comes_back(
    broker: EmbeddedBroker, reader: Reader, listener: Listener
) -> None:
    publish(broker, 0, 400)
    reader.add(1, {(TOPIC, 0): 0})
    await listener.until(lambda: len(listener.offsets(0, 1)) > HIGH)
    reader.remove([(TOPIC, 0)])
    reader.add(2, {(TOPIC, 0): 20})
    await listener.until(lambda: len(listener.offsets(0, 2)) > 0)
    assert listener.offsets(0, 2)[0] == 20


async def test_nothing_of_a_removed_partition_is_delivered_under_the_next_epoch(
    broker: EmbeddedBroker, reader: Reader, listener: Listener
) -> None:
    publish(broker, 0, 200)
    for epoch in range(1, 30):
        reader.add(epoch, {(TOPIC, 0): 150})
        reader.remove([(TOPIC, 0)])
    reader.add(30, {(TOPIC, 0): 100})
    await listener.until(lambda: len(listener.offsets(0, 30)) == 100)
    assert listener.offsets(0, 30) == list(range(100, 200))


async def test_an_offset_that_is_not_in_the_log_is_an_incident_and_no_reset(
    broker: EmbeddedBroker, reader: Reader, listener: Listener
) -> None:
    publish(broker, 0, 10)
    reader.add(1, {(TOPIC, 0): 5000})
    await listener.until(lambda: bool(listener.failures))
    assert isinstance(listener.failures[0], OffsetGone)
    assert f"{TOPIC}[0]" in str(listener.failures[0])
