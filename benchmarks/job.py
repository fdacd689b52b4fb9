"""The small job that engines are compared at: count and sum the answers of each customer, and an output for each 20th record.

300,000 events of about 85 bytes over 20,000 customers in 4 partitions of one topic. Decoding is the plain Avro library's for
everybody, so that what differs is how records get in and results get out.
"""

import random
import struct
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import fastavro

from benchmarks.ground import PARTITIONS
from schemas.avro import HEADER_BYTES
from schemas.codec import Codec
from schemas.contracts import contract
from schemas.events import SurveyEvent
from streams.topics import partition_of

TOPIC = "cs.surveys"
OUTPUT_TOPIC = "cs.health-changes"
CUSTOMERS = 20_000
OUTPUT_EVERY = 20
SEED = 20

_COUNT_AND_SUM = struct.Struct("<qq")
_SCHEMA = contract(TOPIC).newest.decoding


def events(count: int, now_ms: int) -> Iterator[tuple[str, int, bytes, bytes, int]]:
    """The events, as (topic, partition, key, value, timestamp in ms), a millisecond apart and ending now."""
    chance = random.Random(SEED)
    codec = Codec()
    for number in range(count):
        customer_id = f"customer-{chance.randrange(CUSTOMERS):05d}"
        at_ms = now_ms - count + number
        event = SurveyEvent(
            event_id=f"{chance.getrandbits(112):028x}",
            customer_id=customer_id,
            occurred_at=at_ms,
            kind="answered",
            survey="csat",
            score=chance.randint(1, 5),
            scale="1_5",
            touchpoint="support",
        )
        key = customer_id.encode()
        yield TOPIC, partition_of(key, PARTITIONS), key, codec.encode(TOPIC, event), at_ms


def decode(value: bytes) -> Any:
    """An event as a dict."""
    stream = BytesIO(value)
    stream.seek(HEADER_BYTES)
    return fastavro.schemaless_reader(stream, _SCHEMA, None)


class Tally:
    """Count and sum by customer of one partition: bytes at rest, and what has changed since they were taken."""

    def __init__(self) -> None:
        self.stored: dict[bytes, bytes] = {}
        self._changed: dict[bytes, list[int]] = {}

    def add(self, key: bytes, value: bytes) -> Any:
        """Count one event; returns it decoded."""
        event = decode(value)
        counted = self._changed.get(key)
        if counted is None:
            stored = self.stored.get(key)
            counted = self._changed[key] = list(_COUNT_AND_SUM.unpack(stored)) if stored else [0, 0]
        counted[0] += 1
        counted[1] += event["score"]
        return event

    def take(self) -> dict[bytes, bytes]:
        """What has changed since the last call, as bytes."""
        taken = {key: _COUNT_AND_SUM.pack(*counted) for key, counted in self._changed.items()}
        self.stored.update(taken)
        self._changed.clear()
        return taken
