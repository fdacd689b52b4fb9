"""Records as lines of JSON: what is read, what is written, what is said of a bad line."""

import json
from typing import Any

import pytest

from schemas.contracts import UnknownTopicError
from schemas.events import AccountEvent, PromisedGoal, TicketEvent
from schemas.jsonlines import Line, format_line, parse_line, unknown_fields, value_from_json, value_to_json
from schemas.outcome import Malformed, Reason
from schemas.times import format_time, parse_time
from tests.support.typed_records import TOPICS, examples

TICKET = TicketEvent(event_id="e-1", customer_id="c-ấ", occurred_at=1_767_323_045_678, kind="opened", ticket_id="T-1")
VALUE = {"event_id": "e-1", "customer_id": "c-ấ", "occurred_at": "2026-01-02T03:04:05.678Z", "kind": "opened", "ticket_id": "T-1"}


def understood(**members: Any) -> Line:
    line = parse_line(json.dumps({"topic": "cs.tickets", "value": VALUE} | members))
    assert isinstance(line, Line), line
    return line


def refused(text: str | bytes) -> Malformed:
    answer = parse_line(text)
    assert isinstance(answer, Malformed), answer
    return answer


@pytest.mark.parametrize(
    ("text", "at_ms"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("2026-01-02T03:04:05.678Z", 1_767_323_045_678),
        ("2026-01-02t03:04:05.678z", 1_767_323_045_678),
        ("2026-01-02 03:04:05.6Z", 1_767_323_045_600),
        ("2026-01-02T10:04:05.678999999+07:00", 1_767_323_045_678),
        ("2026-01-01T23:34:05-03:30", 1_767_323_045_000),
        ("1969-12-31T23:59:59.999Z", -1),
        ("2024-02-29T12:00:00Z", 1_709_208_000_000),
    ],
)
def test_a_time_of_rfc_3339_is_epoch_milliseconds(text: str, at_ms: int) -> None:
    assert parse_time(text) == at_ms


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-01-02",
        "2026-01-02T03:04:05",
        "2026-01-02T03:04Z",
        "2026-02-30T00:00:00Z",
        "2016-12-31T23:59:60Z",
        "20260102T030405Z",
        "2026-W01-5T00:00:00Z",
        "2026-01-02T03:04:05.Z",
        "2026-01-02T03:04:05+0700",
        "٢026-01-02T03:04:05Z",
        "2026-01-02T03:04:05Z\n",
    ],
)
def test_what_is_no_time_of_rfc_3339_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is needed|month|second|range"):
        parse_time(text)


def test_a_time_is_written_in_utc_with_milliseconds() -> None:
    assert format_time(1_767_323_045_678) == "2026-01-02T03:04:05.678Z"
    assert format_time(0) == "1970-01-01T00:00:00.000Z"
    assert format_time(-1) == "1969-12-31T23:59:59.999Z"


def test_topic_and_value_are_enough() -> None:
    assert understood() == Line(topic="cs.tickets", value=TICKET, timestamp_ms=TICKET.occurred_at, key="c-ấ".encode())


def test_the_records_own_timestamp_is_what_it_speaks_of_unless_the_line_says_another() -> None:
    assert understood().timestamp_ms == 1_767_323_045_678
    assert understood(timestamp_ms=17).timestamp_ms == 17
    assert understood(timestamp_ms="1970-01-01T00:00:01Z").timestamp_ms == 1000


@pytest.mark.parametrize("topic", TOPICS)
def test_every_topic_has_a_timestamp_without_being_told(topic: str) -> None:
    line = parse_line(json.dumps({"topic": topic, "value": value_to_json(topic, examples(topic)[0])}))
    assert isinstance(line, Line)
    assert line.value == examples(topic)[0]
    assert line.timestamp_ms > 0


def test_a_time_may_be_epoch_milliseconds() -> None:
    assert understood(value=VALUE | {"occurred_at": 1_767_323_045_678}).value == TICKET


def test_what_the_line_says_of_its_place_is_kept() -> None:
    headers = [["a", "b"], ["c", None], ["d", {"base64": "/w=="}]]
    line = understood(key={"base64": "/wA="}, partition=2, offset=7, headers=headers)
    assert (line.key, line.partition, line.offset) == (b"\xff\x00", 2, 7)
    assert line.headers == [("a", b"b"), ("c", None), ("d", b"\xff")]


def test_what_the_contract_does_not_know_is_named_and_not_used() -> None:
    line = understood(timestamp=5, value=VALUE | {"colour": "red"})
    assert line.unknown == ("timestamp", "value.colour")
    assert line.value == TICKET


def test_unknown_fields_are_found_at_any_depth() -> None:
    value = {"goals": [{"goal": "g"}, {"goal": "h", "color": 1}], "x": {"y": 1}, "owner": {"z": 1}}
    assert unknown_fields("cs.accounts", value) == ["goals[1].color", "x"]
    assert unknown_fields("cs.accounts", [value]) == []
    for topic in TOPICS:
        assert unknown_fields(topic, value_to_json(topic, examples(topic)[0])) == []


@pytest.mark.parametrize(
    ("text", "reason", "said"),
    [
        ("", Reason.UNDECODABLE, "not valid JSON"),
        ('{"topic": "cs.tickets", "value": {', Reason.UNDECODABLE, "not valid JSON"),
        (b"\xff", Reason.UNDECODABLE, "not valid JSON"),
        ("[" * 100_000, Reason.UNDECODABLE, "not valid JSON"),
        ("[]", Reason.WRONG_TYPE, "a topic and a value"),
        ('{"topic": "cs.tickets"}', Reason.WRONG_TYPE, "`value`"),
        ('{"value": {}}', Reason.WRONG_TYPE, "`topic`"),
        ('{"topic": "cs.ticket", "value": {}}', Reason.UNKNOWN_TOPIC, "no topic 'cs.ticket'; events go to cs.tickets, cs.usage"),
        ('{"topic": "cs.tickets", "value": null}', Reason.NULL_VALUE, "no value"),
        ('{"topic": "cs.tickets", "value": 3}', Reason.WRONG_TYPE, "the value is a number; an object is needed"),
        ('{"topic": "cs.tickets", "value": {}}', Reason.MISSING_FIELD, "event_id"),
    ],
)
def test_a_bad_line_says_what_is_wrong(text: str | bytes, reason: Reason, said: str) -> None:
    answer = refused(text)
    assert answer.reason is reason
    assert said in answer.message


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({"timestamp_ms": -1}, "timestamp_ms is -1"),
        ({"timestamp_ms": 2**63}, "timestamp_ms is"),
        ({"timestamp_ms": "now"}, "is needed"),
        ({"timestamp_ms": 1.5}, "timestamp_ms"),
        ({"partition": -1}, "partition is -1"),
        ({"offset": 2**63}, "offset is"),
        ({"key": {"base64": "!"}}, "base64"),
        ({"key": {"hex": "00"}}, "key: a text or"),
        ({"key": 7}, "key"),
        ({"headers": {"a": "b"}}, "headers"),
    ],
)
def test_a_bad_member_is_a_wrong_type_and_named(members: dict[str, Any], said: str) -> None:
    answer = refused(json.dumps({"topic": "cs.tickets", "value": VALUE} | members))
    assert answer.reason is Reason.WRONG_TYPE
    assert said in answer.message


def test_a_line_is_written_in_one_order_with_the_value_last() -> None:
    text = format_line("cs.tickets", TICKET, offset=7, partition=2, key=b"c-1", timestamp_ms=17, headers=[("h", b"\xff")])
    assert text == (
        '{"topic":"cs.tickets","timestamp_ms":17,"key":"c-1","partition":2,"offset":7,"headers":[["h",{"base64":"/w=="}]],'
        '"value":{"event_id":"e-1","customer_id":"c-ấ","occurred_at":"2026-01-02T03:04:05.678Z","kind":"opened","ticket_id":"T-1"}}'
    )


def test_what_is_not_known_is_left_out_of_a_line() -> None:
    assert json.loads(format_line("cs.tickets", TICKET)) == {"topic": "cs.tickets", "value": VALUE}


def test_a_tombstone_is_written_as_null() -> None:
    assert format_line("cs.customer-snapshots", None, key=b"c") == '{"topic":"cs.customer-snapshots","key":"c","value":null}'


def test_an_output_carries_all_its_fields_and_an_event_only_those_it_has() -> None:
    (_, least) = examples("cs.health-changes")
    assert value_to_json("cs.health-changes", least)["old_score"] is None
    assert "touchpoint" not in value_to_json("cs.tickets", TICKET)


def test_whole_numbers_and_fractions_of_one_value_are_one_text() -> None:
    def contract(expected: float) -> AccountEvent:
        goals = [PromisedGoal(goal="g", expected_per_30_days=expected)]
        return AccountEvent(event_id="e", customer_id="c", occurred_at=1, kind="contracted", goals=goals)

    assert format_line("cs.accounts", contract(3)) == format_line("cs.accounts", contract(3.0))


def test_a_value_of_an_unknown_topic_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(UnknownTopicError):
        value_from_json("cs.nothing", {})
    with pytest.raises(UnknownTopicError):
        unknown_fields("cs.nothing", {})
