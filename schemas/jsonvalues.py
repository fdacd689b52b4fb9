"""Records as JSON values: times as RFC 3339, bytes as base64, names and order of the fields as in the record.

On the way in a time may also be epoch milliseconds, a missing optional field is null, and unknown fields are left alone
(`unknown_fields` names them).
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import msgspec

from schemas.checks import check
from schemas.contracts import Contract, contract
from schemas.events import InputEvent
from schemas.outcome import Malformed, Reason, malformed
from schemas.records import Output
from schemas.times import format_time, parse_time

INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1

Reader = Callable[[Any, str], Any]
"""Takes a JSON value and its place, gives what the record's field is made from."""
Writer = Callable[[Any], Any]


class Shape(dict[str, "Shape | None"]):
    """The fields that a JSON object may have, each with those of the objects in it."""


class _Wrong(Exception):
    def __init__(self, failure: Malformed) -> None:
        self.failure = failure


def value_from_json(topic: str, value: object) -> InputEvent | Output | Malformed:
    """The record that a JSON value stands for. Raises `UnknownTopicError` for a topic that is none of ours."""
    if not isinstance(value, dict):
        return malformed(Reason.WRONG_TYPE, f"the value is {_json_name(value)}; an object is needed")
    of_topic = contract(topic)
    try:
        return record_from_fields(of_topic, _reader(topic)(value, ""))
    except _Wrong as wrong:
        return wrong.failure


def record_from_fields(of_topic: Contract, fields: object) -> InputEvent | Output | Malformed:
    """The record with these fields, checked if it is an input."""
    try:
        record = msgspec.convert(fields, of_topic.record)
    except msgspec.ValidationError as error:
        return from_validation(error)
    if of_topic.is_input:
        wrong = check(record)  # type: ignore[arg-type]  # an input topic's record type is one of `InputEvent`
        if wrong is not None:
            return wrong
    return record  # type: ignore[return-value]  # the catalogue holds only types of the two unions


def from_validation(error: msgspec.ValidationError) -> Malformed:
    """What msgspec found wrong, in our words."""
    message = str(error)
    if "enum value" in message:
        return malformed(Reason.UNKNOWN_ENUM, message)
    if "missing required field" in message or "got `null`" in message:
        return malformed(Reason.MISSING_FIELD, message)
    return malformed(Reason.WRONG_TYPE, message)


def value_to_json(topic: str, record: InputEvent | Output) -> dict[str, Any]:
    """The JSON value of a record. Optional fields that an event does not have are left out; an output carries all its fields."""
    value: dict[str, Any] = msgspec.to_builtins(record)
    if contract(topic).is_input:
        value = {name: field for name, field in value.items() if field is not None}
    _writer(topic)(value)
    return value


def unknown_fields(topic: str, value: object) -> list[str]:
    """Places in a JSON value that the topic's contract does not know, such as `colour` or `goals[0].color`."""
    return _unknown(_shape(topic), value, "") if isinstance(value, dict) else []


@cache
def _reader(topic: str) -> Reader:
    reader = _reader_of(contract(topic).newest.published, {})
    assert reader is not None  # every record has a time
    return reader


@cache
def _writer(topic: str) -> Writer:
    writer = _writer_of(contract(topic).newest.published, {})
    assert writer is not None  # every record has a time
    return writer


def _reader_of(schema: Any, named: dict[str, Any]) -> Reader | None:
    """How a value of this Avro type is read from JSON; None when it is taken as it is."""
    if isinstance(schema, str):
        return _long if schema == "long" else _reader_of(named[schema], named) if schema in named else None
    if isinstance(schema, list):
        inner = _reader_of(_present(schema), named)
        return None if inner is None else lambda value, place: None if value is None else inner(value, place)
    if schema.get("logicalType") == "timestamp-millis":
        return _time
    if schema["type"] == "array":
        return _items_reader(_reader_of(schema["items"], named))
    if schema["type"] == "record":
        named[schema["name"]] = schema
        fields = {field["name"]: _reader_of(field["type"], named) for field in schema["fields"]}
        return _fields_reader({name: reader for name, reader in fields.items() if reader is not None})
    return None


def _fields_reader(readers: dict[str, Reader]) -> Reader | None:
    def read(value: Any, place: str) -> Any:
        if not isinstance(value, dict):
            return value  # the conversion says what is wrong with it
        taken = dict(value)
        for name, reader in readers.items():
            if name in taken:
                taken[name] = reader(taken[name], f"{place}.{name}")
        return taken

    return read if readers else None


def _items_reader(item: Reader | None) -> Reader | None:
    if item is None:
        return None
    return lambda value, place: [item(each, f"{place}[]") for each in value] if isinstance(value, list) else value


def _long(value: Any, place: str) -> Any:
    if isinstance(value, int) and not INT64_MIN <= value <= INT64_MAX:
        raise _Wrong(malformed(Reason.OUT_OF_RANGE, f"the number does not fit into 64 bits - at `${place}`"))
    return value


def _time(value: Any, place: str) -> Any:
    if not isinstance(value, str):
        return _long(value, place)
    try:
        return parse_time(value)
    except ValueError as error:
        raise _Wrong(malformed(Reason.BAD_TIME, f"{error}, got {value[:64]!r} - at `${place}`")) from error


def _writer_of(schema: Any, named: dict[str, Any]) -> Writer | None:
    """How a value of this Avro type is turned into JSON; a record is changed in place. None when it is left as it is."""
    if isinstance(schema, str):
        if schema == "double":
            return float  # so that 3 and 3.0 are one text
        return _writer_of(named[schema], named) if schema in named else None
    if isinstance(schema, list):
        inner = _writer_of(_present(schema), named)
        return None if inner is None else lambda value: None if value is None else inner(value)
    if schema.get("logicalType") == "timestamp-millis":
        return _time_text
    if schema["type"] == "array":
        item = _writer_of(schema["items"], named)
        return None if item is None else lambda value: [item(each) for each in value]
    if schema["type"] == "record":
        named[schema["name"]] = schema
        fields = {field["name"]: _writer_of(field["type"], named) for field in schema["fields"]}
        return _fields_writer({name: writer for name, writer in fields.items() if writer is not None})
    return None


def _fields_writer(writers: dict[str, Writer]) -> Writer | None:
    def write(value: dict[str, Any]) -> dict[str, Any]:
        for name, writer in writers.items():
            if name in value:
                value[name] = writer(value[name])
        return value

    return write if writers else None


def _time_text(at_ms: int) -> str | int:
    try:
        return format_time(at_ms)
    except OverflowError:
        return at_ms  # no year of four digits; a number is accepted as well


def _present(union: list[Any]) -> Any:
    """The branch of an optional field that is not null; our schemas have no other unions."""
    (branch,) = (branch for branch in union if branch != "null")
    return branch


@cache
def _shape(topic: str) -> Shape:
    shape = _shape_of(contract(topic).newest.published, {})
    assert shape is not None  # every topic's type is a record
    return shape


def _shape_of(schema: Any, named: dict[str, Any]) -> Shape | None:
    """The field names of a record, or of the records in a list; None for a value without fields."""
    if isinstance(schema, str):
        return _shape_of(named[schema], named) if schema in named else None
    if isinstance(schema, list):
        return _shape_of(_present(schema), named)
    if schema["type"] == "array":
        return _shape_of(schema["items"], named)
    if schema["type"] != "record":
        return None
    named[schema["name"]] = schema
    return Shape({field["name"]: _shape_of(field["type"], named) for field in schema["fields"]})


def _unknown(shape: Shape, value: object, place: str) -> list[str]:
    if isinstance(value, list):
        return [found for index, each in enumerate(value) for found in _unknown(shape, each, f"{place}[{index}]")]
    if not isinstance(value, dict):
        return []
    dot = f"{place}." if place else ""
    unknown = []
    for name, inner in value.items():
        if name not in shape:
            unknown.append(f"{dot}{name}")
        elif (below := shape[name]) is not None:
            unknown += _unknown(below, inner, f"{dot}{name}")
    return unknown


def _json_name(value: object) -> str:
    names = {type(None): "null", bool: "true or false", int: "a number", float: "a number", str: "a text", list: "a list"}
    return names.get(type(value), "something else")
