"""What an input must satisfy beyond its types, at the edges."""

from typing import Any

import pytest

from schemas.checks import MAX_CENTS, MAX_COUNT, SCALES, SURVEY_SCALES, TIME_MAX_MS, check
from schemas.contracts import INPUTS
from schemas.events import AccountEvent, FleetFigure, PromisedGoal, SurveyEvent, Tick, TicketEvent, UsageEvent
from schemas.outcome import Malformed, Reason
from tests.support.typed_records import examples

COMMON: dict[str, Any] = {"event_id": "e", "customer_id": "c", "occurred_at": 1_767_225_600_000}


def ticket(**fields: Any) -> TicketEvent:
    return TicketEvent(**(COMMON | {"kind": "opened", "ticket_id": "T"} | fields))


def usage(kind: Any, **fields: Any) -> UsageEvent:
    return UsageEvent(**COMMON, kind=kind, **fields)


def survey(kind: Any = "answered", **fields: Any) -> SurveyEvent:
    return SurveyEvent(**(COMMON | {"kind": kind, "survey": "csat", "scale": "1_5", "score": 4} | fields))


def account(kind: Any, **fields: Any) -> AccountEvent:
    return AccountEvent(**COMMON, kind=kind, **fields)


def tick(**fields: Any) -> Tick:
    return Tick(**({"occurred_at": 1_767_225_600_000, "partition": 0, "config_version": 1} | fields))


NEEDS = {
    ("feature_used", "feature"): usage("feature_used"),
    ("goal_completed", "goal"): usage("goal_completed", feature="export"),
    ("goal_failed", "goal"): usage("goal_failed"),
    ("answered", "score"): survey(score=None),
    ("payment", "amount_cents"): account("payment", status="paid"),
    ("payment", "status"): account("payment", amount_cents=1),
    ("referred", "referred_customer_id"): account("referred"),
    ("owner_changed", "owner"): account("owner_changed"),
    ("contact", "respondent_id"): account("contact", locale="vi"),
    ("override", "author"): account("override", reason_text="x", expires_at=1, override_score=50),
    ("override", "reason_text"): account("override", author="k", expires_at=1, override_score=50, reason_text=""),
    ("override", "expires_at"): account("override", author="k", reason_text="x", override_score=50),
    ("override", "override_score"): account("override", author="k", reason_text="x", expires_at=1),
    ("acknowledged", "episode_id"): account("acknowledged", author="k"),
    ("acted", "author"): account("acted", episode_id="ep"),
    ("muted", "rule"): account("muted", muted_until=1),
    ("muted", "muted_until"): account("muted", rule="backlog"),
}


@pytest.mark.parametrize(("needed", "event"), NEEDS.items(), ids=[" ".join(needed) for needed in NEEDS])
def test_a_kind_without_what_it_needs_is_malformed(needed: tuple[str, str], event: Any) -> None:
    kind, field = needed
    assert check(event) == Malformed(Reason.MISSING_FIELD, f"kind {kind} needs {field}")


GOOD = {
    "the earliest time": ticket(occurred_at=0),
    "the latest time": ticket(occurred_at=TIME_MAX_MS - 1),
    "names of 256 characters": ticket(event_id="e" * 256, ticket_id="ấ" * 256),
    "a name of one space": ticket(touchpoint=" "),
    "no quantity": usage("feature_used", feature="f"),
    "a quantity of zero": usage("goal_completed", goal="g", quantity=0),
    "the highest counts": usage("session", quantity=MAX_COUNT, duration_ms=MAX_COUNT),
    "an empty comment": survey(comment=""),
    "the longest comment": survey(comment="x" * 16_384),
    "a survey that was sent": survey("sent", score=None, scale=None),
    "a survey that expired": survey("expired", score=None),
    "a cancellation without a reason": account("cancelled"),
    "no revenue": account("plan_changed", mrr_cents=0, seats=0),
    "the highest revenue": account("known", mrr_cents=MAX_CENTS),
    "an override to nothing": account("override", author="k", reason_text="x", expires_at=1, override_score=0),
    "an override to the top": account("override", author="k", reason_text="x", expires_at=1, override_score=100),
    "a goal that is promised never": account("contracted", goals=[PromisedGoal(goal="g", expected_per_30_days=0)]),
    "no goals": account("contracted", goals=[]),
    "a tick of the fleet's figures": tick(fleet=[FleetFigure(name="f", value=None, as_of=0)]),
}


@pytest.mark.parametrize("event", GOOD.values(), ids=GOOD.keys())
def test_what_is_just_within_the_bounds_is_taken(event: Any) -> None:
    assert check(event) is None


@pytest.mark.parametrize("topic", INPUTS)
def test_the_examples_are_taken(topic: str) -> None:
    assert [check(event) for event in examples(topic)] == [None, None]  # type: ignore[arg-type]  # inputs, by their topics


BAD = {
    "before 1970": (ticket(occurred_at=-1), Reason.BAD_TIME, "occurred_at is -1"),
    "after 2200": (ticket(occurred_at=TIME_MAX_MS), Reason.BAD_TIME, "1970 to 2200"),
    "a renewal in seconds before 1970": (account("known", renewal_at=-5), Reason.BAD_TIME, "renewal_at"),
    "an expiry in microseconds": (account("known", expires_at=1_767_225_600_000_000), Reason.BAD_TIME, "expires_at"),
    "muted until never": (account("muted", rule="r", muted_until=2**63 - 1), Reason.BAD_TIME, "muted_until"),
    "no event id": (ticket(event_id=""), Reason.OUT_OF_RANGE, "event_id is empty"),
    "no customer": (ticket(customer_id=""), Reason.OUT_OF_RANGE, "customer_id is empty"),
    "a long id": (ticket(ticket_id="T" * 257), Reason.OUT_OF_RANGE, "ticket_id has 257"),
    "an empty touchpoint": (ticket(touchpoint=""), Reason.OUT_OF_RANGE, "touchpoint is empty"),
    "an empty feature": (usage("feature_used", feature=""), Reason.OUT_OF_RANGE, "feature is empty"),
    "a quantity below zero": (usage("session", quantity=-1), Reason.OUT_OF_RANGE, "quantity is -1"),
    "a duration below zero": (usage("session", duration_ms=-1), Reason.OUT_OF_RANGE, "duration_ms"),
    "a quantity without measure": (usage("session", quantity=MAX_COUNT + 1), Reason.OUT_OF_RANGE, "quantity"),
    "a long comment": (survey(comment="x" * 16_385), Reason.OUT_OF_RANGE, "comment has 16385 characters"),
    "a score without a scale": (survey(scale=None), Reason.MISSING_FIELD, "a score needs its scale"),
    "a scale of another survey": (survey(survey="ces"), Reason.BAD_SCORE, "survey ces has no scale 1_5; it is answered on 1_7"),
    "a request on a wrong scale": (survey("sent", survey="nps", score=None), Reason.BAD_SCORE, "0_10 or 1_10"),
    "revenue below zero": (account("known", mrr_cents=-1), Reason.OUT_OF_RANGE, "mrr_cents"),
    "a payment below zero": (account("payment", amount_cents=-1, status="paid"), Reason.OUT_OF_RANGE, "amount_cents"),
    "a currency in words": (
        account("known", currency="Euro"),
        Reason.OUT_OF_RANGE,
        "currency is 'Euro'; it is three capital letters",
    ),
    "a currency in small letters": (account("known", currency="eur"), Reason.OUT_OF_RANGE, "like EUR"),
    "a currency in other letters": (account("known", currency="ÉUR"), Reason.OUT_OF_RANGE, "currency"),
    "seats below zero": (account("known", seats=-1), Reason.OUT_OF_RANGE, "seats"),
    "an override off its scale": (account("known", override_score=100.5), Reason.BAD_SCORE, "0 to 100"),
    "an override that is no number": (account("known", override_score=float("nan")), Reason.BAD_SCORE, "nan"),
    "a promise that is no number": (
        account("contracted", goals=[PromisedGoal(goal="g", expected_per_30_days=float("nan"))]),
        Reason.OUT_OF_RANGE,
        "promised goal",
    ),
    "a promise without a name": (
        account("contracted", goals=[PromisedGoal(goal="", expected_per_30_days=1)]),
        Reason.OUT_OF_RANGE,
        "promised goal",
    ),
    "too many promises": (
        account("contracted", goals=[PromisedGoal(goal="g", expected_per_30_days=1)] * 65),
        Reason.OUT_OF_RANGE,
        "65 goals are promised; at most 64",
    ),
    "a long reason": (account("cancelled", reason_text="x" * 16_385), Reason.OUT_OF_RANGE, "reason_text"),
    "a long action": (account("acted", episode_id="e", author="k", action="x" * 16_385), Reason.OUT_OF_RANGE, "action"),
    "an empty owner": (account("known", owner=""), Reason.OUT_OF_RANGE, "owner is empty"),
    "a tick before 1970": (tick(occurred_at=-1), Reason.BAD_TIME, "occurred_at"),
    "a partition below zero": (tick(partition=-1), Reason.OUT_OF_RANGE, "partition"),
    "a version below zero": (tick(config_version=-1), Reason.OUT_OF_RANGE, "config_version"),
    "an empty application id": (tick(active_app_id=""), Reason.OUT_OF_RANGE, "active_app_id is empty"),
    "an infinite fleet figure": (
        tick(fleet=[FleetFigure(name="f", value=float("inf"), as_of=0)]),
        Reason.OUT_OF_RANGE,
        "f is not a finite",
    ),
    "too many fleet figures": (
        tick(fleet=[FleetFigure(name="f", value=1, as_of=0)] * 257),
        Reason.OUT_OF_RANGE,
        "257 fleet figures",
    ),
}


@pytest.mark.parametrize(("event", "reason", "said"), BAD.values(), ids=BAD.keys())
def test_what_is_just_beyond_the_bounds_is_malformed(event: Any, reason: Reason, said: str) -> None:
    wrong = check(event)
    assert wrong is not None
    assert wrong.reason is reason
    assert said in wrong.message


PAIRS = [(name, scale) for name in SURVEY_SCALES for scale in SCALES]


@pytest.mark.parametrize(("name", "scale"), PAIRS)
def test_a_score_is_taken_from_end_to_end_of_a_scale_of_its_survey_and_not_beyond(name: str, scale: str) -> None:
    lowest, highest = {"good_bad": (0, 1), "1_5": (1, 5), "0_10": (0, 10), "1_10": (1, 10), "1_7": (1, 7)}[scale]
    answers = {
        score: check(survey(survey=name, scale=scale, score=score)) for score in (lowest - 1, lowest, highest, highest + 1)
    }
    if scale in SURVEY_SCALES[name]:
        assert answers[lowest] is None
        assert answers[highest] is None
    refused = [answers[lowest - 1], answers[highest + 1]] if scale in SURVEY_SCALES[name] else list(answers.values())
    assert {wrong.reason for wrong in refused if wrong is not None} == {Reason.BAD_SCORE}
    assert None not in refused


def test_only_the_scales_of_a_survey_are_its_scales() -> None:
    assert SURVEY_SCALES == {
        "csat": ("good_bad", "1_5", "1_7"),
        "nps": ("0_10", "1_10"),
        "ces": ("1_7",),
        "product": ("good_bad", "1_5", "1_7", "0_10"),
    }
