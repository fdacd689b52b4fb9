"""The examples and edges of the domain's commercial figures, each named by its sentence."""

import re
from datetime import UTC, datetime
from math import log

import pytest

from processors import fleet_commercial
from processors.commercial_figures import READERS
from processors.definitions import parse
from processors.fleet_view import FleetValue
from processors.state import CustomerState
from processors.windows import DAY_MS
from schemas.events import AccountEvent, AccountKind
from schemas.records import CustomerSnapshot
from tests.support.happenings import NOON, account
from tests.support.judging import Judged
from tests.support.summed import Accounts, by_name, default_text

USD_AT_2 = parse(default_text().replace("rates = {}", "rates = { USD = 2.0 }"))


def at(month: int, day: int = 15, year: int = 2025) -> int:
    return int(datetime(year, month, day, 12, tzinfo=UTC).timestamp()) * 1_000


def event(customer: str, kind: AccountKind, at_ms: int, **said: object) -> AccountEvent:
    event_id = f"{customer} {kind} {at_ms}"
    return AccountEvent(event_id=event_id, customer_id=customer, occurred_at=at_ms, kind=kind, **said)  # type: ignore[arg-type]  # any field


def customers(n: int, at_ms: int, name: str = "c", **said: object) -> list[AccountEvent]:
    return [event(f"{name}{number}", "contracted", at_ms, **{"mrr_cents": 100, **said}) for number in range(n)]


def figures(events: list[AccountEvent], as_of_ms: int = at(4)) -> dict[str, FleetValue]:
    """The figures of the last complete month, of the trailing year and of now; as of the middle of April 2025."""
    made = by_name(fleet_commercial.figures(Accounts().happen(events).view(as_of_ms)))
    return {name: value for (name, dimension), value in made.items() if not dimension}


def test_start_100_lost_10_acquired_5_of_which_one_lost_reactivated_4_is_90_percent_not_93() -> None:
    events = customers(100, at(2))
    events += [event(f"c{number}", "cancelled", at(3, 10)) for number in range(10)]
    events += customers(5, at(3, 5), "new")
    events.append(event("new0", "cancelled", at(3, 20)))
    events += [event(f"c{number}", "reactivated", at(3, 25)) for number in range(4)]
    found = figures(events)
    retention = found["retention_rate_of_customers_at_month_start_pct"]
    assert (retention.value, retention.numerator, retention.denominator) == (90, 90, 100)
    assert found["logo_churn_rate_of_customers_at_month_start_pct"].value == 10
    assert found["customers_acquired_in_month"].value == 5
    assert found["customers_reactivated_in_month"].value == 4
    assert found["customers_lost_in_month"].value == 11
    assert found["customers_now"].value == 98


def test_start_0_is_null_with_a_reason() -> None:
    found = figures(customers(3, at(3)))
    for name in ("logo_churn_rate", "retention_rate"):
        value = found[f"{name}_of_customers_at_month_start_pct"]
        assert (value.value, value.reason) == (None, "there were no customers at the start")
    assert found["grr_of_mrr_at_month_start_pct"].reason == "there was no revenue at the start"
    assert found["clv_by_monthly_churn_of_trailing_12_months_cents"].reason == "there were no customers at the start"


def test_the_denominator_s_name_and_the_window_are_part_of_each_rate_s_name() -> None:
    rates = [name for name in figures(customers(3, at(2))) if name.endswith("_pct")]
    assert rates
    for name in rates:
        assert "_of_" in name
        assert "month" in name or "trailing_12_months" in name or re.search("_[0-9]+d_pct$", name)


def test_calendar_months_have_rows_for_24_and_the_month_so_far_says_so() -> None:
    view = Accounts().happen(customers(3, at(1, year=2022))).view(at(4))
    rows = [value for value in fleet_commercial.figures(view) if value.figure == "customers_at_month_start" and value.dimension]
    assert [row.dimension for row in rows][::24] == ["2023-04", "2025-04"]
    assert len(rows) == 25
    assert [row.note for row in rows[-2:]] == [None, "the month so far"]


def test_the_trailing_twelve_months_look_at_who_was_there_at_their_start() -> None:
    events = customers(4, at(3, year=2024)) + customers(6, at(6, year=2024), "later")
    events += [event("c0", "cancelled", at(7, year=2024)), event("later0", "cancelled", at(8, year=2024))]
    found = figures(events)
    churn = found["logo_churn_rate_of_customers_at_start_of_trailing_12_months_pct"]
    assert (churn.value, churn.denominator, churn.note) == (25, 4, "2024-04 to 2025-03")
    assert found["customers_acquired_in_trailing_12_months"].value == 6


def test_lapsed_is_due_and_neither_renewed_nor_cancelled_after_the_grace() -> None:
    events = customers(4, at(1), renewal_at=at(3, 1))
    events += [event("c0", "renewed", at(3, 3), renewal_at=at(3, 1, 2026)), event("c1", "cancelled", at(3, 9))]
    found = figures(events, at(4, 2))
    assert found["renewal_rate_of_renewals_due_in_month_pct"].value == 25
    assert found["lapse_rate_of_renewals_due_in_month_pct"].value == 50
    assert found["lapse_rate_of_renewals_due_in_month_pct"].note == "2025-03"
    in_grace = figures(customers(2, at(1), renewal_at=at(3, 20)), at(4, 2))
    assert in_grace["lapse_rate_of_renewals_due_in_month_pct"].value == 0
    assert in_grace["lapse_rate_of_renewals_due_in_month_pct"].note == (
        "2025-03; 2 of them may still be renewed within the grace"
    )


def test_who_has_not_renewed_after_the_grace_without_a_lapsed_event_is_told_beside_the_churn_it_is_not_counted_in() -> None:
    found = figures(customers(2, at(1, year=2024), renewal_at=at(3, 1)), at(4, 2))
    assert found["customers_overdue_beyond_grace"].value == 2
    assert found["mrr_overdue_beyond_grace_cents"].value == 200
    churn = found["logo_churn_rate_of_customers_at_start_of_trailing_12_months_pct"]
    assert (churn.value, churn.note) == (
        0,
        "2024-04 to 2025-03; 2 customers are overdue beyond the grace and not counted as lost",
    )


def test_the_reasons_for_leaving_are_counted_and_who_lapsed_without_a_word_is_one_of_them() -> None:
    events = [*customers(5, at(1)), event("c0", "cancelled", at(4, 1), reason="price")]
    events += [event("c1", "cancelled", at(4, 2), reason="price"), event("c2", "cancelled", at(4, 3))]
    events += [
        event("c3", "lapsed", at(4, 4)),
        event("c4", "lapsed", at(4, 4)),
        event("c4", "cancelled", at(4, 9), reason="other"),
    ]
    made = by_name(fleet_commercial.figures(Accounts().happen(events).view(at(4, 16))))
    counts = {dimension: value.value for (name, dimension), value in made.items() if name == "departures_by_reason_30d"}
    assert counts == {"price": 2, "untold": 1, "lapsed": 1, "other": 1}
    assert made["share_of_departures_by_reason_30d_pct", "price"].value == 40
    assert made["share_of_departures_with_a_reason_30d_pct", ""].value == 60
    assert made["departures_30d", ""].value == 5


def test_renewal_is_told_by_count_and_by_mrr() -> None:
    events = [*customers(1, at(1), "small", renewal_at=at(3, 1)), *customers(1, at(1), "big", mrr_cents=900, renewal_at=at(3, 1))]
    events += [event("big0", "renewal_due", at(3, 1)), event("big0", "renewed", at(3, 2), renewal_at=at(3, 1, 2026))]
    found = figures(events)
    assert found["renewal_rate_of_renewals_due_in_month_pct"].value == 50
    assert found["renewal_rate_of_mrr_due_in_month_pct"].value == 90


def test_expansion_cross_sell_and_acquisition_are_the_mrr_gained_by_each_over_the_mrr_at_the_start() -> None:
    events = customers(10, at(2))
    events += [event("c0", "plan_changed", at(3, 3), mrr_cents=150), event("c1", "cross_sold", at(3, 4), mrr_cents=120)]
    events += [event("c2", "cross_sold", at(3, 4), amount_cents=30), *customers(1, at(3, 5), "new", mrr_cents=400)]
    found = figures(events)
    assert found["mrr_at_month_start_cents"].value == 1_000
    assert found["expansion_rate_of_mrr_at_month_start_pct"].value == 7  # the plan and the sale that raised the revenue
    assert found["cross_sell_rate_of_mrr_at_month_start_pct"].value == 5  # and the product with a price of its own
    assert found["acquisition_rate_of_mrr_at_month_start_pct"].value == 40


def test_new_customers_and_those_that_came_by_referral() -> None:
    events = [*customers(2, at(3), "new"), event("friend", "lead", at(3, 1), referred_customer_id="c0")]
    events += [event("friend", "contracted", at(3, 20)), event("c0", "referred", at(2, 20), referred_customer_id="friend")]
    found = figures(events)
    assert found["customers_acquired_in_month"].value == 3
    assert found["customers_acquired_by_referral_in_month"].value == 1
    untold = figures([*customers(2, at(3)), event("c0", "referred", at(2, 20), referred_customer_id="c1")])
    by_referral = untold["customers_acquired_by_referral_in_month"]
    assert by_referral.value is None
    assert by_referral.reason is not None
    assert "no event of a new one says by whom" in by_referral.reason


def test_grr_is_never_above_100_percent_and_nrr_leaves_new_and_reactivated_accounts_out() -> None:
    events = customers(10, at(2))
    events += [event("c0", "plan_changed", at(3, 3), mrr_cents=500), event("c1", "plan_changed", at(3, 3), mrr_cents=40)]
    events += [event("c2", "cancelled", at(3, 4)), event("c3", "cancelled", at(3, 4)), event("c3", "reactivated", at(3, 20))]
    events += customers(5, at(3, 9), "new", mrr_cents=10_000)
    found = figures(events)
    assert found["grr_of_mrr_at_month_start_pct"].value == 84  # (1,000 - 60 - 100) / 1,000: who is back pays at both ends
    assert found["nrr_of_mrr_at_month_start_pct"].value == 114  # (1,000 + 400 - 60 - 200) / 1,000
    grown = figures([*customers(2, at(2)), event("c0", "plan_changed", at(3), mrr_cents=900)])
    assert grown["grr_of_mrr_at_month_start_pct"].value == 100


def test_clv_is_margin_x_arpa_x_1_over_monthly_churn_and_beside_it_the_value_realised_so_far() -> None:
    events = customers(10, at(2), mrr_cents=1_000)
    events += [event("c0", "cancelled", at(3)), event("c1", "payment", at(3), amount_cents=1_000, status="paid")]
    events += [event("c1", "payment", at(3, 16), amount_cents=1_000, status="late")]
    found = figures(events)
    assert found["arpa_of_customers_with_mrr_now_cents"].value == 1_000
    clv = found["clv_by_monthly_churn_of_trailing_12_months_cents"]
    assert clv.value == pytest.approx(0.8 * 1_000 * 10)
    assert clv.note is None
    assert found["value_realised_so_far_cents"].value == 800


def test_the_cap_of_60_months_is_flagged() -> None:
    found = figures(customers(10, at(2)))
    clv = found["clv_by_monthly_churn_of_trailing_12_months_cents"]
    assert clv.value == pytest.approx(0.8 * 100 * 60)
    assert clv.note == "capped at 60 months"


def test_currencies_are_never_summed_without_a_configured_rate() -> None:
    events = (
        customers(2, at(2), currency="EUR") + customers(1, at(2), "u", currency="USD") + customers(3, at(2), "v", currency="VND")
    )
    view = Accounts().happen(events).view(at(4))
    apart = by_name(fleet_commercial.figures(view))
    assert {key[1]: value.value for key, value in apart.items() if key[0] == "mrr_now_cents"} == {
        "": 200,
        "/USD": 100,
        "/VND": 300,
    }
    assert apart["mrr_now_cents", ""].note == "in EUR; without USD, VND, for which there is no rate"
    assert apart["customers_now", ""].value == 6
    view = Accounts().happen(events).view(at(4), USD_AT_2)
    added = by_name(fleet_commercial.figures(view))
    assert {key[1]: value.value for key, value in added.items() if key[0] == "mrr_now_cents"} == {"": 400, "/VND": 300}


def test_growth_is_the_logarithm_of_the_mrr_now_over_that_90_days_ago_and_null_when_either_is_0() -> None:
    def growth(before: int, now: int) -> float | None:
        fleet = Accounts().happen(
            [event("c", "contracted", at(1), mrr_cents=before), event("c", "plan_changed", at(6), mrr_cents=now)]
        )
        state = CustomerState("c")
        state.commercial, state.account = fleet.states["c"]
        return READERS["growth_log_90d"](state, at(7), fleet.view(at(7)).definitions).value

    assert growth(100, 200) == pytest.approx(log(2))
    assert growth(0, 200) is None
    assert growth(100, 0) is None


def test_growth_is_told_of_seats_as_well_and_null_when_either_is_0() -> None:
    def growth(before: int, now: int) -> float | None:
        fleet = Accounts().happen([event("c", "contracted", at(1), seats=before), event("c", "plan_changed", at(6), seats=now)])
        state = CustomerState("c")
        state.commercial, state.account = fleet.prune(at(7)).states["c"]
        return READERS["seats_growth_log_90d"](state, at(7), fleet.view(at(7)).definitions).value

    assert growth(10, 5) == pytest.approx(log(0.5))
    assert growth(0, 5) is None
    assert growth(5, 0) is None


def test_referrals_are_counted_and_a_referred_customer_is_linked_to_who_referred_it() -> None:
    ann = Judged()
    ann.happens(account("known", NOON), account("referred", NOON, referred_customer_id="binh"))
    ann.happens(
        account("referred", NOON + 1, referred_customer_id="binh"), account("referred", NOON + 2, referred_customer_id="chi")
    )
    assert READERS["referrals"](ann.state, NOON + 3, ann.context.definitions).value == 2
    binh = Judged()
    binh.happens(account("trial_started", NOON, referred_customer_id="ann"), account("contracted", NOON + DAY_MS))
    binh.passes(NOON + 2 * DAY_MS)
    snapshots = [record for record in binh.context.effects.outputs if isinstance(record, CustomerSnapshot)]
    assert snapshots[-1].referred_by == "ann"
