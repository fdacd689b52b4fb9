from itertools import pairwise

import pytest

from processors.definitions import Definitions, parse
from processors.due import NEVER, crossing, daily_slot
from processors.figures import Sheet
from processors.judgement import next_due
from schemas.records import CustomerSnapshot
from tests.support.happenings import NOON, account, answer, ticket, usage
from tests.support.judging import Judged, default_definitions, default_text, prompt_definitions

DAY = 86_400_000
HOUR = 3_600_000


def a_healthy_customer(*, days: int = 40, definitions: Definitions | None = None) -> Judged:
    customer = Judged(definitions)
    customer.happens(account("onboarded", NOON - days * DAY, mrr_cents=10_000, currency="EUR", owner="ann", plan="team"))
    for day in range(days, 0, -1):
        at = NOON - day * DAY
        customer.happens(usage("feature_used", at, feature=f"f{day % 7}"), usage("goal_completed", at + 1, goal="report_created"))
        if day % 10 == 0:
            customer.happens(answer("csat", "good_bad", 1, at + 2, touchpoint="support"))
            customer.happens(answer("nps", "0_10", 10, at + 3, respondent="bo"))
    return customer


def test_a_customer_that_works_with_the_product_becomes_green() -> None:
    change = a_healthy_customer().changes[-1]
    assert change.new_band == "green"
    assert change.measures_total == 15
    assert change.new_measures_present == 10
    assert change.cause == "data"


def test_the_changes_of_a_score_chain_without_a_gap() -> None:
    customer = a_healthy_customer()
    customer.passes(NOON + 400 * DAY)
    changes = customer.changes
    assert len(changes) > 10
    assert [change.sequence for change in customer.all_changes] == list(range(1, len(customer.all_changes) + 1))
    for before, after in pairwise(changes):
        assert (after.old_score, after.old_band, after.old_displayed) == (before.new_score, before.new_band, before.new_displayed)
        assert after.old_measures_present == before.new_measures_present
        new = {part.measure: (part.new_figure, part.new_value, part.new_contribution) for part in before.measures}
        assert {part.measure: (part.old_figure, part.old_value, part.old_contribution) for part in after.measures} == new


def test_a_move_of_less_than_a_displayed_point_is_not_published() -> None:
    customer = a_healthy_customer()
    before = len(customer.changes)
    customer.happens(usage("goal_completed", NOON, goal="report_created"))
    assert len(customer.changes) == before


def test_time_alone_lowers_the_score_and_says_so() -> None:
    customer = a_healthy_customer()
    before = len(customer.changes)
    customer.passes(NOON + 200 * DAY)
    new = customer.changes[before:]
    assert new
    assert {change.cause for change in new} == {"time"}
    assert new[-1].new_band == "red"


def test_a_backlog_of_nothing_is_a_figure_but_not_enough_for_a_band() -> None:
    customer = Judged()
    customer.happens(account("lead", NOON))
    (change,) = customer.changes
    assert change.new_measures_present == 3
    assert change.new_band is None


def test_a_late_event_that_changes_the_score_raises_the_revision() -> None:
    customer = a_healthy_customer()
    customer.happens(*(ticket("opened", NOON, f"T{number}") for number in range(8)))
    assert customer.changes[-1].revision == 0
    late = answer("csat", "good_bad", 0, NOON - 30 * HOUR, touchpoint="support")
    customer.happens(late, clock=NOON + 1)
    assert customer.changes[-1].caused_by[-1] == late.event_id
    assert customer.changes[-1].revision == 1


def test_a_person_overrides_the_band_until_it_expires_and_the_computed_score_stays_visible() -> None:
    customer = a_healthy_customer(definitions=prompt_definitions())
    computed = customer.changes[-1].new_score
    override = account("override", NOON, author="eve", reason_text="merger", override_score=20.0, expires_at=NOON + 2 * HOUR)
    customer.happens(override)
    change = customer.changes[-1]
    assert (change.new_band, change.override_score, change.override_author) == ("red", 20, "eve")
    assert change.override_reason == "merger"
    assert change.new_score == pytest.approx(computed, abs=1)
    assert "set to 20 by eve" in customer.alerts_of("health_red")[-1].explanation
    assert customer.state.next_due <= NOON + 2 * HOUR
    customer.passes(NOON + 2 * HOUR)
    change = customer.changes[-1]
    assert (change.as_of, change.cause, change.new_band, change.override_score) == (NOON + 2 * HOUR, "time", "green", None)
    assert customer.states_of("health_red") == ["opened", "resolved"]


def test_other_definitions_publish_their_changes_with_the_cause_config() -> None:
    customer = a_healthy_customer()
    stricter = parse(default_text().replace("green_from = 70", "green_from = 100").replace("margin = 3", "margin = 0"))
    customer.reconfigured(stricter, NOON)
    change = customer.changes[-1]
    assert (change.cause, change.new_band, change.config_version) == ("config", "yellow", 2)


def test_a_customer_left_alone_is_never_due_again_after_a_bounded_number_of_evaluations() -> None:
    customer = a_healthy_customer()
    customer.happens(answer("nps", "0_10", 1, NOON, respondent="bo"), ticket("opened", NOON))
    evaluations = 0
    while customer.state.next_due < NOON + 400 * DAY:
        assert customer.state.next_due > NOON
        customer.passes(customer.state.next_due)
        evaluations += 1
        assert evaluations < 250
    assert evaluations > 181  # every day of the longest window
    judgements = len(customer.judgements)
    customer.passes(NOON + 3000 * DAY)
    assert len(customer.judgements) == judgements


def test_nothing_is_missed_when_a_customer_left_alone_is_never_due_again() -> None:
    customer = a_healthy_customer()
    customer.passes(NOON + 1000 * DAY)
    records = len(customer.judgements)
    customer.reconfigured(default_definitions(), NOON + 1000 * DAY)
    assert len(customer.judgements) == records


def test_a_customer_of_whom_nothing_is_known_is_never_due() -> None:
    assert next_due(Sheet(Judged().state, NOON, default_definitions())) == NEVER


def test_the_daily_slot_is_strictly_ahead_and_always_at_the_customers_own_time() -> None:
    slot = daily_slot("c", NOON)
    assert NOON < slot <= NOON + DAY
    assert daily_slot("c", slot) == slot + DAY
    assert daily_slot("c", slot - 1) == slot


def test_the_daily_slots_are_spread_over_the_day() -> None:
    hours = [daily_slot(f"customer-{number}", NOON) // HOUR % 24 for number in range(2400)]
    assert all(50 < hours.count(hour) < 150 for hour in range(24))


def test_a_bound_ahead_of_a_figure_that_moves_is_crossed_at_its_time() -> None:
    assert crossing(10, 14, 1, NOON) == NOON + 4 * DAY
    assert crossing(61, 60, -1, NOON) == NOON + DAY
    assert crossing(14, 14, 1, NOON) == NOON + 1
    assert crossing(15, 14, 1, NOON) == NEVER
    assert crossing(10, 14, 0, NOON) == NEVER
    assert crossing(None, 14, 1, NOON) == NEVER


def test_a_score_that_time_alone_has_changed_is_in_a_snapshot_within_the_interval() -> None:
    customer = Judged()
    customer.happens(*(usage("feature_used", NOON + number, feature=f"f{number}") for number in range(4)))
    customer.passes(NOON + 150 * DAY)
    snapshots = [record for record in customer.context.effects.outputs if isinstance(record, CustomerSnapshot)]
    changes = {change.as_of: change for change in customer.changes if change.cause == "time"}
    assert changes
    for as_of, change in changes.items():
        next_shown = next(record for record in snapshots if record.as_of >= as_of)
        assert next_shown.as_of <= as_of + default_definitions().snapshot_interval_ms
        assert next_shown.health[0].displayed is not None
        assert abs(next_shown.health[0].displayed - (change.new_displayed or 0)) < 1


def test_a_customer_without_any_sign_of_life_is_looked_at_daily_until_it_is_known_for_60_days() -> None:
    customer = Judged()
    customer.happens(account("known", NOON, seats=5, renewal_at=None))
    customer.passes(NOON + 58 * DAY)
    before = len(customer.changes)
    customer.passes(NOON + 61 * DAY)
    assert customer.changes[before:], "the change of ticket inflow is known from the 60th day on"
