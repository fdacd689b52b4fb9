"""The sentences of the domain on usage (section 6) and goals (section 1), each as an example."""

import pytest

from processors import promises, upkeep
from processors.figures import Sheet, all_figures
from processors.readings import NOT_YET_60_DAYS
from processors.windows import DAY_MS, HOUR_MS
from schemas.events import PromisedGoal
from schemas.records import Figure
from tests.support.happenings import NOON, account, answer, ticket
from tests.support.happenings import usage as use
from tests.support.judging import Judged


def figure(customer: Judged, name: str, dimension: str = "", at: int = NOON) -> Figure:
    sheet = Sheet(customer.state, at, customer.context.definitions)
    (found,) = [one for one in all_figures(sheet) if (one.name, one.dimension) == (name, dimension)]
    return found


def value(customer: Judged, name: str, dimension: str = "", at: int = NOON) -> float | None:
    return figure(customer, name, dimension, at).value


def promised(**goals: float) -> list[PromisedGoal]:
    return [PromisedGoal(goal=goal, expected_per_30_days=expected) for goal, expected in goals.items()]


def test_goal_completions_over_7_30_and_90_days() -> None:
    customer = Judged()
    customer.happens(*(use("goal_completed", NOON - days * DAY_MS, goal="report_created", quantity=2) for days in (80, 20, 3)))
    assert [value(customer, f"goals_completed_{days}d") for days in (7, 30, 90)] == [2, 4, 6]


def test_distinct_features_over_7_30_and_90_days() -> None:
    customer = Judged()
    days_ago = {"map": 80, "board": 20, "search": 3}
    customer.happens(*(use("feature_used", NOON - days * DAY_MS, feature=name) for name, days in days_ago.items()))
    assert [value(customer, f"features_used_{days}d") for days in (7, 30, 90)] == [1, 2, 3]


def test_days_active() -> None:
    customer = Judged()
    customer.happens(*(use("session", NOON - hours * HOUR_MS) for hours in (24 * 29, 24, 23, 0)))
    assert value(customer, "active_days_30d") == 3


def test_who_only_asks_answers_or_talks_is_not_active() -> None:
    customer = Judged()
    customer.happens(
        ticket("opened", NOON - 3),
        answer("csat", "1_5", 5, NOON - 2, respondent="ann"),
        use("interaction_ended", NOON - 1, touchpoint="sales", user="ann"),
        use("session", NOON, user="binh"),
    )
    assert value(customer, "active_users_30d") == 1


def test_stickiness_is_mean_daily_over_monthly_active_users() -> None:
    customer = Judged()
    customer.happens(*(use("session", NOON - day * DAY_MS, user="ann") for day in range(29, -1, -1)))
    assert value(customer, "stickiness_30d_ratio") == 1
    customer.happens(use("session", user="binh"))
    assert value(customer, "stickiness_30d_ratio") == pytest.approx((31 / 30) / 2)


def test_distinct_users_are_exact_to_100_a_customer_beyond_that_a_sketch_with_its_error_stated() -> None:
    customer = Judged()
    customer.happens(*(use("session", user=f"u{number}") for number in range(100)))
    exact = figure(customer, "active_users_30d")
    assert (exact.value, exact.low, exact.n) == (100, None, 100)
    customer.happens(*(use("session", user=f"u{number}") for number in range(100, 400)))
    sampled = figure(customer, "active_users_30d")
    assert sampled.value is not None
    assert sampled.low is not None
    assert sampled.high is not None
    assert sampled.low < 400 < sampled.high
    assert sampled.value == pytest.approx(400, rel=0.25)
    assert sampled.n == 100
    assert "sampled_users" in upkeep.flags(customer.state)


def test_seats_used_over_seats_paid() -> None:
    customer = Judged()
    customer.happens(use("session", NOON - 1, user="ann"), use("session", user="binh"))
    assert figure(customer, "seats_used_30d_ratio").reason == "the number of seats paid for is not known"
    customer.happens(account("known", seats=8))
    assert value(customer, "seats_used_30d_ratio") == 0.25


def test_change_of_volume_last_30_days_against_the_30_before() -> None:
    customer = Judged()
    customer.happens(account("lead", NOON - 59 * DAY_MS))
    customer.happens(use("feature_used", NOON - 30 * DAY_MS, feature="board", quantity=8))
    assert value(customer, "usage_volume_change_30d_ratio") == -1
    customer.happens(use("session", NOON - DAY_MS), use("feature_used", NOON, feature="board", quantity=5))
    assert value(customer, "usage_volume_30d") == 6
    assert value(customer, "usage_volume_change_30d_ratio") == -0.25


def test_there_is_no_change_of_volume_until_the_customer_was_known_for_the_60_days_that_are_compared() -> None:
    customer = Judged()
    customer.happens(use("session", NOON - 40 * DAY_MS), *(use("session", NOON - day * DAY_MS) for day in range(2, -1, -1)))
    assert figure(customer, "usage_volume_change_30d_ratio").reason == NOT_YET_60_DAYS
    customer.happens(account("lead", NOON - 58 * DAY_MS), clock=NOON)
    assert value(customer, "usage_volume_change_30d_ratio") is None
    customer.happens(account("trial_started", NOON - 59 * DAY_MS), clock=NOON)
    assert value(customer, "usage_volume_change_30d_ratio") == 2


def test_volume_of_usage_is_the_quantity_over_features_used_and_sessions_absent_is_one() -> None:
    customer = Judged()
    customer.happens(
        use("session"), use("feature_used", feature="board", quantity=3), use("goal_completed", goal="report_created", quantity=9)
    )
    assert value(customer, "usage_volume_30d") == 4
    assert figure(customer, "usage_volume_change_30d_ratio").reason == NOT_YET_60_DAYS
    customer.happens(account("lead", NOON - 59 * DAY_MS), clock=NOON)
    assert figure(customer, "usage_volume_change_30d_ratio").reason == "there was no use in the 30 days before"


def test_days_since_the_last_sign_of_life() -> None:
    customer = Judged()
    customer.happens(use("session", NOON - 2 * DAY_MS))
    assert value(customer, "days_since_last_sign") == 2


def test_attainment_of_a_count_is_completions_over_expected_at_most_one() -> None:
    customer = Judged()
    customer.happens(
        use("goal_completed", goal="report_created", quantity=3), account("contracted", goals=promised(report_created=4))
    )
    assert value(customer, "goal_attainment_30d_ratio", "report_created") == 0.75
    customer.happens(use("goal_completed", goal="report_created", quantity=9))
    assert value(customer, "goal_attainment_30d_ratio", "report_created") == 1


def test_attainment_per_active_user_is_shared_by_the_users_of_30_days() -> None:
    customer = Judged()
    customer.happens(account("contracted", NOON - 3, goals=promised(workflow_completed=4)))
    assert figure(customer, "goal_attainment_30d_ratio", "workflow_completed").reason == "no usage was ever seen"
    customer.happens(use("goal_completed", NOON - 2, goal="workflow_completed", quantity=6))
    assert figure(customer, "goal_attainment_30d_ratio", "workflow_completed").reason == "no use in 30 days names its user"
    customer.happens(use("session", NOON - 1, user="ann"), use("session", user="binh"))
    assert value(customer, "goal_attainment_30d_ratio", "workflow_completed") == 6 / 2 / 4


def test_reach_is_whether_the_goal_was_reached_at_all() -> None:
    customer = Judged()
    customer.happens(use("session", NOON - 200 * DAY_MS))
    assert value(customer, "goal_attainment_30d_ratio", "setup_finished", NOON - 200 * DAY_MS) == 0
    customer.happens(use("goal_completed", NOON - 199 * DAY_MS, goal="setup_finished"), use("session"))
    assert value(customer, "goals_completed_90d") == 0
    assert value(customer, "goal_attainment_30d_ratio", "setup_finished") == 1


def test_correct_ratio_is_completed_over_completed_and_failed() -> None:
    customer = Judged()
    customer.happens(use("session", NOON - 1), account("contracted", NOON - 1, goals=promised(import_correct=0.8)))
    assert figure(customer, "goal_attainment_30d_ratio", "import_correct").reason == "the goal was not tried in 30 days"
    customer.happens(use("goal_completed", goal="import_correct", quantity=3), use("goal_failed", goal="import_correct"))
    assert value(customer, "goal_attainment_30d_ratio", "import_correct") == 0.75 / 0.8
    customer.happens(account("contracted", goals=promised(import_correct=80)))
    assert figure(customer, "goal_attainment_30d_ratio", "import_correct").reason is not None


def test_expected_is_per_segment_or_what_the_contract_promised() -> None:
    customer = Judged()
    customer.happens(use("goal_completed", NOON - 9, goal="report_created", quantity=2))
    assert value(customer, "goal_attainment_30d_ratio", "report_created") == 2 / 4
    customer.happens(account("known", NOON - 8, segment="enterprise"))
    assert value(customer, "goal_attainment_30d_ratio", "report_created") == 2 / 8
    customer.happens(account("contracted", NOON - 7, goals=promised(report_created=10)))
    assert value(customer, "goal_attainment_30d_ratio", "report_created") == 2 / 10
    customer.happens(account("contracted", NOON - 6, goals=promised(report_created=0)))
    sheet = Sheet(customer.state, NOON, customer.context.definitions)
    expected = {one.dimension for one in all_figures(sheet) if one.name == "goal_attainment_30d_ratio"}
    assert "report_created" not in expected, "a promise of nothing expects nothing"


def test_success_is_the_mean_attainment_over_the_goals_of_which_something_is_expected() -> None:
    customer = Judged()
    customer.happens(use("goal_completed", goal="report_created", quantity=2, user="ann"))
    # 2 of 4 reports, no workflow of 2, not set up; imports were not tried.
    assert value(customer, "goal_attainment_30d_ratio") == pytest.approx((0.5 + 0 + 0) / 3)


def test_the_promise_ledger_holds_each_promise_with_the_day_of_first_value_or_its_absence() -> None:
    customer = Judged()
    customer.happens(
        account("contracted", NOON - 9 * DAY_MS, goals=promised(report_created=4, setup_finished=1)),
        use("goal_completed", NOON - 2 * DAY_MS, goal="report_created"),
    )
    ledger = promises.ledger(customer.state, NOON, customer.context.definitions)
    assert [(entry.goal, entry.days_to_first_value) for entry in ledger] == [("report_created", 7), ("setup_finished", None)]
