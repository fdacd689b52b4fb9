"""The codec: which bytes are which record, and what is said of those that are none."""

import json
from io import BytesIO
from typing import Any, cast

import fastavro
import msgspec
import pytest

from schemas.avro import load
from schemas.codec import MAX_INPUT_BYTES, Codec, EncodingError, _read, _resolutions
from schemas.contracts import Contract, UnknownTopicError, contract
from schemas.events import FleetFigure, SurveyEvent, Tick, TicketEvent
from schemas.outcome import Malformed, Reason
from schemas.records import DeadLetter, Header
from tests.support.typed_records import examples

CODEC = Codec()
TICKET = TicketEvent(event_id="e-1", customer_id="c-1", occurred_at=1_767_225_600_123, kind="opened", ticket_id="T-1")


def failure(topic: str, value: bytes | None, codec: Codec = CODEC) -> Malformed:
    answer = codec.decode(topic, value)
    assert isinstance(answer, Malformed), answer
    return answer


def as_json(**changes: Any) -> bytes:
    fields = {"event_id": "e-1", "customer_id": "c-1", "occurred_at": 1_767_225_600_123, "kind": "opened", "ticket_id": "T-1"}
    return json.dumps({name: value for name, value in (fields | changes).items() if value is not ...}).encode()


def written_with(schema: dict[str, Any], **fields: Any) -> bytes:
    stream = BytesIO()
    fastavro.schemaless_writer(stream, fastavro.parse_schema(schema), fields)
    return stream.getvalue()


def test_a_single_object_payload_begins_with_the_marker_and_the_little_endian_fingerprint() -> None:
    # The fingerprint of "int" is given in Avro's specification as 0x7275d51a3f395c8f; the wire order is little-endian.
    assert fastavro.schema.fingerprint('"int"', "CRC-64-AVRO") == "8f5c393f1ad57572"
    assert CODEC.encode("cs.tickets", TICKET)[:10] == contract("cs.tickets").newest.header
    assert contract("cs.tickets").newest.header[:2] == b"\xc3\x01"


def test_a_payload_of_the_published_schema_written_by_another_program_is_read() -> None:
    version = contract("cs.tickets").newest
    fields = {name: value for name, value in msgspec.structs.asdict(TICKET).items() if value is not None}
    assert CODEC.decode("cs.tickets", version.header + written_with(version.published, **fields)) == TICKET


def test_a_missing_value_is_a_null_value() -> None:
    assert failure("cs.tickets", None).reason is Reason.NULL_VALUE


def test_an_input_of_64_kb_is_read_and_one_byte_more_is_too_large() -> None:
    short = as_json(unknown="")
    fitting = as_json(unknown="x" * (MAX_INPUT_BYTES - len(short)))
    assert len(fitting) == MAX_INPUT_BYTES
    assert CODEC.decode("cs.tickets", fitting) == TICKET
    assert failure("cs.tickets", as_json(unknown="x" * (MAX_INPUT_BYTES - len(short) + 1))).reason is Reason.TOO_LARGE


def test_an_output_may_be_longer_than_an_input() -> None:
    (letter,) = [record for record in examples("cs.dead-letters") if isinstance(record, DeadLetter)][:1]
    long = msgspec.structs.replace(letter, original=b"x" * MAX_INPUT_BYTES, headers=[Header(name="h", value=b"y" * 9)])
    assert CODEC.decode("cs.dead-letters", CODEC.encode("cs.dead-letters", long)) == long


def test_a_topic_that_is_none_of_ours_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(UnknownTopicError, match=r"no topic 'cs\.tycket'; there are .*cs\.tickets"):
        CODEC.decode("cs.tycket", b"{}")
    with pytest.raises(UnknownTopicError):
        CODEC.encode("cs.tycket", TICKET)


def test_bytes_left_over_are_counted_in_the_message() -> None:
    wrong = failure("cs.tickets", CODEC.encode("cs.tickets", TICKET) + b"abc")
    assert wrong == Malformed(Reason.UNDECODABLE, "3 bytes are left over after the record")


def test_a_record_of_another_topic_is_named() -> None:
    wrong = failure("cs.usage", CODEC.encode("cs.tickets", TICKET))
    assert wrong == Malformed(Reason.UNKNOWN_SCHEMA, "a record of cs.tickets on cs.usage")


def test_an_unknown_fingerprint_is_an_unknown_schema() -> None:
    wrong = failure("cs.usage", b"\xc3\x01\x01\x02\x03\x04\x05\x06\x07\x08rest")
    assert wrong.reason is Reason.UNKNOWN_SCHEMA
    assert "0102030405060708" in wrong.message


def test_other_first_bytes_are_undecodable_and_the_message_says_what_is_read() -> None:
    wrong = failure("cs.usage", b"hello")
    assert wrong.reason is Reason.UNDECODABLE
    assert "68 65" in wrong.message
    assert "c3 01" in wrong.message


def test_the_avro_symbol_for_unknown_is_an_unknown_enum() -> None:
    version = contract("cs.tickets").newest
    fields = msgspec.structs.asdict(TICKET) | {"kind": "UNKNOWN"}
    assert failure("cs.tickets", version.header + written_with(version.published, **fields)).reason is Reason.UNKNOWN_ENUM


def test_a_scale_that_does_not_exist_is_an_unknown_enum_in_avro_as_well() -> None:
    version = contract("cs.surveys").newest
    event = SurveyEvent(event_id="e", customer_id="c", occurred_at=1, kind="answered", survey="nps", score=3, scale="0_10")
    fields = msgspec.structs.asdict(event) | {"scale": "0_100"}
    assert failure("cs.surveys", version.header + written_with(version.published, **fields)).reason is Reason.UNKNOWN_ENUM


def test_an_input_is_checked_beyond_its_types() -> None:
    value = CODEC.encode("cs.tickets", msgspec.structs.replace(TICKET, occurred_at=1_767_225_600_123_000))
    assert failure("cs.tickets", value).reason is Reason.BAD_TIME


@pytest.mark.parametrize(
    ("changes", "reason", "said"),
    [
        ({"kind": "exploded"}, Reason.UNKNOWN_ENUM, "exploded"),
        ({"kind": ...}, Reason.MISSING_FIELD, "kind"),
        ({"ticket_id": None}, Reason.MISSING_FIELD, "ticket_id"),
        ({"ticket_id": 7}, Reason.WRONG_TYPE, "ticket_id"),
        ({"occurred_at": True}, Reason.WRONG_TYPE, "occurred_at"),
        ({"occurred_at": 1_767_225_600_123.0}, Reason.WRONG_TYPE, "occurred_at"),
        ({"occurred_at": 2**64}, Reason.OUT_OF_RANGE, "64 bits"),
        (
            {"occurred_at": "yesterday"},
            Reason.BAD_TIME,
            "2026-01-02T03:04:05.678Z is needed, got 'yesterday' - at `$.occurred_at`",
        ),
        ({"occurred_at": "2026-01-02T03:04:05"}, Reason.BAD_TIME, "is needed"),
        ({"touchpoint": ["support"]}, Reason.WRONG_TYPE, "touchpoint"),
    ],
)
def test_a_wrong_field_in_json_is_named_with_its_reason(changes: dict[str, Any], reason: Reason, said: str) -> None:
    wrong = failure("cs.tickets", as_json(**changes))
    assert wrong.reason is reason
    assert said in wrong.message


def test_json_with_nulls_unknown_fields_and_text_times_is_taken() -> None:
    value = as_json(priority=None, colour="red", occurred_at="2026-01-01T00:00:00.123Z")
    assert CODEC.decode("cs.tickets", value) == TICKET


def test_a_key_written_twice_in_json_counts_as_its_last_value() -> None:
    value = as_json().replace(b'"kind": "opened"', b'"kind": "solved", "kind": "opened"')
    assert CODEC.decode("cs.tickets", value) == TICKET


def test_a_message_that_quotes_the_input_is_cut() -> None:
    assert len(failure("cs.tickets", as_json(kind="x" * 10_000)).message) == 500


@pytest.mark.parametrize(
    ("number", "written"),
    [
        (0, "00"),
        (1, "02"),
        (63, "7e"),
        (64, "8001"),
        (8191, "fe7f"),
        (8192, "808001"),
        (2**40, "808080808040"),
        (2**63 - 1, "feffffffffffffffff01"),
        (-1, "01"),
    ],
)
def test_a_number_is_written_in_zigzag_and_as_short_as_can_be(number: int, written: str) -> None:
    value = CODEC.encode("cs.ticks", Tick(occurred_at=number, partition=0, config_version=0))
    assert value[10:].hex() == f"{written}00000000"


MISFITS: dict[str, dict[str, Any]] = {
    "a number beyond 64 bits": {"occurred_at": 2**63},
    "a number below 64 bits": {"occurred_at": -(2**63) - 1},
    "a fraction for a number": {"partition": 0.5},
    "nothing for a number": {"config_version": None},
    "a number for a text": {"active_app_id": 5},
    "a lone surrogate": {"active_app_id": "\ud800"},
    "a text for a list": {"fleet": "figures"},
    "a text for a fraction": {"fleet": [FleetFigure(name="f", value=cast("float", "1"), as_of=0)]},
    "a fraction beyond any": {"fleet": [FleetFigure(name="f", value=10**400, as_of=0)]},
}


@pytest.mark.parametrize("fields", MISFITS.values(), ids=MISFITS.keys())
def test_a_record_that_does_not_fit_its_schema_cannot_be_encoded(fields: dict[str, Any]) -> None:
    good: dict[str, Any] = {"occurred_at": 0, "partition": 0, "config_version": 0}
    with pytest.raises(EncodingError, match=r"cs\.ticks does not fit"):
        CODEC.encode("cs.ticks", Tick(**(good | fields)))


def test_a_word_that_is_not_on_the_list_cannot_be_encoded() -> None:
    with pytest.raises(EncodingError, match="merged"):
        CODEC.encode("cs.tickets", msgspec.structs.replace(TICKET, kind="merged"))


def test_the_registry_encoding_without_a_registry_is_refused() -> None:
    with pytest.raises(ValueError, match="needs a schema registry"):
        Codec(encoding="confluent")


def with_versions(*texts: dict[str, Any]) -> Contract:
    return Contract("cs.tickets", TicketEvent, is_input=True, versions=tuple(load(json.dumps(text)) for text in texts))


def test_a_payload_of_an_older_version_is_read_with_the_newest_defaults() -> None:
    newest = contract("cs.tickets").newest.published
    older = {**newest, "fields": [field for field in newest["fields"] if field["name"] != "channel"]}
    of_topic = with_versions(older, newest)
    fields = {name: value for name, value in msgspec.structs.asdict(TICKET).items() if name != "channel"}
    value = of_topic.versions[0].header + written_with(older, **fields)
    resolution = _resolutions(of_topic)[value[:10]]
    assert resolution.reader is not None
    assert _read(of_topic, None, resolution, value, 10) == TICKET


def test_a_symbol_that_the_newest_version_lacks_is_an_unknown_enum() -> None:
    newest = contract("cs.tickets").newest.published
    kinds = {**newest["fields"][3]["type"], "symbols": ["opened", "merged", "UNKNOWN"]}
    other = {**newest, "fields": [field if field["name"] != "kind" else {**field, "type": kinds} for field in newest["fields"]]}
    of_topic = with_versions(other, newest)
    value = of_topic.versions[0].header + written_with(other, **(msgspec.structs.asdict(TICKET) | {"kind": "merged"}))
    answer = _read(of_topic, None, _resolutions(of_topic)[value[:10]], value, 10)
    assert isinstance(answer, Malformed)
    assert answer.reason is Reason.UNKNOWN_ENUM
