"""What the domain says of the maturity assessment, each sentence a test."""

from datetime import UTC, datetime

import pytest

from processors.definitions import Definitions, parse
from processors.fleet_view import FleetValue
from processors.maturity import assess, progress, remembered
from processors.maturity_file import DEFAULTS
from schemas.records import Criterion, MaturityPoint
from tests.support.summed import default_definitions, default_text

FIGURES = [part.figure for criterion in DEFAULTS for part in criterion.parts]
MIDDLING = {part.figure: part.thresholds[1] for criterion in DEFAULTS for part in criterion.parts}  # where level 3 begins


def at(year: int, month: int, day: int) -> int:
    return int(datetime(year, month, day, tzinfo=UTC).timestamp()) * 1_000


def values(**changed: float | None) -> list[FleetValue]:
    found: dict[str, float | None] = {**MIDDLING, **changed}
    return [
        FleetValue(figure=figure, value=value, n=30, reason="no answers in the window" if value is None else None)
        for figure, value in found.items()
    ]


def assessed(**changed: float | None) -> dict[str, Criterion]:
    return {criterion.name: criterion for criterion in assess(values(**changed), default_definitions().maturity)}


def planned(plan: str) -> Definitions:
    return parse(default_text() + "\n[[plans]]\n" + plan)


PLAN = 'criterion = "satisfaction"\nbaseline = 70\ntarget = 90\nstarts_at = 2026-01-01\ndue_at = 2026-06-30\nowner = "Lan"\n'


def test_seven_criteria_are_scored() -> None:
    assert list(assessed()) == ["satisfaction", "churn", "retention", "lifetime_value", "support_response", "feedback", "nps"]


def test_each_is_scored_1_to_5_by_published_thresholds() -> None:
    levels = {csat: assessed(csat_90d_pct=csat)["satisfaction"].level for csat in (0, 59.9, 60, 75, 84.9, 85, 92, 100)}
    assert levels == {0: 1, 59.9: 1, 60: 2, 75: 3, 84.9: 3, 85: 4, 92: 5, 100: 5}


def test_less_is_better_for_churn_and_the_time_to_respond() -> None:
    churn = "logo_churn_rate_of_customers_at_start_of_trailing_12_months_pct"
    levels = {pct: assessed(**{churn: pct})["churn"].level for pct in (50, 30, 20, 12, 6, 0)}
    assert levels == {50: 1, 30: 2, 20: 3, 12: 4, 6: 5, 0: 5}


def test_each_carries_the_figure_the_threshold_to_the_next_level_a_next_step_and_the_customer_s_side() -> None:
    found = assessed(csat_90d_pct=80)["satisfaction"]
    assert (found.figure, found.value, found.n, found.level) == ("csat_90d_pct", 80, 30, 3)
    assert (found.threshold_next, found.distance) == (85, 5)
    assert found.next_step == DEFAULTS[0].next_steps[2]
    assert found.side == "service"
    assert assessed()["churn"].side == "success"
    best = assessed(csat_90d_pct=95)["satisfaction"]
    assert (best.level, best.threshold_next, best.distance) == (5, None, None)


def test_feedback_is_at_the_lowest_level_of_its_parts_never_at_their_average() -> None:
    found = assessed(response_rate_90d_pct=60, answers_with_comment_90d_pct=12, feedback_with_touchpoint_or_reason_90d_pct=95)[
        "feedback"
    ]
    assert (found.level, found.figure, found.threshold_next) == (2, "answers_with_comment_90d_pct", 20)


def test_the_weakest_comes_first() -> None:
    found = assessed(nps_0_10_180d=-20, csat_90d_pct=61)
    assert list(found)[:2] == ["nps", "satisfaction"]
    assert [criterion.rank for criterion in found.values()] == [1, 2, 3, 4, 5, 6, 7]


def test_of_two_at_one_level_the_one_farther_from_the_next_has_more_to_gain() -> None:
    found = assessed(nps_0_10_180d=38, csat_90d_pct=76)
    assert list(found).index("satisfaction") < list(found).index("nps")


def test_null_data_gives_not_measured_which_is_itself_a_finding_and_comes_first() -> None:
    found = assessed(nps_0_10_180d=None, csat_90d_pct=10)
    first = next(iter(found.values()))
    assert (first.name, first.level, first.value) == ("nps", None, None)
    assert first.reason == "not measured: no answers in the window"
    assert first.next_step.startswith("Ask how likely")
    nothing = assess([], default_definitions().maturity)
    assert {criterion.reason for criterion in nothing} == {"not measured: there is no such figure"}


def test_one_good_answer_is_no_fifth_level_but_not_measured_yet() -> None:
    found = {}
    for n in (1, 19, 20):
        mine = [*values(), FleetValue(figure="csat_90d_pct", value=100.0, n=n)]
        found[n] = next(one for one in assess(mine, default_definitions().maturity) if one.name == "satisfaction")
    assert [(one.level, one.value, one.n, one.reason) for one in found.values()] == [
        (None, 100, 1, "not measured: only 1 of 20"),
        (None, 100, 19, "not measured: only 19 of 20"),
        (5, 100, 20, None),
    ]
    assert found[1].next_step == DEFAULTS[0].measure_first


def test_customers_are_counted_by_the_denominator_where_a_figure_has_no_n() -> None:
    churn = "logo_churn_rate_of_customers_at_start_of_trailing_12_months_pct"
    for customers, level in ((3, None), (30, 5)):
        mine = [*values(), FleetValue(figure=churn, value=0.0, numerator=0.0, denominator=float(customers))]
        found = next(one for one in assess(mine, default_definitions().maturity) if one.name == "churn")
        assert (found.level, found.n) == (level, customers)
    own = parse(default_text().replace("least_n = 20", "least_n = 2")).maturity
    assert next(one for one in assess([*values(), FleetValue(figure=churn, value=0.0, denominator=3.0)], own)).name != "churn"


def test_a_part_of_the_fleet_is_not_taken_for_the_whole() -> None:
    mine = [FleetValue(figure="csat_90d_pct", dimension="support", value=99.0)]
    assert assess(mine, default_definitions().maturity)[0].level is None


def test_history_shows_the_path() -> None:
    history: list[MaturityPoint] = []
    for month, csat in ((1, 50.0), (1, 70.0), (2, 80.0)):
        criteria = assess(values(csat_90d_pct=csat), default_definitions().maturity)
        history = remembered(history, criteria, at(2026, month, 10 + int(csat) // 10))
    path = [(point.month, point.level, point.value) for point in history if point.criterion == "satisfaction"]
    assert path == [("2026-01", 2, 70.0), ("2026-02", 3, 80.0)]
    later = remembered(history, [], at(2028, 1, 1))
    assert {point.month for point in later} == {"2026-02"}


@pytest.mark.parametrize(
    ("now", "day", "done", "state"),
    [
        (70.0, at(2025, 12, 1), 0.0, "on_track"),
        (80.0, at(2026, 4, 1), 0.5, "on_track"),
        (75.0, at(2026, 4, 2), 0.25, "behind"),
        (60.0, at(2026, 2, 1), -0.5, "behind"),
        (90.0, at(2026, 2, 1), 1.0, "reached"),
        (95.0, at(2026, 8, 1), 1.25, "reached"),
        (89.0, at(2026, 7, 1) - 1, 0.95, "behind"),
        (89.0, at(2026, 7, 1), 0.95, "missed"),
        (None, at(2026, 2, 1), None, "not_measured"),
    ],
)
def test_progress_is_now_minus_baseline_over_target_minus_baseline(
    now: float | None, day: int, done: float | None, state: str
) -> None:
    found = progress(values(csat_90d_pct=now), planned(PLAN).maturity, day)[0]
    assert found.progress_ratio == pytest.approx(done)
    assert (found.state, found.owner, found.baseline, found.target) == (state, "Lan", 70, 90)


def test_progress_also_counts_downwards() -> None:
    churn = "logo_churn_rate_of_customers_at_start_of_trailing_12_months_pct"
    plan = PLAN.replace('"satisfaction"', '"churn"').replace("70", "20").replace("90", "10")
    assert progress(values(**{churn: 15}), planned(plan).maturity, at(2026, 2, 1))[0].progress_ratio == 0.5
