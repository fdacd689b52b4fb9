from processors import usage as figures
from processors.totals import Totals
from processors.usage import MAX_QUANTITY, GoalCounts, UsageState
from processors.windows import D7, D30, D90, DAY_MS, HOUR_MS
from schemas.events import UsageEvent
from tests.support.happenings import NAMES, NOON, usage

MIDNIGHT = NOON - DAY_MS // 2


def folded(*events: UsageEvent) -> tuple[UsageState, Totals]:
    state, totals = UsageState(), Totals()
    for event in events:
        figures.fold(state, event, NOON, NAMES, totals)
    return state, totals


def test_goals_are_counted_by_name_and_together() -> None:
    state, totals = folded(
        usage("goal_completed", goal="invoices", quantity=3),
        usage("goal_completed", goal="exports"),
        usage("goal_failed", goal="invoices", quantity=9),
    )
    assert figures.goal_counts(state, "invoices", D7, NOON) == GoalCounts(3, 1)
    assert figures.goal_counts(state, "invoices", D30, NOON).correct_ratio == 0.75
    assert figures.goal_counts(state, None, D90, NOON) == GoalCounts(4, 1)
    assert totals.flows["goals_by_day", "invoices", MIDNIGHT] == [3, 1]


def test_a_goal_that_was_never_tried_has_no_ratio() -> None:
    assert figures.goal_counts(UsageState(), "invoices", D30, NOON).correct_ratio is None


def test_an_unknown_goal_goes_to_other_and_is_counted() -> None:
    state, totals = folded(usage("goal_completed", goal="dreams"))
    assert figures.goal_counts(state, "other", D7, NOON) == GoalCounts(1, 0)
    assert state.other_names == 1
    assert totals.flows["oddities_by_day", "other_goal", MIDNIGHT] == [1]


def test_a_goal_completed_no_times_counts_as_none() -> None:
    state, totals = folded(usage("goal_completed", goal="invoices", quantity=0))
    assert not state.goals
    assert not totals.flows


def test_an_absurd_quantity_is_capped_and_counted() -> None:
    state, totals = folded(usage("goal_completed", goal="invoices", quantity=2**62))
    assert figures.goal_counts(state, "invoices", D7, NOON).completed == MAX_QUANTITY
    assert state.capped_quantities == 1
    assert totals.flows["oddities_by_day", "capped_quantity", MIDNIGHT] == [1]


def test_distinct_features_are_counted_in_each_window() -> None:
    state, _ = folded(
        usage("feature_used", feature="search"),
        usage("feature_used", feature="search"),
        usage("feature_used", NOON - 20 * DAY_MS, feature="import"),
        usage("feature_used", NOON - 60 * DAY_MS, feature="share"),
    )
    assert [figures.features_used(state, window, NOON) for window in (D7, D30, D90)] == [1, 2, 3]


def test_a_feature_leaves_seven_days_by_the_hour_and_longer_windows_by_the_day() -> None:
    state, _ = folded(usage("feature_used", NOON, feature="search"))
    assert figures.features_used(state, D7, NOON + 168 * HOUR_MS - 1) == 1
    assert figures.features_used(state, D7, NOON + 168 * HOUR_MS) == 0
    assert figures.features_used(state, D30, MIDNIGHT + 30 * DAY_MS - 1) == 1
    assert figures.features_used(state, D30, MIDNIGHT + 30 * DAY_MS) == 0


def test_a_use_ahead_of_the_clock_does_not_hide_the_one_before_it() -> None:
    ahead = usage("feature_used", NOON + HOUR_MS, feature="search")
    before = usage("feature_used", NOON - DAY_MS, feature="search")
    for state, _ in (folded(ahead, before), folded(before, ahead)):
        assert figures.features_used(state, D7, NOON) == 1
    assert figures.features_used(folded(ahead)[0], D7, NOON) == 0
    assert figures.features_used(folded(ahead)[0], D30, NOON) == 1


def test_beyond_the_bound_the_feature_used_longest_ago_is_folded_into_other() -> None:
    events = [usage("feature_used", NOON - number * HOUR_MS, feature=f"f{number}") for number in range(6)]
    forward, totals = folded(*events)
    backward, _ = folded(*reversed(events))
    assert set(forward.features) == set(backward.features) == {"f0", "f1", "f2", "f3", "other"}
    assert forward.features == backward.features
    assert forward.folded_features == 2
    assert sum(counts[0] for key, counts in totals.items() if key[1] == "folded_feature") == 2
    assert figures.features_used(forward, D7, NOON) == 5


def test_an_interaction_at_an_unknown_touchpoint_is_counted() -> None:
    state, totals = folded(usage("interaction_ended", touchpoint="nowhere"), usage("interaction_ended", touchpoint="trial"))
    assert state.other_names == 1
    assert ("oddities_by_day", "other_touchpoint", MIDNIGHT) in totals.flows


def test_pruning_leaves_nothing_that_no_window_sees() -> None:
    state, _ = folded(usage("feature_used", feature="search"), usage("goal_completed", goal="invoices"))
    figures.prune(state, NOON + 89 * DAY_MS)
    assert figures.features_used(state, D90, NOON + 89 * DAY_MS) == 1
    assert figures.goal_counts(state, None, D90, NOON + 89 * DAY_MS).completed == 1
    figures.prune(state, NOON + 90 * DAY_MS)
    assert not state.features
    assert not state.goals


def test_what_was_reached_once_stays_reached_when_its_counts_are_gone() -> None:
    state, _ = folded(usage("goal_completed", goal="invoices"), usage("goal_failed", goal="exports"))
    figures.prune(state, NOON + 90 * DAY_MS)
    assert not state.goals
    assert figures.reached_ever(state, "invoices")
    assert not figures.reached_ever(state, "exports")


def test_the_volume_of_two_months_is_kept_by_the_day() -> None:
    state, _ = folded(usage("session", NOON - 59 * DAY_MS, quantity=2), usage("feature_used", feature="search", quantity=5))
    figures.prune(state, NOON)
    assert (figures.volume(state, NOON), figures.volume_before(state, NOON)) == (5, 2)
    figures.prune(state, NOON + DAY_MS)
    assert figures.volume_before(state, NOON + DAY_MS) == 0


def test_a_session_shows_that_usage_is_reported_and_an_interaction_does_not() -> None:
    assert folded(usage("session"))[0].newest_use_at == NOON
    assert folded(usage("interaction_ended", touchpoint="trial"))[0].newest_use_at == 0
