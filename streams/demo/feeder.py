"""Publishes the story's events and ticks, and counts what the broker has taken."""

from collections.abc import Iterable
from typing import Final

from confluent_kafka import KafkaError, Message, Producer

from schemas.codec import Codec
from schemas.events import Tick
from schemas.jsonlines import Line
from streams.demo.bounds import Bounds
from streams.publish import PRODUCER_CONFIG, PublishError, Ready, Refusal, prepare
from streams.ticks import TICKS_TOPIC

_FLUSH_TIMEOUT_S: Final = 10.0


def ticks_at(at_ms: int, partitions: int) -> list[Line]:
    """A tick for every partition, under the definitions that come with the product."""
    ticks = [Tick(occurred_at=at_ms, partition=partition, config_version=0) for partition in range(partitions)]
    return [Line(topic=TICKS_TOPIC, timestamp_ms=at_ms, key=str(tick.partition).encode(), value=tick) for tick in ticks]


class Feeder:
    """Hands lines to the embedded broker.

    `published` counts by topic what it has acknowledged, `refused` by reason what was not sent.
    """

    def __init__(self, bootstrap_servers: str, partitions: int, newest_ms: int, bounds: Bounds) -> None:
        self.published: dict[str, int] = {}
        self.refused: dict[str, int] = {}
        self._failed: str | None = None
        self._partitions = partitions
        self._newest_ms = newest_ms
        self._bounds = bounds
        self._codec = Codec()
        self._producer = Producer({"bootstrap.servers": bootstrap_servers, **PRODUCER_CONFIG})

    @property
    def events(self) -> int:
        """Events that the broker has taken, ticks aside."""
        return sum(count for topic, count in self.published.items() if topic != TICKS_TOPIC)

    def send(self, lines: Iterable[Line]) -> None:
        """Hand lines over, in their order.

        Raises PublishError.
        """
        for line in lines:
            ready = prepare(line, self._codec, self._partitions, self._newest_ms, lambda _topic: None)
            if isinstance(ready, Refusal):
                self.refused[ready.reason] = self.refused.get(ready.reason, 0) + 1
            else:
                self._produce(ready)
        self._producer.poll(0)
        if self._failed is not None:
            raise PublishError(self._failed)

    def flush(self) -> None:
        """Wait until the broker has everything.

        Raises PublishError.
        """
        left = self._producer.flush(_FLUSH_TIMEOUT_S)
        if left or self._failed is not None:
            raise PublishError(self._failed or f"the embedded broker did not take {left} records in {_FLUSH_TIMEOUT_S:.0f} s")

    def close(self) -> None:
        """Forget what was not sent yet."""
        self._producer.purge()
        self._producer.flush(1.0)

    def _produce(self, ready: Ready) -> None:
        while True:
            try:
                self._producer.produce(
                    ready.topic, ready.value, ready.key, ready.partition, self._delivered, timestamp=ready.timestamp_ms
                )
            except BufferError:
                self._producer.poll(0.1)
            else:
                break
        self._bounds.add(ready.topic, ready.partition, ready.key, ready.value)

    def _delivered(self, error: KafkaError | None, message: Message) -> None:
        topic = str(message.topic())
        if error is None:
            self.published[topic] = self.published.get(topic, 0) + 1
        else:
            self._failed = f"{topic}: a record was not delivered: {error.str()}"
