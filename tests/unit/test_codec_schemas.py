"""Which schemas are refused, because a small payload of theirs could crash or exhaust the process."""

import json
from typing import Any

import pytest

from schemas.avro import MAX_NESTING, MAX_SCHEMA_CHARS, SchemaRefusedError, load


def record(*kinds: Any, **more: Any) -> str:
    fields = [{"name": f"f{number}", "type": kind} for number, kind in enumerate(kinds)]
    return json.dumps({"type": "record", "name": "R", "fields": fields, **more})


def nested(depth: int) -> Any:
    kind: Any = "long"
    for number in range(depth):
        kind = {"type": "record", "name": f"N{number}", "fields": [{"name": "n", "type": kind}]}
    return kind


def inner(name: str, *kinds: Any) -> dict[str, Any]:
    return dict(json.loads(record(*kinds, name=name)))


REFUSED = {
    "itself in an array": (record({"type": "array", "items": "R"}), "contains itself"),
    "itself in a union": (record(["null", "R"]), "R.f0: the type R contains itself"),
    "itself by its full name": (record(["null", "n.R"], namespace="n"), "the type n.R contains itself"),
    "itself by way of another": (record(inner("S", ["null", "R"])), "S.f0: the type R contains itself"),
    "an array of null": (record({"type": "array", "items": "null"}), "R.f0.items: a value that takes no bytes"),
    "a map of null": (record({"type": "map", "values": {"type": "null"}}), "a value that takes no bytes"),
    "an array of empty records": (record({"type": "array", "items": inner("E")}), "a record without fields"),
    "an empty fixed": (record({"type": "array", "items": {"type": "fixed", "name": "F", "size": 0}}), "fixed without a size"),
    "an array of records of null": (record({"type": "array", "items": inner("S", "null")}), "S.f0: a value that takes no bytes"),
    "nested without measure": (record(nested(MAX_NESTING + 1)), "nested more than 32 deep"),
    "unions nested without measure": (record(json.loads("[" * 40 + '"long"' + "]" * 40)), "nested more than 32 deep"),
    "long without measure": (record("long", doc="x" * MAX_SCHEMA_CHARS), "characters; at most"),
    "deep JSON": ("[" * 100_000, "not JSON"),
    "no JSON": ("record", "not JSON"),
    "no record": ('"string"', "not one of a record"),
    "an undefined type": (record("Other"), "R.f0: the type Other is not defined"),
    "a type defined twice": (record(inner("S", "long"), inner("S", "long")), "the type S is defined twice"),
    "a field without a type": (
        json.dumps({"type": "record", "name": "R", "fields": [{"name": "f"}]}),
        "without a name or a type",
    ),
    "a type without a name": (record({"type": "fixed", "size": 2}), "a type without a name"),
    "a symbol that is no name": (record({"type": "enum", "name": "E", "symbols": ["1_5"]}), "not valid Avro"),
    "a number for a type": (record(7), "R.f0: not an Avro type"),
}


@pytest.mark.parametrize(("text", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_a_dangerous_or_invalid_schema_is_refused_with_its_place(text: str, said: str) -> None:
    with pytest.raises(SchemaRefusedError) as refused:
        load(text)
    assert said in str(refused.value)


def test_a_schema_nested_to_the_limit_is_taken() -> None:
    assert len(load(record(nested(MAX_NESTING - 1))).header) == 10


def test_a_type_used_twice_is_not_recursive() -> None:
    assert len(load(record(inner("S", "long"), "S", {"type": "array", "items": "S"}, ["null", "S"])).header) == 10


def test_names_are_found_in_the_namespace_that_holds_where_they_stand() -> None:
    inside = {**inner("S", {"type": "enum", "name": "E", "symbols": ["A"]}, "E"), "namespace": "deep"}
    assert len(load(record(inside, "deep.S", "deep.E", namespace="n")).header) == 10
    with pytest.raises(SchemaRefusedError, match="the type E is not defined"):
        load(record(inside, "E", namespace="n"))


def test_logical_types_are_dropped_for_decoding_and_change_no_fingerprint() -> None:
    def fixed(**logical: Any) -> dict[str, Any]:
        return {"type": "fixed", "name": "F", "size": 4, **logical}

    decimal = {"logicalType": "decimal", "precision": 4}
    timed = load(record({"type": "long", "logicalType": "timestamp-millis"}, {"type": "bytes", **decimal}, fixed(**decimal)))
    plain = load(record("long", "bytes", fixed()))
    assert timed.header == plain.header
    assert "logicalType" not in json.dumps(timed.decoding)
    assert timed.published["fields"][0]["type"]["logicalType"] == "timestamp-millis"
