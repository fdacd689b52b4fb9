"""The customers most at risk, and what costs them most."""

import pytest

from processors.definitions import parse
from streams.catalogue import default_text
from streams.demo import words
from streams.demo.ranking import Cost, costs_of, most_at_risk, standing
from tests.support.demo_records import change, measure, snapshot


def test_the_measures_that_cost_most_come_first_and_all_costs_sum_to_what_the_score_lacks() -> None:
    measures = [
        measure("goals", 0, 20, 0.0),
        measure("recency", 3, 20, 38.0),
        measure("loyalty", None, 0, 0.0),
        measure("csat", 90, 10, 15.0),
    ]
    costs = costs_of(measures, 10)
    assert [cost.measure for cost in costs] == ["goals", "csat", "recency"]
    assert [cost.points for cost in costs] == pytest.approx([40.0, 5.0, 2.0])
    assert sum(cost.points for cost in costs) == pytest.approx(100 - (0 + 38 + 15))
    assert [cost.measure for cost in costs_of(measures, 1)] == ["goals"]


def test_a_score_without_any_measure_has_no_costs() -> None:
    assert costs_of([measure("loyalty", None, 0, 0.0)], 2) == []


def test_who_has_left_or_has_no_contract_yet_is_not_at_risk_and_the_larger_revenue_goes_first_among_equals() -> None:
    health = {
        name: change(name, 1, None, score) for name, score in {"a": 30.0, "b": 10.0, "c": 30.0, "d": 5.0, "e": 80.0}.items()
    }
    health["unknown"] = change("unknown", 1, None, None)
    snapshots = {
        "a": snapshot("a", "onboarded", 100),
        "b": snapshot("b", "cancelled", 900),
        "c": snapshot("c", "contracted", 500),
        "d": snapshot("d", "trial"),
    }
    found = most_at_risk(health, snapshots, 2)
    assert [(one.customer_id, one.band, one.mrr_cents) for one in found] == [("c", "red", 500), ("a", "red", 100)]
    assert [one.customer_id for one in most_at_risk(health, snapshots, 9)] == ["c", "a", "e"]


def test_the_standing_counts_every_customer_once_and_those_who_left_apart_from_their_last_band() -> None:
    health = {name: change(name, 1, None, score) for name, score in {"a": 10.0, "b": 50.0, "c": 90.0, "d": None}.items()}
    now = standing(health, {"a": snapshot("a", "lapsed"), "b": snapshot("b", "known")})
    assert (now.red, now.yellow, now.green, now.without_band, now.gone) == (0, 1, 1, 1, 1)


@pytest.mark.parametrize(
    ("figure", "value", "text"),
    [
        ("days_since_last_sign", 21.4, "recency -17.0 (last sign 21 d ago)"),
        ("goal_attainment_30d_ratio", 0.0417, "recency -17.0 (4% of the goals promised)"),
        ("of_its_own", 2.5, "recency -17.0 (of_its_own 2.5)"),
        ("csat_90d_pct", None, "recency -17.0 (unknown)"),
    ],
)
def test_a_cost_names_the_points_and_the_figure_behind_them(figure: str, value: float | None, text: str) -> None:
    assert words.cost(Cost(measure="recency", figure=figure, figure_value=value, points=17.0)) == text


def test_every_figure_of_the_default_scorecards_has_words_of_its_own() -> None:
    scorecards = [card for cards in parse(default_text()).scorecards.values() for card in cards]
    figures = {one.figure for card in scorecards for one in card.measures}
    assert len(figures) > 10
    for figure in figures:
        text = words.cost(Cost(measure="m", figure=figure, figure_value=1.0, points=1.0))
        assert figure not in text
