"""What is encoded is decoded as it was, in every encoding."""

from io import BytesIO

import fastavro
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.codec import Codec, Encoding
from schemas.contracts import contract
from schemas.jsonlines import Line, format_line, parse_line
from tests.support.registries import MemoryRegistry
from tests.support.typed_records import TOPICS, records


@pytest.mark.parametrize("encoding", ["avro", "confluent", "json"])
@pytest.mark.parametrize("topic", TOPICS)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_every_record_survives_the_way_through_bytes(topic: str, encoding: Encoding, data: st.DataObject) -> None:
    codec = Codec(MemoryRegistry(), encoding)
    record = data.draw(records(topic))
    assert codec.decode(topic, codec.encode(topic, record)) == record


@pytest.mark.parametrize("topic", TOPICS)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_every_record_survives_the_way_through_a_line(topic: str, data: st.DataObject) -> None:
    record = data.draw(records(topic))
    key = data.draw(st.binary(max_size=8))
    headers = data.draw(
        st.lists(st.tuples(st.text(st.characters(codec="utf-8"), max_size=4), st.none() | st.binary(max_size=4)), max_size=2)
    )
    text = format_line(topic, record, timestamp_ms=17, key=key, partition=3, offset=9, headers=headers)
    assert "\n" not in text
    assert parse_line(text) == Line(topic=topic, value=record, timestamp_ms=17, key=key, partition=3, offset=9, headers=headers)
    assert text == format_line(topic, record, timestamp_ms=17, key=key, partition=3, offset=9, headers=headers)


@pytest.mark.parametrize("topic", TOPICS)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_the_bytes_of_every_record_are_those_of_a_general_avro_writer(topic: str, data: st.DataObject) -> None:
    record = data.draw(records(topic))
    newest = contract(topic).newest
    stream = BytesIO()
    fastavro.schemaless_writer(stream, newest.decoding, msgspec.to_builtins(record, builtin_types=(bytes,)))
    assert Codec().encode(topic, record) == newest.header + stream.getvalue()
