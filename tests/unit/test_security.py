"""Broker security as each Kafka client is told it."""

import ssl
from pathlib import Path

import pytest
from faust.auth import SASLCredentials, SSLCredentials

from streams.security import faust_security, kafka_config
from streams.settings import Settings, load_settings
from tests.support.certificates import Authority


def settings(**environment: str) -> Settings:
    return load_settings(environment={f"CSPULSE_{name.upper()}": value for name, value in environment.items()})


@pytest.fixture
def secured(authority: Authority, tmp_path: Path) -> Settings:
    identity = authority.issue(tmp_path, "worker", password="open sesame")
    return settings(
        security_protocol="SASL_SSL",
        sasl_mechanism="SCRAM-SHA-512",
        sasl_username="pulse",
        sasl_password="hunter2",
        ssl_ca_location=str(authority.certificate),
        ssl_certificate_location=str(identity.certificate),
        ssl_key_location=str(identity.key),
        ssl_key_password="open sesame",
    )


def test_plain_brokers_need_no_credentials() -> None:
    plain = settings(bootstrap_servers="a:1")

    assert kafka_config(plain) == {"bootstrap.servers": "a:1", "security.protocol": "PLAINTEXT"}
    assert faust_security(plain) is None


def test_librdkafka_is_told_everything(secured: Settings) -> None:
    assert kafka_config(secured) == {
        "bootstrap.servers": "127.0.0.1:9092",
        "security.protocol": "SASL_SSL",
        "ssl.endpoint.identification.algorithm": "https",
        "ssl.ca.location": str(secured.ssl_ca_location),
        "ssl.certificate.location": str(secured.ssl_certificate_location),
        "ssl.key.location": str(secured.ssl_key_location),
        "ssl.key.password": "open sesame",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": "pulse",
        "sasl.password": "hunter2",
    }


def test_faust_is_told_the_same(secured: Settings) -> None:
    credentials = faust_security(secured)

    assert isinstance(credentials, SASLCredentials)
    assert (credentials.protocol.value, credentials.mechanism.value) == ("SASL_SSL", "SCRAM-SHA-512")
    assert (credentials.username, credentials.password) == ("pulse", "hunter2")
    assert credentials.ssl_context.verify_mode == ssl.CERT_REQUIRED
    assert credentials.ssl_context.check_hostname


def test_tls_without_sasl_is_a_context_for_faust(authority: Authority) -> None:
    credentials = faust_security(settings(security_protocol="SSL", ssl_ca_location=str(authority.certificate)))

    assert isinstance(credentials, SSLCredentials)
    assert credentials.context.verify_mode == ssl.CERT_REQUIRED


def test_leaving_out_the_host_name_still_verifies_the_certificate(authority: Authority) -> None:
    lenient = settings(security_protocol="SSL", ssl_ca_location=str(authority.certificate), ssl_endpoint_identification="none")

    assert kafka_config(lenient)["ssl.endpoint.identification.algorithm"] == "none"
    credentials = faust_security(lenient)
    assert isinstance(credentials, SSLCredentials)
    assert not credentials.context.check_hostname
    assert credentials.context.verify_mode == ssl.CERT_REQUIRED
