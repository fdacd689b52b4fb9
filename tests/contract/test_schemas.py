"""The published schemas agree with the typed records, with each other, and with what a payload can be told apart by."""

import json
import types
import typing
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import Struct

from schemas.avro import AvroSchema, load
from schemas.compatibility import incompatibilities
from schemas.contracts import ContractError, contracts, full_transitive_breaks, versions

TOPICS = sorted(contracts())
TIME = {"type": "long", "logicalType": "timestamp-millis"}
TIME_NAMES = ("as_of", "at", "bucket", "timestamp_ms", "muted_until", "stage_since")
# Texts in Avro, because the names of symbols may not begin with a digit.
SCALE_WORDS = {"good_bad", "1_5", "0_10", "1_10", "1_7"}


@pytest.mark.parametrize("topic", TOPICS)
def test_every_version_can_be_read_as_every_other(topic: str) -> None:
    assert full_transitive_breaks(contracts()[topic].versions) == []


@pytest.mark.parametrize("topic", TOPICS)
def test_the_newest_version_says_the_same_as_the_typed_record(topic: str) -> None:
    contract = contracts()[topic]
    compare_record(contract.newest.published, contract.record, {})


def compare_record(schema: Any, record: type[Struct], named: dict[str, Any]) -> None:
    named[schema["name"]] = schema
    assert schema["name"] == record.__name__
    hints = typing.get_type_hints(record)
    assert [field["name"] for field in schema["fields"]] == list(hints)
    for field in schema["fields"]:
        compare_type(field["type"], hints[field["name"]], named, f"{record.__name__}.{field['name']}")
    for info, field in zip(msgspec.structs.fields(record), schema["fields"], strict=True):
        if not info.required:
            default = info.default if info.default is not msgspec.NODEFAULT else info.default_factory()
            assert field["default"] == default, field["name"]


def compare_type(schema: Any, hint: Any, named: dict[str, Any], place: str) -> None:
    if typing.get_origin(hint) in (types.UnionType, typing.Union):
        (bare,) = (each for each in typing.get_args(hint) if each is not type(None))
        assert schema[0] == "null", place
        compare_type(schema[1], bare, named, place)
        return
    schema = named.get(schema, schema) if isinstance(schema, str) else schema
    if typing.get_origin(hint) is typing.Literal:
        compare_words(schema, list(typing.get_args(hint)), named, place)
    elif typing.get_origin(hint) is list:
        assert schema["type"] == "array", place
        compare_type(schema["items"], typing.get_args(hint)[0], named, place)
    elif isinstance(hint, type) and issubclass(hint, Struct):
        compare_record(schema, hint, named)
    elif hint is int and isinstance(schema, dict):
        assert schema == TIME, place
    else:
        assert schema == {int: "long", str: "string", float: "double", bytes: "bytes", bool: "boolean"}[hint], place


def compare_words(schema: Any, words: list[str], named: dict[str, Any], place: str) -> None:
    if set(words) == SCALE_WORDS:
        assert schema == "string", place
        return
    named[schema["name"]] = schema
    assert schema["symbols"] == [*words, "UNKNOWN"], place
    assert schema["default"] == "UNKNOWN", place


@pytest.mark.parametrize("topic", TOPICS)
def test_every_field_whose_name_is_that_of_a_time_is_one(topic: str) -> None:
    for place, kind in numbers(contracts()[topic].newest.published):
        is_time = place.endswith("_at") or place in TIME_NAMES
        assert is_time == (kind == TIME), place


def numbers(schema: Any) -> list[tuple[str, Any]]:
    """Name and type of every whole number in a schema."""
    if isinstance(schema, list):
        return [found for part in schema for found in numbers(part)]
    if not isinstance(schema, dict):
        return []
    found = []
    for field in schema.get("fields", ()):
        kinds = field["type"] if isinstance(field["type"], list) else [field["type"]]
        found += [(field["name"], kind) for kind in kinds if kind in ("long", TIME)]
        found += numbers(field["type"])
    return found + numbers(schema.get("items"))


def record(*fields: dict[str, Any]) -> AvroSchema:
    return load(json.dumps({"type": "record", "name": "R", "fields": [{"name": "id", "type": "string"}, *fields]}))


WORDS = {"type": "enum", "name": "W", "symbols": ["a", "UNKNOWN"], "default": "UNKNOWN"}
STRICT = {"type": "enum", "name": "W", "symbols": ["a", "b"]}


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ([], [{"name": "new", "type": ["null", "string"], "default": None}]),
        ([{"name": "w", "type": WORDS}], [{"name": "w", "type": {**WORDS, "symbols": ["a", "b", "UNKNOWN"]}}]),
        ([{"name": "t", "type": "string"}], [{"name": "t", "type": "bytes"}]),
        ([{"name": "t", "type": "long"}], [{"name": "t", "type": {"type": "long", "logicalType": "timestamp-millis"}}]),
    ],
)
def test_a_change_that_both_sides_can_read_is_compatible(older: list[dict[str, Any]], newer: list[dict[str, Any]]) -> None:
    assert full_transitive_breaks((record(*older), record(*newer))) == []


@pytest.mark.parametrize(
    ("older", "newer", "break_"),
    [
        ([], [{"name": "new", "type": "string"}], "v1 read as v2: .new: not written, and the reader has no default"),
        ([{"name": "old", "type": "string"}], [], "v2 read as v1: .old: not written, and the reader has no default"),
        ([{"name": "n", "type": "int"}], [{"name": "n", "type": "long"}], "v2 read as v1: .n: long cannot be read as int"),
        ([{"name": "n", "type": "string"}], [{"name": "n", "type": "long"}], "v1 read as v2: .n: string cannot be read as long"),
        (
            [{"name": "n", "type": "string"}],
            [{"name": "n", "type": ["null", "string"]}],
            "v2 read as v1: .n: null cannot be read as string",
        ),
        (
            [{"name": "w", "type": STRICT}],
            [{"name": "w", "type": {**STRICT, "symbols": ["a"]}}],
            "v1 read as v2: .w: the reader has no b and no default",
        ),
        (
            [{"name": "l", "type": {"type": "array", "items": "long"}}],
            [{"name": "l", "type": {"type": "array", "items": "string"}}],
            "v1 read as v2: .l[]: long cannot be read as string",
        ),
        (
            [{"name": "w", "type": WORDS}],
            [{"name": "w", "type": {**WORDS, "name": "V"}}],
            "v1 read as v2: .w: the type W cannot be read as V",
        ),
        (
            [{"name": "f", "type": {"type": "fixed", "name": "F", "size": 2}}],
            [{"name": "f", "type": {"type": "fixed", "name": "F", "size": 3}}],
            "v1 read as v2: .f: 2 bytes cannot be read as 3",
        ),
    ],
)
def test_a_change_that_one_side_cannot_read_is_a_break(
    older: list[dict[str, Any]], newer: list[dict[str, Any]], break_: str
) -> None:
    assert break_ in full_transitive_breaks((record(*older), record(*newer)))


def test_a_type_that_is_named_again_is_compared_where_it_is_defined() -> None:
    twice: list[dict[str, Any]] = [{"name": "w", "type": WORDS}, {"name": "v", "type": "W"}]
    assert incompatibilities(record(*twice).decoding, record(*twice).decoding) == []


def publish(folder: Path, **texts: dict[str, Any]) -> Path:
    for name, schema in texts.items():
        (folder / f"{name}.avsc").write_text(json.dumps(schema), encoding="utf-8")
    return folder


SCHEMA = {"type": "record", "name": "R", "fields": [{"name": "id", "type": "string"}]}


def test_two_versions_with_one_fingerprint_are_refused(tmp_path: Path) -> None:
    same = {**SCHEMA, "fields": [{"name": "id", "type": "string", "default": "x", "doc": "Neither is in the canonical form."}]}
    with pytest.raises(ContractError, match="v1 and v2 have one fingerprint"):
        versions(publish(tmp_path, v1=SCHEMA, v2=same))


def test_a_gap_between_versions_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match="without a gap"):
        versions(publish(tmp_path, v1=SCHEMA, v3={**SCHEMA, "name": "S"}))


def test_a_topic_without_versions_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match="found \\[\\]"):
        versions(tmp_path)


def test_a_version_that_is_unsafe_is_refused_with_its_place(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match=r"v1\.avsc: R\.n: a value that takes no bytes"):
        versions(publish(tmp_path, v1={**SCHEMA, "fields": [{"name": "n", "type": "null"}]}))


def test_versions_are_ordered_by_number_and_not_by_name(tmp_path: Path) -> None:
    schemas = {f"v{number}": {**SCHEMA, "name": f"R{number}"} for number in range(1, 11)}
    assert versions(publish(tmp_path, **schemas))[-1].published["name"] == "R10"
