"""Records whose bytes can be read and whose values are wrong: every field with every wrong type, and absurd numbers."""

import json
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from msgspec.structs import replace

from schemas.codec import Codec
from schemas.contracts import INPUTS, contract
from schemas.events import AccountEvent, CustomerEvent, FleetFigure, PromisedGoal, SurveyEvent, Tick, TicketEvent, UsageEvent

LOWEST: Final = -(2**63)
HIGHEST: Final = 2**63 - 1
NOT_FINITE: Final = (float("nan"), float("inf"), float("-inf"))


class Bad(NamedTuple):
    """A value that belongs to the corpus' customer, and what must become of it."""

    name: str
    topic: str
    value: bytes
    fate: str


def good_events(customer_id: str, at_ms: int) -> dict[str, CustomerEvent | Tick]:
    """An event of each family with which nothing is wrong."""
    identity: dict[str, Any] = {"event_id": "bad value", "customer_id": customer_id, "occurred_at": at_ms}
    return {
        "cs.tickets": TicketEvent(**identity, kind="opened", ticket_id="1"),
        "cs.usage": UsageEvent(**identity, kind="feature_used", feature="search"),
        "cs.surveys": SurveyEvent(**identity, kind="answered", survey="nps", score=3, scale="0_10"),
        "cs.accounts": AccountEvent(**identity, kind="known"),
        "cs.ticks": Tick(occurred_at=at_ms, partition=0, config_version=0),
    }


def bad_values(customer_id: str, at_ms: int) -> Iterator[Bad]:
    """All of them."""
    good = good_events(customer_id, at_ms)
    for topic in INPUTS:
        yield from _wrong_types(topic, good[topic])
    yield from _extremes(good)
    yield from _not_finite(good)


def _wrong_types(topic: str, good: Any) -> Iterator[Bad]:
    members = json.loads(Codec(encoding="json").encode(topic, good))
    for field in contract(topic).newest.published["fields"]:
        for value, fate in _misfits(field["type"]):
            changed = json.dumps({**members, field["name"]: value}).encode()
            yield Bad(f"{topic} {field['name']} = {json.dumps(value)}", topic, changed, fate)


def _misfits(schema: Any) -> Iterator[tuple[Any, str]]:
    """JSON values that a field of this Avro type cannot have, each with the reason."""
    is_optional = isinstance(schema, list)
    if is_optional:
        (schema,) = (branch for branch in schema if branch != "null")
    elif not (isinstance(schema, dict) and schema["type"] == "array"):
        yield None, "missing_field"
    kind = schema if isinstance(schema, str) else schema.get("logicalType", schema["type"])
    yield {"a": {}}, "wrong_type"
    if kind != "array":
        yield [], "wrong_type"
    if kind != "boolean":
        yield True, "wrong_type"
    if kind in ("string", "array", "enum", "boolean"):
        yield from ((number, "wrong_type") for number in (1, -1.5))
    elif kind != "double":
        yield from ((1.5, "wrong_type"), (2**63, "out_of_range"), (LOWEST - 1, "out_of_range"))
    if kind != "string":
        yield "no such word", {"enum": "unknown_enum", "timestamp-millis": "bad_time"}.get(kind, "wrong_type")


def _extremes(good: dict[str, Any]) -> Iterator[Bad]:
    """Numbers that fit their type and mean nothing, in Avro."""
    of_time = ("occurred_at", "renewal_at", "expires_at", "muted_until")
    for topic, event in good.items():
        for field in contract(topic).newest.published["fields"]:
            name, branches = field["name"], field["type"] if isinstance(field["type"], list) else [field["type"]]
            types = {branch if isinstance(branch, str) else branch["type"] for branch in branches}
            for number in (LOWEST, HIGHEST) if "long" in types else (-(2**31), 2**31 - 1) if "int" in types else ():
                if topic == "cs.ticks" and name == "config_version" and number > 0:
                    continue  # a number like any other
                fate = "bad_time" if name in of_time else "bad_score" if name == "score" else "out_of_range"
                value = Codec().encode(topic, replace(event, **{name: number}))
                yield Bad(f"{topic} {name} is {number} in Avro", topic, value, fate)


def _not_finite(good: dict[str, Any]) -> Iterator[Bad]:
    account, tick = good["cs.accounts"], good["cs.ticks"]
    for number in NOT_FINITE:
        override = replace(account, kind="override", author="a", reason_text="b", expires_at=1, override_score=number)
        promise = replace(account, kind="contracted", goals=[PromisedGoal(goal="g", expected_per_30_days=number)])
        figure = replace(tick, fleet=[FleetFigure(name="f", value=number, as_of=0)])
        for topic, event, fate in (
            ("cs.accounts", override, "bad_score"),
            ("cs.accounts", promise, "out_of_range"),
            ("cs.ticks", figure, "out_of_range"),
        ):
            name = f"{topic} {number} in Avro as {'an override' if event is override else 'a promise or figure'}"
            yield Bad(name, topic, Codec().encode(topic, event), fate)
