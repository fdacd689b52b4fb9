"""The harness for Apache Kafka: what the other tests believe about it."""

import uuid
from collections.abc import Iterator

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from tests.support.kafka.server import KafkaServer

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(300)]

WAIT_S = 30


@pytest.fixture
def topic(kafka: KafkaServer) -> str:
    name = f"harness-{uuid.uuid4().hex}"
    kafka.create_topic(name, partitions=1)
    return name


def transactional_producer(kafka: KafkaServer, name: str) -> Producer:
    producer = Producer({"bootstrap.servers": kafka.bootstrap, "transactional.id": name})
    producer.init_transactions(WAIT_S)
    return producer


def committed_values(kafka: KafkaServer, topic: str) -> Iterator[bytes | None]:
    """Every committed value of the topic, to its end."""
    consumer = Consumer(
        {
            "bootstrap.servers": kafka.bootstrap,
            "group.id": f"reader-of-{topic}",
            "isolation.level": "read_committed",
            "enable.partition.eof": True,
        }
    )
    try:
        consumer.assign([TopicPartition(topic, 0, 0)])
        while True:
            message = consumer.poll(WAIT_S)
            assert message is not None, f"no end of {topic} within {WAIT_S} s"
            error = message.error()
            if error is not None:
                assert error.code() == KafkaError._PARTITION_EOF
                return
            yield message.value()
    finally:
        consumer.close()


def test_a_committed_transaction_is_read_and_an_aborted_one_is_not(kafka: KafkaServer, topic: str) -> None:
    producer = transactional_producer(kafka, topic)
    member = Consumer({"bootstrap.servers": kafka.bootstrap, "group.id": topic})
    producer.begin_transaction()
    producer.produce(topic, b"aborted")
    producer.flush(WAIT_S)
    producer.abort_transaction(WAIT_S)
    producer.begin_transaction()
    producer.produce(topic, b"committed")
    producer.send_offsets_to_transaction([TopicPartition(topic, 0, 41)], member.consumer_group_metadata(), WAIT_S)
    producer.commit_transaction(WAIT_S)

    assert list(committed_values(kafka, topic)) == [b"committed"]
    assert member.committed([TopicPartition(topic, 0)], WAIT_S)[0].offset == 41
    member.close()


def test_a_fenced_producer_cannot_commit(kafka: KafkaServer, topic: str) -> None:
    zombie = transactional_producer(kafka, topic)
    zombie.begin_transaction()
    zombie.produce(topic, b"zombie")
    zombie.flush(WAIT_S)
    transactional_producer(kafka, topic)

    with pytest.raises(KafkaException) as refused:
        zombie.commit_transaction(WAIT_S)

    assert refused.value.args[0].fatal()
    assert list(committed_values(kafka, topic)) == []


@pytest.mark.slow
@pytest.mark.parametrize("end", ["restart", "kill"])
def test_what_was_committed_survives_the_end_of_the_broker(kafka: KafkaServer, topic: str, end: str) -> None:
    producer = transactional_producer(kafka, topic)
    producer.begin_transaction()
    producer.produce(topic, b"kept")
    producer.commit_transaction(WAIT_S)

    if end == "kill":
        kafka.kill()
        kafka.start()
    else:
        kafka.restart()

    assert list(committed_values(kafka, topic)) == [b"kept"]


def test_a_paused_broker_is_silent_and_goes_on_when_resumed(kafka: KafkaServer, topic: str) -> None:
    client = AdminClient({"bootstrap.servers": kafka.bootstrap})
    kafka.pause()
    try:
        with pytest.raises(KafkaException):
            client.list_topics(timeout=1)
    finally:
        kafka.resume()

    assert topic in client.list_topics(timeout=WAIT_S).topics
