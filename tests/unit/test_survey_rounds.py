"""The questions that come round, by the default plan unless a test says otherwise: whom, when, and what holds them up."""

import pytest

from processors.definitions import parse
from processors.due import NEVER
from processors.windows import DAY_MS
from schemas.events import AccountKind
from tests.support.asked import answered, sent
from tests.support.happenings import NOON, account
from tests.support.judging import Judged, default_text
from tests.support.planning import ended, onboarded, opened, requests, solved, states, with_surveys

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
