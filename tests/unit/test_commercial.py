"""The commercial course of an account at its edges."""

import pytest

from processors import commercial, fleet_commercial
from processors.accounts import MAX_MRR_ENTRIES
from processors.commercial import MAX_STEPS
from processors.commercial_rows import BY_MONTH, MONTH_PLACES, RENEWALS
from processors.months import month_name, month_start, months_between, months_later, whole_months
from processors.windows import DAY_MS
from schemas.events import AccountEvent
from tests.support.happenings import NOON, account
from tests.support.summed import Accounts, by_name

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


def test_who_leaves_before_anything_is_due_leaves_no_renewal_and_who_leaves_after_it_does() -> None:
    early = told(account("contracted", JANUARY, renewal_at=NOON), account("cancelled", NOON - DAY_MS))
    assert renewals(early) == {}
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
    assert view.buckets("payments_by_month", "EUR") == {JANUARY: (1, 0, 0, 70, 0, 0)}
    assert view.buckets("payments_by_month", "") == {FEBRUARY: (0, 1, 1, 0, 70, 50)}
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
