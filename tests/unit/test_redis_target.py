"""From the settings to the Redis that they name."""

import pytest

from streams.redis_target import redis_target
from streams.settings import load_settings


@pytest.mark.parametrize(
    ("address", "host", "port", "database", "tls"),
    [
        ("redis://cache", "cache", 6379, 0, False),
        ("redis://127.0.0.1:7000/3", "127.0.0.1", 7000, 3, False),
        ("rediss://[::1]:6380/", "::1", 6380, 0, True),
    ],
)
def test_an_address_says_where_and_how(address: str, host: str, port: int, database: int, tls: bool) -> None:
    target = redis_target(load_settings(environment={"CSPULSE_REDIS_URL": address}))

    assert target is not None
    assert (target.host, target.port, target.database, target.tls) == (host, port, database, tls)


def test_without_an_address_there_is_none() -> None:
    assert redis_target(load_settings(environment={})) is None


def test_the_password_is_not_shown() -> None:
    environment = {"CSPULSE_REDIS_URL": "redis://cache", "CSPULSE_REDIS_PASSWORD": "secret-word"}

    target = redis_target(load_settings(environment=environment))

    assert target is not None
    assert target.password == "secret-word"
    assert "secret-word" not in f"{target} {target!r} {target.name}"
