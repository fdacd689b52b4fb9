"""The domain's conventions, each a test of its sentence; exit codes are held in the tests of the commands and the worker."""

from typing import Any, get_args, get_type_hints

import pytest

from processors import accounts
from processors.account_state import AccountState
from processors.figures import Sheet, all_figures
from processors.totals import Totals
from processors.vocabulary import TERMS, Unit
from processors.windows import DAY_MS
from schemas.checks import check
from schemas.events import AccountEvent, AccountKind, PaymentStatus, PromisedGoal, Reason
from schemas.jsonlines import format_line
from schemas.records import CustomerSnapshot, Output
from streams.cli import app
from streams.commands import failures
from streams.exit_codes import EXIT_AGAIN, EXIT_INTERRUPTED
from tests.support.asked import answered
from tests.support.happenings import NAMES, NOON, account, usage
from tests.support.judging import Judged

IN_NAMES: dict[Unit, tuple[str, ...]] = {
    "pct": ("_pct",),
    "ratio": ("_ratio",),
    "cents": ("_cents",),
    "days": ("_days", "days_"),
    "hours": ("_hours",),
}


def figure(customer: Judged, name: str, dimension: str = "") -> float | None:
    found = all_figures(Sheet(customer.state, NOON, customer.context.definitions))
    return next(one.value for one in found if (one.name, one.dimension) == (name, dimension))


def record_types() -> list[type]:
    return list(get_args(Output))


@pytest.mark.parametrize("name", TERMS)
def test_units_are_in_names(name: str) -> None:
    unit = TERMS[name].unit
    assert not IN_NAMES.get(unit) or any(part in name for part in IN_NAMES[unit])
    for other, parts in IN_NAMES.items():
        assert other == unit or not any(name.endswith(part) for part in parts)


def test_pct_is_0_to_100_and_ratio_0_to_1() -> None:
    customer = Judged()
    customer.happens(usage("goal_completed", goal="report_created"), account("known", seats=1), usage("session", user="ann"))
    assert figure(customer, "goals_correct_ratio_30d") == 1
    assert figure(customer, "seats_used_30d_ratio") == 1
    customer.happens(answered("csat", 1))
    assert figure(customer, "csat_30d_pct") == 100


@pytest.mark.parametrize("record", record_types(), ids=lambda record: record.__name__)
def test_times_are_epoch_milliseconds_and_counts_and_cents_integers_in_records(record: type) -> None:
    for name, hint in get_type_hints(record).items():
        if name.endswith(("_at", "_cents", "_count")) or name in ("as_of", "at", "sequence", "revision", "n"):
            assert set(get_args(hint) or (hint,)) <= {int, type(None)}, name


def test_times_are_rfc_3339_in_utc_with_milliseconds_in_json_output() -> None:
    customer = Judged()
    customer.happens(account("known", NOON, mrr_cents=100, renewal_at=NOON + DAY_MS))
    snapshot = next(record for record in customer.context.effects.outputs if isinstance(record, CustomerSnapshot))
    text = format_line("cs.customer-snapshots", snapshot, timestamp_ms=NOON, key=b"c", partition=0, offset=0)
    assert '"as_of":"2026-02-16T12:00:00.000Z"' in text
    assert '"renewal_at":"2026-02-17T12:00:00.000Z"' in text


def test_the_exit_codes_are_those_of_the_table_and_told_by_the_help() -> None:
    codes = {
        "done": failures.DONE,
        "failed": failures.FAILED,
        "usage, settings or definitions are wrong": failures.WRONG,
        "not found": failures.NOT_FOUND,
        "done in part": failures.IN_PART,
        "start me again": EXIT_AGAIN,
        "interrupted": EXIT_INTERRUPTED,
    }
    assert list(codes.values()) == [0, 1, 2, 3, 4, 75, 130]
    assert failures.INTERRUPTED == EXIT_INTERRUPTED
    assert app.info.epilog == "Exit codes: " + ", ".join(f"{code} {word}" for word, code in codes.items()) + "."


def test_the_reason_is_one_of_six_with_free_text_beside_it() -> None:
    assert get_args(Reason) == ("competitor", "dissatisfaction", "attitude", "price", "no_need", "other")
    state = AccountState()
    left = account("cancelled", NOON, reason="price", reason_text="the new tariff")
    accounts.fold(state, left, NOON, NAMES, Totals())
    assert state.cancellation is not None
    assert (state.cancellation.reason, state.cancellation.text) == ("price", "the new tariff")


@pytest.mark.parametrize("kind", get_args(AccountKind))
def test_any_account_event_sets_the_account_fields_that_it_carries_and_absent_means_unchanged(kind: AccountKind) -> None:
    needed: dict[str, Any] = {
        "respondent_id": "r",
        "referred_customer_id": "x",
        "author": "eve",
        "reason_text": "so",
        "override_score": 5.0,
        "expires_at": NOON + 1,
        "rule": "silence",
        "muted_until": NOON + 1,
        "episode_id": "e",
        "status": "paid",
        "amount_cents": 1,
    }
    first: dict[str, Any] = {"plan": "pro", "mrr_cents": 100, "currency": "EUR", "seats": 3, "segment": "small", "owner": "chi"}
    state = AccountState()
    accounts.fold(state, account(kind, NOON, **needed, **first, renewal_at=NOON + DAY_MS), NOON, NAMES, Totals())
    accounts.fold(state, account("plan_changed", NOON + 1, plan="basic"), NOON, NAMES, Totals())
    found = {name: getattr(state, name) for name in (*first, "renewal_at")}
    assert found == {**first, "plan": "basic", "renewal_at": NOON + DAY_MS}


def test_the_pipeline_remembers_the_old_value() -> None:
    state = AccountState()
    for event in (account("known", NOON, mrr_cents=100, seats=3), account("plan_changed", NOON + 5, mrr_cents=50, seats=2)):
        accounts.fold(state, event, NOON, NAMES, Totals())
    assert state.previous_mrr is not None
    assert (state.previous_mrr.mrr_cents, state.mrr_cents) == (100, 50)
    assert (state.seats_at(NOON + 5), state.seats) == (3, 2)


@pytest.mark.parametrize(("kind", "expected"), [("contracted", 4.0), ("known", 4.0), ("plan_changed", None)])
def test_goals_are_promised_on_contracted_or_known(kind: AccountKind, expected: float | None) -> None:
    customer = Judged()
    goals = [PromisedGoal(goal="report_created", expected_per_30_days=4.0)]
    customer.happens(account(kind, NOON, goals=goals))
    assert customer.state.promises.per_30_days.get("report_created") == expected


def test_quantity_is_goals_completed_on_goal_completed_absent_1_and_uses_on_feature_used() -> None:
    customer = Judged()
    customer.happens(usage("goal_completed", goal="report_created", quantity=4), usage("goal_completed", goal="report_created"))
    customer.happens(usage("feature_used", feature="board", quantity=7), usage("session"))
    assert figure(customer, "goals_completed_30d", "report_created") == 5
    assert figure(customer, "usage_volume_30d") == 8


def test_a_payment_has_an_amount_and_a_status_of_paid_late_or_failed() -> None:
    assert get_args(PaymentStatus) == ("paid", "late", "failed")
    whole: dict[str, Any] = {"amount_cents": 5, "status": "paid"}
    assert check(account("payment", NOON, **whole)) is None
    for left_out in whole:
        refused = check(account("payment", NOON, **{**whole, left_out: None}))
        assert refused is not None
        assert left_out in refused.message


@pytest.mark.parametrize(("renewal_at", "opened"), [(None, []), (NOON + 20 * DAY_MS, ["opened"])])
def test_without_renewal_at_a_contract_has_no_end_and_no_renewal_rule_applies(renewal_at: int | None, opened: list[str]) -> None:
    customer = Judged()
    customer.happens(account("onboarded", NOON - 90 * DAY_MS, mrr_cents=100))
    customer.happens(account("plan_changed", NOON, renewal_at=renewal_at), clock=NOON)
    customer.happens(
        *(
            AccountEvent(
                event_id=f"f{day}",
                customer_id="c",
                occurred_at=NOON + day * DAY_MS,
                kind="payment",
                amount_cents=1,
                status="failed",
            )
            for day in range(1, 4)
        )
    )
    customer.passes(NOON + 10 * DAY_MS)
    assert customer.states_of("renewal")[:1] == opened
