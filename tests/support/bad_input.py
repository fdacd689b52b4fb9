"""Records that a pipeline meets sooner or later and cannot process, each with the reason it must be given; and some to be taken.

Bytes only: the corpus is put through the driver in memory and through workers on real brokers alike.
"""

import json
import struct
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

import fastavro

from schemas.avro import load
from schemas.checks import TIME_MAX_MS
from schemas.codec import Codec
from schemas.events import SurveyEvent, TicketEvent
from streams.topics import partition_of
from tests.support.bad_values import bad_values

HOUR_MS: Final = 3_600_000
CUSTOMER: Final = "customer-1"
ACCEPTED: Final = "accepted"
HOSTILE: Final = (
    "a\0b",
    "a\nb",
    "\u202egnp.exe",
    "'; DROP TABLE customers; --",
    "{{7*7}}${7*7}",
    "../../etc/passwd",
    "\U0001f4a9" * 64,
)
AVSC: Final = Path(__file__).parents[2] / "schemas" / "avsc"


class Offered(NamedTuple):
    """A record, where it is put, and what must become of it: a reason of a dead letter, or `accepted`.

    `timestamp_ms` is None where it is stamped with the corpus' time.
    """

    name: str
    topic: str
    partition: int
    key: bytes | None
    value: bytes | None
    fate: str
    timestamp_ms: int | None = None


def corpus(at_ms: int, partitions: int) -> list[Offered]:
    """Everything, as of the time that the records are stamped with."""
    home = partition_of(CUSTOMER.encode(), partitions)
    key = CUSTOMER.encode()
    bad = [Offered(name, topic, home, key, value, fate) for name, topic, value, fate in _values(at_ms)]
    elsewhere = (home + 1) % partitions
    long_key = b"k" * 2_000
    return [
        *bad,
        Offered("another customer's key", "cs.tickets", home, b"customer-2", ticket(at_ms, "k-1"), "key_mismatch"),
        Offered("no key", "cs.tickets", home, None, ticket(at_ms, "k-2"), "key_mismatch"),
        Offered("an empty key", "cs.tickets", home, b"", ticket(at_ms, "k-3"), "key_mismatch"),
        Offered("a key that is no UTF-8", "cs.tickets", home, b"\xff\xfe", ticket(at_ms, "k-4"), "key_mismatch"),
        Offered("a key of 2,000 bytes", "cs.tickets", home, long_key, ticket(at_ms, "k-5"), "key_mismatch"),
        Offered("another partition", "cs.tickets", elsewhere, key, ticket(at_ms, "k-6"), "misrouted"),
        *_hostile_customers(at_ms, partitions),
        *(Offered(one.name, one.topic, home, key, one.value, one.fate) for one in bad_values(CUSTOMER, at_ms)),
    ]


def mistimed(at_ms: int, partitions: int) -> list[Offered]:
    """Records whose own timestamps are wrong; brokers refuse some of them, if the topics are set up as they should be."""
    home, key = partition_of(CUSTOMER.encode(), partitions), CUSTOMER.encode()
    last_ms = TIME_MAX_MS - 1
    cases = (
        ("no timestamp", -1, at_ms, "bad_time"),
        ("a timestamp of 1970 on an event of now", 0, at_ms, "future"),
        ("a timestamp of 1970 on an event of then", 0, 0, ACCEPTED),
        ("a timestamp of 2100 on an event of now", 4_102_444_800_000, at_ms, "late"),
        ("the last timestamp that there is", last_ms, last_ms, ACCEPTED),
        ("a timestamp after it", last_ms + 1, last_ms, "bad_time"),
        ("a timestamp in microseconds", at_ms * 1_000, at_ms, "bad_time"),
        ("the largest timestamp", 2**63 - 1, at_ms, "bad_time"),
    )
    return [
        Offered(name, "cs.tickets", home, key, ticket(occurred_ms, name), fate, stamped_ms)
        for name, stamped_ms, occurred_ms, fate in cases
    ]


def ticket(at_ms: int, event_id: str = "t-1", customer_id: str = CUSTOMER) -> bytes:
    """A good event."""
    event = TicketEvent(event_id=event_id, customer_id=customer_id, occurred_at=at_ms, kind="opened", ticket_id="1")
    return Codec().encode("cs.tickets", event)


def _values(at_ms: int) -> Iterator[tuple[str, str, bytes | None, str]]:
    yield from _broken_bytes(at_ms)
    yield from _foreign_schemas()
    yield from _wrong_json(at_ms)
    yield from _wrong_types(at_ms)
    yield from _wrong_times(at_ms)
    yield from _absurd_avro(at_ms)


def _broken_bytes(at_ms: int) -> Iterator[tuple[str, str, bytes | None, str]]:
    whole = ticket(at_ms, "cut")
    yield "no value", "cs.tickets", None, "null_value"
    yield "no bytes", "cs.tickets", b"", "undecodable"
    yield "noise", "cs.tickets", b"\x07 no encoding begins like this", "undecodable"
    for length in (1, 2, 9, 10, 11, len(whole) // 2, len(whole) - 1):
        fate = "unknown_schema" if length in (2, 9) else "undecodable"
        yield f"cut after {length} bytes", "cs.tickets", whole[:length], fate
    yield "bytes left over", "cs.tickets", whole + b"\0", "undecodable"
    yield "two records in one", "cs.tickets", whole + whole, "undecodable"
    yield "another topic's record", "cs.usage", whole, "unknown_schema"
    yield "a registry's framing cut off", "cs.tickets", b"\0\0\0", "undecodable"
    yield "text that is no UTF-8", "cs.tickets", whole.replace(b"cut", b"\xff\xff\xff"), "undecodable"
    yield "a length beyond all memory", "cs.tickets", whole[:10] + b"\xfe" + b"\xff" * 8 + b"\x01", "undecodable"
    yield "a length below zero", "cs.tickets", whole[:10] + b"\x01", "undecodable"
    yield "a number without an end", "cs.tickets", whole[:10] + b"\xff" * 2_000, "undecodable"
    yield "more than may be read", "cs.tickets", b"{" + b" " * 70_000 + b"}", "too_large"
    yield "a megabyte that compresses to nothing", "cs.tickets", b'{"event_id":"' + b"0" * 900_000 + b'"}', "too_large"


def _foreign_schemas() -> Iterator[tuple[str, str, bytes | None, str]]:
    yield "a schema that nobody knows", "cs.tickets", b"\xc3\x01" + b"\0" * 20, "unknown_schema"
    yield "a registry's schema without a registry", "cs.tickets", b"\0" + struct.pack(">I", 7) + b"\x02x", "unknown_schema"


def _wrong_json(at_ms: int) -> Iterator[tuple[str, str, bytes | None, str]]:
    begin = f'{{"event_id":"j","customer_id":"{CUSTOMER}","occurred_at":{at_ms},"ticket_id":"1"'.encode()
    yield "JSON cut off", "cs.tickets", begin, "undecodable"
    yield "two objects", "cs.tickets", b"{}{}", "undecodable"
    yield "an empty object", "cs.tickets", b"{}", "missing_field"
    yield "invalid UTF-8 in JSON", "cs.tickets", begin + b',"kind":"opened","agent_id":"\xff"}', "undecodable"
    yield "a lone surrogate", "cs.tickets", begin + b',"kind":"opened","agent_id":"\\ud800"}', "undecodable"
    yield "objects 12,000 deep", "cs.tickets", b'{"a":' * 12_000, "undecodable"
    lists = b"[" * 20_000 + b"]" * 20_000
    yield "lists 20,000 deep", "cs.tickets", begin + b',"kind":"opened","x":' + lists + b"}", "undecodable"
    for absurd in (b"NaN", b"Infinity", b"-Infinity", b"1e400", b"-1e400"):
        value = _json(at_ms, kind="override", override_score="#").replace(b'"#"', absurd)
        yield f"{absurd.decode()} in JSON", "cs.accounts", value, "undecodable"
    many = b"".join(b',"m%d":{}' % number for number in range(5_000))
    yield (
        "5,000 members that nobody knows",
        "cs.tickets",
        begin.replace(b'"j"', b'"many"') + b',"kind":"opened"' + many + b"}",
        ACCEPTED,
    )
    again = b',"kind":"opened"' * 3_500
    yield "a member 3,500 times", "cs.tickets", begin.replace(b'"j"', b'"again"') + again + b"}", ACCEPTED
    yield from _hostile_texts(at_ms)
    yield "a number of 5,000 digits", "cs.usage", _usage(at_ms, quantity="#").replace(b'"#"', b"9" * 5_000), "undecodable"
    yield "a number beyond 64 bits", "cs.usage", _usage(at_ms, quantity=2**70), "out_of_range"
    yield (
        "a number beyond any float",
        "cs.accounts",
        _json(at_ms, kind="override", override_score="#").replace(b'"#"', b"1e999"),
        "undecodable",
    )
    yield "a member twice", "cs.tickets", begin + b',"kind":"opened","kind":"opened","ticket_id":"2"}', ACCEPTED
    yield (
        "a member that nobody knows",
        "cs.tickets",
        _json(at_ms, event_id="unknown", kind="opened", ticket_id="3", mood="!"),
        ACCEPTED,
    )


def _hostile_texts(at_ms: int) -> Iterator[tuple[str, str, bytes | None, str]]:
    """Names and comments that are data like any other."""
    for number, text in enumerate(HOSTILE):
        fields: dict[str, Any] = {"event_id": f"text-{number}", "touchpoint": text, "respondent_id": text, "locale": text}
        yield f"an answer that says {text[:20]!r}", "cs.surveys", _answer(at_ms, **fields, comment=text * 50), ACCEPTED


def _wrong_types(at_ms: int) -> Iterator[tuple[str, str, bytes | None, str]]:
    """Each field of a ticket with a value of every wrong type."""
    good: dict[str, Any] = {"event_id": "w", "customer_id": CUSTOMER, "occurred_at": at_ms, "kind": "opened", "ticket_id": "1"}
    wrong: dict[str, tuple[Any, ...]] = {
        **dict.fromkeys(("event_id", "ticket_id", "touchpoint", "agent_id"), (1, 1.5, True, [], {})),
        "occurred_at": ("yesterday", 1.5, True, [], {}, None),
    }
    for field, values in wrong.items():
        for value in values:
            fate = "missing_field" if value is None else "bad_time" if value == "yesterday" else "wrong_type"
            yield f"{field} = {value!r}", "cs.tickets", json.dumps({**good, field: value}).encode(), fate
    yield "a kind of another type", "cs.tickets", json.dumps({**good, "kind": 7}).encode(), "wrong_type"
    yield "a kind that is none", "cs.tickets", json.dumps({**good, "kind": "forgotten"}).encode(), "unknown_enum"
    yield "no ticket", "cs.tickets", json.dumps({**good, "ticket_id": None}).encode(), "missing_field"
    yield "no kind", "cs.tickets", json.dumps({name: good[name] for name in good if name != "kind"}).encode(), "missing_field"
    yield "an empty name", "cs.tickets", json.dumps({**good, "ticket_id": ""}).encode(), "out_of_range"
    yield "a name of 257 characters", "cs.tickets", json.dumps({**good, "ticket_id": "x" * 257}).encode(), "out_of_range"
    yield "a quantity below zero", "cs.usage", _usage(at_ms, quantity=-1), "out_of_range"
    yield "a feature that is missing", "cs.usage", _json(at_ms, kind="feature_used"), "missing_field"
    yield "65 promised goals", "cs.accounts", _contract(at_ms, 65), "out_of_range"
    yield "cents beyond reason", "cs.accounts", _json(at_ms, kind="contracted", mrr_cents=10**16), "out_of_range"
    yield "a comment of 16,385 characters", "cs.surveys", _answer(at_ms, comment="x" * 16_385), "out_of_range"
    yield "a score off its scale", "cs.surveys", _answer(at_ms, score=11), "bad_score"
    yield "a scale that the survey has not", "cs.surveys", _answer(at_ms, scale="1_7", score=3), "bad_score"
    yield "a score without a scale", "cs.surveys", _answer(at_ms, scale=None), "missing_field"


def _wrong_times(at_ms: int) -> Iterator[tuple[str, str, bytes | None, str]]:
    yield "in 1969", "cs.tickets", _json(-1, kind="opened", ticket_id="1"), "bad_time"
    yield "in 1970", "cs.tickets", ticket(0, "1970"), "late"
    yield "in microseconds", "cs.tickets", _json(at_ms * 1_000, kind="opened", ticket_id="1"), "bad_time"
    yield "in seconds", "cs.tickets", ticket(at_ms // 1_000, "seconds"), "late"
    yield "in 2100", "cs.tickets", ticket(4_102_444_800_000, "2100"), "future"
    yield "49 hours late", "cs.tickets", ticket(at_ms - 49 * HOUR_MS, "late"), "late"
    yield "an hour ahead", "cs.tickets", ticket(at_ms + HOUR_MS, "ahead"), "future"
    yield "a date that is none", "cs.tickets", _json("2026-02-30T00:00:00Z", kind="opened", ticket_id="1"), "bad_time"


def _absurd_avro(at_ms: int) -> Iterator[tuple[str, str, bytes | None, str]]:
    low = SurveyEvent(
        event_id="low", customer_id=CUSTOMER, occurred_at=at_ms, kind="answered", survey="nps", score=-(2**31), scale="0_10"
    )
    yield "a score of -2**31", "cs.surveys", Codec().encode("cs.surveys", low), "bad_score"
    header = _newest("cs.accounts").header
    goals = {"event_id": "g", "customer_id": CUSTOMER, "occurred_at": at_ms, "kind": "contracted", "goals": []}
    whole = header + _avro("cs.accounts", goals)
    yield "a contract in Avro", "cs.accounts", whole, ACCEPTED
    before = whole.rindex(b"\x02\0", 0, whole.rindex(b"\x02\0") + 2)  # the branch of the list, and its end
    for count in (b"\xfe" + b"\xff" * 8 + b"\x01", b"\xff" * 9 + b"\x01", b"\x01"):
        endless = whole[: before + 1] + count
        yield f"a list of {count.hex()} goals that are not there", "cs.accounts", endless, "undecodable"
        yield f"a list of {count.hex()} goals of no bytes", "cs.accounts", endless + b"\0" * 60_000, "undecodable"


def _hostile_customers(at_ms: int, partitions: int) -> Iterator[Offered]:
    """Names that break what is careless with text; they are names like any other."""
    for number, name in enumerate((*HOSTILE, "x" * 256)):
        key = name.encode()
        value = ticket(at_ms, f"h-{number}", name)
        yield Offered(f"a customer called {name[:20]!r}", "cs.tickets", partition_of(key, partitions), key, value, ACCEPTED)


def _json(at_ms: int | str, **fields: Any) -> bytes:
    return json.dumps({"event_id": "x", "customer_id": CUSTOMER, "occurred_at": at_ms, **fields}).encode()


def _usage(at_ms: int, **fields: Any) -> bytes:
    return _json(at_ms, kind="feature_used", feature="search", **fields)


def _answer(at_ms: int, **fields: Any) -> bytes:
    return _json(at_ms, **{"kind": "answered", "survey": "nps", "score": 3, "scale": "0_10", **fields})


def _contract(at_ms: int, goals: int) -> bytes:
    promised = [{"goal": f"g-{number}", "expected_per_30_days": 1.0} for number in range(goals)]
    return _json(at_ms, kind="contracted", goals=promised)


@cache
def _newest(topic: str) -> Any:
    newest = max((AVSC / topic).glob("v*.avsc"), key=lambda file: int(file.stem[1:]))
    return load(newest.read_text(encoding="utf-8"))


def _avro(topic: str, fields: dict[str, Any]) -> bytes:
    from io import BytesIO

    body = BytesIO()
    fastavro.schemaless_writer(body, _newest(topic).decoding, fields)
    return body.getvalue()
