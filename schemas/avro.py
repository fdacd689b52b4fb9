"""Avro schemas made safe to decode with, and the fingerprints that name them.

A schema is refused when a small payload could crash or exhaust the process: a recursive one (the decoder recurses in C and
overruns its stack), one with values of no bytes (an array of them turns six bytes into gigabytes), one that is nested or long
beyond reason.
"""

import json
from dataclasses import dataclass
from typing import Any, cast

import fastavro
from fastavro.schema import fingerprint, to_parsing_canonical_form

Schema = str | dict[str, Any] | list[Any]

SINGLE_OBJECT_MARKER = b"\xc3\x01"
HEADER_BYTES = len(SINGLE_OBJECT_MARKER) + 8  # the marker and a CRC-64-AVRO fingerprint, as Avro's specification says

MAX_SCHEMA_CHARS = 256 * 1024
MAX_NESTING = 32

_PRIMITIVES = frozenset(("boolean", "int", "long", "float", "double", "bytes", "string"))
_NAMED = frozenset(("record", "error", "enum", "fixed"))


class SchemaRefusedError(Exception):
    """A schema that is not valid Avro, or not safe to decode with; the message says where and why."""


@dataclass(frozen=True, slots=True)
class AvroSchema:
    """A schema as it was published, and the same prepared for decoding.

    `decoding` has no logical types: times stay epoch milliseconds. `header` begins every single-object payload of the schema.
    """

    published: dict[str, Any]
    decoding: dict[str, Any]
    header: bytes


def load(text: str) -> AvroSchema:
    """Make a schema of a record ready for use. Raises `SchemaRefusedError`."""
    if len(text) > MAX_SCHEMA_CHARS:
        raise SchemaRefusedError(f"the schema has {len(text)} characters; at most {MAX_SCHEMA_CHARS} are read")
    try:
        published = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise SchemaRefusedError(f"the schema is not JSON: {error}") from error
    if not isinstance(published, dict) or published.get("type") != "record":
        raise SchemaRefusedError("the schema is not one of a record")
    bare = _Guard().bare(published, published["type"], ())
    try:
        decoding = fastavro.parse_schema(bare)
        mark = bytes.fromhex(fingerprint(to_parsing_canonical_form(decoding), "CRC-64-AVRO"))
    except Exception as error:  # fastavro raises many kinds for an invalid schema, also KeyError and TypeError
        raise SchemaRefusedError(f"the schema is not valid Avro: {error!r}") from error
    return AvroSchema(published, cast("dict[str, Any]", decoding), SINGLE_OBJECT_MARKER + mark)


class _Guard:
    """One walk over a schema: refuses what is dangerous, and drops the logical types."""

    def __init__(self) -> None:
        self._known: set[str] = set()
        self._open: list[str] = []

    def bare(self, schema: Any, place: str, namespaces: tuple[str, ...]) -> Schema:
        """The schema without logical types."""
        if len(namespaces) > MAX_NESTING:
            raise SchemaRefusedError(f"{place}: nested more than {MAX_NESTING} deep")
        if isinstance(schema, str):
            return self._name(schema, place, namespaces)
        if isinstance(schema, list):
            return self._union(schema, place, namespaces)
        if not isinstance(schema, dict) or "type" not in schema:
            raise SchemaRefusedError(f"{place}: not an Avro type")
        kind = schema["type"]
        if kind in ("array", "map"):
            return self._container(schema, kind, place, namespaces)
        if isinstance(kind, str) and kind in _NAMED:
            return self._definition(schema, kind, place, namespaces)
        return self.bare(kind, place, (*namespaces, _namespace_of(namespaces)))

    def _name(self, name: str, place: str, namespaces: tuple[str, ...]) -> str:
        if name in _PRIMITIVES:
            return name
        if name == "null":
            raise SchemaRefusedError(f"{place}: a value that takes no bytes (null outside a union)")
        full = name if "." in name or not _namespace_of(namespaces) else f"{_namespace_of(namespaces)}.{name}"
        for candidate in (full, name):
            if candidate in self._open:
                raise SchemaRefusedError(f"{place}: the type {candidate} contains itself")
            if candidate in self._known:
                return candidate
        raise SchemaRefusedError(f"{place}: the type {name} is not defined")

    def _union(self, branches: list[Any], place: str, namespaces: tuple[str, ...]) -> list[Any]:
        deeper = (*namespaces, _namespace_of(namespaces))
        return ["null" if branch in ("null", {"type": "null"}) else self.bare(branch, place, deeper) for branch in branches]

    def _container(self, schema: dict[str, Any], kind: str, place: str, namespaces: tuple[str, ...]) -> dict[str, Any]:
        inner = "items" if kind == "array" else "values"
        deeper = (*namespaces, _namespace_of(namespaces))
        return {"type": kind, inner: self.bare(schema.get(inner), f"{place}.{inner}", deeper)}

    def _definition(self, schema: dict[str, Any], kind: str, place: str, namespaces: tuple[str, ...]) -> dict[str, Any]:
        name, namespace = _full_name(schema, place, _namespace_of(namespaces))
        if name in self._known:
            raise SchemaRefusedError(f"{place}: the type {name} is defined twice")
        self._known.add(name)
        bare = {key: value for key, value in schema.items() if key not in ("logicalType", "precision", "scale")}
        if kind == "fixed" and not (isinstance(schema.get("size"), int) and schema["size"] > 0):
            raise SchemaRefusedError(f"{place}: a value that takes no bytes (fixed without a size above 0)")
        if kind in ("record", "error"):
            self._open.append(name)
            bare["fields"] = self._fields(schema.get("fields"), name, (*namespaces, namespace))
            self._open.pop()
        return bare

    def _fields(self, fields: Any, record: str, namespaces: tuple[str, ...]) -> list[dict[str, Any]]:
        if not isinstance(fields, list) or not fields:
            raise SchemaRefusedError(f"{record}: a value that takes no bytes (a record without fields)")
        bare = []
        for field in fields:
            if not isinstance(field, dict) or not isinstance(field.get("name"), str) or "type" not in field:
                raise SchemaRefusedError(f"{record}: a field without a name or a type")
            bare.append({**field, "type": self.bare(field["type"], f"{record}.{field['name']}", namespaces)})
        return bare


def _namespace_of(namespaces: tuple[str, ...]) -> str:
    return namespaces[-1] if namespaces else ""


def _full_name(schema: dict[str, Any], place: str, enclosing: str) -> tuple[str, str]:
    """A definition's full name and the namespace that holds for what is inside it."""
    name, namespace = schema.get("name"), schema.get("namespace", enclosing)
    if not isinstance(name, str) or not name or not isinstance(namespace, str):
        raise SchemaRefusedError(f"{place}: a type without a name")
    if "." in name:
        return name, name.rpartition(".")[0]
    return (f"{namespace}.{name}" if namespace else name), namespace
