"""Each sink of the read model passes the conformance suite: in memory, and in a real Redis with faults on the way to it."""

from collections.abc import Iterator

import pytest

from tests.support.proxy import Proxy
from tests.support.redis_server import RedisServer
from tests.support.sinks.conformance import ForgettingConformance, PositionsConformance
from tests.support.sinks.destinations import MemoryDestination, RedisDestination


class TestMemory(PositionsConformance, ForgettingConformance):
    @pytest.fixture
    def destination(self) -> MemoryDestination:
        return MemoryDestination()


@pytest.mark.redis
class TestRedis(PositionsConformance, ForgettingConformance):
    @pytest.fixture
    def destination(self, redis_server: RedisServer) -> Iterator[RedisDestination]:
        redis_server.empty()
        with Proxy(redis_server.port, seed=7) as proxy:
            made = RedisDestination(redis_server.port, proxy)
            yield made
            made.close()
