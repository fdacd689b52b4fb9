"""Between the bytes of a record and its typed value.

Three encodings are read, told apart by their first bytes: Avro with single-object encoding (C3 01 and the schema's fingerprint),
Avro with the registry's framing (00 and the schema's id), and a JSON object. Whatever the bytes are, `decode` answers with a
record or with a `Malformed`; only a registry that does not answer is raised.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from typing import Any, Literal

import fastavro
import msgspec

from schemas.avro import HEADER_BYTES, SINGLE_OBJECT_MARKER, SchemaRefusedError, load
from schemas.checks import check
from schemas.contracts import Contract, UnknownTopicError, contract, contracts
from schemas.events import InputEvent
from schemas.jsonvalues import from_validation, value_from_json, value_to_json
from schemas.outcome import Malformed, Reason, malformed
from schemas.records import Output
from schemas.registry import RegistryUnreachable, SchemaRegistry
from schemas.whole_reads import WholeReads
from schemas.writing import MISFITS, Writer, writer_of

__all__ = ["MAX_INPUT_BYTES", "Codec", "Encoding", "EncodingError", "RegistryUnreachable"]

Encoding = Literal["avro", "confluent", "json"]
Check = Callable[[Any], Malformed | None]

MAX_INPUT_BYTES = 64 * 1024
REGISTRY_MARKER = b"\x00"
REGISTRY_HEADER_BYTES = 5  # the marker and the id, big-endian

_REPEATING = ("cspulse.Figure",)  # the types of records whose values come again and again
_NULL = malformed(Reason.NULL_VALUE, "the record has no value")


class EncodingError(ValueError):
    """A record that does not fit its own schema: a mistake of ours, such as a number beyond 64 bits."""


@dataclass(frozen=True, slots=True)
class _Resolution:
    """How payloads of one writer's schema are read; `reader` is None when both schemas are the same."""

    writer: dict[str, Any]
    reader: dict[str, Any] | None


class Codec:
    """Decodes every topic's records and encodes them in one encoding.

    `confluent` needs a registry, in which the newest schemas are registered as `<topic>-value` when first used.

    Raises:
        ValueError: `confluent` without a registry.
    """

    def __init__(self, registry: SchemaRegistry | None = None, encoding: Encoding = "avro") -> None:
        if encoding == "confluent" and registry is None:
            raise ValueError("the encoding 'confluent' needs a schema registry")
        self._registry = registry
        self._encode: Callable[[str, InputEvent | Output], bytes] = {
            "avro": self._encode_single_object,
            "confluent": self._encode_registered,
            "json": _encode_json,
        }[encoding]
        self._topics = {
            topic: (of_topic, _resolutions(of_topic), check if of_topic.is_input else None)
            for topic, of_topic in contracts().items()
        }
        self._by_id: dict[tuple[str, int], _Resolution | Malformed] = {}
        self._ids: dict[str, bytes] = {}

    def decode(self, topic: str, value: bytes | None) -> InputEvent | Output | Malformed:
        """The record in `value`, or why there is none.

        Raises:
            RegistryUnreachable: the registry does not answer, so nothing can be said about the record yet.
            UnknownTopicError: the topic is none of ours.
        """
        try:
            of_topic, resolutions, check_input = self._topics[topic]
        except KeyError:
            raise UnknownTopicError(topic) from None
        if value is None:
            return _NULL
        if check_input is not None and len(value) > MAX_INPUT_BYTES:
            return malformed(Reason.TOO_LARGE, f"the value has {len(value)} bytes; at most {MAX_INPUT_BYTES} are read")
        resolution = resolutions.get(value[:HEADER_BYTES])
        if resolution is not None:
            return _read(of_topic, check_input, resolution, value, HEADER_BYTES)
        if value[:1] == b"{":
            return _decode_json(topic, value)
        other = self._resolve(topic, value)
        return other if isinstance(other, Malformed) else _read(of_topic, check_input, other, value, REGISTRY_HEADER_BYTES)

    def encode(self, topic: str, record: InputEvent | Output) -> bytes:
        """The bytes of a record.

        Raises:
            EncodingError: the record does not fit its schema.
            RegistryUnreachable: its schema could not be registered.
            UnknownTopicError: the topic is none of ours.
        """
        return self._encode(topic, record)

    def _resolve(self, topic: str, value: bytes) -> _Resolution | Malformed:
        """How to read a payload that does not begin with one of the topic's own fingerprints."""
        if value[:2] == SINGLE_OBJECT_MARKER:
            return _unknown_fingerprint(topic, value[:HEADER_BYTES])
        if value[:1] != REGISTRY_MARKER:
            return malformed(
                Reason.UNDECODABLE,
                f"the value begins with {value[:2].hex(' ') or 'nothing'}; Avro single-object (c3 01), "
                "a registry's framing (00) or a JSON object ({) are read",
            )
        if len(value) < REGISTRY_HEADER_BYTES:
            return malformed(Reason.UNDECODABLE, "the registry's framing is cut off")
        schema_id = int.from_bytes(value[1:REGISTRY_HEADER_BYTES], "big")
        known = self._by_id.get((topic, schema_id))
        return known if known is not None else self._ask(topic, schema_id)

    def _ask(self, topic: str, schema_id: int) -> _Resolution | Malformed:
        """Ask the registry for a writer's schema, and keep what it has. What it lacks now it may have later."""
        if self._registry is None:
            return malformed(
                Reason.UNKNOWN_SCHEMA, f"written with a registry's schema {schema_id}, and no registry is configured"
            )
        found: _Resolution | Malformed
        try:
            text = self._registry.schema_by_id(schema_id)
            if text is None:
                return malformed(Reason.UNKNOWN_SCHEMA, f"the registry has no schema {schema_id}")
            schema = load(text)
            own = self._topics[topic][1].get(schema.header)
            found = own or _Resolution(schema.decoding, contract(topic).newest.decoding)
        except SchemaRefusedError as error:
            found = malformed(Reason.UNKNOWN_SCHEMA, f"schema {schema_id}: {error}")
        self._by_id[topic, schema_id] = found
        return found

    def _encode_single_object(self, topic: str, record: InputEvent | Output) -> bytes:
        return self._avro(topic, contract(topic).newest.header, record)

    def _encode_registered(self, topic: str, record: InputEvent | Output) -> bytes:
        header = self._ids.get(topic)
        if header is None:
            assert self._registry is not None  # refused at construction
            schema = msgspec.json.encode(contract(topic).newest.published).decode()
            schema_id = self._registry.register(f"{topic}-value", schema)
            header = self._ids[topic] = REGISTRY_MARKER + schema_id.to_bytes(4, "big")
        return self._avro(topic, header, record)

    def _avro(self, topic: str, header: bytes, record: InputEvent | Output) -> bytes:
        try:
            return header + _writer(topic)(record)
        except MISFITS as error:
            raise EncodingError(f"a record for {topic} does not fit its schema: {error!r}") from error


@cache
def _writer(topic: str) -> Writer:
    """Compiled when a topic is first written to."""
    return writer_of(contract(topic).newest.decoding, _REPEATING)


def _read(
    of_topic: Contract, check_input: Check | None, resolution: _Resolution, value: bytes, start: int
) -> InputEvent | Output | Malformed:
    """The record whose Avro payload begins at `start`."""
    stream = BytesIO(value) if resolution.reader is None else WholeReads(value)
    stream.seek(start)
    try:
        fields = fastavro.schemaless_reader(stream, resolution.writer, resolution.reader)
    except Exception as error:  # noqa: BLE001 - fastavro raises whatever the bytes lead it to, and none may stop the stream
        return _unreadable(of_topic.topic, error)
    if stream.tell() != len(value):
        return malformed(Reason.UNDECODABLE, f"{len(value) - stream.tell()} bytes are left over after the record")
    try:
        record: Any = msgspec.convert(fields, of_topic.record)
    except msgspec.ValidationError as error:
        return from_validation(error)
    if check_input is not None:
        wrong = check_input(record)
        if wrong is not None:
            return wrong
    return record  # type: ignore[no-any-return]  # the catalogue holds only types of the two unions


def _resolutions(of_topic: Contract) -> dict[bytes, _Resolution]:
    newest = of_topic.newest
    return {
        version.header: _Resolution(version.decoding, None if version is newest else newest.decoding)
        for version in of_topic.versions
    }


def _decode_json(topic: str, value: bytes) -> InputEvent | Output | Malformed:
    try:
        fields = msgspec.json.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError) as error:
        return malformed(Reason.UNDECODABLE, f"not valid JSON: {error}")
    return value_from_json(topic, fields)


def _encode_json(topic: str, record: InputEvent | Output) -> bytes:
    return msgspec.json.encode(value_to_json(topic, record))


def _unreadable(topic: str, error: Exception) -> Malformed:
    if isinstance(error, fastavro.read.SchemaResolutionError):
        return malformed(Reason.UNKNOWN_SCHEMA, f"its schema cannot be read as the newest of {topic}: {error}")
    if isinstance(error, EOFError):
        return malformed(Reason.UNDECODABLE, "the record is cut off")
    return malformed(Reason.UNDECODABLE, f"not a payload of its schema: {error!r}")


def _unknown_fingerprint(topic: str, header: bytes) -> Malformed:
    for other in contracts().values():
        if any(version.header == header for version in other.versions):
            return malformed(Reason.UNKNOWN_SCHEMA, f"a record of {other.topic} on {topic}")
    fingerprint = header[len(SINGLE_OBJECT_MARKER) :].hex()
    return malformed(Reason.UNKNOWN_SCHEMA, f"no published schema of {topic} has the fingerprint {fingerprint}")
