from collections.abc import Iterable, Mapping

import pytest

from processors.definitions import Definitions
from processors.fleet import FIGURES
from processors.fleet_surveys import figures
from processors.fleet_view import FleetValue
from processors.intervals import adjusted_wald_nps, wilson
from processors.sketch import bin_of
from processors.windows import DAY_MS, Window
from tests.support.happenings import NOON
from tests.support.judging import default_definitions

Counted = dict[str, dict[str, tuple[int, ...]]]


class Fleet:
    """Sums that are the same over every window."""

    as_of_ms = NOON

    def __init__(self, counted: Counted) -> None:
        assert set(counted) <= set(FIGURES)
        self._counted = counted

    @property
    def definitions(self) -> Definitions:
        return default_definitions()

    def dimensions(self, figure: str) -> Iterable[str]:
        return sorted(self._counted.get(figure, {}))

    def total(self, figure: str, dimension: str, window: Window | None = None) -> tuple[int, ...]:
        assert window is not None
        return self._counted.get(figure, {}).get(dimension, (0,) * len(FIGURES[figure].places))

    def parts(self, figure: str, dimension: str) -> Mapping[int, tuple[int, ...]]:
        raise AssertionError(f"nobody asks for the parts of {figure} {dimension}")

    def buckets(self, figure: str, dimension: str) -> Mapping[int, tuple[int, ...]]:
        return {NOON - NOON % DAY_MS: self._counted[figure][dimension]}


def made(counted: Counted) -> dict[tuple[str, str], FleetValue]:
    found = [*figures(Fleet(counted))]
    assert len({(value.figure, value.dimension) for value in found}) == len(found)
    return {(value.figure, value.dimension): value for value in found}


def test_csat_is_told_whole_and_by_touchpoint_with_wilson_s_interval() -> None:
    found = made({"csat_by_day": {"support": (8, 10), "trial": (0, 0)}, "csat_by_hour": {"support": (1, 1)}})
    interval = wilson(8, 10)
    assert interval is not None
    for dimension in ("", "support"):
        value = found["csat_90d_pct", dimension]
        assert (value.value, value.numerator, value.denominator, value.n, value.window_days) == (80, 8, 10, 10, 90)
        assert (value.low, value.high) == (100 * interval.low, 100 * interval.high)
    assert found["csat_7d_pct", ""].n == 1
    assert (found["csat_30d_pct", "trial"].value, found["csat_30d_pct", "trial"].reason) == (None, "no answers in the window")


def test_the_scales_that_a_csat_pools_are_told_beside_it() -> None:
    found = made({"csat_scales_by_day": {"good_bad": (7,), "1_5": (3,)}, "csat_scales_by_hour": {"1_5": (2,)}})
    told = {(name, scale): value.value for (name, scale), value in found.items() if name.startswith("csat_answers")}
    assert told == {
        ("csat_answers_7d", "1_5"): 2,
        **{(f"csat_answers_{days}d", scale): n for days in (30, 90) for scale, n in (("good_bad", 7), ("1_5", 3))},
    }


def test_nps_is_told_by_scale_with_the_adjusted_wald_interval() -> None:
    found = made({"nps_by_day": {"0_10": (5, 3, 2), "1_10": (0, 0, 4)}})
    interval = adjusted_wald_nps(5, 3, 2)
    assert interval is not None
    assert (found["nps_0_10_180d", ""].value, found["nps_0_10_180d", ""].n) == (30, 10)
    assert (found["nps_0_10_90d", ""].low, found["nps_0_10_90d", ""].high) == interval
    assert found["nps_1_10_90d", ""].value == -100


def test_effort_and_product_feedback_are_told_of_everybody() -> None:
    found = made({"ces_by_day": {"1_7": (1, 0, 0, 1, 1, 0, 1)}, "product_by_day": {"1_5": (3, 4), "good_bad": (0, 4)}})
    assert (found["ces_1_7_easy_mean_90d", ""].value, found["ces_1_7_easy_mean_90d", ""].n) == (4.25, 4)
    assert found["ces_1_7_easy_pct_90d", ""].value == 50
    assert found["product_feedback_90d_pct", ""].value == 37.5


def test_the_response_rate_is_told_whole_by_survey_and_by_touchpoint() -> None:
    found = made({"requests_by_day": {"csat/support": (10, 4), "csat/trial": (10, 1), "nps": (20, 10)}})
    rates = {dimension: value.value for (figure, dimension), value in found.items() if figure == "response_rate_90d_pct"}
    assert rates == {"": 37.5, "csat": 25, "csat/support": 40, "csat/trial": 10, "nps": 50}


def test_how_much_the_answers_tell() -> None:
    lengths: dict[str, tuple[int, ...]] = {str(bin_of(length)): (1,) for length in (10, 100, 1000)}
    found = made({"answers_by_day": {"csat": (6, 2, 4), "nps": (2, 2, 0)}, "comment_lengths_by_day": lengths})
    assert (found["answers_90d", ""].value, found["answers_90d", "nps"].value) == (8, 2)
    assert found["answers_with_comment_90d_pct", ""].value == 50
    assert found["answers_with_touchpoint_90d_pct", ""].value == 50
    median = found["comment_length_median_90d_chars", ""]
    assert median.value == pytest.approx(100, rel=0.01)
    assert (median.n, median.note) == (3, "percentiles within 1 % (DDSketch)")


def test_what_became_of_the_questions_is_told() -> None:
    found = made({"survey_requests_by_day": {"csat/due": (7,), "csat/throttled": (2,)}})
    assert found["survey_requests_90d", "csat/throttled"].value == 2


def test_what_rests_on_nothing_is_null_and_says_so() -> None:
    for (figure, _), value in made({}).items():
        if figure == "answers_90d":
            assert value.value == 0
        else:
            assert value.value is None, figure
            assert value.reason, figure
            assert value.low is None, figure


def test_feedback_with_a_touchpoint_or_a_reason_is_that_of_answers_and_of_those_who_leave_together() -> None:
    left: dict[str, tuple[int, ...]] = {"price": (2,), "other": (1,), "untold": (1,), "lapsed": (1,)}
    found = made({"answers_by_day": {"csat": (10, 0, 6)}, "departures_by_day": left})
    value = found["feedback_with_touchpoint_or_reason_90d_pct", ""]
    assert (value.value, value.n) == (60, 15)
    nothing = made({})["feedback_with_touchpoint_or_reason_90d_pct", ""]
    assert (nothing.value, nothing.reason) == (None, "no answers in the window, and nobody left")
