"""Records of every topic for tests: fixed examples, and strategies for hypothesis."""

import types
import typing
from typing import Any

import msgspec
from hypothesis import strategies as st
from msgspec import Struct

from schemas.checks import SCALES, SURVEY_SCALES, TIME_MAX_MS
from schemas.contracts import INPUTS, OUTPUTS
from schemas.events import AccountEvent, FleetFigure, InputEvent, PromisedGoal, SurveyEvent, Tick, TicketEvent, UsageEvent
from schemas.records import Output

TOPICS = (*INPUTS, *OUTPUTS)
INT64 = st.integers(-(2**63), 2**63 - 1)
NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12)
TIMES = st.integers(0, TIME_MAX_MS - 1)
COUNTS = st.integers(0, 10**12)
CURRENCIES = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=3, max_size=3)

_TIME_FIELDS = ("occurred_at", "renewal_at", "expires_at", "muted_until", "as_of")
_NEEDED = {
    "feature_used": ("feature",),
    "goal_completed": ("goal",),
    "goal_failed": ("goal",),
    "payment": ("amount_cents", "status"),
    "referred": ("referred_customer_id",),
    "owner_changed": ("owner",),
    "contact": ("respondent_id",),
    "override": ("author", "reason_text", "expires_at", "override_score"),
    "acknowledged": ("episode_id", "author"),
    "acted": ("episode_id", "author"),
    "muted": ("rule", "muted_until"),
}


def records(topic: str) -> st.SearchStrategy[Any]:
    """Records that the topic takes."""
    if topic in OUTPUTS:
        return _any_struct(OUTPUTS[topic])
    return {
        "cs.tickets": _valid(TicketEvent),
        "cs.usage": _valid(UsageEvent),
        "cs.surveys": _surveys(),
        "cs.accounts": _valid(AccountEvent),
        "cs.ticks": _valid(Tick),
    }[topic]


def examples(topic: str) -> list[InputEvent | Output]:
    """Two or more fixed records of a topic: with every field and with as few as possible."""
    if topic in INPUTS:
        return _EVENTS[topic]
    full, least = _Sample(present=True), _Sample(present=False)
    return [full.of(OUTPUTS[topic], ""), least.of(OUTPUTS[topic], "")]


def _valid(record: type[Struct]) -> st.SearchStrategy[Any]:
    hints = typing.get_type_hints(record)
    fields = {name: _field(name, hint) for name, hint in hints.items()}

    @st.composite
    def build(draw: st.DrawFn) -> Any:
        values = {name: draw(strategy) for name, strategy in fields.items()}
        for needed in _NEEDED.get(values.get("kind", ""), ()):
            values[needed] = draw(_field(needed, _bare(hints[needed])))
        return record(**values)

    return build()


@st.composite
def _surveys(draw: st.DrawFn) -> SurveyEvent:
    event: SurveyEvent = draw(_valid(SurveyEvent))
    scale = draw(st.sampled_from(SURVEY_SCALES[event.survey]))
    score = draw(st.integers(*SCALES[scale])) if event.kind == "answered" else None
    return msgspec.structs.replace(event, scale=scale, score=score)


def _field(name: str, hint: Any) -> st.SearchStrategy[Any]:
    bare = _bare(hint)
    if bare is not hint:
        return st.none() | _field(name, bare)
    if name in _TIME_FIELDS:
        return TIMES
    if name == "currency":
        return CURRENCIES
    if name == "override_score":
        return st.floats(0, 100)
    if name == "value":
        return st.floats(allow_nan=False, allow_infinity=False)
    if hint == list[PromisedGoal]:
        return st.lists(st.builds(PromisedGoal, goal=NAMES, expected_per_30_days=st.floats(0, 1e6)), max_size=3)
    if typing.get_origin(hint) is list:
        return st.lists(_valid(typing.get_args(hint)[0]), max_size=3)
    return COUNTS if hint is int else NAMES if hint is str else _any(hint)


def _any_struct(record: type[Struct]) -> st.SearchStrategy[Any]:
    return st.builds(record, **{name: _any(hint) for name, hint in typing.get_type_hints(record).items()})


def _any(hint: Any) -> st.SearchStrategy[Any]:
    bare = _bare(hint)
    if bare is not hint:
        return st.none() | _any(bare)
    if typing.get_origin(hint) is list:
        return st.lists(_any(typing.get_args(hint)[0]), max_size=3)
    if typing.get_origin(hint) is typing.Literal:
        return st.sampled_from(typing.get_args(hint))
    if isinstance(hint, type) and issubclass(hint, Struct):
        return _any_struct(hint)
    simple: dict[Any, st.SearchStrategy[Any]] = {
        int: INT64,
        float: st.floats(allow_nan=False, allow_infinity=False),
        str: st.text(st.characters(codec="utf-8"), max_size=12),
        bytes: st.binary(max_size=12),
        bool: st.booleans(),
    }
    return simple[hint]


def _bare(hint: Any) -> Any:
    """The type of an optional field without its None; the type itself when it is not optional."""
    if typing.get_origin(hint) in (types.UnionType, typing.Union):
        (bare,) = (each for each in typing.get_args(hint) if each is not type(None))
        return bare
    return hint


class _Sample:
    """Fixed values by the types of the fields; no two numbers of a record are the same."""

    def __init__(self, *, present: bool) -> None:
        self._present = present
        self._number = 0

    def of(self, hint: Any, name: str) -> Any:
        self._number += 1
        bare = _bare(hint)
        if bare is not hint:
            return self.of(bare, name) if self._present else None
        if typing.get_origin(hint) is list:
            return [self.of(typing.get_args(hint)[0], name)] if self._present else []
        if typing.get_origin(hint) is typing.Literal:
            words = typing.get_args(hint)
            return words[self._number % len(words)]
        if isinstance(hint, type) and issubclass(hint, Struct):
            return hint(**{field: self.of(kind, field) for field, kind in typing.get_type_hints(hint).items()})
        number = self._number
        return {
            int: 1_767_225_600_000 + number,
            float: number + 0.25,
            str: f"{name} {number} ấ",
            bytes: bytes((0, 255, number % 256)),
            bool: bool(number % 2),
        }[hint]


_COMMON: dict[str, Any] = {"event_id": "e-1", "customer_id": "c-ấ1", "occurred_at": 1_767_225_600_123}
_EVENTS: dict[str, list[InputEvent | Output]] = {
    "cs.tickets": [
        TicketEvent(
            **_COMMON,
            kind="opened",
            ticket_id="T-1",
            priority="urgent",
            touchpoint="support",
            channel="mail",
            agent_id="a-1",
            requester_id="u-1",
        ),
        TicketEvent(**_COMMON, kind="closed", ticket_id="T-1"),
    ],
    "cs.usage": [
        UsageEvent(
            **_COMMON,
            kind="goal_completed",
            feature="export",
            goal="campaigns",
            touchpoint="product",
            interaction_id="i-1",
            user_id="u-1",
            quantity=3,
            duration_ms=1500,
        ),
        UsageEvent(**_COMMON, kind="session"),
    ],
    "cs.surveys": [
        SurveyEvent(
            **_COMMON,
            kind="answered",
            survey="nps",
            score=10,
            scale="1_10",
            touchpoint="renewal",
            respondent_id="u-1",
            request_id="r-1",
            interaction_id="i-1",
            ticket_id="T-1",
            locale="vi",
            comment="Hài lòng",
        ),
        SurveyEvent(**_COMMON, kind="sent", survey="product"),
    ],
    "cs.accounts": [
        AccountEvent(
            **_COMMON,
            kind="override",
            plan="pro",
            mrr_cents=129_900,
            currency="EUR",
            seats=25,
            segment="standard",
            renewal_at=1_798_761_600_000,
            owner="kim",
            goals=[PromisedGoal(goal="campaigns", expected_per_30_days=12.5)],
            amount_cents=129_900,
            status="late",
            product="archive",
            reason="no_need",
            reason_text="they said so",
            referred_customer_id="c-2",
            respondent_id="u-1",
            locale="en-GB",
            consent=False,
            author="kim",
            override_score=72.5,
            expires_at=1_769_904_000_000,
            episode_id="ep-1",
            action="called",
            rule="backlog",
            muted_until=1_769_904_000_000,
        ),
        AccountEvent(**_COMMON, kind="lead"),
    ],
    "cs.ticks": [
        Tick(
            occurred_at=1_767_225_600_000,
            partition=3,
            config_version=2,
            fleet=[FleetFigure(name="churner_share", value=0.04, as_of=1_767_225_540_000)],
            active_app_id="cspulse-2",
        ),
        Tick(occurred_at=1_767_225_600_000, partition=0, config_version=1),
    ],
}
