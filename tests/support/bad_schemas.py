"""Records that others wrote with a registry's schemas: those that can be read as ours, and those that must not be trusted."""

import json
import struct
from io import BytesIO
from typing import Any, Final, NamedTuple

import fastavro
from msgspec.structs import asdict

from schemas.contracts import contract
from tests.support.bad_values import good_events
from tests.support.registries import MemoryRegistry

ENDLESS: Final = b"\xfe" + b"\xff" * 8 + b"\x01"  # 2**63 - 1 as Avro writes it
ENDLESS_BACKWARDS: Final = b"\xff" * 9 + b"\x01"  # -2**63
TOPICS: Final = ("cs.tickets", "cs.usage", "cs.surveys", "cs.accounts")
PROMOTED: Final = {("cs.accounts", "consent")}  # fields that a boolean fits


class Registered(NamedTuple):
    """A value behind a registry's framing, and what must become of it."""

    name: str
    topic: str
    value: bytes
    fate: str


def registered(registry: MemoryRegistry, customer_id: str, at_ms: int) -> list[Registered]:
    """All of them; the registry is given the schemas. Those that are accepted have different event ids."""
    return [
        *_with_more(registry, customer_id, at_ms),
        *_with_booleans(registry, customer_id, at_ms),
        Registered("an id that the registry lacks", "cs.tickets", _framed(4_711, b"\x02x"), "unknown_schema"),
        Registered("no schema at all", "cs.tickets", _framed(registry.register("x", '"long"'), b"\x02"), "unknown_schema"),
        Registered("a schema that is no JSON", "cs.tickets", _framed(registry.register("x", "{"), b"\x02"), "unknown_schema"),
    ]


MORE: Final[dict[str, tuple[Any, bytes, str]]] = {
    "a text more": ("string", b"\x02x", "accepted"),
    "flags more": ({"type": "array", "items": "boolean"}, b"\x04\x01\x00\x00", "accepted"),
    "flags more in a block with its size": ({"type": "array", "items": "boolean"}, b"\x03\x04\x01\x00\x00", "accepted"),
    "endless booleans": ({"type": "array", "items": "boolean"}, ENDLESS, "undecodable"),
    "endless doubles": ({"type": "array", "items": "double"}, ENDLESS, "undecodable"),
    "endless backwards": ({"type": "array", "items": "boolean"}, ENDLESS_BACKWARDS + b"\x02", "undecodable"),
    "an endless map": ({"type": "map", "values": "boolean"}, ENDLESS, "undecodable"),
    "lists of lists": (
        {"type": "array", "items": {"type": "array", "items": "boolean"}},
        ENDLESS + b"\0" * 60_000,
        "undecodable",
    ),
    "an array of nothing": ({"type": "array", "items": "null"}, ENDLESS, "unknown_schema"),
    "an array of empty records": (
        {"type": "array", "items": {"type": "record", "name": "E", "fields": []}},
        ENDLESS,
        "unknown_schema",
    ),
    "an array of nothing but nulls in a union": ({"type": "array", "items": ["null"]}, ENDLESS, "undecodable"),
    "a fixed of 2 GiB": ({"type": "fixed", "name": "F", "size": 2**31}, b"x", "undecodable"),
    "a fixed of no bytes": ({"type": "array", "items": {"type": "fixed", "name": "F", "size": 0}}, ENDLESS, "unknown_schema"),
    "a record that contains itself": (["null", "TicketEvent"], b"\x02" * 60_000, "unknown_schema"),
    "lists 40 deep": (json.loads('{"type":"array","items":' * 40 + '"int"' + "}" * 40), b"\0", "unknown_schema"),
}
"""A field before ours: its type, its bytes, and the fate."""


def _with_more(registry: MemoryRegistry, customer_id: str, at_ms: int) -> list[Registered]:
    found, topic = [], "cs.tickets"
    for name, (kind, body, fate) in MORE.items():
        fields = {**asdict(good_events(customer_id, at_ms)[topic]), "event_id": name}
        schema_id = registry.register(name, json.dumps(_schema(topic, "foreign", kind)))
        rest = _written(contract(topic).newest.published, fields) if fate == "accepted" else b""
        found.append(Registered(name, topic, _framed(schema_id, body + rest), fate))
    return found


def _with_booleans(registry: MemoryRegistry, customer_id: str, at_ms: int) -> list[Registered]:
    """Each field of each family as a boolean."""
    found = []
    for topic in TOPICS:
        for field in contract(topic).newest.published["fields"]:
            name = field["name"]
            if (topic, name) in PROMOTED:
                continue
            schema = _schema(topic, name, "boolean")
            schema_id = registry.register(f"{topic} {name}", json.dumps(schema))
            body = _written(schema, {**asdict(good_events(customer_id, at_ms)[topic]), name: True})
            found.append(Registered(f"{topic} {name} as a boolean in Avro", topic, _framed(schema_id, body), "unknown_schema"))
    return found


def _schema(topic: str, name: str, kind: Any) -> dict[str, Any]:
    """Our schema with one field replaced, or added before ours."""
    ours = contract(topic).newest.published
    return {**ours, "fields": [{"name": name, "type": kind}, *(field for field in ours["fields"] if field["name"] != name)]}


def _written(schema: dict[str, Any], fields: dict[str, Any]) -> bytes:
    body = BytesIO()
    fastavro.schemaless_writer(body, fastavro.parse_schema(schema), fields)
    return body.getvalue()


def _framed(schema_id: int, body: bytes) -> bytes:
    return b"\0" + struct.pack(">I", schema_id) + body
