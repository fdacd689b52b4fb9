"""The Redis server that the settings name."""

from typing import Final
from urllib.parse import urlsplit

from sinks.redis_connection import RedisTarget
from streams.settings import Settings

_DEFAULT_PORT: Final = 6379


def redis_target(settings: Settings) -> RedisTarget | None:
    """How the configured server is spoken to; None when none is configured."""
    if settings.redis_url is None:
        return None
    parts = urlsplit(settings.redis_url)
    password = settings.redis_password
    return RedisTarget(
        host=parts.hostname or "",
        port=parts.port or _DEFAULT_PORT,
        database=int(parts.path.removeprefix("/") or 0),
        username=settings.redis_username,
        password=None if password is None else password.get_secret_value(),
        tls=parts.scheme == "rediss",
        ca_location=settings.redis_ca_location,
    )
