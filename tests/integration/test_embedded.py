"""The embedded broker through the client that the product uses, and its bounds as they are documented."""

from collections.abc import Iterator

import pytest
from confluent_kafka import OFFSET_INVALID, Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition

from streams.embedded import (
    PARTITION_BYTES_MAX,
    EmbeddedBroker,
    EmbeddedBrokerError,
    EmbeddedBrokerStopped,
    is_embedded,
)

pytestmark = pytest.mark.embedded

WAIT_S = 20
PRODUCE, INIT_PRODUCER_ID = 0, 22


@pytest.fixture
def broker() -> Iterator[EmbeddedBroker]:
    with EmbeddedBroker() as running:
        running.create_topic("numbers", 2)
        yield running


def produce(broker: EmbeddedBroker, values: list[bytes], partition: int = 0, **settings: object) -> None:
    producer = Producer({"bootstrap.servers": broker.bootstrap_servers, **settings})
    for value in values:
        producer.produce("numbers", value, partition=partition)
    assert producer.flush(WAIT_S) == 0


def read(broker: EmbeddedBroker, count: int, partition: int = 0) -> list[bytes | None]:
    consumer = Consumer({"bootstrap.servers": broker.bootstrap_servers, "group.id": "reader"})
    try:
        consumer.assign([TopicPartition("numbers", partition, 0)])
        return [message.value() for message in consumer.consume(count, WAIT_S)]
    finally:
        consumer.close()


def committed(broker: EmbeddedBroker, group: str, partition: int = 0) -> int:
    consumer = Consumer({"bootstrap.servers": broker.bootstrap_servers, "group.id": group})
    try:
        return int(consumer.committed([TopicPartition("numbers", partition)], WAIT_S)[0].offset)
    finally:
        consumer.close()


def test_what_is_produced_is_read_in_order(broker: EmbeddedBroker) -> None:
    values = [str(number).encode() for number in range(500)]

    produce(broker, values)

    assert read(broker, 500) == values


def transact(broker: EmbeddedBroker, value: bytes) -> None:
    """One transaction of the group `workers`: a record to partition 1 and offset 7 of partition 0."""
    producer = Producer({"bootstrap.servers": broker.bootstrap_servers, "transactional.id": "task-0"})
    member = Consumer({"bootstrap.servers": broker.bootstrap_servers, "group.id": "workers"})
    producer.init_transactions(WAIT_S)
    producer.begin_transaction()
    producer.produce("numbers", value, partition=1)
    producer.send_offsets_to_transaction([TopicPartition("numbers", 0, 7)], member.consumer_group_metadata(), WAIT_S)
    producer.commit_transaction(WAIT_S)
    member.close()


def test_a_committed_transaction_can_be_read(broker: EmbeddedBroker) -> None:
    transact(broker, b"one")

    assert read(broker, 1, partition=1) == [b"one"]


def test_offsets_of_a_transaction_are_forgotten_as_documented(broker: EmbeddedBroker) -> None:
    transact(broker, b"one")

    assert committed(broker, "workers") == OFFSET_INVALID


def test_its_cluster_id_tells_the_simulator_from_a_cluster(broker: EmbeddedBroker) -> None:
    consumer = Consumer({"bootstrap.servers": broker.bootstrap_servers, "group.id": "reader"})

    assert is_embedded(consumer.list_topics(timeout=WAIT_S).cluster_id)
    assert not is_embedded("4L6g3nShT-eMCtK--X86sw")
    assert not is_embedded(None)
    consumer.close()


def test_a_group_receives_both_partitions_and_keeps_its_offsets(broker: EmbeddedBroker) -> None:
    produce(broker, [b"left"], partition=0)
    produce(broker, [b"right"], partition=1)
    consumer = Consumer(
        {
            "bootstrap.servers": broker.bootstrap_servers,
            "group.id": "readers",
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
        }
    )
    consumer.subscribe(["numbers"])
    messages: list[Message] = consumer.consume(2, WAIT_S)
    consumer.commit(asynchronous=False)
    consumer.close()

    assert {message.value() for message in messages} == {b"left", b"right"}
    assert committed(broker, "readers", 0) == committed(broker, "readers", 1) == 1


def test_a_broker_that_is_down_answers_nobody_until_it_is_up_again(broker: EmbeddedBroker) -> None:
    produce(broker, [b"before"])
    consumer = Consumer({"bootstrap.servers": broker.bootstrap_servers, "group.id": "reader"})
    broker.set_down()
    with pytest.raises(KafkaException):
        consumer.list_topics(timeout=1)

    broker.set_up()

    assert "numbers" in consumer.list_topics(timeout=WAIT_S).topics
    consumer.close()
    assert read(broker, 1) == [b"before"]


def test_several_brokers_each_have_an_address() -> None:
    with EmbeddedBroker(brokers=3) as broker:
        assert len(set(broker.bootstrap_servers.split(","))) == 3


def test_a_request_told_to_fail_fails_once(broker: EmbeddedBroker) -> None:
    broker.fail_requests(INIT_PRODUCER_ID, [KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED])
    settings = {"bootstrap.servers": broker.bootstrap_servers, "transactional.id": "task-0"}

    with pytest.raises(KafkaException) as refused:
        Producer(settings).init_transactions(WAIT_S)
    assert refused.value.args[0].code() == KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED
    Producer(settings).init_transactions(WAIT_S)


def test_answers_are_delayed_by_the_round_trip_asked_for(broker: EmbeddedBroker) -> None:
    consumer = Consumer({"bootstrap.servers": broker.bootstrap_servers, "group.id": "reader"})
    consumer.list_topics(timeout=WAIT_S)
    broker.set_round_trip_ms(5_000)

    with pytest.raises(KafkaException):
        consumer.list_topics(timeout=0.5)
    broker.set_round_trip_ms(0)
    consumer.close()


def test_past_its_bound_a_partition_drops_its_oldest_records(broker: EmbeddedBroker) -> None:
    record = bytes(64 * 1024)
    enough = PARTITION_BYTES_MAX // len(record)
    consumer = Consumer({"bootstrap.servers": broker.bootstrap_servers, "group.id": "reader"})
    partition = TopicPartition("numbers", 0)

    produce(broker, [record] * (enough - 10))
    assert consumer.get_watermark_offsets(partition, WAIT_S)[0] == 0
    produce(broker, [record] * (enough // 2))
    low, high = consumer.get_watermark_offsets(partition, WAIT_S)
    consumer.close()

    assert high == enough - 10 + enough // 2
    assert low > 0


def test_a_topic_that_exists_cannot_be_created_again(broker: EmbeddedBroker) -> None:
    with pytest.raises(EmbeddedBrokerError, match="create topic numbers") as refused:
        broker.create_topic("numbers", 2)

    assert refused.value.code == KafkaError.TOPIC_ALREADY_EXISTS


@pytest.mark.parametrize("partitions", [0, -1])
def test_a_topic_needs_a_partition(broker: EmbeddedBroker, partitions: int) -> None:
    with pytest.raises(EmbeddedBrokerError, match="at least one partition"):
        broker.create_topic("empty", partitions)


def test_a_cluster_needs_a_broker() -> None:
    with pytest.raises(EmbeddedBrokerError, match="at least one broker"):
        EmbeddedBroker(brokers=0)


def test_an_unknown_broker_cannot_be_taken_down(broker: EmbeddedBroker) -> None:
    with pytest.raises(EmbeddedBrokerError, match="set broker 9 down"):
        broker.set_down(9)


def test_a_stopped_broker_says_so_and_stopping_twice_does_nothing() -> None:
    broker = EmbeddedBroker()
    broker.stop()
    broker.stop()

    with pytest.raises(EmbeddedBrokerStopped, match="has been stopped"):
        broker.create_topic("numbers", 1)
