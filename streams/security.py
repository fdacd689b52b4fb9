"""Broker security, from the same settings, for both Kafka clients: librdkafka by its keys, Faust by its credentials."""

import ssl

from faust.auth import Credentials, SASLCredentials, SSLCredentials

from streams.settings import Settings

KafkaConfig = dict[str, str | int | float | bool]


def kafka_config(settings: Settings) -> KafkaConfig:
    """What every confluent-kafka client begins with: the brokers and how to speak to them."""
    config: KafkaConfig = {
        "bootstrap.servers": settings.bootstrap_servers,
        "security.protocol": settings.security_protocol,
    }
    if settings.security_protocol.endswith("SSL"):
        config.update(_ssl_config(settings))
    if settings.sasl_mechanism is not None and settings.sasl_username is not None and settings.sasl_password is not None:
        config["sasl.mechanism"] = settings.sasl_mechanism
        config["sasl.username"] = settings.sasl_username
        config["sasl.password"] = settings.sasl_password.get_secret_value()
    return config


def faust_security(settings: Settings) -> Credentials | None:
    """What Faust takes as `broker_credentials`; None for brokers that ask for nothing.

    The TLS context is built here: Faust's own `SSLCredentials()` cannot build one, and its SASL without a context would send
    the password in clear text.
    """
    context = _ssl_context(settings) if settings.security_protocol.endswith("SSL") else None
    if settings.security_protocol.startswith("SASL") and settings.sasl_password is not None:
        return SASLCredentials(
            username=settings.sasl_username,
            password=settings.sasl_password.get_secret_value(),
            mechanism=settings.sasl_mechanism,
            ssl_context=context,
        )
    return SSLCredentials(context) if context is not None else None


def _ssl_config(settings: Settings) -> KafkaConfig:
    config: KafkaConfig = {"ssl.endpoint.identification.algorithm": settings.ssl_endpoint_identification}
    paths = {
        "ssl.ca.location": settings.ssl_ca_location,
        "ssl.certificate.location": settings.ssl_certificate_location,
        "ssl.key.location": settings.ssl_key_location,
    }
    config.update({key: str(path) for key, path in paths.items() if path is not None})
    if settings.ssl_key_password is not None:
        config["ssl.key.password"] = settings.ssl_key_password.get_secret_value()
    return config


def _ssl_context(settings: Settings) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=settings.ssl_ca_location)
    context.check_hostname = settings.ssl_endpoint_identification == "https"
    if settings.ssl_certificate_location is not None and settings.ssl_key_location is not None:
        password = settings.ssl_key_password
        context.load_cert_chain(
            settings.ssl_certificate_location,
            settings.ssl_key_location,
            password.get_secret_value() if password is not None else "",
        )
    return context
