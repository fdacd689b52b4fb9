"""Records of any topic of an application, changelogs included, as JSON and for people."""

from typing import Any

import confluent_kafka as ck
import msgspec
from msgspec import Struct

from schemas.codec import Codec
from schemas.jsonlines import Headers, format_line
from schemas.outcome import Malformed
from schemas.times import format_time
from streams.commands.readable import readable
from streams.fleet_store import META_KEY as FLEET_META_KEY
from streams.fleet_store import FleetMeta
from streams.state_bytes import unpack
from streams.topics import changelog_topics, fleet_changelog_topic
from streams.totals import META_KEY, PartitionMeta, TotalKey


class RecordView:
    """Shows the records of one topic of an application."""

    def __init__(self, topic: str, app_id: str, codec: Codec) -> None:
        self._topic = topic
        self._codec = codec
        customers, totals = changelog_topics(app_id)
        self._show = {customers: _customer, totals: _total, fleet_changelog_topic(app_id): _of_fleet}.get(topic)

    def json(self, message: ck.Message) -> str | Malformed:
        """The record as a JSON line, or why it cannot be read. Raises `RegistryUnreachable` and `UnreadableState`."""
        if self._show is not None:
            key, value = self._show(message.key() or b"", message.value())
            line = {"topic": self._topic, "timestamp_ms": _timestamp(message), "key": key}
            place = {"partition": message.partition(), "offset": message.offset()}
            return msgspec.json.encode({**line, **place, "value": value}).decode()
        value = message.value()
        record = None if value is None else self._codec.decode(self._topic, value)
        if isinstance(record, Malformed):
            return record
        return format_line(
            self._topic,
            record,
            timestamp_ms=_timestamp(message),
            key=message.key(),
            partition=message.partition(),
            offset=message.offset(),
            headers=_headers(message),
        )

    def text(self, message: ck.Message) -> str | Malformed:
        """The record as a line for people, or why it cannot be read. Raises `RegistryUnreachable` and `UnreadableState`."""
        head = _head(_timestamp(message))
        if self._show is not None:
            key, shown = self._show(message.key() or b"", message.value())
            return f"{head}{key}  {msgspec.json.encode(shown).decode()}"
        value = message.value()
        if value is None:
            return f"{head}{(message.key() or b'').decode(errors='replace')}  removed"
        record = self._codec.decode(self._topic, value)
        if isinstance(record, Malformed):
            return record
        # What a record says of itself holds for its time of judgement; when it was written matters less.
        return _head(getattr(record, "as_of", _timestamp(message))) + readable(record)


def _timestamp(message: ck.Message) -> int | None:
    kind, at_ms = message.timestamp()
    return None if kind == ck.TIMESTAMP_NOT_AVAILABLE else int(at_ms)


def _head(at_ms: int | None) -> str:
    return "" if at_ms is None else f"{format_time(at_ms)}  "


def _headers(message: ck.Message) -> Headers:
    headers = message.headers()
    pairs = headers.items() if isinstance(headers, dict) else headers or ()
    return [(name, value.encode() if isinstance(value, str) else value) for name, value in pairs]


def _customer(key: bytes, value: bytes | None) -> tuple[str, object]:
    return key.decode(errors="replace"), None if value is None else _named(unpack(value))


def _total(key: bytes, value: bytes | None) -> tuple[str, object]:
    if key == META_KEY:
        meta = None if value is None else msgspec.msgpack.decode(value, type=PartitionMeta)
        return META_KEY.decode(), _named(meta)
    figure, dimension, bucket = msgspec.msgpack.decode(key, type=TotalKey)
    name = " ".join(part for part in (figure, dimension, "" if bucket is None else format_time(bucket)) if part)
    return name, None if value is None else {"counts": msgspec.msgpack.decode(value)[0]}


def _of_fleet(key: bytes, value: bytes | None) -> tuple[str, object]:
    if key == FLEET_META_KEY:
        return FLEET_META_KEY.decode(), None if value is None else _named(msgspec.msgpack.decode(value, type=FleetMeta))
    name = " ".join("" if part is None else str(part) for part in msgspec.msgpack.decode(key))
    return name, None if value is None else msgspec.to_builtins(msgspec.msgpack.decode(value), builtin_types=())


def _named(value: Any) -> Any:
    """State with the names of its fields, which its encoding leaves out."""
    if isinstance(value, Struct):
        return {name: _named(getattr(value, name)) for name in value.__struct_fields__}
    if isinstance(value, dict):
        return {str(key): _named(one) for key, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_named(one) for one in value]
    return value.hex() if isinstance(value, bytes) else value
