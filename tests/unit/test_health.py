from fractions import Fraction

import pytest

from processors import explanation, health
from processors.curves import Curve
from processors.health import HealthState, Reading
from processors.scorecard_file import Bands, Measure, Missing, Scorecard
from tests.support.happenings import NOON

DAY = 86_400_000
IDENTITY = Curve((0.0, 100.0), (0.0, 100.0))
BANDS = Bands((40, 70), 3, 0.5)


def scorecard(*weights: float, missing: Missing = "redistribute", stale_after_ms: int | None = None) -> Scorecard:
    measures = tuple(
        Measure(f"m{index}", "csat_90d_pct", IDENTITY, weight, stale_after_ms, missing) for index, weight in enumerate(weights)
    )
    return Scorecard("standard", "risk", (), BANDS, measures, 0)


def assessed(card: Scorecard, *values: float | None) -> health.Assessment:
    return health.assess(card, [Reading(value) for value in values], NOON)


def test_weights_20_15_22_and_values_47_59_21_give_2287_of_57() -> None:
    assessment = assessed(scorecard(20, 15, 22), 47, 59, 21)
    assert assessment.score == float(Fraction(2287, 57))
    assert health.displayed(assessment.score) == 40.1


def test_from_null_every_contribution_is_new_and_they_sum_to_the_score() -> None:
    card = scorecard(20, 15, 22)
    changes = explanation.explain(card, [], assessed(card, 47, 59, 21).measures)
    assert [change.old_contribution for change in changes] == [0, 0, 0]
    assert [change.delta for change in changes] == pytest.approx([20 * 47 / 57, 15 * 59 / 57, 22 * 21 / 57])
    assert sum(change.delta for change in changes) == pytest.approx(2287 / 57, abs=1e-9)


def test_without_any_figure_there_is_no_score_whatever_the_policy() -> None:
    for missing in ("redistribute", "neutral", "poor"):
        assessment = assessed(scorecard(1, 2, missing=missing), None, None)
        assert assessment.score is None
        assert assessment.present == 0


@pytest.mark.parametrize(("missing", "score"), [("redistribute", 80.0), ("neutral", 65.0), ("poor", 40.0)])
def test_a_missing_measure_is_treated_by_its_policy_and_never_covered(missing: Missing, score: float) -> None:
    assessment = assessed(scorecard(1, 1, missing=missing), 80, None)
    assert assessment.score == score
    assert assessment.present == 1


def test_a_figure_whose_newest_event_is_too_old_is_missing() -> None:
    card = scorecard(1, stale_after_ms=DAY)
    assert health.assess(card, [Reading(80, NOON - DAY)], NOON).present == 1
    assert health.assess(card, [Reading(80, NOON - DAY - 1)], NOON).present == 0
    assert health.assess(card, [Reading(80, None)], NOON).present == 1


@pytest.mark.parametrize(
    ("score", "shown"), [(40.05, 40.1), (40.15, 40.2), (40.04, 40.0), (0.05, 0.1), (99.95, 100.0), (0.0, 0.0)]
)
def test_a_score_is_displayed_with_one_decimal_rounded_half_away_from_zero(score: float, shown: float) -> None:
    assert health.displayed(score) == shown


def test_the_first_band_is_without_margin() -> None:
    assert [BANDS.plain(score) for score in (39.99, 40, 69.99, 70)] == ["red", "yellow", "yellow", "green"]


def test_a_band_is_left_only_beyond_the_boundary_and_the_margin() -> None:
    assert [BANDS.after("red", score) for score in (42.99, 43, 72.99, 73)] == ["red", "yellow", "yellow", "green"]
    assert [BANDS.after("green", score) for score in (67.01, 67, 37.01, 37)] == ["green", "yellow", "yellow", "red"]


def test_without_a_margin_the_boundary_itself_belongs_to_the_higher_band() -> None:
    bands = Bands((40, 70), 0, 0)
    assert [bands.after(band, 40) for band in ("red", "yellow", "green")] == ["yellow"] * 3


def test_there_is_no_band_below_the_coverage_and_the_next_one_is_without_margin_again() -> None:
    card = scorecard(1, 1, 1)
    state = HealthState()
    bands = []
    for values in ((80, 80, 80), (68, None, None), (68, 68, None)):
        health.observe(state, card, assessed(card, *values), NOON)
        bands.append(state.judged_band)
    assert bands == ["green", None, "yellow"]


def shows(state: HealthState, value: float, at: int) -> None:
    card = scorecard(1)
    health.observe(state, card, health.assess(card, [Reading(value)], at), at)


def test_the_fall_is_from_the_highest_score_displayed_in_the_seven_days_before() -> None:
    state = HealthState()
    shows(state, 80, NOON - 100 * DAY)
    shows(state, 55, NOON)
    assert health.fall_points(state) == 25
    shows(state, 60, NOON + DAY)
    assert health.fall_points(state) == 20
    shows(state, 60, NOON + 7 * DAY - 1)
    assert health.fall_points(state) == 20
    shows(state, 60, NOON + 7 * DAY)
    assert health.fall_points(state) == 0


def test_a_higher_score_makes_the_peaks_below_it_forgotten() -> None:
    state = HealthState()
    for value in (50, 40, 30, 60):
        shows(state, value, NOON)
    assert state.peaks == []


def test_the_peaks_are_bounded_and_the_highest_is_kept() -> None:
    state = HealthState()
    for step in range(1000):
        shows(state, 100 - step / 10, NOON + step)
    assert len(state.peaks) <= health.MAX_PEAKS
    assert health.fall_points(state) == pytest.approx(99.9)


def test_a_measure_that_left_the_scorecard_is_told_with_what_it_took_away() -> None:
    two, one = scorecard(1, 1), scorecard(1)
    changes = explanation.explain(one, assessed(two, 80, 20).measures, assessed(one, 80).measures)
    assert [(change.measure, change.figure, change.delta) for change in changes] == [("m0", "csat_90d_pct", 40), ("m1", "", -10)]


def test_the_costliest_measures_are_those_that_take_most_points() -> None:
    card = scorecard(1, 10, 5)
    assert [now.measure for now in explanation.costliest(assessed(card, 0, 80, 50))] == ["m2", "m1", "m0"]


def test_a_score_of_too_few_measures_is_no_peak_to_fall_from() -> None:
    card = scorecard(1, 1, 1)
    state = HealthState()
    for values in ((100, None, None), (100, 0, 0)):
        health.observe(state, card, assessed(card, *values), NOON)
    assert health.fall_points(state) == 0
    health.observe(state, card, assessed(card, 100, None, None), NOON)
    assert health.fall_points(state) is None
