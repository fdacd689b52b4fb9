"""No bytes make the codec raise: it answers with a record that passes its checks, or says what is wrong."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct

from schemas.avro import SchemaRefusedError, load
from schemas.checks import check
from schemas.codec import Codec
from schemas.contracts import INPUTS, contract, contracts
from schemas.jsonlines import Line, parse_line
from schemas.outcome import Malformed, Reason
from tests.support.registries import MemoryRegistry
from tests.support.typed_records import TOPICS, examples, records

CODEC = Codec()
TOPIC = st.sampled_from(TOPICS)


def decode(topic: str, value: bytes, codec: Codec = CODEC) -> Struct:
    """Decode, and hold the answer against what is promised of it."""
    answer = codec.decode(topic, value)
    if isinstance(answer, Malformed):
        assert answer.reason in Reason
        assert 0 < len(answer.message) <= 500
    else:
        assert type(answer) is contract(topic).record
        if topic in INPUTS:
            assert check(answer) is None  # type: ignore[arg-type]  # a record of an input topic is an input event
    return answer


@st.composite
def damaged(draw: st.DrawFn, encoding: Any) -> tuple[str, bytes]:
    """A good payload with a few bytes changed, cut out or put in, or its end cut off."""
    topic = draw(TOPIC)
    value = bytearray(Codec(encoding=encoding).encode(topic, draw(records(topic))))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(value)))
        removed = draw(st.integers(0, 3))
        value[at : at + removed] = draw(st.binary(max_size=3))
    return topic, bytes(value[: draw(st.none() | st.integers(0, len(value)))])


@settings(max_examples=300, deadline=None)
@given(TOPIC, st.binary(max_size=300))
def test_random_bytes_are_malformed(topic: str, value: bytes) -> None:
    decode(topic, value)


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_random_bytes_after_a_known_fingerprint_are_a_record_or_malformed(data: st.DataObject) -> None:
    topic = data.draw(TOPIC)
    decode(topic, contract(topic).newest.header + data.draw(st.binary(max_size=300)))


@settings(max_examples=400, deadline=None)
@given(damaged("avro"))
def test_damaged_avro_is_a_record_or_malformed(payload: tuple[str, bytes]) -> None:
    decode(*payload)


@settings(max_examples=400, deadline=None)
@given(damaged("json"))
def test_damaged_json_is_a_record_or_malformed(payload: tuple[str, bytes]) -> None:
    decode(*payload)


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(max_size=6),
    st.sampled_from(["2026-01-02T03:04:05Z", "2026-02-30T00:00:00Z", "9999-12-31T23:59:59.9-23:59", "UNKNOWN", "answered"]),
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
)


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_json_with_any_values_in_the_right_fields_is_a_record_or_malformed(data: st.DataObject) -> None:
    topic = data.draw(TOPIC)
    good = json.loads(Codec(encoding="json").encode(topic, examples(topic)[0]))
    for name in data.draw(st.lists(st.sampled_from(sorted(good)), max_size=3)):
        good[name] = data.draw(VALUES)
    value = json.dumps(good).encode()
    decode(topic, value)
    line = parse_line(json.dumps({"topic": topic, "value": good}))
    assert isinstance(line, Line | Malformed)


@settings(max_examples=300, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["topic", "value", "key", "timestamp_ms", "headers", "partition", "offset", "x"]), VALUES | TOPIC
    )
)
def test_any_json_object_is_a_line_or_malformed(members: dict[str, Any]) -> None:
    assert isinstance(parse_line(json.dumps(members)), Line | Malformed)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=100) | st.text(max_size=100))
def test_any_text_is_a_line_or_malformed(text: str | bytes) -> None:
    assert isinstance(parse_line(text), Line | Malformed)


HUGE = b"\xff" * 9 + b"\x01"  # the varint of -2**63
NASTY: dict[str, bytes] = {
    "nothing": b"",
    "half a marker": b"\xc3",
    "a marker alone": b"\xc3\x01",
    "half a fingerprint": b"\xc3\x01\x00\x00",
    "a registry's marker alone": b"\x00",
    "a registry's id alone": b"\x00\x00\x00\x00\x01",
    "a fingerprint alone": b"HEADER",
    "a length below zero": b"HEADER\x01",
    "a length of -2**63": b"HEADER" + HUGE,
    "a length of 2**63 - 1": b"HEADER\xfe" + b"\xff" * 8 + b"\x01",
    "a varint without an end": b"HEADER" + b"\xff" * 2000,
    "deep objects": b'{"a":' * 20_000,
    "deep lists": b'{"a":' + b"[" * 20_000,
    "deep and closed": b'{"goals":' + b"[" * 20_000 + b"]" * 20_000 + b"}",
    "NaN": b'{"occurred_at": NaN}',
    "Infinity": b'{"occurred_at": -Infinity}',
    "a number beyond any float": b'{"occurred_at": 1e999}',
    "a number of 5,000 digits": b'{"occurred_at": ' + b"9" * 5000 + b"}",
    "a lone surrogate": b'{"event_id": "\\ud800"}',
    "a lone low surrogate": b'{"event_id": "\\udc00"}',
    "two high surrogates": b'{"event_id": "\\ud800\\ud800"}',
    "invalid UTF-8": b'{"event_id": "\xff"}',
    "an encoded surrogate": b'{"event_id": "\xed\xa0\x80"}',
    "a byte order mark": b"\xef\xbb\xbf{}",
    "UTF-16": "{}".encode("utf-16"),
    "a zero byte": b"{\x00}",
    "two objects": b"{}{}",
    "an empty object": b"{}",
}


@pytest.mark.parametrize("value", NASTY.values(), ids=NASTY.keys())
@pytest.mark.parametrize("topic", TOPICS)
def test_what_is_known_to_break_decoders_is_malformed(topic: str, value: bytes) -> None:
    assert isinstance(decode(topic, value.replace(b"HEADER", contract(topic).newest.header)), Malformed)


@pytest.mark.parametrize("topic", TOPICS)
def test_every_cut_of_a_payload_is_malformed(topic: str) -> None:
    whole = CODEC.encode(topic, examples(topic)[0])
    for length in range(len(whole)):
        assert isinstance(decode(topic, whole[:length]), Malformed), length


@pytest.mark.parametrize("topic", TOPICS)
def test_bytes_left_over_after_a_payload_are_malformed(topic: str) -> None:
    answer = decode(topic, CODEC.encode(topic, examples(topic)[0]) + b"\x00")
    assert isinstance(answer, Malformed)
    assert answer.reason is Reason.UNDECODABLE


AVRO_TYPES = st.recursive(
    st.sampled_from(["null", "string", "long", "bytes", "double", "boolean", "int", "A", "cspulse.B", "", "no.such"]),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.builds(lambda items: {"type": "array", "items": items}, inner),
        st.builds(lambda values: {"type": "map", "values": values}, inner),
        st.builds(lambda kind: {"type": kind, "logicalType": "timestamp-millis"}, inner),
        st.builds(lambda size: {"type": "fixed", "name": "F", "size": size}, st.integers(-1, 3)),
        st.builds(lambda symbols: {"type": "enum", "name": "E", "symbols": symbols}, st.lists(st.text(max_size=2), max_size=2)),
        st.builds(
            lambda name, fields: {
                "type": "record",
                "name": name,
                "fields": [{"name": f"f{i}", "type": t} for i, t in enumerate(fields)],
            },
            st.sampled_from(["A", "B", "TicketEvent"]),
            st.lists(inner, max_size=3),
        ),
    ),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None)
@given(AVRO_TYPES, st.binary(max_size=60))
def test_a_foreign_schema_is_refused_or_decodes_without_raising(kind: Any, body: bytes) -> None:
    fields = [*contracts()["cs.tickets"].newest.published["fields"][:3], {"name": "kind", "type": kind}]
    text = json.dumps({"type": "record", "name": "TicketEvent", "namespace": "cspulse", "fields": fields})
    try:
        load(text)
    except SchemaRefusedError as refused:
        assert str(refused)  # noqa: PT017 - both answers are allowed, and this one must say why
    registry = MemoryRegistry()
    registry.schemas[7] = text
    decode("cs.tickets", b"\x00\x00\x00\x00\x07" + b"\x02e\x02c\x00" + body, Codec(registry))


@settings(max_examples=300, deadline=None)
@given(VALUES)
def test_any_json_is_refused_as_a_schema_or_loaded(value: Any) -> None:
    with pytest.raises(SchemaRefusedError):
        load(json.dumps(value))
