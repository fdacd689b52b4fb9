"""Who is asked what and when, by the default plan unless a test says otherwise: after an occasion, and what is remembered."""

import msgspec
import pytest

from processors import survey_throttle
from processors.accounts import MAX_CONTACTS
from processors.state import CustomerState
from processors.survey_requests import request_id
from processors.survey_throttle import MAX_ASKED, Throttle
from processors.windows import DAY_MS, HOUR_MS
from schemas.events import TicketEvent, UsageEvent
from tests.support.asked import answered, sent
from tests.support.happenings import NOON, account
from tests.support.judging import Judged
from tests.support.planning import MINUTE, ended, onboarded, opened, requests, solved, states, with_surveys

# ---- CSAT ----


def test_a_solved_ticket_is_followed_by_a_question_due_within_5_minutes_and_worthless_after_24_hours() -> None:
    customer = Judged()
    customer.happens(solved())
    (request,) = requests(customer)
    assert (request.survey, request.state, request.scale, request.reason) == ("csat", "due", "good_bad", None)
    assert (request.due_at, request.expires_at) == (NOON + 5 * MINUTE, NOON + 24 * HOUR_MS)
    assert (request.respondent_id, request.touchpoint, request.ticket_id) == ("r1", "support", "T1")
    assert (request.as_of, request.sequence, request.caused_by) == (NOON, 1, [f"solved-T1-{NOON}"])
    assert request.answers == ["Good, I'm satisfied", "Bad, I am not satisfied"]


def test_an_interaction_is_followed_by_a_question_to_its_user() -> None:
    customer = Judged()
    customer.happens(ended(touchpoint="sales", user="r7", interaction="demo-3"))
    (request,) = requests(customer)
    assert (request.respondent_id, request.touchpoint, request.interaction_id) == ("r7", "sales", "demo-3")
    assert request.state == "due"


@pytest.mark.parametrize("touchpoint", [None, "nowhere", "other"])
def test_an_interaction_at_no_configured_touchpoint_is_not_followed(touchpoint: str | None) -> None:
    customer = Judged()
    customer.happens(ended(touchpoint=touchpoint))
    assert requests(customer) == []


def test_the_plan_says_which_interactions_and_whether_tickets_are_followed() -> None:
    customer = Judged(
        with_surveys(
            ("throttle_days = 7\nafter_tickets = true\n\n# Of", 'touchpoints = ["sales"]\nafter_tickets = false\n\n# Of')
        )
    )
    customer.happens(ended(touchpoint="trial"), solved(), ended(touchpoint="sales"))
    assert [request.touchpoint for request in requests(customer)] == ["sales"]


def test_a_ticket_s_touchpoint_is_what_was_last_said_of_it() -> None:
    customer = Judged()
    customer.happens(opened(NOON - HOUR_MS, priority="low"), solved(touchpoint=None))
    assert [request.touchpoint for request in requests(customer)] == ["support"]


def test_a_ticket_of_nobody_at_no_touchpoint_is_followed_by_a_question_to_nobody() -> None:
    customer = Judged()
    customer.happens(solved(requester=None, touchpoint=None))
    assert [(request.respondent_id, request.touchpoint) for request in requests(customer)] == [(None, None)]


def test_csat_is_asked_once_per_respondent_and_touchpoint_in_7_days() -> None:
    customer = Judged()
    customer.happens(ended(NOON, "trial"), ended(NOON + HOUR_MS, "trial"))
    assert states(customer) == ["due", "throttled"]
    assert requests(customer)[1].reason == "asked at this touchpoint less than 7 days before"
    customer.happens(ended(NOON + 2 * HOUR_MS, "sales"), ended(NOON + 3 * HOUR_MS, "trial", user="r2"))
    assert states(customer)[2:] == ["due", "due"]
    customer.happens(ended(NOON + 7 * DAY_MS - 1, "trial"), ended(NOON + 7 * DAY_MS, "trial"))
    assert states(customer)[4:] == ["throttled", "due"]


def test_a_blocked_question_blocks_nothing_itself() -> None:
    customer = Judged()
    customer.happens(ended(NOON), ended(NOON + 6 * DAY_MS), ended(NOON + 8 * DAY_MS))
    assert states(customer) == ["due", "throttled", "due"]


@pytest.mark.parametrize(("late_ms", "state"), [(24 * HOUR_MS - 1, "due"), (24 * HOUR_MS, "expired")])
def test_a_question_found_too_late_is_expired(late_ms: int, state: str) -> None:
    customer = Judged()
    customer.happens(solved(), clock=NOON + late_ms)
    assert states(customer) == [state]
    assert requests(customer)[0].expires_at == NOON + 24 * HOUR_MS


def test_an_expired_question_blocks_nothing() -> None:
    customer = Judged()
    customer.happens(solved(NOON - 40 * HOUR_MS), clock=NOON)
    customer.happens(solved(NOON, "T2"))
    assert states(customer) == ["expired", "due"]


@pytest.mark.parametrize(
    "other",
    [
        sent("csat", NOON, respondent_id="r1", touchpoint="trial"),
        answered("csat", 1, NOON, respondent_id="r1", touchpoint="trial"),
    ],
)
def test_questions_that_others_sent_and_their_answers_count_for_the_throttle(other: object) -> None:
    customer = Judged()
    customer.happens(other, ended(NOON + DAY_MS, "trial"), ended(NOON + DAY_MS, "sales"), ended(NOON + 8 * DAY_MS, "trial"))  # type: ignore[arg-type]  # a survey event
    assert states(customer) == ["throttled", "due", "due"]


def test_the_answer_to_a_question_that_was_sent_begins_no_throttle_of_its_own() -> None:
    customer = Judged()
    customer.happens(sent("csat", NOON, respondent_id="r1", touchpoint="trial"))
    customer.happens(answered("csat", 1, NOON + 20 * HOUR_MS, respondent_id="r1", touchpoint="trial"))
    customer.happens(ended(NOON + 7 * DAY_MS, "trial"))
    assert states(customer) == ["due"]


def test_a_customer_who_is_gone_is_not_asked_and_one_who_came_back_is() -> None:
    customer = Judged()
    customer.happens(account("cancelled", NOON), solved(NOON + 1), account("reactivated", NOON + 2), solved(NOON + 3, "T2"))
    assert [request.ticket_id for request in requests(customer)] == ["T2"]
    flows = customer.context.effects.totals.flows
    assert flows["survey_requests_by_day", "csat/not_asked", NOON - DAY_MS // 2] == [1]
    assert flows["survey_requests_by_day", "csat/due", NOON - DAY_MS // 2] == [1]


# ---- consent and language ----


def test_who_opted_out_is_never_asked() -> None:
    customer = onboarded("r1", "r2", consent=False)
    customer.happens(solved(NOON + 1), ended(NOON + 2))
    customer.passes(NOON + 400 * DAY_MS)
    assert requests(customer) == []


@pytest.mark.parametrize("occasion", [ended(NOON + 1, user=None), solved(NOON + 1, requester=None)])
def test_nobody_in_particular_is_not_asked_while_a_contact_has_opted_out(occasion: UsageEvent | TicketEvent) -> None:
    customer = Judged()
    customer.happens(account("contact", NOON, respondent_id="r1", consent=False), occasion)
    assert requests(customer) == []
    assert customer.context.effects.totals.flows["survey_requests_by_day", "csat/not_asked", NOON - DAY_MS // 2] == [1]
    customer.happens(account("contact", NOON + 2, respondent_id="r1", consent=True), ended(NOON + 3, user=None))
    assert [(request.respondent_id, request.state) for request in requests(customer)] == [(None, "due")]


def test_nobody_in_particular_who_waits_for_a_question_is_not_asked_once_a_contact_has_opted_out() -> None:
    customer = onboarded()
    customer.happens(opened(NOON + DAY_MS))
    customer.passes(NOON + 4 * DAY_MS)
    customer.happens(account("contact", NOON + 5 * DAY_MS, respondent_id="r1", consent=False))
    customer.happens(solved(NOON + 6 * DAY_MS, requester=None))
    assert states(customer, "nps") == ["deferred"]


@pytest.mark.parametrize("arrives", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_a_refusal_is_not_lost_by_a_later_word_on_something_else(arrives: tuple[int, ...]) -> None:
    said = [
        account("contact", NOON, respondent_id="r1", consent=True, locale="en"),
        account("contact", NOON + 1, respondent_id="r1", consent=False),
        account("contact", NOON + 2, respondent_id="r1", locale="vi"),
    ]
    customer = Judged()
    customer.happens(*(said[place] for place in arrives), solved(NOON + 3), clock=NOON + 3)
    assert requests(customer) == []
    assert customer.state.account.contacts["r1"].locale == "vi"
    customer.happens(account("contact", NOON + 4, respondent_id="r1", consent=True), solved(NOON + 5, "T2"))
    assert [request.locale for request in requests(customer)] == ["vi"]


def test_of_too_many_contacts_those_who_opted_out_are_remembered_longest() -> None:
    customer = Judged()
    customer.happens(account("contact", NOON, respondent_id="first", consent=False))
    for number in range(MAX_CONTACTS):
        customer.happens(account("contact", NOON + 1 + number, respondent_id=f"p{number}"))
    assert set(customer.state.account.contacts) == {"first", *(f"p{number}" for number in range(1, MAX_CONTACTS))}


def test_where_consent_is_needed_only_who_has_consented_is_asked() -> None:
    definitions = with_surveys(("needs_consent = false", "needs_consent = true"))
    customer = Judged(definitions)
    customer.happens(account("contact", NOON, respondent_id="r1", consent=True), account("contact", NOON, respondent_id="r2"))
    customer.happens(
        solved(NOON + 1, "T1", "r1"), solved(NOON + 2, "T2", "r2"), solved(NOON + 3, "T3", "r3"), solved(NOON + 4, "T4", None)
    )
    assert [request.ticket_id for request in requests(customer)] == ["T1"]
    customer.happens(account("onboarded", NOON + 5))
    customer.passes(NOON + 4 * DAY_MS)
    assert [request.respondent_id for request in requests(customer)[1:]] == ["r1"]


def test_a_stranger_is_not_asked_once_contacts_were_forgotten_for_it_could_be_one_who_opted_out() -> None:
    customer = Judged()
    for number in range(MAX_CONTACTS + 1):
        customer.happens(account("contact", NOON + number, respondent_id=f"p{number}", consent=False))
    customer.happens(solved(NOON + DAY_MS, "T1", "p0"), solved(NOON + DAY_MS, "T2", "stranger"))
    assert requests(customer) == []


def test_the_question_is_in_the_contact_s_language_else_that_of_the_surveys_seen_else_the_default() -> None:
    customer = Judged()
    customer.happens(solved(NOON, "T1", "r1"))
    customer.happens(sent("nps", NOON + 1, respondent_id="r9", locale="vi"), solved(NOON + 2, "T2", "r2"))
    customer.happens(account("contact", NOON + 3, respondent_id="r3", locale="en"), solved(NOON + 4, "T3", "r3"))
    customer.happens(account("contact", NOON + 5, respondent_id="r4", locale="vi-VN"), solved(NOON + 6, "T4", "r4"))
    customer.happens(account("contact", NOON + 7, respondent_id="r5", locale="fr"), solved(NOON + 8, "T5", "r5"))
    assert [request.locale for request in requests(customer)] == ["en", "vi", "en", "vi", "en"]
    assert requests(customer)[3].answers == ["Tốt, tôi hài lòng", "Tệ, tôi không hài lòng"]


def test_of_the_surveys_seen_the_newest_says_the_language_whatever_the_order() -> None:
    customer = Judged()
    customer.happens(sent("nps", NOON, locale="vi"), clock=NOON)
    customer.happens(sent("nps", NOON - HOUR_MS, locale="en"), clock=NOON)
    customer.happens(solved(NOON + 2))
    assert requests(customer)[0].locale == "vi"


# ---- identity and memory ----


def test_a_request_s_id_names_the_question_and_nothing_of_who_computes_it() -> None:
    first, again = Judged(), Judged()
    again.context.incarnation = "rebuilt"
    for customer in (first, again):
        customer.happens(solved())
    assert requests(first)[0].request_id == requests(again)[0].request_id
    assert requests(first)[0].record_id != requests(again)[0].record_id
    assert request_id("c", "csat", "r1", "a") != request_id("c", "csat", "r2", "a")


def test_a_ticket_solved_again_is_another_question() -> None:
    customer = Judged()
    customer.happens(solved(NOON), solved(NOON + 8 * DAY_MS))
    assert states(customer) == ["due", "due"]
    assert len({request.request_id for request in requests(customer)}) == 2


def test_when_a_question_came_round_does_not_depend_on_how_time_passes() -> None:
    step_by_step, at_once = onboarded("r1", "r2"), onboarded("r1", "r2")
    for hour in range(0, 24 * 200, 7):
        step_by_step.passes(NOON + hour * HOUR_MS)
    step_by_step.passes(NOON + 200 * DAY_MS)
    at_once.passes(NOON + 200 * DAY_MS)
    times = [[(request.as_of, request.respondent_id) for request in requests(customer)] for customer in (step_by_step, at_once)]
    assert times[0] == times[1]


def test_a_state_that_was_stored_goes_on_as_if_it_had_not() -> None:
    customer = onboarded("r1")
    customer.happens(opened(NOON + DAY_MS), sent("csat", NOON + DAY_MS, respondent_id="r1", locale="vi"))
    customer.passes(NOON + 4 * DAY_MS)
    stored = msgspec.msgpack.decode(msgspec.msgpack.encode(customer.state), type=CustomerState)
    assert stored.plan == customer.state.plan


def test_a_question_blocks_from_the_full_second_after_it() -> None:
    throttle = Throttle()
    throttle.note("csat", "r1", "trial", 1_001)
    assert throttle.free_at("csat", "r1", "trial", 1000) == 3_000
    assert throttle.free_at("csat", "r1", "sales", 1000) == 0
    assert throttle.asked_at("nps", "r1", None) is None


def test_what_blocks_nothing_any_more_is_forgotten() -> None:
    throttle = Throttle()
    throttle.note("csat", "r1", "trial", NOON)
    throttle.note("nps", "r1", None, NOON)
    throttle.note("ces", "r1", None, NOON)
    throttle.forget(NOON + 7 * DAY_MS, {"csat": 7 * DAY_MS, "nps": 179 * DAY_MS})
    assert throttle.asked_at("csat", "r1", "trial") is None
    assert throttle.asked_at("ces", "r1", None) is None
    assert throttle.asked_at("nps", "r1", None) == NOON


def test_beyond_the_bound_everybody_counts_as_asked_when_the_forgotten_one_was_but_in_that_survey_only() -> None:
    customer = Judged()
    for number in range(MAX_ASKED + 1):
        customer.happens(solved(NOON + number * 1000, f"T{number}", f"p{number}"))
    assert customer.state.plan.throttle.forgotten == 1
    assert len(customer.state.plan.throttle.asked) == MAX_ASKED
    customer.happens(solved(NOON + DAY_MS, "again", "p0"))
    assert states(customer)[-1] == "throttled"
    assert customer.state.plan.throttle.asked_at("nps", "p0", None) is None
    customer.happens(solved(NOON + 9 * DAY_MS, "later", "p0"))
    assert states(customer)[-1] == "due"
    assert survey_throttle.MAX_ASKED * 10 < 4096


def test_what_is_remembered_of_a_typical_customer_is_small() -> None:
    customer = onboarded("r1", "r2")
    customer.passes(NOON + 3 * DAY_MS)
    customer.happens(solved(NOON + 5 * DAY_MS))
    assert len(msgspec.msgpack.encode(customer.state.plan)) <= 64
