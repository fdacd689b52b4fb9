"""Typed records to Avro's binary encoding, some five times as fast as by way of a dict and a general writer.

A function is written out for each type of record and compiled once, as dataclasses and attrs do it: it fetches a field and puts
its bytes down in one expression, instead of calling a function a field. It knows what our schemas are made of: records, arrays,
enums, optional values and the primitive types. Its bytes are those of fastavro; a test holds the two against each other.

Records that repeat, such as a customer's figure "0 open tickets of 3-7 days", are written once and their bytes remembered.
"""

import struct
from collections.abc import Callable, Collection
from functools import lru_cache
from typing import Any, Final, NamedTuple

Writer = Callable[[Any], bytes]

MISFITS = (TypeError, ValueError, KeyError, AttributeError, OverflowError, struct.error)

_DOUBLES: Final = ("double", ["null", "double"])
_WORTH_PACKING: Final = 2  # so many doubles in a row are packed together
_REMEMBERED_VALUES: Final = 16_384  # of each type of record whose bytes are remembered: about 5 MB
_SMALL: Final = 8192  # numbers below take at most two bytes, which are looked up


def writer_of(schema: Any, repeating: Collection[str] = ()) -> Writer:
    """The function that writes values of a schema, which is trusted to be one of ours.

    `repeating` names the types of records whose values come again and again; these must be immutable. The function raises one of
    `MISFITS` for a value that does not fit.
    """
    return _Compiler(repeating).writer(schema)


def _long(number: int) -> bytes:
    """Zigzag, then seven bits a byte, the lowest first."""
    if not -(2**63) <= number < 2**63:
        raise ValueError(f"{number} does not fit into 64 bits")
    rest = (number << 1) ^ (number >> 63)
    written = bytearray()
    while rest > 0x7F:
        written.append(rest & 0x7F | 0x80)
        rest >>= 7
    written.append(rest)
    return bytes(written)


class _Lengths(dict[int, bytes]):
    """The bytes of lengths, the usual ones ready made."""

    def __missing__(self, length: int) -> bytes:
        return _long(length)


_NUMBERS: Final = [_long(number) for number in range(_SMALL)]  # a list, for it refuses 1.0 where a dict takes it for 1
_LENGTHS: Final = _Lengths(enumerate(_NUMBERS))


class _Field(NamedTuple):
    """A field of a record: where its value lies in the written function, and what its schema says."""

    value: str
    schema: Any


class _Compiler:
    """Writes the functions of one schema; the types that it names are known by name from then on."""

    def __init__(self, repeating: Collection[str]) -> None:
        self._repeating = repeating
        self._named: dict[str, Writer] = {}
        self._known: dict[str, Any] = {"_long": _long, "_lengths": _LENGTHS, "_numbers": _NUMBERS}

    def writer(self, schema: Any) -> Writer:
        """The function for a schema."""
        if isinstance(schema, dict) and schema["type"] == "record":
            return self._record(schema)
        return self._compile("value", self._expression(_Field("value", schema)))

    def _record(self, schema: dict[str, Any]) -> Writer:
        fields = [_Field(f"record.{field['name']}", field["type"]) for field in schema["fields"]]
        write = self._compile("record", f"b''.join(({', '.join(self._run(run) for run in _runs(fields))},))")
        if schema["name"] in self._repeating:
            write = lru_cache(_REMEMBERED_VALUES)(write)
        self._named[schema["name"]] = write
        return write

    def _compile(self, argument: str, expression: str) -> Writer:
        """A function of one argument. Its text comes from our own schemas alone: names of fields, never values."""
        space = dict(self._known)
        exec(f"def write({argument}): return {expression}", space)  # noqa: S102 - see the docstring of the module
        written: Writer = space["write"]
        return written

    def _run(self, run: list[_Field]) -> str:
        """Fields that follow one another: doubles that are all there are packed at once."""
        one_by_one = ", ".join(map(self._expression, run))
        if len(run) < _WORTH_PACKING:
            return one_by_one
        layout = "<" + "".join("d" if field.schema == "double" else "cd" for field in run)
        values = ", ".join(field.value if field.schema == "double" else f"b'\\x02', {field.value}" for field in run)
        packed = f"{self._name(struct.Struct(layout).pack)}({values})"
        all_there = " and ".join(f"{field.value} is not None" for field in run if field.schema != "double")
        return f"({packed} if {all_there} else b''.join(({one_by_one})))" if all_there else packed

    def _expression(self, field: _Field) -> str:
        """The bytes of a value, as an expression."""
        value, schema = field
        if isinstance(schema, list):
            return self._optional(value, schema)
        if isinstance(schema, dict):
            return self._composite(value, schema)
        if schema in self._named:
            return f"{self._name(self._named[schema])}({value})"
        return self._primitive(value, schema)

    def _primitive(self, value: str, schema: str) -> str:
        if schema == "double":
            return f"{self._name(struct.Struct('<d').pack)}({value})"
        if schema == "boolean":
            return f"(b'\\x01' if {value} else b'\\x00')"
        if schema == "long":
            return f"(_numbers[number] if 0 <= (number := {value}) < {_SMALL} else _long(number))"
        content = f"{value}.encode()" if schema == "string" else value
        return f"_lengths[len(content := {content})] + content"

    def _optional(self, value: str, branches: list[Any]) -> str:
        null, branch = branches
        assert null == "null"  # our optional fields begin with null, because it is their default
        return f"(b'\\x00' if {value} is None else b'\\x02' + {self._expression(_Field(value, branch))})"

    def _composite(self, value: str, schema: dict[str, Any]) -> str:
        if schema["type"] == "enum":
            symbols = {symbol: _long(index) for index, symbol in enumerate(schema["symbols"])}
            self._named[schema["name"]] = symbols.__getitem__
            return f"{self._name(symbols)}[{value}]"
        if schema["type"] == "array":
            write = self._name(self.writer(schema["items"]))
            return f"(b''.join([_lengths[len({value})], *map({write}, {value}), b'\\x00']) if {value} else b'\\x00')"
        return f"{self._name(self.writer(schema))}({value})"

    def _name(self, known: Any) -> str:
        """A name by which the functions know an object."""
        name = f"_known_{len(self._known)}"
        self._known[name] = known
        return name


def _runs(fields: list[_Field]) -> list[list[_Field]]:
    """The fields in their order, doubles that follow one another together."""
    runs: list[list[_Field]] = []
    for field in fields:
        if runs and field.schema in _DOUBLES and runs[-1][-1].schema in _DOUBLES:
            runs[-1].append(field)
        else:
            runs.append([field])
    return runs
