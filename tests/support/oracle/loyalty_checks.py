"""Holds what is published of loyalty, touchpoints and the timeline against the oracle."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import isclose
from typing import Any

from tests.support.oracle.acceptance import Event
from tests.support.oracle.loyalty import flags, happenings, opinions, quadrant, stations, worst_touchpoint

MOST_SHOWN = 30
Value = Mapping[str, Any]


def wrong_loyalty(snapshot: Value, events: Sequence[Event], definitions_text: str) -> Iterator[str]:
    """Where a snapshot's quadrant, touchpoints or timeline differ from the oracle's."""
    yield from _wrong_quadrant(snapshot, events, definitions_text)
    said = (flags(events, snapshot["as_of"], definitions_text, snapshot["quadrant"]), snapshot["loyalty_flags"])
    worst = (worst_touchpoint(events, snapshot["as_of"], definitions_text), snapshot["worst_touchpoint"])
    for wanted, flag in (said, worst):
        if flag != wanted:
            yield f"beside the quadrant stands {flag}, the oracle says {wanted}"
    expected = stations(events, snapshot["as_of"], definitions_text)
    if len(expected) != len(snapshot["touchpoints"]):
        yield f"the touchpoints are {[station['touchpoint'] for station in snapshot['touchpoints']]}, the oracle says {expected}"
    else:
        for found, right in zip(snapshot["touchpoints"], expected, strict=True):
            wrong = {name: found[name] for name, value in right.items() if not _same(found[name], value)}
            if wrong or set(found) != set(right):
                yield f"the station {right['touchpoint']} shows {wrong}, the oracle says {right}"
    yield from _wrong_timeline(snapshot, events)


def broken_loyalty_chain(outputs: Iterable[Value]) -> Iterator[str]:
    """Where changes of one customer, in their order among its snapshots, do not begin where the last one ended."""
    now: dict[str, tuple[str, str | None, bool]] = {}
    for output in outputs:
        customer_id = output["customer_id"]
        before = now.get(customer_id, ("unknown", "too few CSAT answers and no valid NPS answer", False))
        if "new_quadrant" in output:
            if output["old_quadrant"] != before[0]:
                yield f"{customer_id} goes from {output['old_quadrant']} to {output['new_quadrant']}, after {before}"
            now[customer_id] = (output["new_quadrant"], output["reason"], output["weak_touchpoint"])
            if now[customer_id] == before:
                yield f"{customer_id} is said twice to be {before}"
        elif "quadrant" in output and _shown(output) != before:
            yield f"{customer_id} is shown in {_shown(output)}, after {before}"


def _shown(snapshot: Value) -> tuple[str, str | None, bool]:
    return snapshot["quadrant"], snapshot["quadrant_reason"], "weak_touchpoint" in snapshot["loyalty_flags"]


def _wrong_quadrant(snapshot: Value, events: Sequence[Event], definitions_text: str) -> Iterator[str]:
    """In a tie the events do not tell what it was before: undecided is right, and so is what keeps either loyalty."""
    shown = (snapshot["quadrant"], snapshot["quadrant_reason"])
    right = quadrant(events, snapshot["as_of"], definitions_text, "unknown")
    kept = {quadrant(events, snapshot["as_of"], definitions_text, before) for before in ("advocate", "churner")}
    if shown not in ({right, *kept} if right == ("unknown", "undecided") else {right}):
        yield f"the quadrant is {shown}, the oracle says {right}"


def _wrong_timeline(snapshot: Value, events: Sequence[Event]) -> Iterator[str]:
    shown = [(entry["at"], entry["kind"]) for entry in snapshot["timeline"]]
    if [at for at, _ in shown] != sorted(at for at, _ in shown) or len(shown) > MOST_SHOWN:
        yield f"the timeline is out of order or too long: {shown}"
    steps, said = set(happenings(events)), set(opinions(events))
    kinds = {kind for _, kind in steps} | {"promoter", "detractor"}
    invented = {entry for entry in shown if entry[1] in kinds} - steps - said
    if invented:
        yield f"the timeline tells of {invented}, and there is nothing"
    if len(shown) < MOST_SHOWN:
        expected = said if "cut_timeline" in snapshot["flags"] else said | steps
        if expected - set(shown):
            yield f"the timeline lacks {expected - set(shown)}"


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float | int):
        return isclose(one, other, rel_tol=1e-9, abs_tol=1e-9)
    return bool(one == other)
