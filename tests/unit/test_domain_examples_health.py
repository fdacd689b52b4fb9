"""The health score as the domain's text has it, sentence by sentence."""

from fractions import Fraction
from random import Random

import pytest

from processors import explanation, health
from processors.curves import Curve
from processors.definitions import Definitions, DefinitionsError, parse
from processors.health import HealthState, Reading
from processors.scorecard_file import Bands, Measure, Missing, Scorecard, choose
from processors.way_up import way_up
from schemas.checks import check
from schemas.events import Scale, Survey
from tests.support.happenings import NOON, account, answer, ticket, usage
from tests.support.judging import Judged, default_definitions, default_text, prompt_definitions, prompt_text

DAY = 86_400_000
HOUR = 3_600_000
SURVEYS: tuple[tuple[Survey, Scale, int], ...] = (("csat", "good_bad", 1), ("nps", "0_10", 10), ("product", "good_bad", 1))
STRAIGHT = Curve((0.0, 100.0), (0.0, 100.0))


def card(*weights: float, missing: Missing = "redistribute", figure: str = "csat_90d_pct") -> Scorecard:
    measures = tuple(Measure(f"m{place}", figure, STRAIGHT, weight, None, missing) for place, weight in enumerate(weights))
    return Scorecard("standard", "risk", (), Bands((40, 70), 3, 0.5), measures, 0)


def test_check_weights_20_15_22_values_47_59_21_are_2287_of_57() -> None:
    assessment = health.assess_figures(card(20, 15, 22), [47, 59, 21])
    assert assessment.score == float(Fraction(2287, 57))
    assert f"{assessment.score:.4f}" == "40.1228"
    assert health.displayed(assessment.score) == 40.1


def test_round_only_for_display_half_away_from_zero() -> None:
    assert health.displayed(40.05) == 40.1


def test_none_present_is_null() -> None:
    assert health.assess_figures(card(1, 1, missing="poor"), [None, None]).score is None


@pytest.mark.parametrize(("missing", "score"), [("redistribute", 80.0), ("neutral", 65.0), ("poor", 40.0)])
def test_a_measure_has_a_policy_for_missing_data(missing: Missing, score: float) -> None:
    assert health.assess_figures(card(1, 1, missing=missing), [80, None]).score == score


def test_coverage_is_published() -> None:
    customer = Judged()
    customer.happens(account("onboarded", NOON), usage("feature_used", NOON + 1, feature="board"))
    assert (customer.changes[-1].new_measures_present, customer.changes[-1].measures_total) == (8, 15)


def test_from_null_the_explanation_lists_every_contribution_as_new() -> None:
    two = card(1, 3)
    changes = explanation.explain(two, [], health.assess_figures(two, [40, 80]).measures)
    assert [(change.old_value, change.old_contribution, change.delta) for change in changes] == [(None, 0, 10), (None, 0, 60)]


def test_the_bands_are_red_below_40_yellow_below_70_and_green_by_default() -> None:
    bands = default_definitions().scorecards["risk"][0].bands
    assert [bands.plain(score) for score in (39.999, 40, 69.999, 70)] == ["red", "yellow", "yellow", "green"]


def test_up_at_boundary_plus_margin_down_at_boundary_minus_margin() -> None:
    bands = Bands((40, 70), 3, 0.5)
    assert [bands.after("red", score) for score in (42.9, 43)] == ["red", "yellow"]
    assert [bands.after("yellow", score) for score in (37.1, 37)] == ["yellow", "red"]


def test_a_band_only_with_coverage_of_at_least_half() -> None:
    three, state = card(1, 1, 1), HealthState()
    bands = []
    for figures in ([80, None, None], [80, 80, None]):
        health.observe(state, three, health.assess_figures(three, figures), NOON)
        bands.append(state.judged_band)
    assert bands == [None, "green"]


def test_besides_the_risk_score_the_same_machinery_serves_upgrade_readiness_and_advocacy() -> None:
    assert set(default_definitions().scorecards) == {"risk", "upgrade_readiness", "advocacy"}


@pytest.mark.parametrize(
    ("segment", "stage", "name"),
    [
        (None, "contracted", "onboarding"),
        ("enterprise", "handed_over", "onboarding"),
        ("enterprise", "onboarded", "enterprise"),
        ("small", "onboarded", "standard"),
        (None, "unknown", "standard"),
    ],
)
def test_one_scorecard_a_segment_chosen_by_account_data_ties_broken_by_order_in_the_file(
    segment: str | None, stage: str, name: str
) -> None:
    assert choose(default_definitions().scorecards["risk"], segment, stage).name == name  # type: ignore[arg-type]  # a stage


def test_the_default_measures_are_those_of_the_text() -> None:
    standard = default_definitions().scorecards["risk"][-1]
    assert {measure.name for measure in standard.measures} >= {
        *("goals", "breadth", "growth", "referrals", "loyalty", "satisfaction", "backlog"),
        *("first_response", "inflow", "recency", "product"),
    }


def test_every_error_of_the_file_is_listed_at_once() -> None:
    text = default_text().replace('stages = ["contracted", "handed_over"]', 'stages = ["contracted", "handed"]')
    text = text.replace('figure = "growth_log_90d"', 'figure = "growth"').replace("weight = 11", "weight = 0")
    with pytest.raises(DefinitionsError) as refused:
        parse(text)
    said = "\n".join(str(mistake) for mistake in refused.value.mistakes)
    assert 'there is no stage "handed"' in said
    assert said.count('there is no figure "growth"') == 2
    assert "0 is no weight" in said


def test_a_measure_maps_one_figure_to_0_to_100_by_a_piecewise_linear_curve() -> None:
    curve = Curve((0.0, 10.0, 20.0), (20.0, 40.0, 100.0))
    assert [curve.at(figure) for figure in (-5, 0, 5, 10, 15, 20, 99)] == [20, 20, 30, 40, 70, 100, 100]


@pytest.mark.parametrize(("missing", "score"), [("redistribute", 80.0), ("neutral", 65.0), ("poor", 40.0)])
def test_a_figure_beyond_its_staleness_limit_is_missing_and_the_policy_says_what_becomes_of_its_weight(
    missing: Missing, score: float
) -> None:
    fresh, stale = (Measure(name, "csat_90d_pct", STRAIGHT, 1, 2 * DAY, missing) for name in ("fresh", "stale"))
    two = Scorecard("standard", "risk", (), Bands((40, 70), 3, 0.5), (fresh, stale), 0)
    readings = [Reading(80, NOON - 2 * DAY), Reading(20, NOON - 2 * DAY - 1)]
    assessment = health.assess(two, readings, NOON)
    assert (assessment.score, assessment.present) == (score, 1)


def test_a_change_names_the_events_since_the_one_before_of_the_same_score_whatever_other_scores_publish() -> None:
    chance, customer = Random(3), Judged()
    happened: list[str] = []
    told: dict[str, int] = {}
    between = 0
    at = NOON
    for number in range(200):
        at += chance.choice((1, 5, 20)) * HOUR
        event = chance.choice(
            (
                usage("session", at, user=f"p{number % 9}"),
                usage("goal_completed", at, goal="report_created"),
                answer("nps", "0_10", chance.randrange(11), at, respondent=f"r{number % 5}"),
                ticket("opened", at, f"T{number}"),
                account("known", at, seats=10),
            )
        )
        seen = len(customer.all_changes)
        customer.passes(at)
        for change in customer.all_changes[seen:]:
            told[change.purpose] = len(happened)
        seen = len(customer.all_changes)
        customer.happens(event)
        happened.append(event.event_id)
        before = dict(told)
        for change in customer.all_changes[seen:]:
            since = before.get(change.purpose, 0)
            between += any(since < other for other in before.values())
            assert (change.caused_by, change.caused_by_count) == (happened[since:][-5:], len(happened) - since)
            told[change.purpose] = len(happened)
    assert between > 10, "no other score was published in between"


def test_every_change_explains_itself_with_the_events_that_caused_it_and_its_cause() -> None:
    customer = Judged()
    events = [usage("feature_used", NOON + place, feature=f"f{place}") for place in range(4)]
    customer.happens(*events)
    by_data = customer.changes[-1]
    assert by_data.cause == "data"
    assert by_data.caused_by == [event.event_id for event in events[-len(by_data.caused_by) :]]
    customer.passes(NOON + 40 * DAY)
    by_time = customer.changes[-1]
    assert (by_time.cause, by_time.caused_by) == ("time", [])
    customer.reconfigured(reweighted(), NOON + 41 * DAY)
    assert customer.changes[-1].cause == "config"
    for change in customer.changes:
        moved = (change.new_score or 0) - (change.old_score or 0)
        assert abs(sum(part.delta for part in change.measures) - moved) < 1e-9
        for part in change.measures:
            assert part.delta == part.new_contribution - part.old_contribution


def test_an_override_needs_author_reason_and_expiry_and_the_computed_score_stays_visible() -> None:
    customer = Judged()
    customer.happens(*(usage("feature_used", NOON + place, feature=f"f{place}") for place in range(5)))
    computed = customer.changes[-1].new_score
    customer.happens(account("override", NOON + 10, author="eve", reason_text="merger", override_score=5, expires_at=NOON + DAY))
    change = customer.changes[-1]
    assert (change.override_author, change.override_reason, change.override_expires_at) == ("eve", "merger", NOON + DAY)
    assert change.new_band == "red"
    assert change.new_score == pytest.approx(computed, abs=1)


@pytest.mark.parametrize("left_out", ["author", "reason_text", "expires_at"])
def test_an_override_without_author_reason_or_expiry_is_refused(left_out: str) -> None:
    said = {"author": "eve", "reason_text": "merger", "override_score": 5.0, "expires_at": NOON + DAY}
    assert check(account("override", NOON, **said)) is None
    refused = check(account("override", NOON, **{**said, left_out: None}))
    assert refused is not None
    assert left_out in refused.message


def test_an_override_ends_at_its_expiry() -> None:
    customer = Judged()
    customer.happens(*(usage("feature_used", NOON + place, feature=f"f{place}") for place in range(5)))
    computed = customer.changes[-1].new_band
    customer.happens(account("override", NOON + 10, author="eve", reason_text="merger", override_score=5, expires_at=NOON + HOUR))
    customer.passes(NOON + HOUR - 1)
    assert customer.changes[-1].new_band == "red"
    customer.passes(NOON + HOUR)
    last = customer.changes[-1]
    assert (last.as_of, last.cause, last.new_band, last.override_score) == (NOON + HOUR, "time", computed, None)


def reweighted() -> Definitions:
    return parse(
        default_text().replace("weight = 11", "weight = 60").replace('name = "backlog"\nfigure', 'name = "pile"\nfigure')
    )


def test_the_contributions_add_up_across_other_definitions_and_a_measure_that_went_is_named() -> None:
    customer = Judged()
    customer.happens(*(usage("feature_used", NOON + place, feature=f"f{place}") for place in range(5)))
    before = customer.changes[-1]
    customer.reconfigured(reweighted(), NOON + 100)
    change = customer.changes[-1]
    assert change.cause == "config"
    assert (change.old_score, change.old_band) == (before.new_score, before.new_band)
    assert {part.measure: part.old_contribution for part in change.measures if part.old_weight} == {
        part.measure: part.new_contribution for part in before.measures if part.new_weight
    }
    assert "backlog" in {part.measure for part in change.measures}
    moved = (change.new_score or 0) - (change.old_score or 0)
    assert abs(sum(part.delta for part in change.measures) - moved) < 1e-9


def test_what_would_make_it_green_is_told_with_every_score() -> None:
    customer = Judged()
    customer.happens(account("known", NOON, mrr_cents=100))
    customer.happens(*(usage("feature_used", NOON + place, feature=f"f{place}") for place in range(4)))
    customer.happens(*(usage("goal_completed", NOON + 10, goal="report_created") for _ in range(3)))
    found = customer.changes[-1].way_up
    assert found is not None
    assert found.text


def test_two_more_goals_a_month() -> None:
    goals = card(1, figure="goals_completed_30d")
    found = way_up(goals, health.assess_figures(goals, [71]), "yellow")
    assert found is not None
    assert (found.to_band, found.figure_now, found.figure_needed) == ("green", 71, 73)
    assert found.text == "two more goals completed in 30 days (73 instead of 71)"


def test_solve_the_three_urgent_tickets() -> None:
    falling = Curve((0.0, 3.0), (100.0, 0.0))
    urgent = Scorecard(
        "s", "risk", (), Bands((40, 70), 3, 0), (Measure("m", "open_urgent_tickets", falling, 1, None, "poor"),), 0
    )
    found = way_up(urgent, health.assess_figures(urgent, [3]), "yellow")
    assert found is not None
    assert found.figure_needed == 0
    assert found.text == "solve the three open urgent tickets"
    one_of_two = Curve((0.0, 1.0, 2.0), (100.0, 80.0, 0.0))
    of_two = Scorecard("s", "risk", (), Bands((40, 70), 3, 0), (Measure("m", "open_tickets", one_of_two, 1, None, "poor"),), 0)
    partly = way_up(of_two, health.assess_figures(of_two, [2]), "yellow")
    assert partly is not None
    assert partly.text == "solve one of the open tickets (2 now)"


def test_a_large_number_is_told_in_full() -> None:
    volume = Measure("m", "usage_volume_30d", Curve((0.0, 10_000_000.0), (0.0, 100.0)), 1, None, "poor")
    busy = Scorecard("s", "risk", (), Bands((40, 70), 3, 0), (volume,), 0)
    found = way_up(busy, health.assess_figures(busy, [7_123_456]), "yellow")
    assert found is not None
    assert found.text == "176,544 more volume of usage in 30 days (7,300,000 instead of 7,123,456)"


def test_no_single_one_is_an_answer() -> None:
    two = card(1, 1)
    found = way_up(two, health.assess_figures(two, [0, 0]), "yellow")
    assert found is not None
    assert (found.measure, found.text) == (None, "no single measure reaches green by itself")


def test_in_green_and_without_a_band_there_is_no_way_up() -> None:
    one = card(1)
    assert way_up(one, health.assess_figures(one, [90]), "green") is None
    assert way_up(one, health.assess_figures(one, [90]), None) is None


def test_a_figure_of_nothing_is_compared_by_its_part_of_the_curve() -> None:
    steep = Measure("steep", "goals_completed_30d", Curve((0.0, 10.0), (0.0, 100.0)), 1, None, "poor")
    flat = Measure("flat", "features_used_30d", Curve((0.0, 100.0), (0.0, 100.0)), 1, None, "poor")
    both = Scorecard("s", "risk", (), Bands((20, 70), 0, 0), (flat, steep), 0)
    found = way_up(both, health.assess_figures(both, [10, 0]), "red")
    assert found is not None
    assert (found.measure, found.figure_needed) == ("steep", 3)  # 0.3 of the curve, against twice as many more features


def test_with_too_few_measures_for_a_band_there_is_no_way_up() -> None:
    customer = Judged()
    customer.happens(*(ticket("opened", NOON + place, f"T{place}") for place in range(3)))
    assert customer.changes[-1].way_up is None  # too few measures for a band


def new_customer_who_does_well() -> Judged:
    """Near the best score by the scorecard of the first weeks, and far below it by that of everybody: no features, no breadth."""
    flat = default_text().replace("curve = [[0, 0], [1, 30], [4, 80], [8, 100]]", "curve = [[0, 100], [1, 100]]")
    customer = Judged(parse(flat.replace("curve = [[0, 0], [1, 35], [4, 75], [12, 100]]", "curve = [[0, 100], [1, 100]]")))
    customer.happens(account("contracted", NOON), answer("csat", "good_bad", 1, NOON + 1))
    customer.happens(usage("feature_used", NOON + 2, feature="board"))
    return customer


def test_another_scorecard_opens_no_fall_because_only_scores_of_one_are_compared() -> None:
    customer = new_customer_who_does_well()
    before = customer.changes[-1]
    customer.happens(account("onboarded", NOON + DAY))
    after = customer.changes[-1]
    assert (before.scorecard, after.scorecard) == ("onboarding", "standard")
    assert before.new_displayed is not None
    assert after.new_displayed is not None
    assert before.new_displayed - after.new_displayed > 20
    assert customer.states_of("health_fell") == []
    assert customer.state.health.of("risk").peaks == []


def fallen() -> Judged:
    """A customer whose health fell by the open tickets of an hour."""
    customer = Judged(prompt_definitions())
    customer.happens(account("onboarded", NOON))
    customer.happens(*(usage("goal_completed", NOON + place, goal="report_created", quantity=10) for place in range(3)))
    customer.happens(*(usage("feature_used", NOON + 10 + place, feature=f"f{place}") for place in range(10)))
    customer.happens(*(answer(survey, scale, best, NOON + 100) for survey, scale, best in SURVEYS))
    customer.happens(*(answer(survey, scale, 0, NOON + 1000) for survey, scale, _ in SURVEYS for _ in range(9)))
    customer.happens(*(ticket("opened", NOON + 1000, f"T{number}") for number in range(10)))
    assert customer.states_of("health_fell") == ["opened"]
    return customer


def test_other_definitions_end_a_fall_with_a_word_that_says_so_and_open_none() -> None:
    customer = fallen()
    harsher = prompt_text().replace("[80, 75]", "[80, 5]").replace("[5, 35]", "[5, 3]")
    customer.reconfigured(parse(harsher), NOON + HOUR)
    ending = customer.alerts_of("health_fell")[-1]
    assert (ending.state, ending.cause) == ("resolved", "config")
    assert ending.resolution is not None
    assert "other definitions" in ending.resolution
    assert customer.states_of("health_fell").count("opened") == 1


def test_another_scorecard_ends_a_fall_with_a_word_that_says_so() -> None:
    customer = fallen()
    customer.happens(account("plan_changed", NOON + HOUR, segment="enterprise"))
    ending = customer.alerts_of("health_fell")[-1]
    assert ending.state == "resolved"
    assert ending.resolution is not None
    assert "another scorecard" in ending.resolution
