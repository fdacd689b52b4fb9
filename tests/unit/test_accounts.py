from itertools import permutations
from typing import get_args

import pytest

from processors import accounts
from processors.account_state import AccountState, Cancellation, PreviousMrr, Stage
from processors.accounts import MAX_CONTACTS, MAX_MRR_ENTRIES, MAX_MUTES, MAX_REFERRALS
from processors.names import is_customer
from processors.totals import Totals
from processors.windows import DAY_MS
from schemas.events import AccountEvent, AccountKind
from tests.support.happenings import NAMES, NOON, account


def folded(*events: AccountEvent) -> AccountState:
    state = AccountState()
    for event in events:
        accounts.fold(state, event, NOON, NAMES, Totals())
    return state


def test_any_event_may_set_fields_and_absent_means_unchanged() -> None:
    state = folded(
        account("contracted", NOON - 2, plan="basic", mrr_cents=10_000, currency="EUR", seats=5, owner="Ann"),
        account("payment", NOON - 1, amount_cents=10_000, status="paid", segment="standard"),
        account("plan_changed", NOON, plan="pro", renewal_at=NOON + DAY_MS),
    )
    assert (state.plan, state.mrr_cents, state.currency, state.seats) == ("pro", 10_000, "EUR", 5)
    assert (state.segment, state.renewal_at, state.owner) == ("standard", NOON + DAY_MS, "Ann")


def test_an_older_value_that_comes_late_changes_nothing_but_fills_what_was_unknown() -> None:
    state = folded(account("known", NOON, plan="pro"), account("known", NOON - DAY_MS, plan="basic", seats=3))
    assert (state.plan, state.seats) == ("pro", 3)


def test_of_two_values_in_one_millisecond_the_same_wins_in_any_order() -> None:
    one = account("known", event_id="one", plan="basic", mrr_cents=1)
    two = account("known", event_id="two", plan="pro", mrr_cents=2)
    first, second = folded(one, two), folded(two, one)
    assert (first.plan, first.mrr_cents) == (second.plan, second.mrr_cents)


@pytest.mark.parametrize(
    ("kind", "stage", "gone"),
    [
        ("lead", "lead", False),
        ("trial_started", "trial", False),
        ("contracted", "contracted", False),
        ("handed_over", "handed_over", False),
        ("onboarded", "onboarded", False),
        ("cancelled", "cancelled", True),
        ("lapsed", "lapsed", True),
        ("reactivated", "reactivated", False),
        ("known", "known", False),
        ("payment", "unknown", False),
    ],
)
def test_the_stage_comes_from_the_kind_of_event(kind: AccountKind, stage: Stage, gone: bool) -> None:
    state = folded(account(kind))
    assert state.stage == stage
    assert state.is_gone is gone


def test_the_newest_stage_wins_and_says_since_when() -> None:
    state = folded(account("onboarded", NOON), account("contracted", NOON - DAY_MS), account("known", NOON + 1))
    assert state.stage == "onboarded"
    assert state.stage_since == NOON
    assert folded(account("known")).stage_since is None


def test_of_stages_in_one_millisecond_the_later_in_the_life_of_an_account_wins() -> None:
    events = [account("onboarded"), account("lead"), account("contracted")]
    assert folded(*events).stage == folded(*reversed(events)).stage == "onboarded"


def test_the_revenue_before_the_last_change_is_remembered() -> None:
    events = [
        account("contracted", NOON - 9, mrr_cents=100),
        account("payment", NOON - 8, mrr_cents=100),
        account("plan_changed", NOON - 5, mrr_cents=300),
        account("payment", NOON - 1, mrr_cents=300),
    ]
    assert folded(*events).previous_mrr == folded(*reversed(events)).previous_mrr == PreviousMrr(100, NOON - 5)
    assert folded(events[0]).previous_mrr is None
    assert AccountState().previous_mrr is None


def test_many_payments_do_not_push_the_last_change_of_revenue_out() -> None:
    state = folded(
        account("contracted", NOON, mrr_cents=100),
        *(account("payment", NOON + number, mrr_cents=200) for number in range(1, 50)),
    )
    assert len(state.mrr_history) == MAX_MRR_ENTRIES
    assert state.previous_mrr == PreviousMrr(100, NOON + 1)


def test_pruning_drops_repeated_revenues_and_mutes_that_are_over() -> None:
    state = folded(
        *(account("payment", NOON + number, mrr_cents=200) for number in range(5)),
        account("muted", NOON, rule="silence", muted_until=NOON + DAY_MS),
        account("muted", NOON, rule="backlog", muted_until=NOON + 99 * DAY_MS),
    )
    accounts.prune(state, NOON + 50 * DAY_MS)
    assert len(state.mrr_history) == 5
    accounts.prune(state, NOON + 61 * DAY_MS)
    assert len(state.mrr_history) == 1
    assert set(state.mutes) == {"backlog"}
    accounts.prune(AccountState(), NOON)


def test_the_seats_before_are_remembered_as_long_as_a_growth_can_look_back() -> None:
    events = [
        account("known", NOON, seats=5),
        account("payment", NOON + DAY_MS, seats=5),
        account("plan_changed", NOON + 2 * DAY_MS, seats=9),
    ]
    for order in permutations(events):
        state = folded(*order)
        assert [state.seats_at(NOON + days * DAY_MS) for days in (0, 1, 2, 3)] == [None, 5, 5, 9]
        accounts.prune(state, NOON + 151 * DAY_MS)
        assert state.seats_at(NOON + 2 * DAY_MS) == 5
        accounts.prune(state, NOON + 153 * DAY_MS)
        assert (state.seats_before, state.seats, state.seats_at(NOON + 3 * DAY_MS)) == ([], 9, 9)


def test_contacts_are_remembered_as_the_newest_event_says() -> None:
    old = account("contact", NOON - 1, respondent_id="r", locale="en", consent=True)
    new = account("contact", NOON, respondent_id="r", locale="vi", consent=False)
    for state in (folded(old, new), folded(new, old)):
        assert (state.contacts["r"].locale, state.contacts["r"].consent) == ("vi", False)


def test_a_customer_referred_twice_is_one_referral() -> None:
    state = folded(account("referred", referred_customer_id="d"), account("referred", NOON - 5, referred_customer_id="d"))
    assert state.referrals == 1
    assert state.referred == {"d": NOON - 5}


def test_the_newest_override_wins_and_ends_at_its_expiry() -> None:
    said = {"author": "Ann", "reason_text": "spoke to them", "expires_at": NOON + DAY_MS}
    old, new = account("override", NOON - 1, override_score=10.0, **said), account("override", NOON, override_score=90.0, **said)
    for state in (folded(old, new), folded(new, old)):
        found = state.override_at(NOON + DAY_MS - 1)
        assert found is not None
        assert (found.score, found.author, found.reason) == (90.0, "Ann", "spoke to them")
        assert state.override_at(NOON + DAY_MS) is None


def test_a_rule_is_muted_until_the_newest_event_says() -> None:
    longer = account("muted", NOON - 1, rule="silence", muted_until=NOON + 9 * DAY_MS)
    shorter = account("muted", NOON, rule="silence", muted_until=NOON + DAY_MS)
    for state in (folded(longer, shorter), folded(shorter, longer)):
        assert accounts.muted_until(state, "silence") == NOON + DAY_MS
    assert accounts.muted_until(AccountState(), "silence") == 0


def test_the_reason_of_the_newest_cancellation_is_kept_within_bounds() -> None:
    state = folded(
        account("cancelled", NOON, reason="price", reason_text="x" * 5000),
        account("cancelled", NOON - 1, reason="other"),
    )
    assert isinstance(state.cancellation, Cancellation)
    assert state.cancellation.reason == "price"
    assert state.cancellation.text == "x" * 200


def test_bounds_drop_the_oldest_in_any_order_and_are_counted() -> None:
    events = [
        *(account("contact", NOON + n, respondent_id=f"r{n}", locale="en") for n in range(MAX_CONTACTS + 1)),
        *(account("referred", NOON + n, referred_customer_id=f"c{n}") for n in range(MAX_REFERRALS + 1)),
        *(account("muted", NOON + n, rule=f"rule{n}", muted_until=NOON + DAY_MS) for n in range(MAX_MUTES + 1)),
    ]
    for state in (folded(*events), folded(*reversed(events))):
        assert set(state.contacts) == {f"r{n}" for n in range(1, MAX_CONTACTS + 1)}
        assert set(state.referred) == {f"c{n}" for n in range(1, MAX_REFERRALS + 1)}
        assert set(state.mutes) == {f"rule{n}" for n in range(1, MAX_MUTES + 1)}
        assert state.referrals == MAX_REFERRALS + 1
        dropped = (state.forgotten_contacts, state.forgotten_referrals, state.forgotten_mutes)
        assert dropped == (1, 1, 1)


@pytest.mark.parametrize("end", ["cancelled", "lapsed"])
@pytest.mark.parametrize("kind", ["lead", "trial_started", "handed_over", "onboarded"])
def test_one_who_has_left_is_gone_until_it_is_back_whatever_was_still_under_way(end: AccountKind, kind: AccountKind) -> None:
    for back in ("reactivated", "contracted"):
        events = [account("contracted", NOON), account(end, NOON + 10), account(kind, NOON + 20), account(back, NOON + 15)]
        for order in permutations(events):
            state = folded(*order)
            assert (state.stage, state.stage_since, state.is_gone) == (_stage_of(kind), NOON + 20, False)
        for order in permutations(events[:3]):
            state = folded(*order)
            assert (state.stage, state.stage_since, state.is_gone) == (end, NOON + 10, True)


def _stage_of(kind: AccountKind) -> str:
    return "trial" if kind == "trial_started" else kind


def test_of_two_ends_the_newest_is_told_and_a_return_before_it_brings_nobody_back() -> None:
    events = [
        account("lapsed", NOON),
        account("reactivated", NOON + 5),
        account("cancelled", NOON + 9),
        account("onboarded", NOON + 7),
    ]
    for order in permutations(events):
        state = folded(*order)
        assert (state.stage, state.stage_since, state.is_gone) == ("cancelled", NOON + 9, True)


def test_a_customer_is_neither_lead_nor_trial_nor_gone() -> None:
    stages = get_args(Stage)
    customers = {"unknown", "known", "contracted", "handed_over", "onboarded", "reactivated"}
    assert {stage for stage in stages if is_customer(stage)} == customers
