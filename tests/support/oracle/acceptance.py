"""Which records of a partition's log count: not the late, not those from the future, not what came before.

The order is that of the merge by time: the lowest record timestamp among the topics' heads goes first, ties by the topics' order.
The clock is the highest record timestamp so far.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from typing import Any, Literal, NamedTuple

Record = Mapping[str, Any]
Event = Mapping[str, Any]
Verdict = Literal["accepted", "unverifiable", "duplicate", "erased", "late", "future", "undecodable", "tick"]

TOPICS = ("cs.tickets", "cs.usage", "cs.surveys", "cs.accounts", "cs.ticks")
GRACE_MS = 48 * 60 * 60 * 1000
SKEW_MS = 10 * 60 * 1000
REMEMBERED = 512
LETTERS = 256


class Judged(NamedTuple):
    """A record with what becomes of it; `clock_ms` is the partition's clock with it."""

    record: Record
    verdict: Verdict
    clock_ms: int

    @property
    def counts(self) -> bool:
        return self.verdict in {"accepted", "unverifiable"}


class Remembered:
    """The ids of a customer and family that are remembered, and the floor below which ids were forgotten."""

    def __init__(self) -> None:
        self.ids: list[tuple[int, bytes, str]] = []
        self.floor_ms = -1

    def forget(self, oldest_ms: int) -> None:
        gone = [entry for entry in self.ids if entry[0] < oldest_ms]
        kept = sorted(entry for entry in self.ids if entry[0] >= oldest_ms)
        gone += kept[: max(0, len(kept) - REMEMBERED)]
        self.ids = kept[max(0, len(kept) - REMEMBERED) :]
        self.floor_ms = max([self.floor_ms, *(entry[0] for entry in gone)])

    def verdict(self, event: Event, clock_ms: int) -> Verdict:
        """What becomes of an event, which is remembered if it counts."""
        self.forget(clock_ms - GRACE_MS)
        if any(event["event_id"] == event_id for _, _, event_id in self.ids):
            return "duplicate"
        at = event["occurred_at"]
        found: Verdict = "unverifiable" if at <= self.floor_ms else "accepted"
        # Of two events in one millisecond the one with the lower hash is forgotten first.
        self.ids.append((at, blake2b(event["event_id"].encode(), digest_size=8).digest(), event["event_id"]))
        self.forget(clock_ms - GRACE_MS)
        return found


def merged(records: Iterable[Record]) -> list[Record]:
    """The records of one partition in the order in which its task takes them, all of them being there."""
    by_offset = sorted(records, key=lambda record: record["offset"])
    queues = [[record for record in by_offset if record["topic"] == topic] for topic in TOPICS]
    heads = [0] * len(queues)
    order: list[Record] = []
    while True:
        waiting = [place for place, queue in enumerate(queues) if heads[place] < len(queue)]
        if not waiting:
            return order
        first = min(waiting, key=lambda place: (queues[place][heads[place]]["timestamp_ms"], place))
        order.append(queues[first][heads[first]])
        heads[first] += 1


def judged(records: Iterable[Record]) -> list[Judged]:
    """What becomes of each record of one partition, in the order they are given."""
    remembered: defaultdict[tuple[str, str], Remembered] = defaultdict(Remembered)
    letters: defaultdict[str, list[bytes]] = defaultdict(list)
    erased_at: dict[str, int] = {}
    clock_ms = 0
    found = []
    for record in records:
        clock_ms = max(clock_ms, record["timestamp_ms"])
        verdict = _verdict(record, clock_ms, remembered, letters, erased_at)
        found.append(Judged(record, verdict, clock_ms))
    return found


def _verdict(
    record: Record,
    clock_ms: int,
    remembered: Mapping[tuple[str, str], Remembered],
    letters: Mapping[str, list[bytes]],
    erased_at: dict[str, int],
) -> Verdict:
    if record["topic"] == "cs.ticks":
        return "tick"
    event = record["value"]
    if event is None:
        return "undecodable"
    at, customer_id = event["occurred_at"], event["customer_id"]
    letter = [value or b"" for name, value in record.get("headers") or () if name == "cspulse-replay"][:1]
    if at < record["timestamp_ms"] - GRACE_MS and not letter:
        return "late"
    if at > record["timestamp_ms"] + SKEW_MS:
        return "future"
    if customer_id in erased_at and at <= erased_at[customer_id]:
        return "erased"
    known = letters[customer_id]
    if letter and letter[0] in known[-LETTERS:]:
        return "duplicate"
    verdict = remembered[customer_id, record["topic"]].verdict(event, clock_ms)
    if verdict != "duplicate":
        known += letter
    if event["kind"] == "erased" and verdict != "duplicate":
        erased_at[customer_id] = at
    return verdict


def accepted_by_customer(judgements: Iterable[Judged]) -> dict[str, list[Judged]]:
    """The records that count, by customer, in their order; an erasure forgets all before it."""
    found: defaultdict[str, list[Judged]] = defaultdict(list)
    for judgement in judgements:
        if not judgement.counts:
            continue
        event = judgement.record["value"]
        if event["kind"] == "erased":
            found[event["customer_id"]].clear()
        else:
            found[event["customer_id"]].append(judgement)
    return dict(found)
