import pytest

from processors import responses
from processors.responses import FOLLOWED_DAYS, MAX_EARLY, MAX_REQUESTS, Responses, ResponseState
from processors.seen import GRACE_MS
from processors.totals import Totals
from processors.windows import D90, DAY_MS
from schemas.events import SurveyEvent
from tests.support.asked import answered, sent
from tests.support.happenings import NAMES, NOON
from tests.support.judging import Judged

TODAY = NOON - DAY_MS // 2


def folded(*events: SurveyEvent, clock: int = NOON) -> tuple[ResponseState, Totals]:
    state, totals = ResponseState(), Totals()
    for event in events:
        responses.fold(state, event, max(clock, event.occurred_at), NAMES, totals)
    return state, totals


def all_of(state: ResponseState, as_of_ms: int = NOON) -> Responses:
    return responses.added(responses.responses(state, part, D90, as_of_ms) for part in state.parts)


def test_of_the_requests_sent_the_share_answered_counts_by_survey_and_touchpoint() -> None:
    state, totals = folded(
        sent("csat", touchpoint="support", request_id="a"),
        sent("csat", touchpoint="support", request_id="b"),
        sent("nps", request_id="c"),
        answered("csat", 1, touchpoint="support", request_id="a"),
    )
    assert responses.responses(state, "csat/support", D90, NOON) == Responses(1, 2)
    assert responses.responses(state, "nps", D90, NOON) == Responses(0, 1)
    assert totals.flows["requests_by_day", "csat/support", TODAY] == [2, 1]
    assert totals.flows["requests_by_day", "nps", TODAY] == [1, 0]


def test_an_answer_may_come_before_its_request() -> None:
    asked, said = sent("nps", NOON - 5000, request_id="a"), answered("nps", 9, NOON, request_id="a")
    assert folded(asked, said)[0] == folded(said, asked)[0]
    assert all_of(folded(said, asked)[0]) == Responses(1, 1)


def test_the_answer_counts_on_the_day_of_the_sending() -> None:
    state, totals = folded(sent("nps", NOON, request_id="a"), answered("nps", 9, NOON + 5 * DAY_MS, request_id="a"))
    assert totals.flows["requests_by_day", "nps", TODAY] == [1, 1]
    assert all_of(state, NOON + 90 * DAY_MS) == Responses(0, 0)


def test_a_second_answer_and_a_reminder_count_nothing_more() -> None:
    state, _ = folded(
        sent("nps", NOON, request_id="a"),
        answered("nps", 9, NOON + DAY_MS, request_id="a"),
        sent("nps", NOON + 2 * DAY_MS, request_id="a"),
        answered("nps", 3, NOON + 3 * DAY_MS, request_id="a"),
    )
    assert all_of(state) == Responses(1, 1)


@pytest.mark.parametrize("is_answered", [True, False])
def test_of_several_requests_with_one_id_the_earliest_counts_whatever_the_order(is_answered: bool) -> None:
    first, reminder = sent("nps", NOON - 3 * DAY_MS, request_id="a"), sent("nps", NOON, request_id="a")
    said = [answered("nps", 9, NOON, request_id="a")] if is_answered else []
    states = [folded(first, reminder, *said), folded(reminder, *said, first), folded(*said, reminder, first)]
    for state, totals in states:
        assert responses.responses(state, "nps", D90, NOON - 3 * DAY_MS) == Responses(int(is_answered), 1)
        assert all_of(state) == Responses(int(is_answered), 1)
        assert totals.flows["requests_by_day", "nps", TODAY - 3 * DAY_MS] == [1, int(is_answered)]


def test_an_answer_after_14_days_comes_too_late() -> None:
    last = NOON + FOLLOWED_DAYS * DAY_MS
    for at, expected in ((last, 1), (last + 1000, 0)):
        state, _ = folded(sent("nps", NOON, request_id="a"), answered("nps", 9, at, request_id="a"))
        assert all_of(state) == Responses(expected, 1)


def test_an_answer_in_time_that_is_held_up_for_48_hours_still_answers_its_request() -> None:
    state, totals = folded(sent("nps", NOON, request_id="a"))
    said = answered("nps", 9, NOON + FOLLOWED_DAYS * DAY_MS, request_id="a")
    responses.fold(state, said, said.occurred_at + GRACE_MS, NAMES, totals)
    assert all_of(state) == Responses(1, 1)


@pytest.mark.parametrize(
    ("at", "clock"),
    [(NOON + 20 * DAY_MS, NOON + 20 * DAY_MS), (NOON + DAY_MS, NOON + 20 * DAY_MS)],
    ids=["after the request had expired", "in time, repaired after its request was followed no longer"],
)
def test_an_answer_that_answers_no_request_is_counted_like_any_other(at: int, clock: int) -> None:
    customer = Judged()
    customer.happens(sent("nps", NOON, request_id="a"))
    customer.happens(answered("nps", 9, at, request_id="a", respondent_id="bo"), clock=clock)
    assert all_of(customer.state.responses, clock) == Responses(0, 1)
    totals = customer.context.effects.totals.flows
    day = at - at % DAY_MS
    assert (totals["answers_by_day", "nps", day], totals["nps_by_day", "0_10", day]) == ([1, 0, 0], [1, 0, 0])


def test_a_request_is_followed_for_14_days_and_the_grace() -> None:
    state, totals = folded(sent("nps", NOON, request_id="a"))
    responses.prune(state, NOON + FOLLOWED_DAYS * DAY_MS + GRACE_MS)
    assert state.parts["nps"].followed
    responses.prune(state, NOON + FOLLOWED_DAYS * DAY_MS + GRACE_MS + 1000)
    assert not state.parts["nps"].followed
    assert all_of(state) == Responses(0, 1)
    assert (state.forgotten, totals.flows.get(("oddities_by_day", "forgotten_request", TODAY))) == (0, None)


def test_a_hundred_respondents_asked_at_once_are_all_followed_and_strangers_answers_push_none_of_them_out() -> None:
    state, _ = folded(
        *(sent("nps", NOON + number, request_id=f"r{number}") for number in range(100)),
        *(answered("csat", 1, NOON + 1000 + number, request_id=f"theirs{number}") for number in range(MAX_EARLY + 1)),
        *(answered("nps", 9, NOON + 5000 + number, request_id=f"r{number}") for number in range(60)),
    )
    assert all_of(state) == Responses(60, 100)
    assert len(state.early) == MAX_EARLY


def test_beyond_the_bound_the_oldest_request_is_forgotten_and_counted() -> None:
    state, totals = folded(
        *(sent("nps", NOON + number * 1000, request_id=f"r{number}") for number in range(MAX_REQUESTS + 1)),
        answered("nps", 9, NOON + 1_000_000, request_id="r0"),
        answered("nps", 9, NOON + 1_000_000, request_id="r1"),
    )
    assert all_of(state) == Responses(1, MAX_REQUESTS + 1)
    assert state.forgotten == 1
    assert totals.flows["oddities_by_day", "forgotten_request", TODAY] == [1]


def test_a_request_without_an_id_cannot_be_followed_and_is_left_out() -> None:
    state, totals = folded(sent("nps"), answered("nps", 9))
    assert all_of(state) == Responses(0, 0)
    assert state.without_id == 1
    assert totals.flows["oddities_by_day", "request_without_id", TODAY] == [1]


def test_a_touchpoint_that_nobody_configured_counts_under_other() -> None:
    state, _ = folded(sent("csat", touchpoint="nowhere", request_id="a"))
    assert list(state.parts) == ["csat/other"]


def test_what_expired_is_no_answer() -> None:
    gone = SurveyEvent(event_id="x", customer_id="c", occurred_at=NOON, kind="expired", survey="nps", request_id="a")
    assert all_of(folded(sent("nps", request_id="a"), gone)[0]) == Responses(0, 1)


def test_rare_touchpoints_go_into_other_and_are_answered_there() -> None:
    state, totals = folded(
        sent("csat", touchpoint="trial", request_id="a"),
        sent("csat", touchpoint="support", request_id="b"),
        sent("csat", touchpoint="support", request_id="c"),
    )
    responses.fold_touchpoints(state, 1, NOON, totals)
    responses.fold(state, answered("csat", 1, request_id="a"), NOON, NAMES, totals)
    assert responses.responses(state, "csat/other", D90, NOON) == Responses(1, 1)
    assert responses.responses(state, "csat/support", D90, NOON) == Responses(0, 2)
    assert state.folded_parts == 1


def test_what_nobody_sees_any_more_is_dropped() -> None:
    state, _ = folded(sent("nps", request_id="a"), answered("csat", 1, request_id="b"))
    responses.prune(state, NOON + 90 * DAY_MS)
    assert state == ResponseState()
