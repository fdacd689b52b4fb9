"""Holds the records of a log against each other and against the oracle: what is published once, unbroken and right.

Nothing here knows the product: records come as plain dicts. An input is `{"topic", "partition", "offset", "timestamp_ms",
"value", "headers"?}`, with None as the value of what cannot be decoded; an output is `{"topic", "partition", "offset", "key",
"value"}`. Outputs are looked at one by one, those of a partition in their order, and little is kept of each: a log may be large.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise, zip_longest
from math import isclose
from typing import Any

from tests.support.oracle.acceptance import Event, Judged, Record, accepted_by_customer, judged, merged
from tests.support.oracle.account import account, override_in_force
from tests.support.oracle.course import Customer
from tests.support.oracle.events import Names, names_of, read_definitions
from tests.support.oracle.figures import figures, last_sign_at
from tests.support.oracle.found import Found, Key
from tests.support.oracle.loyalty_checks import wrong_loyalty
from tests.support.oracle.rules import wrong_rules
from tests.support.oracle.score import score
from tests.support.oracle.totals import flows, gauges
from tests.support.oracle.usage import ledger

LOYALTY = "cs.loyalty-changes"
HEALTH, ALERTS, SNAPSHOTS = "cs.health-changes", "cs.churn-alerts", "cs.customer-snapshots"
DEAD_LETTERS, PARTIALS = "cs.dead-letters", "cs.fleet-partials"
CUSTOMER_TOPICS = (HEALTH, ALERTS, LOYALTY, SNAPSHOTS)
_NUMBERED = ("record_id", "customer_id", "sequence", "as_of")
_SCORES = tuple(f"{age}_{name}" for age in ("old", "new") for name in ("score", "displayed", "band", "measures_present"))
LOOKED_AT = {
    HEALTH: (*_NUMBERED, "purpose", *_SCORES),
    ALERTS: (*_NUMBERED, "rule", "episode_id", "state"),
    LOYALTY: _NUMBERED,
    SNAPSHOTS: _NUMBERED,
    DEAD_LETTERS: ("record_id", "topic", "partition", "offset", "reason"),
}
"""The fields that are kept of each record."""

MINUTE_MS, DAY_MS = 60_000, 86_400_000
FLOWS = (
    *("csat_by_hour", "csat_by_day", "csat_scales_by_hour", "csat_scales_by_day", "nps_by_day", "tickets_by_day"),
    *("goals_by_day", "events_by_day", "interactions_by_day"),
)
USES = ("goals_by_hour", "goal_durations_by_day", "promises_by_day", "first_values_by_day", "steps_by_day", "step_days_by_day")
SAID = ("ces_by_day", "product_by_day", "answers_by_day", "comment_lengths_by_day", "requests_by_day")
WAITS = ("first_responses_by_day", "resolutions_by_day", "agent_responses_by_day", "agent_load_by_day")
KEPT_DAYS = {
    "csat_by_hour": 7,
    "csat_scales_by_hour": 7,
    "goals_by_hour": 7,
    **dict.fromkeys(("comment_lengths_by_day", "interactions_by_day", "goal_durations_by_day", *WAITS), 89),
}

GAUGES = ("customers", "open_tickets_by_priority", "open_tickets_by_touchpoint", "open_tickets_by_opening_day")

PartialKey = tuple[str, str, int | None]
Output = Mapping[str, Any]
Value = Mapping[str, Any]


def check(inputs: Iterable[Record], outputs: Iterable[Output], definitions_text: str) -> list[str]:
    """Everything that is wrong, each as a sentence; empty when all is well."""
    by_partition: defaultdict[int, list[Record]] = defaultdict(list)
    for record in inputs:
        by_partition[record["partition"]].append(record)
    judgements = {partition: judged(merged(records)) for partition, records in sorted(by_partition.items())}
    return check_judged(judgements, outputs, definitions_text)


def check_judged(judgements: Mapping[int, Sequence[Judged]], outputs: Iterable[Output], definitions_text: str) -> list[str]:
    """As `check`, for inputs whose order within each partition is known."""
    kept = Kept()
    for output in outputs:
        kept.take(output)
    values = kept.values
    return [
        *kept.wrong,
        *_same_ids(values),
        *_gaps(values),
        *_broken_chains(values[HEALTH], _erased(judgements)),
        *_wrong_episodes(values[ALERTS]),
        *_wrong_dead_letters(judgements, values[DEAD_LETTERS]),
        *_wrong_snapshots(judgements, kept.snapshots, definitions_text),
        *_wrong_partials(judgements, kept, definitions_text),
    ]


class Kept:
    """What is kept of the outputs: some fields of each record, the newest snapshot of each customer, the counts at the end.

    `counts` are by partition and key; a null removes one. `numbers` are the sequences of each partition's partials.
    """

    def __init__(self) -> None:
        self.values: defaultdict[str, list[Value]] = defaultdict(list)
        self.snapshots: dict[str, Value] = {}
        self.counts: defaultdict[int, dict[PartialKey, Sequence[int]]] = defaultdict(dict)
        self.numbers: defaultdict[int, list[int]] = defaultdict(list)
        self.wrong: list[str] = []
        self._last_offset: dict[tuple[str, int], int] = {}

    def take(self, output: Output) -> None:
        """Look at the next record of its partition."""
        topic, value = output["topic"], output["value"]
        place = topic, output["partition"]
        assert output["offset"] > self._last_offset.get(place, -1), f"{place} was not read in its order"
        self._last_offset[place] = output["offset"]
        if topic == PARTIALS:
            self._take_partial(output)
        elif topic in LOOKED_AT and value is not None:
            self.values[topic].append({name: value[name] for name in LOOKED_AT[topic]})
        if topic == SNAPSHOTS:
            self.snapshots[output["key"]] = value or {"events_accepted": 0}
        elif topic == HEALTH and value is not None:
            self.wrong += _unexplained(value)

    def _take_partial(self, output: Output) -> None:
        """Keys: `figure|dimension|bucket|partition|incarnation`."""
        figure, _, rest = output["key"].partition("|")
        dimension, bucket, partition, _ = rest.rsplit("|", 3)
        key = (figure, dimension, int(bucket) if bucket else None)
        if output["value"] is None:
            self.counts[int(partition)].pop(key, None)
        else:
            self.counts[int(partition)][key] = output["value"]["counts"]
            self.numbers[output["value"]["partition"]].append(output["value"]["sequence"])


def _by(values: Iterable[Value], *names: str) -> dict[tuple[Any, ...], list[Value]]:
    found: defaultdict[tuple[Any, ...], list[Value]] = defaultdict(list)
    for value in values:
        found[tuple(value[name] for name in names)].append(value)
    return found


def _same_ids(values: Mapping[str, Sequence[Value]]) -> Iterator[str]:
    ids = Counter(value["record_id"] for topic in (*CUSTOMER_TOPICS, DEAD_LETTERS) for value in values.get(topic, ()))
    for record_id, times in ids.items():
        if times > 1:
            yield f"record_id {record_id} is there {times} times"


def _gaps(values: Mapping[str, Sequence[Value]]) -> Iterator[str]:
    for topic in CUSTOMER_TOPICS:
        for (customer_id,), mine in _by(values.get(topic, ()), "customer_id").items():
            sequences = [value["sequence"] for value in mine]
            if sequences != list(range(1, len(mine) + 1)):
                yield f"{topic} of {customer_id} has the sequences {sequences}"
            for before, after in pairwise(mine):
                if after["as_of"] < before["as_of"]:
                    yield f"{topic} of {customer_id} goes back in time at sequence {after['sequence']}"


def _erased(judgements: Mapping[int, Sequence[Judged]]) -> set[str]:
    """The customers who were erased at some time: one who comes back begins a new chain from null."""
    counting = (judgement.record["value"] for mine in judgements.values() for judgement in mine if judgement.counts)
    return {event["customer_id"] for event in counting if event["kind"] == "erased"}


def _broken_chains(changes: Sequence[Value], erased: set[str]) -> Iterator[str]:
    fresh = {"score": None, "displayed": None, "band": None, "measures_present": 0}
    for (customer_id, purpose), mine in _by(changes, "customer_id", "purpose").items():
        before = fresh
        for change in mine:
            old = {name: change[f"old_{name}"] for name in fresh}
            if old != before and not (customer_id in erased and old == fresh):
                yield f"the {purpose} score of {customer_id}: sequence {change['sequence']} begins with {old}, after {before}"
            before = {name: change[f"new_{name}"] for name in fresh}


def _unexplained(change: Value) -> Iterator[str]:
    for name, moved in (
        ("delta", (change["new_score"] or 0) - (change["old_score"] or 0)),
        ("old_contribution", change["old_score"] or 0),
        ("new_contribution", change["new_score"] or 0),
    ):
        total = sum(measure[name] for measure in change["measures"])
        if abs(total - moved) > 1e-9:
            yield f"{name} of health change {change['record_id']} adds up to {total}, not to {moved}"


def _wrong_episodes(alerts: Sequence[Value]) -> Iterator[str]:
    ended = set()
    for (customer_id, rule), mine in _by(alerts, "customer_id", "rule").items():
        running = None
        for alert in mine:
            episode, state = alert["episode_id"], alert["state"]
            where = f"{rule} of {customer_id}, episode {episode}"
            if episode in ended:
                yield f"{where}: {state} after its end"
            if state == "opened" and running is not None:
                yield f"{where}: opened while {running} was open"
            if state != "opened" and episode != running:
                yield f"{where}: {state}, and {running} was open"
            if state in {"resolved", "retracted"}:
                ended.add(episode)
            running = None if state in {"resolved", "retracted"} else episode


def _wrong_dead_letters(judgements: Mapping[int, Sequence[Judged]], letters: Sequence[Value]) -> Iterator[str]:
    found = {(letter["topic"], letter["partition"], letter["offset"]): letter for letter in letters}
    if len(found) < len(letters):
        yield f"{len(letters) - len(found)} records are dead-lettered twice"
    for record, verdict, _ in (judgement for mine in judgements.values() for judgement in mine):
        place = (record["topic"], record["partition"], record["offset"])
        letter = found.get(place)
        reason = letter["reason"] if letter else None
        expected = verdict in {"late", "future", "undecodable"}
        if expected != (letter is not None) or (verdict in {"late", "future"} and reason != verdict):
            yield f"the record {place} is {verdict}, and its dead letter says {reason}"


def _wrong_snapshots(
    judgements: Mapping[int, Sequence[Judged]], newest: Mapping[str, Value], definitions_text: str
) -> Iterator[str]:
    """The newest snapshot of each customer against the oracle; that of one who was erased is removed."""
    interval_ms = read_definitions(definitions_text)["snapshots"]["interval_minutes"] * MINUTE_MS
    accepting = compared = 0
    for mine in judgements.values():
        for customer_id, accepted in accepted_by_customer(mine).items():
            accepting += bool(accepted)
            events = [judgement.record["value"] for judgement in accepted]
            snapshot = newest.get(customer_id)
            shown = snapshot["events_accepted"] if snapshot else 0
            if snapshot is not None and events and shown == len(events):
                compared += 1
                yield from wrong_in_snapshot(snapshot, events, definitions_text)
            elif shown > len(events) or (accepted and mine[-1].clock_ms >= accepted[-1].clock_ms + interval_ms):
                yield f"the newest snapshot of {customer_id} shows {shown} events of {len(events)}"
    if accepting and not compared:
        yield "no snapshot is complete, so that none could be held against the oracle"


def wrong_in_snapshot(snapshot: Value, events: Sequence[Event], definitions_text: str) -> Iterator[str]:
    """What a snapshot shows differently from the oracle; `events` are those that it had accepted."""
    where = f"snapshot {snapshot['sequence']} of {snapshot['customer_id']}"
    as_of_ms = snapshot["as_of"]
    facts = {
        **account(events),
        "last_seen_at": last_sign_at(events),
        "events_accepted": len(events),
        "referred_by": Customer(events).referred_by,
    }
    for name, expected in facts.items():
        if snapshot[name] != expected:
            yield f"{where}: {name} is {snapshot[name]}, the oracle says {expected}"
    for wrong in wrong_figures(snapshot["figures"], figures(events, as_of_ms, names_of(definitions_text))):
        yield f"{where}: {wrong}"
    for wrong in wrong_loyalty(snapshot, events, definitions_text):
        yield f"{where}: {wrong}"
    for shown, right in zip_longest(snapshot["promises"], ledger(events, as_of_ms, names_of(definitions_text))):
        if not shown or not right or {name: shown[name] for name in right} != right:
            yield f"{where}: the promise {shown}, the oracle says {right}"
    open_rules = {alert["rule"] for alert in snapshot["open_alerts"]}
    names = names_of(definitions_text)
    for wrong in wrong_rules(open_rules, snapshot["quadrant"], events, as_of_ms, figures(events, as_of_ms, names), names):
        yield f"{where}: {wrong}"
    for health in snapshot["health"]:
        for wrong in _wrong_health(health, events, as_of_ms, definitions_text):
            yield f"{where}: {wrong}"


def _wrong_health(health: Value, events: Sequence[Event], as_of_ms: int, definitions_text: str) -> Iterator[str]:
    purpose = health["purpose"]
    expected = score(events, as_of_ms, definitions_text, purpose)
    if not _same(health["score"], expected.value) or health["measures_present"] != expected.present:
        yield f"the {purpose} score is {health['score']} of {health['measures_present']} measures, the oracle says {expected}"
    overridden = purpose == "risk" and override_in_force(events, as_of_ms) is not None
    if not overridden and health["band"] not in expected.bands:
        yield f"the {purpose} band is {health['band']}, the oracle says {expected}"


def wrong_figures(published: Iterable[Value], expected: Mapping[Key, Found]) -> Iterator[str]:
    """Where published figures differ from the oracle's; a part of a figure that is 0 may be left out, or shown."""
    found = {(figure["name"], figure["dimension"], figure["window_days"]): figure for figure in published}
    for key in sorted({*found, *expected}, key=str):
        figure = found.get(key)
        right = expected.get(key, Found(None, 0))
        if figure is None:
            if right.value or not key[1]:
                yield f"{key} is missing, the oracle says {right}"
        elif not _is(figure, right):
            shown = Found(figure["value"], figure["n"], figure["low"], figure["high"])
            yield f"{key} is {shown}, the oracle says {right}"


def _is(figure: Value, right: Found) -> bool:
    if right == Found(None, 0) and figure["dimension"]:
        return not figure["value"] and not figure["n"]
    if right.n is not None and figure["n"] != right.n:
        return False
    return all(_same(figure[name], getattr(right, name)) for name in ("value", "low", "high"))


def _same(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return isclose(one, other, rel_tol=1e-9, abs_tol=1e-9)


def _wrong_partials(judgements: Mapping[int, Sequence[Judged]], kept: Kept, definitions_text: str) -> Iterator[str]:
    """The newest partials of each partition whose last record is a tick, against the oracle's sums."""
    names = names_of(definitions_text)
    newest = kept.counts
    for partition, mine in judgements.items():
        sequences = kept.numbers[partition]
        if sequences != list(range(1, len(sequences) + 1)):
            yield f"the partials of partition {partition} are not numbered without gaps"
        if mine[-1].verdict == "tick":
            for wrong in (*_wrong_gauges(newest[partition], mine, names), *_wrong_flows(newest[partition], mine, names)):
                yield f"partition {partition}: {wrong}"


def _wrong_flows(newest: Mapping[PartialKey, Sequence[int]], judgements: Sequence[Judged], names: Names) -> Iterator[str]:
    as_of_ms = judgements[-1].clock_ms
    checked = (*FLOWS, *USES, *SAID, *WAITS)
    shown = {(key[0], key[1], key[2]): tuple(n) for key, n in newest.items() if key[0] in checked and key[2] is not None}
    expected = flows((judgement for judgement in judgements if judgement.counts), names)
    for key in {*shown, *expected}:
        is_kept = key[-1] >= as_of_ms - KEPT_DAYS.get(key[0], 179) * DAY_MS
        if is_kept and shown.get(key) != expected.get(key):
            yield f"{key} is {shown.get(key)}, the oracle says {expected.get(key)}"


def _wrong_gauges(newest: Mapping[PartialKey, Sequence[int]], judgements: Sequence[Judged], names: Names) -> Iterator[str]:
    customers = accepted_by_customer(judgements).values()
    expected = gauges(([judgement.record["value"] for judgement in accepted] for accepted in customers if accepted), names)
    shown = {(figure, dimension): counts[0] for (figure, dimension, _), counts in newest.items() if figure in GAUGES}
    for key in sorted({*shown, *expected}):
        if shown.get(key) != expected.get(key):
            yield f"{key} is {shown.get(key)}, the oracle says {expected.get(key)}"
