"""The commercial course of an account at its edges."""

from itertools import permutations
from math import log

import pytest

from processors import commercial, commercial_figures, fleet_commercial
from processors.account_state import AccountState
from processors.accounts import MAX_MRR_ENTRIES
from processors.commercial import MAX_STEPS, MAX_UNNAMED
from processors.commercial_rows import BY_MONTH, MONTH_PLACES, RENEWALS, CommercialState, is_overdue
from processors.definitions import parse
from processors.months import month_name, month_start, months_between, months_later, whole_months
from processors.state import CustomerState
from processors.totals import Totals
from processors.windows import DAY_MS
from schemas.events import AccountEvent, AccountKind
from tests.support.happenings import NOON, KnownNames, account
from tests.support.summed import Accounts, by_name, default_definitions, default_text

FEBRUARY = month_start(NOON)
JANUARY = months_later(NOON, -1)


def months(fleet: Accounts) -> dict[str, dict[str, int]]:
    """What was counted in each month, without zeros."""
    return {
        month_name(start): {place: n for place, n in zip(MONTH_PLACES, counts, strict=True) if n}
        for start, counts in fleet.view(NOON).buckets(BY_MONTH, "").items()
    }


def renewals(fleet: Accounts) -> dict[int, tuple[int, ...]]:
    """By days from NOON's day: due, renewed, cancelled, lapsed."""
    buckets = fleet.view(NOON).buckets(RENEWALS, "")
    return {(start - NOON) // DAY_MS + 1: counts[:4] for start, counts in buckets.items()}


def stage(fleet: Accounts) -> str:
    return fleet.states["c"][1].stage


def told(*events: AccountEvent) -> Accounts:
    return Accounts().happen(events)


def test_the_month_of_a_time_and_the_steps_between_months() -> None:
    assert (month_name(NOON), month_name(FEBRUARY - 1), month_name(months_later(NOON, -14))) == ("2026-02", "2026-01", "2024-12")
    assert months_between(months_later(NOON, -14), NOON) == 14
    assert months_later(FEBRUARY, 1) - FEBRUARY == 28 * DAY_MS


@pytest.mark.parametrize(("days", "whole"), [(0, 0), (27, 0), (28, 1), (31, 1), (59, 2), (365, 12)])
def test_a_month_has_passed_on_the_same_day_or_at_the_end_of_a_shorter_month(days: int, whole: int) -> None:
    end_of_january = FEBRUARY - 1
    assert whole_months(end_of_january, end_of_january + days * DAY_MS) == whole


def test_a_known_account_with_a_revenue_was_a_customer_before_that_day() -> None:
    fleet = told(account("known", JANUARY + 30 * 60_000, mrr_cents=100))
    assert months(fleet) == {"2025-12": {"entered": 1, "entered_mrr": 100}}
    assert months(told(account("known", mrr_cents=0), account("known"))) == {}


def test_who_was_known_is_not_acquired_by_a_later_contract_and_not_brought_back_by_being_known_again() -> None:
    fleet = told(account("known", JANUARY, mrr_cents=100), account("contracted", NOON), account("cancelled", NOON + 1))
    fleet.happen([account("known", NOON + 2, mrr_cents=100)])
    assert months(fleet) == {
        "2025-12": {"entered": 1, "entered_mrr": 100},
        "2026-02": {"losses": 1, "lost_of_start": 1, "churned_mrr": 100},
    }
    assert fleet.view(NOON).gauges == {}


def test_the_first_sign_of_a_contract_acquires_and_what_follows_it_does_not() -> None:
    late = [account("onboarded", NOON), account("handed_over", NOON - 5 * DAY_MS), account("contracted", JANUARY, mrr_cents=5)]
    assert months(told(*late)) == {"2026-01": {"acquired": 1, "acquired_mrr": 5}}


def test_a_loss_that_comes_late_moves_what_came_after_it() -> None:
    fleet = told(account("contracted", JANUARY, mrr_cents=5), account("onboarded", NOON))
    fleet.happen([account("cancelled", NOON - DAY_MS)])
    assert months(fleet)["2026-02"] == {
        "losses": 1,
        "lost_of_start": 1,
        "churned_mrr": 5,
        "reactivated": 1,
        "reactivated_mrr": 5,
        "returned_mrr": 5,
    }


def test_who_cancels_without_ever_having_been_a_customer_is_no_loss() -> None:
    assert months(told(account("lead"), account("cancelled", NOON + 1), account("lapsed", NOON + 2))) == {}


def test_a_customer_acquired_and_lost_in_a_month_is_not_one_of_its_start() -> None:
    fleet = told(account("contracted", FEBRUARY, mrr_cents=5), account("lapsed", NOON))
    assert months(fleet) == {"2026-02": {"acquired": 1, "losses": 1}}


def test_a_renewal_is_due_at_its_date_also_when_it_was_announced() -> None:
    at = NOON - 10 * DAY_MS
    fleet = told(account("contracted", JANUARY, renewal_at=NOON), account("renewal_due", at))
    assert renewals(fleet) == {0: (1, 0, 0, 0)}
    assert renewals(told(account("contracted", JANUARY), account("renewal_due", at))) == {-10: (1, 0, 0, 0)}
    assert renewals(told(account("contracted", JANUARY))) == {}


def test_a_renewal_ahead_of_its_date_counts_at_the_date_and_the_next_one_at_the_next() -> None:
    fleet = told(account("contracted", JANUARY, renewal_at=NOON))
    fleet.happen([account("renewed", NOON - 20 * DAY_MS, renewal_at=NOON + 365 * DAY_MS)])
    assert renewals(fleet) == {0: (1, 1, 0, 0), 365: (1, 0, 0, 0)}


def test_a_renewal_without_a_date_or_an_announcement_is_due_when_it_was_made() -> None:
    assert renewals(told(account("contracted", JANUARY), account("renewed", NOON))) == {0: (1, 1, 0, 0)}


def test_a_stale_date_is_not_due_twice() -> None:
    fleet = told(account("contracted", JANUARY, renewal_at=NOON - DAY_MS), account("renewed", NOON))
    assert renewals(fleet) == {-1: (1, 1, 0, 0)}


@pytest.mark.parametrize("days", [0, 1, 5, 30])
def test_the_notice_of_who_leaves_ahead_of_the_date_or_at_it_counts_in_the_period_of_the_date(days: int) -> None:
    early = told(account("contracted", JANUARY, renewal_at=NOON), account("cancelled", NOON - days * DAY_MS))
    assert renewals(early) == {0: (1, 0, 1, 0)}


def test_notice_of_who_is_back_before_the_date_leaves_one_renewal_and_it_is_open() -> None:
    fleet = told(account("contracted", JANUARY, renewal_at=NOON), account("cancelled", NOON - 9 * DAY_MS))
    fleet.happen([account("reactivated", NOON - 2 * DAY_MS)])
    assert renewals(fleet) == {0: (1, 0, 0, 0)}


def test_who_leaves_without_a_date_leaves_no_renewal_and_who_leaves_after_it_does() -> None:
    assert renewals(told(account("contracted", JANUARY), account("cancelled", NOON - DAY_MS))) == {}
    late = told(account("contracted", JANUARY, renewal_at=NOON), account("cancelled", NOON + DAY_MS))
    assert renewals(late) == {0: (1, 0, 1, 0)}
    lapsed = told(account("contracted", JANUARY, renewal_at=NOON), account("lapsed", NOON + DAY_MS))
    assert renewals(lapsed) == {0: (1, 0, 0, 1)}


def test_payments_are_counted_by_month_and_currency_and_what_is_late_is_no_value() -> None:
    fleet = told(
        account("payment", JANUARY, amount_cents=70, status="paid", currency="EUR"),
        account("payment", NOON, amount_cents=70, status="late"),
        account("payment", NOON, amount_cents=50, status="failed"),
    )
    view = fleet.view(NOON)
    assert view.buckets("payments_by_month", "EUR") == {JANUARY: (1, 0, 0, 70, 0, 0), FEBRUARY: (0, 1, 1, 0, 70, 50)}
    assert view.buckets("payments_by_month", "") == {}
    assert view.gauges == {("payments_received", "EUR"): (70,)}


def test_a_referral_counts_in_the_month_of_the_first_event_that_tells_it() -> None:
    fleet = told(account("referred", NOON, referred_customer_id="d"), account("referred", NOON + 1, referred_customer_id="d"))
    fleet.happen([account("referred", JANUARY, referred_customer_id="d")])
    assert fleet.view(NOON).buckets("referrals_by_month", "") == {JANUARY: (1,)}


def test_who_referred_a_customer_is_what_the_first_of_its_own_events_says() -> None:
    events = [account("contracted", referred_customer_id="later"), account("lead", JANUARY, referred_customer_id="first")]
    for order in (events, events[::-1]):
        state, _ = told(*order).states["c"]
        assert state.referred_by is not None
        assert state.referred_by[1] == "first"


def test_a_change_of_currency_takes_the_whole_account_over() -> None:
    fleet = told(account("contracted", JANUARY, mrr_cents=5), account("payment", currency="USD", amount_cents=1, status="late"))
    view = fleet.view(NOON)
    assert view.dimensions(BY_MONTH) == ["USD"]
    assert view.total("active_customers", "USD") == (1, 5, 1)


def test_a_payment_without_a_currency_is_in_that_of_the_account_as_of_then_also_when_it_is_told_late() -> None:
    paid = account("payment", NOON - DAY_MS, amount_cents=70, status="paid")
    told_late = [paid, account("contracted", JANUARY, currency="USD"), account("plan_changed", NOON, currency="EUR")]
    for order in (told_late, told_late[::-1], [*told_late[1:], paid]):
        view = told(*order).view(NOON)
        assert view.buckets("payments_by_month", "USD") == {FEBRUARY: (1, 0, 0, 70, 0, 0)}
        assert view.total("payments_received", "USD") == (70,)
        assert view.dimensions("payments_received") == ["USD"]


def test_of_payments_without_a_currency_the_newest_are_kept_and_no_sum_moves() -> None:
    fleet = told(account("contracted", JANUARY, currency="USD"))
    fleet.happen([account("payment", NOON + n, amount_cents=1, status="paid") for n in range(40)])
    state, _ = fleet.states["c"]
    assert len(state.unnamed) == MAX_UNNAMED
    assert fleet.view(NOON).total("payments_received", "USD") == (40,)
    fleet.prune(NOON + 100 * DAY_MS)
    assert (state.unnamed, state.paid_cents) == ([], {"USD": 40})


@pytest.mark.parametrize(
    "ending",
    [account("cancelled", NOON - DAY_MS), account("lapsed", NOON - 30 * DAY_MS - 1)],
    ids=["cancelled", "beyond the grace"],
)
def test_a_renewal_signed_after_a_cancellation_or_beyond_the_grace_is_an_oddity_in_any_order_and_no_return(
    ending: AccountEvent,
) -> None:
    events = [account("contracted", JANUARY), ending, account("renewed", NOON)]
    for order in (events, events[::-1]):
        fleet = told(*order)
        view = fleet.view(NOON)
        assert view.buckets("oddities_by_day", "renewed_after_end") == {NOON - NOON % DAY_MS: (1,)}
        assert view.dimensions("active_customers") == []
        assert stage(fleet) == ending.kind
        fleet.happen([account("reactivated", NOON - 1)])
        assert fleet.view(NOON).dimensions("oddities_by_day") == []


def test_a_renewal_signed_within_the_grace_after_the_lapse_counts_as_renewed_and_undoes_the_lapse_in_any_order() -> None:
    events = [
        account("contracted", JANUARY, mrr_cents=100, renewal_at=NOON - 5 * DAY_MS),
        account("lapsed", NOON - DAY_MS),
        account("renewed", NOON, renewal_at=NOON + 365 * DAY_MS),
    ]
    for order in permutations(events):
        fleet = told(*order)
        view = fleet.view(NOON)
        assert view.total("active_customers", "") == (1, 100, 1)
        assert renewals(fleet) == {-5: (1, 1, 0, 0), 365: (1, 0, 0, 0)}
        assert (view.dimensions("departures_by_day"), view.dimensions("oddities_by_day")) == ([], [])
        assert not any(month.get("losses") for month in months(fleet).values())
        assert (stage(fleet), fleet.states["c"][1].stage_since) == ("reactivated", NOON)


def test_who_lapses_again_after_a_late_renewal_is_gone_and_loses_nothing_of_it_when_pruned() -> None:
    fleet = told(account("contracted", JANUARY), account("lapsed", NOON - 9 * DAY_MS), account("renewed", NOON - 8 * DAY_MS))
    fleet.happen([account("handed_over", NOON - 7 * DAY_MS)]).prune(NOON + 100 * DAY_MS)
    assert stage(fleet) == "handed_over"
    fleet.happen([account("lapsed", NOON)])
    assert stage(fleet) == "lapsed"
    assert fleet.view(NOON).buckets("departures_by_day", "lapsed") == {NOON - NOON % DAY_MS: (1,)}


def test_the_grace_of_a_late_renewal_is_that_of_the_definitions() -> None:
    state, account_state = CommercialState(), AccountState()
    names = KnownNames(renewal_grace_ms=2 * DAY_MS)
    stages = []
    happened: list[tuple[AccountKind, int]] = [("contracted", 30), ("lapsed", 3), ("renewed", 0), ("renewed", 1)]
    for kind, days_ago in happened:
        commercial.fold(state, account_state, account(kind, NOON - days_ago * DAY_MS), NOON, names, Totals())
        stages.append(account_state.stage)
    assert stages == ["contracted", "lapsed", "lapsed", "reactivated"]


def test_whose_renewal_is_overdue_beyond_the_grace_is_flagged_until_it_is_renewed_or_left() -> None:
    fleet = told(account("contracted", JANUARY, renewal_at=NOON))
    grace_ms, over = 30 * DAY_MS, NOON + 31 * DAY_MS
    state, of_account = fleet.states["c"]
    assert not is_overdue(state, of_account, NOON + 30 * DAY_MS, grace_ms)
    assert is_overdue(state, of_account, over, grace_ms)
    fleet.happen([account("renewed", over)])
    assert not is_overdue(state, of_account, over, grace_ms)
    left = told(account("contracted", JANUARY, renewal_at=NOON), account("cancelled", NOON + DAY_MS))
    assert not is_overdue(*left.states["c"], over, grace_ms)


def changed_currency() -> Accounts:
    first = account("contracted", JANUARY - DAY_MS, mrr_cents=1_000_000, currency="EUR")
    return told(first, account("plan_changed", NOON, mrr_cents=160_000_000, currency="JPY"))


def test_a_change_of_currency_leaves_the_past_where_it_was_and_is_no_revenue_gained() -> None:
    found = by_name(fleet_commercial.figures(changed_currency().view(NOON)))
    assert found["mrr_at_month_start_cents", "2026-02"].value == 1_000_000
    assert found["mrr_at_month_start_cents", "2026-02/JPY"].value == 0
    assert found["mrr_now_cents", ""].value == 0
    assert found["mrr_now_cents", "/JPY"].value == 160_000_000
    assert found["expansion_rate_of_mrr_at_month_start_pct", "2026-02"].value == 0
    grr = found["grr_of_mrr_at_month_start_pct", "2026-02"]
    assert (grr.value, grr.note) == (
        100,
        "the month so far; 1000000 cents are now in a currency without a rate: kept as they were",
    )


def test_across_currencies_with_rates_revenue_is_compared_by_its_worth() -> None:
    rated = parse(default_text().replace("rates = {}", "rates = { JPY = 0.007 }"))
    found = by_name(fleet_commercial.figures(changed_currency().view(NOON, rated)))
    assert found["expansion_rate_of_mrr_at_month_start_pct", "2026-02"].value == pytest.approx(12)
    assert found["nrr_of_mrr_at_month_start_pct", "2026-02"].value == pytest.approx(112)
    assert found["mrr_now_cents", ""].value == 1_120_000


def test_growth_across_currencies_is_of_worth_with_rates_and_else_null_with_a_reason() -> None:
    state = CustomerState("c")
    state.commercial, state.account = changed_currency().states["c"]
    growth = {one.name: one for one in commercial_figures.listed(state, NOON + 85 * DAY_MS, default_definitions())}
    assert growth["growth_log_90d"].value is None
    assert "another currency" in (growth["growth_log_90d"].reason or "")
    rated = parse(default_text().replace("rates = {}", "rates = { JPY = 0.007 }"))
    growth = {one.name: one for one in commercial_figures.listed(state, NOON + 85 * DAY_MS, rated)}
    assert growth["growth_log_90d"].value == pytest.approx(log(1.12))


def test_an_erased_customer_is_no_loss_and_leaves_the_levels_of_the_past_as_they_were() -> None:
    fleet = told(account("contracted", JANUARY, mrr_cents=5, renewal_at=NOON + DAY_MS))
    state, of_account = fleet.states.pop("c")
    commercial.erase(state, of_account, NOON, fleet.totals)
    found = by_name(fleet_commercial.figures(fleet.view(NOON)))
    assert found["customers_at_month_start", "2026-02"].value == 1
    assert found["mrr_at_month_start_cents", "2026-02"].value == 5
    assert found["logo_churn_rate_of_customers_at_month_start_pct", "2026-02"].value == 0
    assert found["customers_now", ""].value == 0
    assert renewals(fleet) == {}


def test_beyond_the_bound_old_renewals_go_first_and_no_count_moves() -> None:
    fleet = told(account("contracted", JANUARY, mrr_cents=5))
    fleet.happen([account("renewal_due", NOON + number) for number in range(60)])
    state, _ = fleet.states["c"]
    assert len(state.steps) == MAX_STEPS
    assert state.cut == 61 - MAX_STEPS
    assert fleet.view(NOON).total("active_customers", "") == (1, 5, 1)
    assert ("oddities_by_day", "cut_account_history", FEBRUARY + 15 * DAY_MS) in fleet.totals.flows


def test_beyond_the_bound_of_revenues_the_level_of_now_stays_right() -> None:
    fleet = told(*(account("plan_changed", JANUARY + n * DAY_MS, mrr_cents=n + 1) for n in range(MAX_MRR_ENTRIES + 5)))
    fleet.happen([account("contracted", JANUARY)])
    fleet.happen([account("plan_changed", NOON, mrr_cents=7)])
    view = fleet.view(NOON)
    assert view.total("active_customers", "") == (1, 7, 1)
    _, of_account = fleet.states["c"]
    assert of_account.cut_terms == 6
