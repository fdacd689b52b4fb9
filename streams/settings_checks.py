"""Settings that are right one by one and contradict each other."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from streams.settings import Settings

HEARTBEATS_A_SESSION = 3
"""A worker is given up only after it missed this many heartbeats (Kafka's own advice)."""


class Conflict(NamedTuple):
    """Settings that do not go together, what is wrong, and what would be right."""

    settings: tuple[str, ...]
    message: str
    expected: str


def conflicts(settings: Settings) -> Iterator[Conflict]:
    """Every contradiction among the settings."""
    yield from _times(settings)
    yield from _queues(settings)
    yield from _ports(settings)
    yield from _sasl(settings)
    yield from _ssl(settings)
    yield from _registry(settings)
    yield from _redis(settings)


def _times(settings: Settings) -> Iterator[Conflict]:
    if settings.heartbeat_interval_ms * HEARTBEATS_A_SESSION > settings.session_timeout_ms:
        yield Conflict(
            ("heartbeat_interval_ms", "session_timeout_ms"),
            f"{settings.heartbeat_interval_ms} is more than a third of {settings.session_timeout_ms}",
            "a heartbeat interval of at most a third of the session timeout",
        )
    if settings.commit_interval_min_ms > settings.commit_interval_max_ms:
        yield Conflict(
            ("commit_interval_min_ms", "commit_interval_max_ms"),
            f"{settings.commit_interval_min_ms} is more than {settings.commit_interval_max_ms}",
            "a minimum that is not above the maximum",
        )
    if settings.commit_interval_max_ms * 2 > settings.transaction_timeout_ms:
        yield Conflict(
            ("commit_interval_max_ms", "transaction_timeout_ms"),
            f"a commit may be due only after {settings.commit_interval_max_ms} ms, "
            f"and transactions end after {settings.transaction_timeout_ms} ms",
            "a transaction timeout of at least twice the longest commit interval",
        )
    if settings.stuck_after_ms < 2 * settings.transaction_timeout_ms:
        yield Conflict(
            ("stuck_after_ms", "transaction_timeout_ms"),
            f"a commit may last {settings.transaction_timeout_ms} ms, standing still for {settings.stuck_after_ms} ms is stuck",
            "at least twice the transaction timeout",
        )
    if 0 < settings.tick_interval_ms < 100:
        yield Conflict(
            ("tick_interval_ms",),
            f"{settings.tick_interval_ms} would write more ticks than events",
            "0, or a whole number from 100 to 3600000",
        )


def _ports(settings: Settings) -> Iterator[Conflict]:
    if settings.probe_port and (settings.probe_host, settings.probe_port) == (settings.metrics_host, settings.metrics_port):
        yield Conflict(("probe_port", "metrics_port"), f"both are {settings.probe_port}", "two different ports")


def _queues(settings: Settings) -> Iterator[Conflict]:
    if settings.queue_low_water_records >= settings.queue_high_water_records:
        yield Conflict(
            ("queue_low_water_records", "queue_high_water_records"),
            f"{settings.queue_low_water_records} is not below {settings.queue_high_water_records}",
            "a low mark below the high mark",
        )


def _sasl(settings: Settings) -> Iterator[Conflict]:
    given = {
        "sasl_mechanism": settings.sasl_mechanism,
        "sasl_username": settings.sasl_username,
        "sasl_password": settings.sasl_password,
    }
    if settings.security_protocol.startswith("SASL"):
        for name, value in given.items():
            if value is None:
                yield Conflict((name,), "is missing", f"{settings.security_protocol} needs it")
    else:
        for name, value in given.items():
            if value is not None:
                yield Conflict(
                    (name, "security_protocol"),
                    f"{settings.security_protocol} does not use it, so the brokers would never see it",
                    'security_protocol "SASL_SSL" or "SASL_PLAINTEXT"',
                )


def _ssl(settings: Settings) -> Iterator[Conflict]:
    given = {
        "ssl_ca_location": settings.ssl_ca_location,
        "ssl_certificate_location": settings.ssl_certificate_location,
        "ssl_key_location": settings.ssl_key_location,
        "ssl_key_password": settings.ssl_key_password,
    }
    if not settings.security_protocol.endswith("SSL"):
        for name, value in given.items():
            if value is not None:
                yield Conflict(
                    (name, "security_protocol"),
                    f"{settings.security_protocol} does not use it",
                    'security_protocol "SSL" or "SASL_SSL"',
                )
        return
    if (settings.ssl_certificate_location is None) != (settings.ssl_key_location is None):
        yield Conflict(("ssl_certificate_location", "ssl_key_location"), "one is given without the other", "both, or neither")
    elif settings.ssl_key_password is not None and settings.ssl_key_location is None:
        yield Conflict(("ssl_key_password",), "there is no key that it could open", "ssl_key_location with it")
    yield from _certificates(settings)


def _certificates(settings: Settings) -> Iterator[Conflict]:
    """Files that are there and are not what they should be."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if settings.ssl_ca_location is not None and not _holds_certificates(settings.ssl_ca_location):
        yield Conflict(("ssl_ca_location",), "holds no certificate", "certificates in PEM form")
    if settings.ssl_certificate_location is not None and settings.ssl_key_location is not None:
        secret = settings.ssl_key_password
        try:
            # A function, so that OpenSSL never asks for the password at the terminal.
            context.load_cert_chain(
                settings.ssl_certificate_location,
                settings.ssl_key_location,
                lambda: secret.get_secret_value() if secret is not None else "",
            )
        except (ssl.SSLError, ValueError, OSError):
            yield Conflict(
                ("ssl_certificate_location", "ssl_key_location"),
                "cannot be loaded together",
                "a certificate and its own key in PEM form, and ssl_key_password when the key is encrypted",
            )


def _registry(settings: Settings) -> Iterator[Conflict]:
    if settings.value_encoding == "confluent" and settings.schema_registry_url is None:
        yield Conflict(
            ("value_encoding", "schema_registry_url"), "this encoding needs a schema registry", "schema_registry_url with it"
        )
    if (settings.schema_registry_username is None) != (settings.schema_registry_password is None):
        yield Conflict(
            ("schema_registry_username", "schema_registry_password"), "one is given without the other", "both, or neither"
        )


def _redis(settings: Settings) -> Iterator[Conflict]:
    given = {
        "redis_username": settings.redis_username,
        "redis_password": settings.redis_password,
        "redis_ca_location": settings.redis_ca_location,
    }
    if settings.redis_url is None:
        for name, value in given.items():
            if value is not None:
                yield Conflict((name, "redis_url"), "is given, and no Redis to use it with", "redis_url with it")
    elif settings.redis_ca_location is not None:
        if not settings.redis_url.startswith("rediss:"):
            yield Conflict(
                ("redis_ca_location", "redis_url"), "this address does not use it", "an address that begins with rediss://"
            )
        elif not _holds_certificates(settings.redis_ca_location):
            yield Conflict(("redis_ca_location",), "holds no certificate", "certificates in PEM form")
    if settings.redis_username is not None and settings.redis_password is None:
        yield Conflict(("redis_username", "redis_password"), "one is given without the other", "a password for the user")


def _holds_certificates(path: Path) -> bool:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
    except ssl.SSLError:
        return False
    return True
