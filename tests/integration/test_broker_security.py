"""Both Kafka clients, from the same settings, against an Apache Kafka that asks for TLS with client certificates and SASL."""

from collections.abc import Iterator

import pytest
from aiokafka import AIOKafkaProducer
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient
from faust.transport.drivers.aiokafka import credentials_to_aiokafka_auth

from streams.security import faust_security, kafka_config
from streams.settings import Settings, load_settings
from tests.support.certificates import Authority, Identity
from tests.support.kafka.jars import PartMissingError
from tests.support.kafka.secured import secure_properties
from tests.support.kafka.server import KafkaServer
from tests.support.parts import lacking

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(300)]

WAIT_S = 30
PASSWORD = "hunter2"


@pytest.fixture(scope="module")
def identity(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Identity:
    return authority.issue(tmp_path_factory.mktemp("worker"), "worker", password="open sesame")


@pytest.fixture(scope="module")
def secured_kafka(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaServer]:
    folder = tmp_path_factory.mktemp("secured")
    try:
        server = KafkaServer(folder, secure_properties(authority, folder, {"pulse": PASSWORD}))
    except PartMissingError as missing:
        lacking(str(missing))
    with server:
        yield server


def settings(server: KafkaServer, authority: Authority, identity: Identity, password: str = PASSWORD) -> Settings:
    return load_settings(
        {
            "bootstrap_servers": server.secure_bootstrap,
            "security_protocol": "SASL_SSL",
            "sasl_mechanism": "PLAIN",
            "sasl_username": "pulse",
            "sasl_password": password,
            "ssl_ca_location": authority.certificate,
            "ssl_certificate_location": identity.certificate,
            "ssl_key_location": identity.key,
            "ssl_key_password": "open sesame",
        },
        environment={},
    )


def test_librdkafka_gets_in(secured_kafka: KafkaServer, authority: Authority, identity: Identity) -> None:
    client = AdminClient({**kafka_config(settings(secured_kafka, authority, identity))})

    assert client.list_topics(timeout=WAIT_S).brokers


async def test_the_client_of_faust_gets_in(secured_kafka: KafkaServer, authority: Authority, identity: Identity) -> None:
    chosen = settings(secured_kafka, authority, identity)
    secured_kafka.create_topic("secured", 1)
    producer = AIOKafkaProducer(
        bootstrap_servers=chosen.bootstrap_servers, **credentials_to_aiokafka_auth(faust_security(chosen))
    )
    await producer.start()
    try:
        assert (await producer.send_and_wait("secured", b"hello")).offset == 0
    finally:
        await producer.stop()


def test_a_wrong_password_does_not_get_in(secured_kafka: KafkaServer, authority: Authority, identity: Identity) -> None:
    client = AdminClient({**kafka_config(settings(secured_kafka, authority, identity, password="guess")), "log_level": 0})

    with pytest.raises(KafkaException):
        client.list_topics(timeout=3)
