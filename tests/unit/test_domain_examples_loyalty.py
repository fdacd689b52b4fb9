"""The sentences of the domain about loyalty quadrants and touchpoints, each as a test named by it."""

import pytest

from processors.definitions import parse
from processors.effects import Around
from processors.loyalty_file import QUADRANTS
from processors.windows import DAY_MS
from schemas.records import CustomerSnapshot, LoyaltyChange, Quadrant, StationNow
from tests.support.happenings import NOON, account, answer
from tests.support.judging import Judged, default_definitions, default_text

DAYS_90, DAYS_210 = 90 * DAY_MS, 210 * DAY_MS


def changes(customer: Judged) -> list[LoyaltyChange]:
    return [record for record in customer.context.effects.outputs if isinstance(record, LoyaltyChange)]


def quadrant_of(customer: Judged) -> Quadrant:
    return customer.state.loyalty.quadrant


def rated(customer: Judged, good: int, bad: int, touchpoint: str = "support", at: int = NOON) -> None:
    for number in range(good + bad):
        customer.happens(answer("csat", "good_bad", int(number < good), at, touchpoint=touchpoint))


def recommends(customer: Judged, *scores: int, at: int = NOON) -> None:
    for number, score in enumerate(scores):
        customer.happens(answer("nps", "0_10", score, at, respondent=f"r{number}"))


def a_customer(good: int, bad: int, *scores: int) -> Judged:
    customer = Judged()
    rated(customer, good, bad)
    recommends(customer, *scores)
    return customer


def shown_touchpoints(customer: Judged) -> dict[str, StationNow]:
    customer.passes(NOON + DAY_MS)
    newest = [record for record in customer.context.effects.outputs if isinstance(record, CustomerSnapshot)][-1]
    return {station.touchpoint: station for station in newest.touchpoints}


@pytest.mark.parametrize(
    ("good", "bad", "scores", "expected"),
    [
        (2, 0, (9,), "advocate"),
        (0, 2, (9,), "vip_support"),
        (2, 0, (6,), "wildcard"),
        (0, 2, (6,), "churner"),
        (1, 0, (9,), "unknown"),
    ],
)
def test_csat_on_one_axis_nps_on_the_other(good: int, bad: int, scores: tuple[int, ...], expected: Quadrant) -> None:
    assert a_customer(good, bad, *scores).state.loyalty.quadrant == expected


def test_with_published_cut_offs_all_configurable() -> None:
    text = default_text()
    for name, default, other in (
        ("satisfied_from_pct", 50, 80),
        ("window_days", 90, 30),
        ("least_csat_answers", 2, 3),
        ("nps_valid_days", 210, 400),
        ("least_nps_answers", 1, 2),
        ("few_below", 4, 10),
    ):
        assert text.count(f"\n{name} = {default}\n") == 1
        text = text.replace(f"\n{name} = {default}\n", f"\n{name} = {other}\n")
    found = parse(text).loyalty
    assert (found.satisfied_from_pct, found.window.days, found.least_csat_answers) == (80, 30, 3)
    assert (found.nps_valid_ms, found.least_nps_answers, found.few_below) == (400 * DAY_MS, 2, 10)
    change = changes(a_customer(2, 0, 9))[-1]
    assert (change.satisfied_from_pct, change.csat_window_days) == (50, 90)


def test_satisfied_is_a_csat_of_the_last_90_days_of_at_least_50_percent_from_at_least_2_answers() -> None:
    assert a_customer(1, 1, 9).state.loyalty.quadrant == "advocate"
    assert a_customer(1, 2, 9).state.loyalty.quadrant == "vip_support"
    assert a_customer(0, 1, 9).state.loyalty.quadrant == "unknown"
    customer = a_customer(0, 2, 9)
    customer.passes(NOON + DAYS_90 + DAY_MS)
    assert (quadrant_of(customer), changes(customer)[-1].reason) == ("unknown", "too few CSAT answers")
    assert changes(customer)[-1].cause == "time"


def test_of_the_latest_nps_answers_of_its_respondents_each_valid_for_210_days() -> None:
    customer = Judged()
    recommends(customer, 3)
    rated(customer, 2, 0, at=NOON + 130 * DAY_MS)
    assert quadrant_of(customer) == "wildcard"
    assert customer.state.next_due <= NOON + DAYS_210
    customer.passes(NOON + DAYS_210 - 1)
    assert quadrant_of(customer) == "wildcard"
    customer.passes(NOON + DAYS_210)
    change = changes(customer)[-1]
    assert (change.new_quadrant, change.reason, change.as_of) == ("unknown", "no valid NPS answer", NOON + DAYS_210)


def test_only_the_latest_answer_of_a_respondent_counts() -> None:
    customer = a_customer(2, 0, 3, 3)
    for number in range(2):
        customer.happens(answer("nps", "0_10", 10, NOON + 1, respondent=f"r{number}"))
    change = changes(customer)[-1]
    assert (change.old_quadrant, change.new_quadrant) == ("wildcard", "advocate")
    assert (change.promoters, change.passives, change.detractors) == (2, 0, 0)


def test_loyal_is_more_promoters_than_detractors_and_not_loyal_is_more_detractors() -> None:
    assert a_customer(2, 0, 9, 10, 6).state.loyalty.quadrant == "advocate"
    assert a_customer(2, 0, 9, 0, 6).state.loyalty.quadrant == "wildcard"


@pytest.mark.parametrize("scores", [(7,), (8, 7), (9, 3), (9, 7, 6)])
def test_a_tie_also_passives_alone_is_else_unknown_undecided(scores: tuple[int, ...]) -> None:
    customer = Judged()
    recommends(customer, *scores)
    rated(customer, 2, 0)
    assert (changes(customer)[-1].new_quadrant, changes(customer)[-1].reason) == ("unknown", "undecided")


@pytest.mark.parametrize(("score", "before"), [(9, "advocate"), (6, "wildcard")])
def test_a_tie_keeps_the_quadrant_it_had(score: int, before: Quadrant) -> None:
    customer = a_customer(2, 0, score)
    customer.happens(answer("nps", "0_10", 15 - score, NOON + 1, respondent="another"))
    assert quadrant_of(customer) == before
    for passive in ("another", "r0"):
        customer.happens(answer("nps", "0_10", 7, NOON + 2, respondent=passive))
    assert quadrant_of(customer) == before


def test_a_tie_keeps_the_loyalty_while_the_satisfaction_moves_on() -> None:
    customer = a_customer(2, 0, 9, 3)
    assert quadrant_of(customer) == "advocate"
    rated(customer, 0, 3)
    assert quadrant_of(customer) == "vip_support"


def test_a_tie_after_unknown_is_undecided() -> None:
    customer = a_customer(2, 0, 9, 3)
    assert quadrant_of(customer) == "advocate"
    customer.passes(NOON + DAYS_90 + DAY_MS)
    rated(customer, 2, 0, at=NOON + DAYS_90 + DAY_MS)
    assert (changes(customer)[-1].new_quadrant, changes(customer)[-1].reason) == ("unknown", "undecided")


def test_at_least_1_answer() -> None:
    change = changes(a_customer(2, 0))[-1]
    assert (change.new_quadrant, change.reason) == ("unknown", "no valid NPS answer")


@pytest.mark.parametrize(
    ("good", "bad", "borderline", "few"),
    [(3, 0, False, True), (2, 2, True, False), (10, 0, False, False), (4, 0, False, False), (3, 1, True, False)],
)
def test_from_4_answers_on_borderline_is_set_when_the_interval_contains_the_cut_off_below_few(
    good: int, bad: int, borderline: bool, few: bool
) -> None:
    customer = Judged()
    rated(customer, good, bad)
    recommends(customer, 9)
    change = changes(customer)[-1]
    assert (change.csat_n, change.borderline, change.few) == (good + bad, borderline, few)


def test_the_record_names_the_worst_touchpoint() -> None:
    customer = Judged()
    rated(customer, 2, 1, "product")
    rated(customer, 1, 3, "onboarding")
    rated(customer, 0, 1, "nowhere")
    recommends(customer, 9)
    change = changes(customer)[-1]
    assert (change.new_quadrant, change.worst_touchpoint) == ("vip_support", "onboarding")


def test_an_advocate_with_a_weak_touchpoint_is_flagged() -> None:
    customer = Judged()
    rated(customer, 30, 0, "product")
    rated(customer, 1, 5, "support")
    recommends(customer, 10)
    change = changes(customer)[-1]
    assert (change.new_quadrant, change.worst_touchpoint, change.weak_touchpoint) == ("advocate", "support", True)


def test_an_advocate_whose_touchpoint_becomes_weak_is_flagged_then_and_no_longer_when_it_has_mended() -> None:
    customer = Judged()
    rated(customer, 27, 3, "product")
    recommends(customer, 10)
    rated(customer, 0, 5, "support", NOON + DAY_MS)
    rated(customer, 40, 0, "support", NOON + 2 * DAY_MS)
    found = [(change.old_quadrant, change.new_quadrant, change.weak_touchpoint) for change in changes(customer)][2:]
    assert found == [("advocate", "advocate", True), ("advocate", "advocate", False)]


def test_the_snapshot_shows_the_flags_and_the_worst_touchpoint_as_they_are_now() -> None:
    customer = Judged()
    rated(customer, 30, 0, "product")
    recommends(customer, 10)
    rated(customer, 1, 5, "support", NOON + DAY_MS)
    customer.passes(NOON + 2 * DAY_MS)
    newest = [record for record in customer.context.effects.outputs if isinstance(record, CustomerSnapshot)][-1]
    assert (newest.quadrant, newest.loyalty_flags, newest.worst_touchpoint) == ("advocate", ["weak_touchpoint"], "support")
    for few, bad, flags in ((1, 1, ["few"]), (2, 2, ["borderline"])):
        customer = Judged()
        rated(customer, few, bad)
        customer.passes(NOON + DAY_MS)
        newest = [record for record in customer.context.effects.outputs if isinstance(record, CustomerSnapshot)][-1]
        assert (newest.loyalty_flags, newest.worst_touchpoint) == (flags, "support")


def test_every_published_value_carries_a_revision_when_late_data_changed_a_value_already_published() -> None:
    hour = 3_600_000
    for late_ms, revision in ((hour, 0), (hour + 1, 1)):
        customer = a_customer(2, 0, 9)
        customer.happens(answer("nps", "0_10", 3, NOON - late_ms, respondent="r8"), clock=NOON)
        customer.happens(answer("nps", "0_10", 3, NOON - late_ms, respondent="r9"), clock=NOON)
        assert (changes(customer)[-1].new_quadrant, changes(customer)[-1].revision) == ("wildcard", revision)


def test_a_snapshot_carries_a_revision_when_late_data_changed_what_was_shown() -> None:
    customer = Judged()
    customer.happens(account("onboarded", NOON))
    customer.happens(answer("csat", "good_bad", 1, NOON - 3_600_000), clock=NOON)
    customer.happens(answer("csat", "good_bad", 1, NOON - 3_600_001), clock=NOON)
    customer.passes(NOON + DAY_MS)
    snapshots = [record for record in customer.context.effects.outputs if isinstance(record, CustomerSnapshot)]
    assert [snapshots[0].revision, snapshots[-1].revision] == [0, 1]


@pytest.mark.parametrize(
    ("quadrant", "word"),
    [
        ("advocate", "reference"),
        ("vip_support", "Thank"),
        ("wildcard", "touchpoint map"),
        ("churner", "why"),
        ("unknown", "guess"),
    ],
)
def test_the_action_that_the_record_carries(quadrant: Quadrant, word: str) -> None:
    assert word in default_definitions().loyalty.actions[quadrant]
    assert set(default_definitions().loyalty.actions) == set(QUADRANTS)
    if quadrant == "advocate":
        assert changes(a_customer(2, 0, 9))[-1].action == default_definitions().loyalty.actions[quadrant]


def test_fewer_than_the_minimum_n_never_guess_and_say_why() -> None:
    assert changes(Judged()) == []
    customer = a_customer(1, 0)
    assert quadrant_of(customer) == "unknown"
    customer.happens(answer("nps", "0_10", 9, NOON, respondent="r"))
    assert changes(customer)[-1].reason == "too few CSAT answers"


def with_fleet(customer: Judged, **fleet: float | None) -> Judged:
    customer.context.around = Around(fleet=fleet)
    return customer


def churner(mrr_cents: int, **fleet: float | None) -> Judged:
    customer = with_fleet(Judged(), **fleet)
    customer.happens(account("onboarded", NOON, mrr_cents=mrr_cents, currency="EUR"))
    rated(customer, 0, 2)
    recommends(customer, 3)
    return customer


def test_while_the_churner_share_is_at_most_5_percent_a_single_churners_episode_is_info_with_the_action_ask_why() -> None:
    alert = churner(100, churner_share=0.05).alerts_of("became_churner")[-1]
    assert (alert.severity, alert.action.startswith("Ask why")) == ("info", True)
    alert = churner(100, churner_share=0.051).alerts_of("became_churner")[-1]
    assert (alert.severity, alert.action.startswith("Ask why")) == ("high", False)


def test_unless_its_mrr_is_in_the_top_tenth() -> None:
    fleet = {"churner_share": 0.01, "mrr_top_tenth_cents|EUR": 100_000.0}
    assert churner(100_001, **fleet).alerts_of("became_churner")[-1].severity == "high"
    assert churner(100_000, **fleet).alerts_of("became_churner")[-1].severity == "info"


def test_weak_is_an_interval_whose_upper_end_lies_below_all_others_strong_one_whose_lower_end_lies_above() -> None:
    customer = Judged()
    rated(customer, 1, 9, "support")
    rated(customer, 9, 1, "product")
    rated(customer, 1, 1, "onboarding")
    found = shown_touchpoints(customer)
    assert {name: station.strength for name, station in found.items()} == {
        "onboarding": "neither",
        "product": "strong",
        "support": "weak",
    }


def test_the_trend_is_the_last_30_days_minus_the_30_before_with_newcombes_interval_flat_when_it_contains_0() -> None:
    customer = Judged()
    for touchpoint, before in (("support", 0), ("product", 8), ("onboarding", 4)):
        rated(customer, before, 8 - before, touchpoint, at=NOON - 40 * DAY_MS)
    for touchpoint, now in (("support", 8), ("product", 0), ("onboarding", 5)):
        rated(customer, now, 8 - now, touchpoint, at=NOON - DAY_MS)
    rated(customer, 1, 0, "renewal", at=NOON - DAY_MS)
    found = shown_touchpoints(customer)
    assert {name: station.trend for name, station in found.items()} == {
        "onboarding": "flat",
        "product": "down",
        "support": "up",
        "renewal": "unknown",
    }
    assert (found["support"].trend_points, found["onboarding"].trend_points) == (100, 12.5)
    flat = found["onboarding"]
    assert flat.trend_low is not None
    assert flat.trend_high is not None
    assert flat.trend_low < 0 < flat.trend_high


def test_for_each_station_in_order_csat_interval_n_backlog_strength_trend_and_department() -> None:
    customer = Judged()
    rated(customer, 4, 1, "support")
    rated(customer, 1, 0, "trial")
    found = shown_touchpoints(customer)
    assert list(found) == ["trial", "support"]
    station = found["support"]
    assert (station.csat_pct, station.n, station.department, station.side) == (80, 5, "Support", "after")
    assert station.low_pct == pytest.approx(37.55, abs=0.01)
    assert station.high_pct == pytest.approx(96.38, abs=0.01)
