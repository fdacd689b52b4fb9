"""What is said beside CSAT and NPS, and who answers at all, against the batch answer, in any order."""

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from processors import feedback, feedback_figures, responses
from processors.state import CustomerState
from processors.totals import Totals
from processors.windows import DAY_MS, HOUR_MS
from schemas.events import SurveyEvent
from tests.support.asked import answered, sent
from tests.support.happenings import NAMES, NOON
from tests.support.judging import default_definitions
from tests.support.log_checker import wrong_figures
from tests.support.oracle.events import Names
from tests.support.oracle.surveys import survey_flows, surveys
from tests.support.strategies import SCORES, TOUCHPOINTS, times

ORACLE_NAMES = Names(NAMES.touchpoints, NAMES.goals)
SCALES = [
    *[("csat", "good_bad"), ("nps", "0_10"), ("ces", "1_7")],
    *[("product", "good_bad"), ("product", "1_5"), ("product", "1_7"), ("product", "0_10")],
]


@st.composite
def said(draw: st.DrawFn) -> SurveyEvent:
    """A request and its answer lie within five days of each other, so that none comes too late."""
    survey, scale = draw(st.sampled_from(SCALES))
    at = draw(times(100))
    return SurveyEvent(
        event_id="",
        customer_id="c",
        occurred_at=at,
        kind=draw(st.sampled_from(["sent", "sent", "answered", "answered", "expired"])),
        survey=survey,  # type: ignore[arg-type]  # one of the table above
        scale=scale,  # type: ignore[arg-type]  # one of the table above
        score=draw(st.integers(*SCORES[scale])),
        touchpoint=draw(TOUCHPOINTS),
        request_id=draw(st.sampled_from([None, *(f"{name}-{at // (5 * DAY_MS)}" for name in ("Q1", "Q2"))])),
        comment=draw(st.sampled_from([None, "  ", "well", "much too slow, and that again and again"])),
    )


EVENTS = st.lists(said(), max_size=40)


def folded(events: list[SurveyEvent]) -> tuple[CustomerState, Totals]:
    """Followed from before the first event on, as if all had come at once."""
    state, totals = CustomerState("c"), Totals()
    for event in events:
        feedback.fold(state.feedback, event, 0, NAMES, totals)
        responses.fold(state.responses, event, 0, NAMES, totals)
    return state, totals


def plain(events: list[SurveyEvent]) -> list[dict[str, Any]]:
    return [msgspec.to_builtins(event) for event in events]


@given(EVENTS, st.integers(0, 100))
def test_the_figures_are_the_batch_answer(events: list[SurveyEvent], days_ago: int) -> None:
    as_of = NOON - days_ago * DAY_MS
    state, _ = folded(events)
    found = [msgspec.to_builtins(figure) for figure in feedback_figures.listed(state, as_of, default_definitions())]
    expected = surveys(plain(events), as_of, ORACLE_NAMES)
    assert list(wrong_figures(found, expected)) == []
    for name, reader in feedback_figures.READERS.items():
        value, right = reader(state, as_of, default_definitions()).value, expected[name, "", 90].value
        assert (value is None) == (right is None)
        assert abs((value or 0) - (right or 0)) < 1e-9


@given(EVENTS)
def test_what_the_fleet_counts_is_the_batch_answer(events: list[SurveyEvent]) -> None:
    _, totals = folded(events)
    expected: dict[Any, list[int]] = {}
    for figure, dimension, at, counts in survey_flows(plain(events), ORACLE_NAMES):
        known = expected.get((figure, dimension, at - at % DAY_MS), [0] * len(counts))
        expected[figure, dimension, at - at % DAY_MS] = [one + other for one, other in zip(known, counts, strict=True)]
    counted = {key: counts for key, counts in totals.items() if any(counts) and key[0] != "oddities_by_day"}
    assert counted == expected


@given(st.lists(st.tuples(st.integers(0, 60 * 24), st.integers(0, 48), st.integers(0, 1)), max_size=12))
def test_who_answers_in_time_is_the_batch_answer_whatever_is_held_up_within_the_grace(said: list[tuple[int, int, int]]) -> None:
    """Answers up to weeks after their request, each up to 48 hours late; of each request there is but one sending."""
    state, totals = CustomerState("c"), Totals()
    sendings = [sent("nps", NOON + place * DAY_MS, request_id=f"Q{place}") for place in (0, 1)]
    answers = [answered("nps", 9, NOON + place * DAY_MS + hours * HOUR_MS, request_id=f"Q{place}") for hours, _, place in said]
    lags = [0, 0, *(lag for _, lag, _ in said)]
    events = [*sendings, *answers]
    clocked = sorted(
        zip((event.occurred_at + lag * HOUR_MS for event, lag in zip(events, lags, strict=True)), events, strict=True),
        key=lambda one: one[0],
    )
    for clock, event in clocked:
        responses.fold(state.responses, event, clock, NAMES, totals)
    as_of = NOON + 62 * DAY_MS
    found = [figure for figure in feedback_figures.listed(state, as_of, default_definitions()) if "response" in figure.name]
    expected = surveys(plain(events), as_of, ORACLE_NAMES)
    assert {figure.dimension: (figure.value, figure.n) for figure in found} == {
        key[1]: (right.value, right.n) for key, right in expected.items() if key[0] == "response_rate_90d_pct"
    }


@given(EVENTS.flatmap(lambda events: st.tuples(st.just(events), st.permutations(events))), st.integers(0, 95))
def test_order_pruning_and_storing_change_no_figure(orders: tuple[list[SurveyEvent], list[SurveyEvent]], days_on: int) -> None:
    state, totals = folded(orders[0])
    other, other_totals = folded(orders[1])
    as_of = NOON + days_on * DAY_MS
    assert {key: counts for key, counts in totals.items() if any(counts)} == {
        key: counts for key, counts in other_totals.items() if any(counts)
    }
    feedback.prune(other.feedback, as_of)
    responses.prune(other.responses, as_of)
    other = msgspec.msgpack.decode(msgspec.msgpack.encode(other), type=CustomerState)
    listed = [
        {(figure.name, figure.dimension): figure for figure in feedback_figures.listed(one, as_of, default_definitions())}
        for one in (state, other)
    ]
    assert listed[1] == {key: figure for key, figure in listed[0].items() if figure.n or not key[1] or key in listed[1]}
