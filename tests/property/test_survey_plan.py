"""The plan of surveys against the plan by the book, under disorder, repetition, lateness and batches cut anywhere."""

import tomllib
from collections import Counter
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.events import AccountEvent, SurveyEvent, TicketEvent, UsageEvent
from streams.catalogue import default_text
from tests.support.driven import Driven
from tests.support.examples import examples
from tests.support.histories import DAY_MS, DELAYS, END_MS, HOUR_MS, Record, delayed, last_ticks, logs, numbered, tick
from tests.support.oracle.acceptance import judged
from tests.support.oracle.asking import asked_of, plan
from tests.support.oracle.events import names_of

ANOTHER_PLAN = """[surveys]
needs_consent = true
[surveys.csat]
due_within_minutes = 60
expires_after_hours = 48
throttle_days = 3
touchpoints = ["trial"]
[surveys.ces]
enabled = true
due_within_minutes = 0
throttle_days = 10
touchpoints = []
[surveys.nps]
scale = "1_10"
first_after_onboarding_days = 10
repeat_days = 20
throttle_days = 25
defer_at_most_days = 10
expires_after_days = 4
wait_while_urgent_ticket_open = false
[surveys.product]
enabled = true
scale = "good_bad"
first_after_onboarding_days = 3
repeat_days = 30
throttle_days = 29
defer_at_most_days = 3

"""


def with_another_plan() -> str:
    before, heading, rest = default_text().partition("[surveys]\n")
    _, banner, after = rest.partition("# -----")
    assert heading
    assert banner
    return before + ANOTHER_PLAN + banner + after


PLANS = (default_text(), with_another_plan())
"""The plan that comes along, and one in which everything is otherwise: all four surveys, and nobody is asked without consent."""

CUTS = st.lists(st.sampled_from(["go on", "go on", "take", "restart"]), min_size=1, max_size=5)
PEOPLE = st.sampled_from(["r1", "r1", "r2", None])
PLACES = st.sampled_from(["trial", "trial", "support", None, "nowhere"])
DAYS = st.sampled_from([0, 0, 0, 1, 2, 3, 6, 7, 8, 29, 30, 33, 60, 178, 179, 180, 183, 360])
TIMES = st.builds(
    lambda days, hours, shift: END_MS - days * DAY_MS - hours * HOUR_MS + shift,
    DAYS,
    st.sampled_from([0, 0, 1, 12, 23, 24, 25]),
    st.sampled_from([-1, 0, 0, 0, 1, 300_000]),
)
LAGS = st.sampled_from([0, 0, 0, 0, 1, 5_000, HOUR_MS, 23 * HOUR_MS, 25 * HOUR_MS])


@st.composite
def occasions(draw: st.DrawFn) -> list[Record]:
    """What matters for the plan, and nothing else, so that it meets: onboardings, contacts, tickets, interactions, questions."""
    found = []
    for number in range(draw(st.integers(1, 25))):
        at = draw(TIMES)
        topic, event = draw(st.sampled_from([_account, _account, _ticket, _use, _use, _survey]))(draw, at)
        value = {
            **msgspec.to_builtins(event),
            "event_id": f"e{number}",
            "customer_id": draw(st.sampled_from(["ann", "ann", "binh"])),
        }
        found.append({"topic": topic, "partition": 0, "timestamp_ms": at + draw(LAGS), "value": value})
    return sorted(found, key=lambda record: record["timestamp_ms"])


def _account(draw: st.DrawFn, at: int) -> tuple[str, msgspec.Struct]:
    kinds = ["onboarded", "onboarded", "contact", "contact", "cancelled", "lapsed", "reactivated", "known", "known", "lead"]
    return "cs.accounts", AccountEvent(
        event_id="",
        customer_id="",
        occurred_at=at,
        kind=draw(st.sampled_from(kinds)),
        respondent_id=draw(st.sampled_from(["r1", "r2"])),
        locale=draw(st.sampled_from([None, "en", "vi"])),
        consent=draw(st.sampled_from([None, None, True, False])),
    )


def _ticket(draw: st.DrawFn, at: int) -> tuple[str, msgspec.Struct]:
    return "cs.tickets", TicketEvent(
        event_id="",
        customer_id="",
        occurred_at=at,
        kind=draw(st.sampled_from(["opened", "solved", "solved", "reopened"])),
        ticket_id=draw(st.sampled_from(["T1", "T2"])) + f"-{at // (20 * DAY_MS)}",
        priority=draw(st.sampled_from([None, "urgent"])),
        touchpoint=draw(PLACES),
        requester_id=draw(PEOPLE),
    )


def _use(draw: st.DrawFn, at: int) -> tuple[str, msgspec.Struct]:
    return "cs.usage", UsageEvent(
        event_id="", customer_id="", occurred_at=at, kind="interaction_ended", touchpoint=draw(PLACES), user_id=draw(PEOPLE)
    )


def _survey(draw: st.DrawFn, at: int) -> tuple[str, msgspec.Struct]:
    survey, scale = draw(st.sampled_from([("csat", "good_bad"), ("nps", "0_10"), ("ces", "1_7"), ("product", "1_5")]))
    return "cs.surveys", SurveyEvent(
        event_id="",
        customer_id="",
        occurred_at=at,
        kind=draw(st.sampled_from(["sent", "answered", "expired"])),
        survey=survey,  # type: ignore[arg-type]  # one of the pairs above
        scale=scale,  # type: ignore[arg-type]  # one of the pairs above
        score=1,
        touchpoint=draw(PLACES),
        respondent_id=draw(PEOPLE),
        locale=draw(st.sampled_from([None, "en", "vi"])),
    )


@st.composite
def planned_logs(draw: st.DrawFn) -> list[Record]:
    records = delayed(draw(occasions()), draw(DELAYS))
    for _ in range(draw(st.integers(0, 5))):
        place = draw(st.integers(0, len(records) - 1))
        records.insert(place, tick(records[place]["timestamp_ms"] - draw(st.integers(0, DAY_MS))))
    return numbered([*records, *last_ticks(records, draw(st.sampled_from([0, 4, 40, 400])))])


def driven(log: Iterable[Record], cuts: list[str], definitions_text: str) -> Driven:
    found = Driven(definitions_text)
    for place, record in enumerate(log):
        found.feed(record)
        cut = cuts[place % len(cuts)]
        if cut == "take":
            found.take()
        elif cut == "restart":
            found.restart()
    found.take()
    return found


def requests(found: Driven, customer_id: str) -> list[dict[str, Any]]:
    outputs = [output["value"] for output in found.plain_outputs() if output["topic"] == "cs.survey-requests"]
    return [output for output in outputs if output["customer_id"] == customer_id]


@settings(max_examples=examples(70), deadline=None)
@given(planned_logs() | logs(), CUTS, st.sampled_from(PLANS))
def test_who_is_asked_what_and_when_is_what_the_book_says(log: list[Record], cuts: list[str], definitions_text: str) -> None:
    found = driven(log, cuts, definitions_text)
    judgements = judged(log)
    for customer_id in ("ann", "binh"):
        mine = requests(found, customer_id)
        assert [asked_of(request) for request in mine] == plan(judgements, customer_id, names_of(definitions_text))
        _keeps_its_promises(mine, tomllib.loads(definitions_text)["surveys"])


def _keeps_its_promises(mine: list[dict[str, Any]], plans: dict[str, Any]) -> None:
    assert [request["sequence"] for request in mine] == list(range(1, len(mine) + 1))
    assert max(Counter((request["request_id"], request["state"]) for request in mine).values(), default=1) == 1
    due = [request for request in mine if request["state"] == "due"]
    for survey in ("csat", "ces", "nps", "product"):
        least_ms = plans[survey]["throttle_days"] * DAY_MS
        asked: dict[Any, list[int]] = {}
        for request in due:
            if request["survey"] == survey:
                whom = (request["respondent_id"], request["touchpoint"])
                asked.setdefault(whom, []).append(max(request["due_at"], request["as_of"]))
        assert all(later - earlier >= least_ms for times in asked.values() for earlier, later in pairwise(times))
    for request in mine:
        assert request["state"] == "expired" or request["as_of"] < request["expires_at"]
        section = plans[request["survey"]]
        assert request["scale"] == section.get("scale", {"csat": "good_bad", "ces": "1_7"}.get(request["survey"]))
        if "wording" in section:
            words = section["wording"][request["locale"]]
            assert (request["question"], request["answers"]) == (words["question"], words["answers"])


@settings(max_examples=examples(20), deadline=None)
@given(planned_logs(), CUTS, st.sampled_from(PLANS))
def test_where_the_batches_were_cut_changes_no_request(log: list[Record], cuts: list[str], definitions_text: str) -> None:
    assert driven(log, cuts, definitions_text).outputs == driven(log, ["go on"], definitions_text).outputs
