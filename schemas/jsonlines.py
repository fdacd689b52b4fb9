"""Records as lines of JSON, the form in which files are published, simulated, replayed and shown:

    {"topic": "cs.tickets", "timestamp_ms": 1767323045678, "key": "c-1", "partition": 0, "offset": 7, "value": {...}}

Only `topic` and `value` are needed. Times are read as epoch milliseconds or RFC 3339; `timestamp_ms` is written as a number, the
times in the value as RFC 3339. A key or header that is not UTF-8 is written as {"base64": "..."}.
"""

from base64 import b64decode, b64encode
from typing import Any

import msgspec
from msgspec import Struct

from schemas.contracts import INPUTS, OUTPUTS
from schemas.events import AccountEvent, InputEvent, SurveyEvent, Tick, TicketEvent, UsageEvent
from schemas.jsonvalues import unknown_fields, value_from_json, value_to_json
from schemas.outcome import Malformed, Reason, malformed
from schemas.records import DefinitionsVersion, DeliveryMark, Output
from schemas.times import parse_time

__all__ = ["Headers", "Line", "format_line", "parse_line", "unknown_fields", "value_from_json", "value_to_json"]

Headers = list[tuple[str, bytes | None]]

_MEMBERS = ("topic", "timestamp_ms", "key", "partition", "offset", "headers", "value")


class Line(Struct, frozen=True, kw_only=True):
    """A line that was understood.

    `timestamp_ms` is the record's own timestamp: the line's, else the time the record speaks of. `key` is the line's, else the
    customer's id for an event. `unknown` names what the line holds beyond the contract; none of it was used.
    """

    topic: str
    value: InputEvent | Output
    timestamp_ms: int
    key: bytes | None = None
    partition: int | None = None
    offset: int | None = None
    headers: Headers = []
    unknown: tuple[str, ...] = ()


class _Envelope(Struct):
    topic: str
    value: Any
    timestamp_ms: int | str | None = None
    key: str | dict[str, str] | None = None
    partition: int | None = None
    offset: int | None = None
    headers: list[tuple[str, str | dict[str, str] | None]] | None = None


_decode = msgspec.json.Decoder().decode


def parse_line(text: str | bytes) -> Line | Malformed:
    """Read one line. Nothing in it raises."""
    try:
        raw = _decode(text)
        envelope = msgspec.convert(raw, _Envelope)
    except msgspec.ValidationError as error:
        return malformed(Reason.WRONG_TYPE, f"not a line with a topic and a value: {error}")
    except (ValueError, RecursionError) as error:
        return malformed(Reason.UNDECODABLE, f"not valid JSON: {error}")
    if envelope.topic not in INPUTS and envelope.topic not in OUTPUTS:
        return malformed(Reason.UNKNOWN_TOPIC, f"no topic {envelope.topic[:64]!r}; events go to {', '.join(INPUTS)}")
    if envelope.value is None:
        return malformed(Reason.NULL_VALUE, "the line has no value")
    value = value_from_json(envelope.topic, envelope.value)
    if isinstance(value, Malformed):
        return value
    try:
        return _line(envelope, value, raw)
    except ValueError as error:
        return malformed(Reason.WRONG_TYPE, str(error))


def format_line(
    topic: str,
    value: InputEvent | Output | None,
    *,
    timestamp_ms: int | None = None,
    key: bytes | None = None,
    partition: int | None = None,
    offset: int | None = None,
    headers: Headers | None = None,
) -> str:
    """One line, without its end. The same arguments give the same text; members that are None are left out, except the value."""
    members = {
        "topic": topic,
        "timestamp_ms": timestamp_ms,
        "key": _text(key),
        "partition": partition,
        "offset": offset,
        "headers": [[name, _text(content)] for name, content in headers] if headers else None,
    }
    line: dict[str, Any] = {name: member for name, member in members.items() if member is not None}
    line["value"] = None if value is None else value_to_json(topic, value)
    return msgspec.json.encode(line).decode()


def _line(envelope: _Envelope, value: InputEvent | Output, raw: dict[str, Any]) -> Line:
    key = _bytes(envelope.key, "key")
    if key is None and isinstance(value, TicketEvent | UsageEvent | SurveyEvent | AccountEvent):
        key = value.customer_id.encode()
    return Line(
        topic=envelope.topic,
        value=value,
        timestamp_ms=_timestamp(envelope.timestamp_ms, value),
        key=key,
        partition=_count(envelope.partition, "partition"),
        offset=_count(envelope.offset, "offset"),
        headers=[(name, _bytes(content, "headers")) for name, content in envelope.headers or ()],
        unknown=(
            *(name for name in raw if name not in _MEMBERS),
            *(f"value.{field}" for field in unknown_fields(envelope.topic, raw["value"])),
        ),
    )


def _timestamp(stated: int | str | None, value: InputEvent | Output) -> int:
    if isinstance(stated, str):
        return parse_time(stated)
    if stated is not None:
        if not 0 <= stated < 2**63:
            raise ValueError(f"timestamp_ms is {stated}; epoch milliseconds are needed")
        return stated
    if isinstance(value, TicketEvent | UsageEvent | SurveyEvent | AccountEvent | Tick):
        return value.occurred_at
    if isinstance(value, DeliveryMark):
        return value.at
    return value.applied_at if isinstance(value, DefinitionsVersion) else value.as_of


def _count(value: int | None, member: str) -> int | None:
    if value is not None and not 0 <= value < 2**63:
        raise ValueError(f"{member} is {value}; it is 0 or more")
    return value


def _bytes(content: str | dict[str, str] | None, member: str) -> bytes | None:
    if isinstance(content, dict):
        if list(content) != ["base64"]:
            raise ValueError(f'{member}: a text or {{"base64": "..."}} is needed')
        return b64decode(content["base64"], validate=True)
    return None if content is None else content.encode()


def _text(content: bytes | None) -> str | dict[str, str] | None:
    if content is None:
        return None
    try:
        return content.decode()
    except UnicodeDecodeError:
        return {"base64": b64encode(content).decode()}
