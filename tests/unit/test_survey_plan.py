"""Who is asked what and when, by the default plan unless a test says otherwise."""

from typing import Final

import msgspec
import pytest

from processors import survey_throttle
from processors.accounts import MAX_CONTACTS
from processors.definitions import Definitions, parse
from processors.due import NEVER
from processors.state import CustomerState
from processors.survey_requests import request_id
from processors.survey_throttle import MAX_ASKED, Throttle
from processors.windows import DAY_MS, HOUR_MS
from schemas.events import AccountKind, TicketEvent, UsageEvent
from schemas.records import SurveyRequest
from tests.support.asked import answered, sent
from tests.support.happenings import NOON, account
from tests.support.judging import Judged, default_text

MINUTE: Final = 60_000


def solved(
    at: int = NOON, ticket_id: str = "T1", requester: str | None = "r1", touchpoint: str | None = "support"
) -> TicketEvent:
    return TicketEvent(
        event_id=f"solved-{ticket_id}-{at}",
        customer_id="c",
        occurred_at=at,
        kind="solved",
        ticket_id=ticket_id,
        touchpoint=touchpoint,
        requester_id=requester,
    )


def opened(at: int, ticket_id: str = "T1", priority: str = "urgent") -> TicketEvent:
    return TicketEvent(
        event_id=f"opened-{ticket_id}-{at}",
        customer_id="c",
        occurred_at=at,
        kind="opened",
        ticket_id=ticket_id,
        priority=priority,  # type: ignore[arg-type]  # one of the priorities
        touchpoint="support",
    )


def ended(
    at: int = NOON, touchpoint: str | None = "trial", user: str | None = "r1", interaction: str | None = "I1"
) -> UsageEvent:
    return UsageEvent(
        event_id=f"ended-{touchpoint}-{user}-{at}",
        customer_id="c",
        occurred_at=at,
        kind="interaction_ended",
        touchpoint=touchpoint,
        interaction_id=interaction,
        user_id=user,
    )


def requests(customer: Judged) -> list[SurveyRequest]:
    return [record for record in customer.context.effects.outputs if isinstance(record, SurveyRequest)]


def states(customer: Judged, survey: str = "csat") -> list[str]:
    return [request.state for request in requests(customer) if request.survey == survey]


def with_surveys(*changes: tuple[str, str]) -> Definitions:
    text = default_text()
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return parse(text)


def onboarded(*contacts: str, at: int = NOON, definitions: Definitions | None = None, consent: bool | None = None) -> Judged:
    customer = Judged(definitions)
    for contact in contacts:
        customer.happens(account("contact", at - DAY_MS, respondent_id=contact, consent=consent))
    customer.happens(account("onboarded", at))
    return customer


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


# ---- NPS ----


def test_nps_is_asked_3_days_after_onboarding_and_then_every_180_days() -> None:
    customer = onboarded("r1", "r2")
    customer.passes(NOON + 364 * DAY_MS)
    found = requests(customer)
    assert [(request.respondent_id, request.state) for request in found] == [("r1", "due"), ("r2", "due")] * 3
    assert sorted({(request.due_at - NOON) // DAY_MS for request in found}) == [3, 183, 363]
    assert all(request.due_at == request.as_of for request in found)
    assert all(request.expires_at == request.due_at + 14 * DAY_MS for request in found)
    assert len({request.request_id for request in found}) == 6
    assert found[0].question == "How likely are you to recommend us to a friend or colleague?"


def test_where_no_contact_is_known_one_question_goes_to_whoever_it_may_be() -> None:
    customer = onboarded()
    customer.passes(NOON + 3 * DAY_MS)
    assert [(request.respondent_id, request.state) for request in requests(customer)] == [(None, "due")]


def test_a_customer_older_than_the_log_is_asked_from_the_first_time_it_is_known() -> None:
    customer = Judged()
    customer.happens(account("known", NOON), account("known", NOON + DAY_MS), account("contact", NOON, respondent_id="r1"))
    customer.passes(NOON + 184 * DAY_MS)
    assert [(request.state, (request.due_at - NOON) // DAY_MS) for request in requests(customer)] == [("due", 3), ("due", 183)]


def test_a_customer_older_than_the_log_who_was_asked_lately_is_not_asked_again_so_soon() -> None:
    customer = Judged()
    customer.happens(answered("nps", 9, NOON - 20 * DAY_MS, respondent_id="r1"), account("known", NOON))
    customer.happens(account("contact", NOON, respondent_id="r1"))
    customer.passes(NOON + 184 * DAY_MS)
    assert [(request.state, (request.as_of - NOON) // DAY_MS) for request in requests(customer)] == [
        ("throttled", 3),
        ("due", 183),
    ]


@pytest.mark.parametrize("kind", ["lead", "trial_started", "contracted", "handed_over", "cancelled"])
def test_to_be_known_begins_nothing_for_one_whose_stage_an_event_has_said(kind: AccountKind) -> None:
    customer = Judged()
    customer.happens(account(kind, NOON - DAY_MS), account("known", NOON))
    customer.passes(NOON + 400 * DAY_MS)
    assert requests(customer) == []


@pytest.mark.parametrize("kind", ["lead", "trial_started"])
def test_one_who_is_known_and_proves_to_be_no_customer_yet_is_not_asked(kind: AccountKind) -> None:
    customer = Judged()
    customer.happens(account("known", NOON), account(kind, NOON + DAY_MS))
    customer.passes(NOON + 400 * DAY_MS)
    assert requests(customer) == []
    assert customer.state.next_due > NOON + 400 * DAY_MS


@pytest.mark.parametrize("onboarded_days", [-1, 1])
def test_of_one_who_is_known_the_onboarding_counts_as_soon_as_it_is_heard_of(onboarded_days: int) -> None:
    customer = Judged()
    customer.happens(account("known", NOON))
    customer.happens(account("onboarded", NOON + onboarded_days * DAY_MS), clock=NOON + DAY_MS)
    customer.passes(NOON + 5 * DAY_MS)
    assert [(request.state, (request.due_at - NOON) // DAY_MS) for request in requests(customer)] == [("due", 3 + onboarded_days)]
    customer.happens(account("known", NOON + 6 * DAY_MS))
    customer.passes(NOON + 179 * DAY_MS)
    assert len(requests(customer)) == 1


def test_csat_never_blocks_nps_nor_the_other_way_round() -> None:
    customer = onboarded("r1")
    customer.happens(solved(NOON + 3 * DAY_MS - 1))
    customer.passes(NOON + 3 * DAY_MS)
    customer.happens(ended(NOON + 3 * DAY_MS + 1, "trial"))
    assert [(request.survey, request.state) for request in requests(customer)] == [
        ("csat", "due"),
        ("nps", "due"),
        ("csat", "due"),
    ]


def test_a_blocked_nps_is_deferred_until_it_is_free() -> None:
    customer = Judged()
    customer.happens(account("contact", NOON, respondent_id="r1"), sent("nps", NOON, respondent_id="r1"))
    customer.happens(account("onboarded", NOON + 160 * DAY_MS))
    customer.passes(NOON + 200 * DAY_MS)
    deferred, due = requests(customer)
    assert (deferred.state, deferred.as_of, deferred.due_at) == ("deferred", NOON + 163 * DAY_MS, NOON + 179 * DAY_MS)
    assert deferred.reason == "asked less than 179 days before"
    assert (due.state, due.as_of, due.due_at) == ("due", NOON + 179 * DAY_MS, NOON + 179 * DAY_MS)
    assert deferred.request_id == due.request_id


@pytest.mark.parametrize(("days_after", "expected"), [(30, ["deferred", "due"]), (31, ["throttled"])])
def test_an_nps_is_deferred_by_at_most_30_days(days_after: int, expected: list[str]) -> None:
    customer = Judged()
    asked_at = NOON + (3 + days_after - 179) * DAY_MS
    customer.happens(account("contact", asked_at, respondent_id="r1"), sent("nps", asked_at, respondent_id="r1"))
    customer.happens(account("onboarded", NOON))
    customer.passes(NOON + 100 * DAY_MS)
    assert states(customer, "nps") == expected


def test_an_nps_waits_while_an_urgent_ticket_is_open() -> None:
    customer = onboarded("r1")
    customer.happens(opened(NOON + DAY_MS))
    customer.happens(solved(NOON + 5 * DAY_MS, requester="r2"))
    deferred, due = (request for request in requests(customer) if request.survey == "nps")
    assert (deferred.state, deferred.as_of, deferred.reason) == ("deferred", NOON + 3 * DAY_MS, "an urgent ticket is open")
    assert (due.state, due.due_at, due.expires_at) == ("due", NOON + 5 * DAY_MS, NOON + 19 * DAY_MS)


def test_an_nps_that_stays_inconvenient_is_dropped_after_30_days_and_counted() -> None:
    customer = onboarded("r1")
    customer.happens(opened(NOON + DAY_MS))
    customer.passes(NOON + 90 * DAY_MS)
    assert states(customer, "nps") == ["deferred", "throttled"]
    dropped = requests(customer)[-1]
    assert (dropped.as_of, dropped.reason) == (NOON + 33 * DAY_MS, "an urgent ticket is open")
    flows = customer.context.effects.totals.flows
    assert flows["survey_requests_by_day", "nps/throttled", NOON + 33 * DAY_MS - DAY_MS // 2] == [1]


@pytest.mark.parametrize("priority", ["low", "normal", "high"])
def test_other_tickets_are_no_hindrance(priority: str) -> None:
    customer = onboarded("r1")
    customer.happens(opened(NOON + DAY_MS, priority=priority))
    customer.passes(NOON + 4 * DAY_MS)
    assert states(customer, "nps") == ["due"]


def test_whether_an_urgent_ticket_is_a_hindrance_is_configured() -> None:
    text = default_text().replace("wait_while_urgent_ticket_open = true", "wait_while_urgent_ticket_open = false")
    customer = onboarded("r1", definitions=parse(text))
    customer.happens(opened(NOON + DAY_MS))
    customer.passes(NOON + 4 * DAY_MS)
    assert states(customer, "nps") == ["due"]


def test_who_opts_out_while_a_question_waits_is_not_asked() -> None:
    customer = onboarded("r1")
    customer.happens(opened(NOON + DAY_MS), account("contact", NOON + 4 * DAY_MS, respondent_id="r1", consent=False))
    customer.happens(solved(NOON + 5 * DAY_MS, requester="r2"))
    assert states(customer, "nps") == ["deferred"]


@pytest.mark.parametrize("kind", ["cancelled", "lapsed"])
def test_nothing_is_due_any_more_for_a_customer_who_is_gone(kind: str) -> None:
    customer = onboarded("r1")
    customer.happens(opened(NOON + DAY_MS))
    customer.passes(NOON + 4 * DAY_MS)
    customer.happens(account(kind, NOON + 5 * DAY_MS))  # type: ignore[arg-type]  # one of the two
    customer.passes(NOON + 1000 * DAY_MS)
    assert states(customer, "nps") == ["deferred"]
    assert customer.state.next_due == NEVER


def test_one_who_comes_back_is_asked_when_it_comes_round_again() -> None:
    customer = onboarded("r1")
    customer.happens(account("cancelled", NOON + DAY_MS), account("reactivated", NOON + 10 * DAY_MS))
    customer.passes(NOON + 182 * DAY_MS)
    assert requests(customer) == []
    customer.passes(NOON + 184 * DAY_MS)
    assert [(request.state, request.due_at) for request in requests(customer)] == [("due", NOON + 183 * DAY_MS)]


def test_an_onboarding_that_is_heard_of_late_is_asked_about_at_once_or_has_expired() -> None:
    for late_days, expected in ((3, "due"), (16, "due"), (17, "expired")):
        customer = Judged()
        customer.happens(account("onboarded", NOON), clock=NOON + late_days * DAY_MS)
        assert states(customer, "nps") == [expected]


def test_an_onboarding_said_twice_asks_nobody_twice() -> None:
    customer = onboarded("r1")
    customer.passes(NOON + 3 * DAY_MS)
    customer.happens(account("onboarded", NOON + 4 * DAY_MS))
    customer.passes(NOON + 20 * DAY_MS)
    assert states(customer, "nps") == ["due", "throttled"]


def test_a_customer_who_was_erased_is_not_asked() -> None:
    customer = onboarded("r1")
    customer.happens(account("erased", NOON + DAY_MS))
    customer.passes(NOON + 400 * DAY_MS)
    assert requests(customer) == []


def test_the_product_survey_comes_round_like_the_nps_and_blocks_it_not() -> None:
    definitions = with_surveys(("[surveys.product]\nenabled = false", "[surveys.product]\nenabled = true"))
    customer = onboarded("r1", definitions=definitions)
    customer.passes(NOON + 40 * DAY_MS)
    assert [(request.survey, request.scale, request.state) for request in requests(customer)] == [
        ("nps", "0_10", "due"),
        ("product", "1_5", "due"),
    ]


def test_effort_is_asked_after_tickets_when_it_is_switched_on() -> None:
    definitions = with_surveys(("[surveys.ces]\nenabled = false", "[surveys.ces]\nenabled = true"))
    customer = Judged(definitions)
    customer.happens(solved(), ended(NOON + 1))
    assert [(request.survey, request.scale, request.touchpoint) for request in requests(customer)] == [
        ("csat", "good_bad", "support"),
        ("ces", "1_7", "support"),
        ("csat", "good_bad", "trial"),
    ]


def test_a_plan_that_is_switched_on_later_asks_for_nothing_that_is_long_past() -> None:
    off = with_surveys(("[surveys.nps]\nenabled = true", "[surveys.nps]\nenabled = false"))
    customer = onboarded("r1", definitions=off)
    customer.passes(NOON + 100 * DAY_MS)
    customer.reconfigured(with_surveys(), NOON + 100 * DAY_MS)
    customer.passes(NOON + 190 * DAY_MS)
    assert [(request.state, request.due_at) for request in requests(customer)] == [("due", NOON + 183 * DAY_MS)]


def test_a_plan_that_is_switched_off_asks_nobody_who_waits() -> None:
    customer = onboarded("r1")
    customer.happens(opened(NOON + DAY_MS))
    customer.passes(NOON + 4 * DAY_MS)
    customer.reconfigured(with_surveys(("[surveys.nps]\nenabled = true", "[surveys.nps]\nenabled = false")), NOON + 5 * DAY_MS)
    customer.happens(solved(NOON + 6 * DAY_MS))
    assert states(customer, "nps") == ["deferred"]
    assert customer.state.plan.rounds == {}


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
