"""Random logs of one partition: few customers and names, times around the edges of buckets, and all disorder that is allowed.

Records are plain dicts with all fields of their event, so that the oracle and the driver read the same.
"""

from typing import Any, get_args

import msgspec
from hypothesis import strategies as st

from schemas.events import (
    AccountEvent,
    AccountKind,
    Priority,
    PromisedGoal,
    SurveyEvent,
    TicketEvent,
    TicketKind,
    UsageEvent,
    UsageKind,
)

HOUR_MS, DAY_MS = 3_600_000, 86_400_000
END_MS = 20_500 * DAY_MS + DAY_MS // 2 + 17 * 60_000
"""The time up to which things happen: 2026-02-16T12:17:00Z."""

GRACE_MS, SKEW_MS = 48 * HOUR_MS, 600_000
Record = dict[str, Any]

EDGES = st.builds(
    lambda days, hours, shift: END_MS - END_MS % HOUR_MS - days * DAY_MS - hours * HOUR_MS + shift,
    st.sampled_from([0, 0, 0, 1, 2, 6, 7, 8, 28, 29, 30, 31, 89, 90, 179, 180]),
    st.sampled_from([0, 0, 1, 11, 12, 13]),
    st.sampled_from([-1, 0, 1, 59_999, 60_000]),
)
TIMES = EDGES | st.integers(END_MS - 10 * DAY_MS, END_MS)
LAGS = st.sampled_from([0, 0, 0, 1, 5_000, HOUR_MS, 30 * HOUR_MS, GRACE_MS, GRACE_MS + 1, 5 * DAY_MS, -1, -SKEW_MS, -SKEW_MS - 1])

CUSTOMERS = st.sampled_from(["ann", "binh"])
TOUCHPOINTS = st.sampled_from([None, "trial", "support", "nowhere", "other"])
SCALES = [
    *[("csat", "good_bad", 0, 1), ("csat", "1_5", 1, 5), ("csat", "1_7", 1, 7), ("nps", "0_10", 0, 10), ("nps", "1_10", 1, 10)],
    *[("ces", "1_7", 1, 7), ("product", "0_10", 0, 10)],
]
KINDS_OF_ACCOUNTS = [kind for kind in get_args(AccountKind) if kind not in {"erased", "acknowledged", "acted"}]


@st.composite
def tickets(draw: st.DrawFn) -> tuple[str, msgspec.Struct]:
    """A ticket lives for 20 days at most: after 30 quiet ones the product keeps but the ends of what happened to it."""
    at = draw(TIMES)
    return "cs.tickets", TicketEvent(
        event_id="",
        customer_id=draw(CUSTOMERS),
        occurred_at=at,
        kind=draw(st.sampled_from(get_args(TicketKind))),
        ticket_id=f"{draw(st.sampled_from(['T1', 'T2', 'T3', 'T4']))}-{at // (20 * DAY_MS)}",
        priority=draw(st.sampled_from([None, *get_args(Priority), "urgent"])),
        touchpoint=draw(TOUCHPOINTS),
        agent_id=draw(st.sampled_from([None, "an", "bo", "chi"])),
        requester_id=draw(st.sampled_from([None, "r1", "r2"])),
    )


@st.composite
def uses(draw: st.DrawFn) -> tuple[str, msgspec.Struct]:
    return "cs.usage", UsageEvent(
        event_id="",
        customer_id=draw(CUSTOMERS),
        occurred_at=draw(TIMES),
        kind=draw(st.sampled_from(get_args(UsageKind))),
        feature=draw(st.sampled_from(["search", "import", "other"])),
        goal=draw(st.sampled_from(["report_created", "import_correct", "workflow_completed", "setup_finished", "dreams"])),
        touchpoint=draw(TOUCHPOINTS),
        quantity=draw(st.sampled_from([None, None, 0, 1, 3, 10**12])),
        duration_ms=draw(st.sampled_from([None, None, 0, 1, 90_000, 10**12])),
        user_id=draw(st.sampled_from([None, "u1", "u2", "u3", "r1"])),
    )


@st.composite
def surveys(draw: st.DrawFn) -> tuple[str, msgspec.Struct]:
    """An answer and its request lie within two days of each other: after 16 the product follows a request no longer."""
    survey, scale, lowest, highest = draw(st.sampled_from(SCALES))
    at = draw(TIMES)
    return "cs.surveys", SurveyEvent(
        event_id="",
        customer_id=draw(CUSTOMERS),
        occurred_at=at,
        kind=draw(st.sampled_from(["answered", "answered", "answered", "sent", "sent", "expired"])),
        survey=survey,  # type: ignore[arg-type]  # one of the table above
        scale=scale,  # type: ignore[arg-type]  # one of the table above
        score=draw(st.integers(lowest, highest)),
        touchpoint=draw(TOUCHPOINTS),
        respondent_id=draw(st.sampled_from([None, "r1", "r2"])),
        request_id=draw(st.sampled_from([None, *(f"{name}-{at // (2 * DAY_MS)}" for name in ("Q1", "Q2"))])),
        locale=draw(st.sampled_from([None, "en", "vi"])),
        comment=draw(st.sampled_from([None, None, "  ", "well", "much too slow, and that again and again"])),
    )


PROMISES = st.none() | st.lists(
    st.builds(
        PromisedGoal,
        goal=st.sampled_from(["report_created", "import_correct", "workflow_completed", "setup_finished", "moonshot"]),
        expected_per_30_days=st.sampled_from([0.0, 0.5, 2.0, 40.0]),
    ),
    max_size=3,
)


@st.composite
def accounts(draw: st.DrawFn) -> tuple[str, msgspec.Struct]:
    at = draw(TIMES)
    return "cs.accounts", AccountEvent(
        event_id="",
        customer_id=draw(CUSTOMERS),
        occurred_at=at,
        kind=draw(st.sampled_from(KINDS_OF_ACCOUNTS)),
        plan=draw(st.sampled_from([None, "basic", "pro"])),
        mrr_cents=draw(st.sampled_from([None, 0, 400_000, 600_000])),
        seats=draw(st.sampled_from([None, 1, 2])),
        segment=draw(st.sampled_from([None, "small", "large", "enterprise"])),
        renewal_at=draw(st.sampled_from([None, END_MS + 30 * DAY_MS])),
        owner=draw(st.sampled_from(["Chi", "Dung"])),
        goals=draw(PROMISES),
        amount_cents=1,
        status=draw(st.sampled_from(["paid", "late", "failed"])),
        reason_text="so it is",
        referred_customer_id=draw(st.sampled_from(["else", "other"])),
        respondent_id=draw(st.sampled_from(["r1", "r2"])),
        locale=draw(st.sampled_from([None, "en", "vi"])),
        consent=draw(st.sampled_from([None, True, False])),
        author="Chi",
        override_score=draw(st.sampled_from([10.0, 90.0])),
        expires_at=at + DAY_MS,
        rule="backlog",
        muted_until=at + DAY_MS,
    )


EVENTS = st.one_of(tickets(), uses(), surveys(), accounts())


@st.composite
def arrivals(draw: st.DrawFn, most: int) -> list[Record]:
    """Records of distinct events, by the time of their arrival, without places; some are dead letters that are replayed."""
    found = []
    for number, (topic, event) in enumerate(draw(st.lists(EVENTS, min_size=1, max_size=most))):
        value = {**msgspec.to_builtins(event), "event_id": f"e{number}"}
        record = {"topic": topic, "partition": 0, "timestamp_ms": value["occurred_at"] + draw(LAGS), "value": value}
        found.append(record | {"headers": draw(st.sampled_from([None, replayed(number)]))})
    return sorted(found, key=lambda record: record["timestamp_ms"])


def replayed(number: int) -> list[list[Any]]:
    """The headers of a dead letter that is replayed: its lateness is accepted, and a letter that comes again counts no more."""
    return [["cspulse-replay", f"letter-{number}".encode()]]


@st.composite
def logs(draw: st.DrawFn, most: int = 30) -> list[Record]:
    """Records in the order in which they are consumed, with duplicates, overtaking, and ticks in between and at the end."""
    records = draw(arrivals(most))
    for record in draw(st.lists(st.sampled_from(records), max_size=4)):
        after_ms = draw(st.sampled_from([0, 1, HOUR_MS, 50 * HOUR_MS]))
        records.append({**record, "timestamp_ms": record["timestamp_ms"] + after_ms})
    for number in draw(st.lists(st.integers(0, 20), max_size=3)):  # one letter in place of another's
        place = draw(st.integers(0, len(records) - 1))
        records[place] = records[place] | {"headers": replayed(number)}
    records.sort(key=lambda record: record["timestamp_ms"])
    records = delayed(records, draw(DELAYS))
    for _ in range(draw(st.integers(0, 5))):
        place = draw(st.integers(0, len(records) - 1))
        records.insert(place, tick(records[place]["timestamp_ms"] - draw(st.integers(0, DAY_MS))))
    return numbered([*records, *last_ticks(records, draw(st.sampled_from([0, 20, 100, 400])))])


DELAYS = st.lists(st.sampled_from([0, 0, 0, 1, HOUR_MS, 47 * HOUR_MS, 9 * DAY_MS]), min_size=1, max_size=7)


def delayed(records: list[Record], delays_ms: list[int]) -> list[Record]:
    """The records in the order in which they would come if each were held up on its way, with its own timestamp as it was."""
    held = [(record["timestamp_ms"] + delays_ms[place % len(delays_ms)], place) for place, record in enumerate(records)]
    return [records[place] for _, place in sorted(held)]


def last_ticks(records: list[Record], days: int) -> list[Record]:
    """Time goes on until every snapshot is due, and some days more."""
    newest_ms = max(record["timestamp_ms"] for record in records)
    return [tick(newest_ms + 61 * 60_000), *([tick(newest_ms + days * DAY_MS)] if days else [])]


def tick(at_ms: int, config_version: int = 1) -> Record:
    value = {"occurred_at": at_ms, "partition": 0, "config_version": config_version}
    return {"topic": "cs.ticks", "partition": 0, "timestamp_ms": at_ms, "value": value}


def numbered(records: list[Record]) -> list[Record]:
    """The records with their offsets."""
    offsets: dict[str, int] = {}
    found = []
    for record in records:
        offset = offsets[record["topic"]] = offsets.get(record["topic"], -1) + 1
        found.append({**record, "offset": offset})
    return found
