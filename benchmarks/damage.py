"""What a careless or hostile producer makes of good records, for `benchmarks.fuzz`.

The writers whose schemas the registry has beside ours are in `FOREIGN`: one that we read, and those that no reader should trust.
"""

import json
import random
from collections.abc import Callable
from typing import Any, Final

from schemas.codec import REGISTRY_HEADER_BYTES, REGISTRY_MARKER, Codec, Encoding
from schemas.contracts import INPUTS, contract
from schemas.events import InputEvent
from streams.records import InputRecord
from streams.topics import ALLOWED_SKEW_MS, partition_of
from tests.support.registries import MemoryRegistry

DAY_MS: Final = 86_400_000
LONGEST_BYTES: Final = 1_000  # of what is repeated; beyond 64 kB nothing is looked at
GOOD_SHARE: Final = 0.3
GOOD_TICKS_SHARE: Final = 0.8
ENCODINGS: Final[tuple[Encoding, ...]] = ("avro", "avro", "json", "json", "confluent")

NASTY: Final[tuple[Any, ...]] = (
    *(None, True, False, 0, -1, 1, 2**31, 2**53 + 1, 2**63 - 1, -(2**63), 2**64, 10**30, 0.5, -0.0, 1e308, 5e-324),
    *("", " ", "\0", "\u202e", "\ud7ff", "x" * 257, "0", "opened", "2026-02-30", "9999-12-31T23:59:59Z", [], [[]], {}, {"a": {}}),
)


CLOCKS: Final[dict[int, float]] = {
    1: 0.35,
    60_000: 0.3,
    ALLOWED_SKEW_MS: 0.25,
    DAY_MS: 0.095,
    60 * DAY_MS: 0.005,  # rare: until the log has caught up, all else is old
}
"""How far a clock may be off, in milliseconds, and how often. The brokers refuse what is more than the allowed skew ahead."""

ENDLESS: Final = b"\xfe" + b"\xff" * 8 + b"\x01"  # 2**63 - 1 as Avro writes it


def registry() -> MemoryRegistry:
    """Our own schemas, and those of others."""
    found = MemoryRegistry()
    for topic in INPUTS:
        found.register(f"{topic}-value", json.dumps(contract(topic).newest.published))
        for name, kind in FOREIGN.items():
            found.register(name, json.dumps(_with_field(topic, kind)))
    return found


FOREIGN: Final[dict[str, Any]] = {
    "a text more": "string",
    "flags": {"type": "array", "items": "boolean"},
    "prices": {"type": "map", "values": "double"},
    "nothings": {"type": "array", "items": "null"},
    "digest": {"type": "fixed", "name": "Digest", "size": 2**31},
}


def _with_field(topic: str, kind: Any) -> dict[str, Any]:
    schema = contract(topic).newest.published
    return {**schema, "fields": [{"name": "foreign", "type": kind}, *schema["fields"]]}


class Stranger:
    """Takes good records and gives back what a careless or hostile producer would send. The same for the same seed."""

    def __init__(self, seed: int, partitions: int) -> None:
        self._random = random.Random(seed)
        self._partitions = partitions
        known = registry()
        self._schema_ids = len(known.schemas)
        self._codecs: dict[Encoding, Codec] = {encoding: Codec(known, encoding) for encoding in ENCODINGS}
        self._before = b"{}"
        self._ways: tuple[Callable[[bytes], bytes | None], ...] = (
            *(self._flip, self._cut, self._splice, self._insert, self._remove, self._repeat, self._noise, self._nothing),
            *(self._other_value, self._other_value, self._other_value, self._without_member, self._other_schema),
        )

    def record(self, topic: str, event: InputEvent, key: bytes, at_ms: int, offset: int) -> InputRecord:
        """A record of a customer's event, damaged or not."""
        chance = self._random
        value, partition = self._encoded(topic, event), partition_of(key, self._partitions)
        if chance.random() < GOOD_SHARE:
            return InputRecord(topic, partition, offset, at_ms, key, value, self._headers())
        if chance.random() < 0.05:
            partition = chance.randrange(self._partitions)
        if chance.random() < 0.1:
            at_ms = self._other_time(at_ms)
        sent_key = self._other_key(offset) if chance.random() < 0.1 else key
        return InputRecord(topic, partition, offset, at_ms, sent_key, self._damaged(value), self._headers())

    def tick(self, topic: str, event: InputEvent, partition: int, at_ms: int, offset: int) -> InputRecord:
        """A record of a tick, damaged now and then."""
        value: bytes | None = self._encoded(topic, event)
        if self._random.random() > GOOD_TICKS_SHARE:
            value = self._damaged(value)
        return InputRecord(topic, partition, offset, at_ms, str(partition).encode(), value)

    def _encoded(self, topic: str, event: InputEvent) -> bytes:
        return self._codecs[self._random.choice(ENCODINGS)].encode(topic, event)

    def _damaged(self, good: bytes | None) -> bytes | None:
        value = good
        for _ in range(self._random.choice((1, 1, 1, 2, 3))):
            value = self._random.choice(self._ways)(value or b"")
        self._before = good or b""
        return value

    def _headers(self) -> list[tuple[str, bytes | None]]:
        chance = self._random
        if chance.random() > 0.04:
            return []
        name = chance.choice(("cspulse-replay", "cspulse-replay", "", "x" * 3_000))
        return [(name, chance.choice((None, chance.randbytes(chance.choice((0, 8, 16))))))] * chance.choice((1, 2, 50))

    def _other_key(self, number: int) -> bytes | None:
        return self._random.choice((None, b"", b"\xff", b"k" * 3_000, str(number).encode()))

    def _other_time(self, at_ms: int) -> int:
        (distance_ms,) = self._random.choices(list(CLOCKS), list(CLOCKS.values()))
        if self._random.random() < 0.02:
            return self._random.choice((-1, 0))  # of a producer that gives no time, and of one whose clock was never set
        return max(0, at_ms + self._random.choice((-1, 1)) * distance_ms)

    def _flip(self, value: bytes) -> bytes:
        if not value:
            return value
        changed = bytearray(value)
        for _ in range(self._random.choice((1, 1, 2, 8))):
            changed[self._random.randrange(len(changed))] ^= 1 << self._random.randrange(8)
        return bytes(changed)

    def _cut(self, value: bytes) -> bytes:
        return value[: self._random.randrange(len(value) + 1)]

    def _splice(self, value: bytes) -> bytes:
        return value[: self._random.randrange(len(value) + 1)] + self._before[self._random.randrange(len(self._before) + 1) :]

    def _insert(self, value: bytes) -> bytes:
        at = self._random.randrange(len(value) + 1)
        return value[:at] + self._random.randbytes(self._random.randrange(1, 9)) + value[at:]

    def _remove(self, value: bytes) -> bytes:
        at = self._random.randrange(len(value) + 1)
        return value[:at] + value[at + self._random.randrange(1, 9) :]

    def _repeat(self, value: bytes) -> bytes:
        return value[:LONGEST_BYTES] * self._random.choice((2, 3, 700))

    def _noise(self, _value: bytes) -> bytes:
        return self._random.choice((b"", b"\xc3\x01", b"\0", b"{", b"[")) + self._random.randbytes(self._random.randrange(200))

    def _other_schema(self, value: bytes) -> bytes:
        """The framing of a registry's schema that the record was not written with."""
        schema_id = self._random.randrange(self._schema_ids + 3)
        foreign = self._random.choice((b"", b"\x02f", b"\x04\x00\x01\x00", ENDLESS, self._random.randbytes(3)))
        return REGISTRY_MARKER + schema_id.to_bytes(4, "big") + foreign + value[REGISTRY_HEADER_BYTES:]

    def _nothing(self, _value: bytes) -> None:
        return None

    def _other_value(self, value: bytes) -> bytes:
        members = _members(value)
        if members is None:
            return self._flip(value)
        members[self._random.choice([*members, "quantity", "score", "goals", "mrr_cents"])] = self._random.choice(NASTY)
        return json.dumps(members).encode()

    def _without_member(self, value: bytes) -> bytes:
        members = _members(value)
        if not members:
            return self._cut(value)
        del members[self._random.choice(list(members))]
        return json.dumps(members).encode()


def _members(value: bytes) -> dict[str, Any] | None:
    if value[:1] != b"{":
        return None
    try:
        members = json.loads(value)
    except (ValueError, RecursionError):
        return None
    return members if isinstance(members, dict) else None
