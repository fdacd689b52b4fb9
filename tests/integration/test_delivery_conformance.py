"""Alert delivery under the suite of all sinks, against a real server on loopback, its log in memory and on Apache Kafka."""

import random
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast

import pytest

from schemas.codec import Codec
from schemas.records import DeliveryMark, Output
from sinks.delivery_log import DeliveryLog, LogUnavailable, MemoryDeliveryLog
from sinks.sink import Place, Sink
from streams.delivery_log import KafkaDeliveryLog
from tests.support.cluster import ApacheCluster, create_topics
from tests.support.kafka.server import KafkaServer
from tests.support.sinks.carrier import Carrier
from tests.support.sinks.conformance import Destination, PositionsConformance, assert_arrived, log_of
from tests.support.sinks.delivering import Desk, alert
from tests.support.sinks.receiver import Receiver, Reply


class MayBeAway:
    """A log that may be away: without it nothing can be told, since nothing could be noted. All else is the log's own."""

    def __init__(self, log: DeliveryLog, is_away: Callable[[], bool]) -> None:
        self._log = log
        self._is_away = is_away

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log, name)

    def read(self, places: Iterable[Place]) -> Sequence[DeliveryMark]:
        if self._is_away():
            raise LogUnavailable("the log of deliveries does not answer")
        return self._log.read(places)


MakeLog = Callable[[Desk], DeliveryLog]


class DeliveryDestination:
    """A webhook."""

    topic = "cs.churn-alerts"
    keeps_history = True

    def __init__(self, receiver: Receiver, make_log: MakeLog) -> None:
        self.desk = Desk(receiver.url, name=f"crm-{uuid.uuid4().hex[:8]}")
        self._make_log = make_log
        self.desk.pause.first_ms = self.desk.pause.longest_ms = 0
        self.is_away = False
        self.receiver = receiver

    def sink(self) -> Sink:
        return self.desk.sink(log=cast("DeliveryLog", MayBeAway(self._make_log(self.desk), lambda: self.is_away)))

    def value(self, customer_id: str, number: int) -> Output:
        return alert(customer_id, number, "opened" if number == 1 else "updated")

    def arrived(self, customer_id: str) -> list[int]:
        return [call.json["data"]["sequence"] for call in self.receiver.taken() if call.json["subject"] == customer_id]

    @contextmanager
    def away(self) -> Iterator[None]:
        self.is_away = True
        try:
            with self.receiver.down():
                yield
        finally:
            self.is_away = False

    @contextmanager
    def slow(self) -> Iterator[None]:
        with self.receiver.answering(lambda _call: Reply(delay_s=0.003)):
            yield

    @contextmanager
    def loses_answers(self) -> Iterator[None]:
        with self.receiver.answering(lambda _call: Reply(cut=True)):
            yield


class TestDelivery(PositionsConformance):
    def test_every_fault_at_once_changes_nothing(self, destination: Destination, seed: int) -> None:
        assert isinstance(destination, DeliveryDestination)
        chance = random.Random(seed)
        faults = (
            *(Reply(500), Reply(503), Reply(429, {"retry-after": "0"}), Reply(408)),
            *(Reply(cut=True), Reply(delay_s=0.005), Reply(500, body=b"x" * 100_000)),
        )
        carrier = Carrier(log_of(destination, seed), seed)

        with destination.receiver.answering(lambda _call: chance.choice((*faults, *(Reply(),) * 20))):
            while not carrier.carry(destination.sink(), writes_at_most=chance.randint(1, 20)):
                pass

        assert_arrived(destination)
        assert destination.desk.failures == []

    @pytest.fixture
    def make_log(self) -> MakeLog:
        return lambda desk: MemoryDeliveryLog(desk.marks, desk.failures)

    @pytest.fixture
    def destination(self, make_log: MakeLog) -> Iterator[Destination]:
        receiver = Receiver()
        destination = DeliveryDestination(receiver, make_log)
        try:
            yield destination
        finally:
            destination.desk.close()
            receiver.stop()


@pytest.fixture(scope="module")
def broker(kafka: KafkaServer) -> ApacheCluster:
    """Apache Kafka with all topics; each test is a destination of its own."""
    cluster = ApacheCluster(kafka)
    cluster.clear()
    create_topics(cluster, "conformance")
    return cluster


@pytest.mark.kafka
class TestDeliveryWithItsLogOnKafka(TestDelivery):
    @pytest.fixture
    def make_log(self, broker: ApacheCluster) -> MakeLog:
        return lambda desk: KafkaDeliveryLog({"bootstrap.servers": broker.bootstrap}, Codec(), desk.terms.name)

    @pytest.fixture(params=[4])
    def seed(self, request: pytest.FixtureRequest) -> int:
        found: int = request.param
        return found
