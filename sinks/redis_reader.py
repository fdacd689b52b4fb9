"""Reads the read model from Redis: `redis_read_model(target).customer("acme")`."""

from collections.abc import Sequence
from typing import Any, Final

from sinks.redis_connection import PREFIX, RedisTarget, connect, told
from sinks.stored_model import StoredReadModel

_RANKED: Final = """#!lua flags=no-writes
local found = {}
for place, member in ipairs(redis.call('ZREVRANGE', KEYS[1], ARGV[3], ARGV[4])) do
  found[place] = redis.call('HGET', ARGV[1] .. member, ARGV[2])
end
return found
"""
"""One question and one answer for a whole list, as it stands at one moment."""


def redis_read_model(target: RedisTarget) -> StoredReadModel:
    """The typed reader of the model that lies in Redis. Nothing is connected before the first question."""
    return StoredReadModel(RedisShelves(target))


class RedisShelves:
    """The keys of the model in Redis. Safe to share between threads."""

    def __init__(self, target: RedisTarget) -> None:
        self._target = target
        self._client: Any = connect(target)

    def value(self, key: str) -> bytes | None:
        """A text."""
        with told(self._target):
            found: bytes | None = self._client.get(PREFIX + key)
            return found

    def field(self, key: str, field: str) -> bytes | None:
        """A field of a hash."""
        with told(self._target):
            found: bytes | None = self._client.hget(PREFIX + key, field)
            return found

    def fields(self, key: str, names: Sequence[str]) -> list[bytes | None]:
        """Fields of a hash."""
        with told(self._target):
            found: list[bytes | None] = self._client.hmget(PREFIX + key, list(names))
            return found

    def whole(self, key: str) -> dict[bytes, bytes]:
        """All fields of a hash."""
        with told(self._target):
            found: dict[bytes, bytes] = self._client.hgetall(PREFIX + key)
            return found

    def members(self, key: str) -> list[bytes]:
        """The members of a set."""
        with told(self._target):
            return list(self._client.smembers(PREFIX + key))

    def count(self, key: str) -> int:
        """How many members a sorted set has."""
        with told(self._target):
            return int(self._client.zcard(PREFIX + key))

    def ranked(self, key: str, of: str, field: str, skip: int, limit: int) -> list[bytes | None]:
        """A field of the hashes of the ranked members."""
        if limit <= 0:
            return []
        with told(self._target):
            found: list[bytes | None] = self._client.eval_ro(_RANKED, 1, PREFIX + key, PREFIX + of, field, skip, skip + limit - 1)
            return found

    def close(self) -> None:
        """Close the connections."""
        self._client.close()
