"""The read model as a destination of the conformance suite: in memory and in Redis, with faults between it and the sink."""

import random
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Final, Literal

from schemas.records import CustomerSnapshot
from sinks.memory import MemorySink
from sinks.redis_connection import RedisTarget
from sinks.redis_reader import redis_read_model
from sinks.redis_sink import RedisSink
from sinks.sink import Batch, Place, Positions, Unavailable
from sinks.stored_model import StoredReadModel
from tests.support.proxy import Proxy
from tests.support.read_model_records import snapshot

SHORT_TIMEOUT_S: Final = 1.0


class ReadModelDestination:
    """What both have in common: only what stands now can be asked for."""

    topic = "cs.customer-snapshots"
    keeps_history = False

    def __init__(self, model: StoredReadModel) -> None:
        self.model = model

    def value(self, customer_id: str, number: int) -> CustomerSnapshot:
        """The `number`-th snapshot of a customer."""
        return snapshot(customer_id, number)

    def arrived(self, customer_id: str) -> list[int]:
        """The number of the snapshot that is known, if there is one."""
        found = self.model.customer(customer_id)
        return [] if found is None else [found.sequence]


class MemoryDestination(ReadModelDestination):
    """In memory: faults are made by a sink in front of it."""

    def __init__(self) -> None:
        self.kept = MemorySink()
        super().__init__(self.kept.read_model())
        self.fault: Literal["none", "away", "loses_answers"] = "none"
        self._random = random.Random(0)

    def sink(self) -> "FaultySink":
        """A new sink."""
        return FaultySink(self, self.kept, self._random)

    def away(self) -> AbstractContextManager[None]:
        """Nobody answers."""
        return self._with("away")

    def slow(self) -> AbstractContextManager[None]:
        """Nothing is slow in memory."""
        return self._with("none")

    def loses_answers(self) -> AbstractContextManager[None]:
        """What is asked is done, for some of the batches, and the answer never comes."""
        return self._with("loses_answers")

    @contextmanager
    def _with(self, fault: Literal["none", "away", "loses_answers"]) -> Iterator[None]:
        self.fault = fault
        try:
            yield
        finally:
            self.fault = "none"


class FaultySink:
    """Passes on what it is given, or fails as the destination says."""

    name = "memory"
    topics = MemorySink.topics
    starts: Literal["beginning", "end"] = "beginning"
    records_at_most = 120

    def __init__(self, destination: MemoryDestination, kept: MemorySink, chance: random.Random) -> None:
        self._destination = destination
        self._kept = kept
        self._random = chance

    def assigned(self, places: Iterable[Place]) -> Positions:
        """Pass on."""
        if self._destination.fault == "away":
            raise Unavailable("away")
        return self._kept.assigned(places)

    def revoked(self, places: Iterable[Place]) -> None:
        """Pass on."""
        self._kept.revoked(places)

    def write(self, batches: Sequence[Batch]) -> None:
        """Pass on, or fail before or behind one of the batches."""
        if self._destination.fault == "away":
            raise Unavailable("away")
        if self._destination.fault == "loses_answers" and self._random.random() < 0.7:
            self._kept.write(batches[: self._random.randint(0, len(batches))])
            raise Unavailable("the answer was lost")
        self._kept.write(batches)

    def close(self) -> None:
        """Pass on."""
        self._kept.close()


class RedisDestination(ReadModelDestination):
    """In Redis: the sink goes through a proxy that makes the faults, the test asks the server itself."""

    def __init__(self, port: int, proxy: Proxy) -> None:
        super().__init__(redis_read_model(RedisTarget(host="127.0.0.1", port=port)))
        self.proxy = proxy
        self.target: Final = RedisTarget(host="127.0.0.1", port=proxy.port, answer_timeout_s=SHORT_TIMEOUT_S)
        self._made: list[RedisSink] = []

    def sink(self) -> RedisSink:
        """A new sink."""
        self._made.append(RedisSink(self.target))
        return self._made[-1]

    def away(self) -> AbstractContextManager[None]:
        """Nobody answers."""
        return self.proxy.fault("refuse")

    def slow(self) -> AbstractContextManager[None]:
        """Every answer takes its time."""
        return self.proxy.fault("delay")

    def loses_answers(self) -> AbstractContextManager[None]:
        """Connections are cut in what is asked, or before the answer."""
        return self.proxy.fault("lose_answers")

    def close(self) -> None:
        """End all connections."""
        for sink in self._made:
            sink.close()
