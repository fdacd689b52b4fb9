"""Every sentence and check value of the domain's chapter on surveys, each a test of its name."""

import pytest

from processors import csat, feedback, nps
from processors.csat import CsatState
from processors.definitions import DefinitionsError, parse
from processors.feedback import FeedbackState
from processors.intervals import adjusted_wald_nps, wilson
from processors.nps import Counts, NpsState
from processors.totals import Totals
from processors.windows import D7, D30, D90, D180, DAY_MS, HOUR_MS
from schemas.events import Scale, TicketEvent, UsageEvent
from schemas.records import Figure, SurveyRequest
from tests.support.asked import answered, sent
from tests.support.happenings import NAMES, NOON, account, answer, ticket, usage
from tests.support.judging import Judged, default_text


def good(scale: Scale) -> set[int]:
    """The scores of a scale that count as good."""
    found = set()
    for score in range(8):
        state = CsatState()
        try:
            csat.fold(state, answer("csat", scale, score), NOON, NAMES, Totals())
        except KeyError:
            continue
        if csat.share(state, None, D90, NOON).good:
            found.add(score)
    return found


def promoters_and_detractors(scale: nps.NpsScale) -> tuple[set[int], set[int]]:
    promoters, detractors = set(), set()
    for score in range(0 if scale == "0_10" else 1, 11):
        state = NpsState()
        nps.fold(state, answer("nps", scale, score), NOON, NAMES, Totals())
        counts = nps.counts(state, scale, D90, NOON)
        if counts.promoters:
            promoters.add(score)
        if counts.detractors:
            detractors.add(score)
    return promoters, detractors


def shown(customer: Judged) -> dict[tuple[str, str], Figure]:
    from processors.figures import Sheet, all_figures

    figures = all_figures(Sheet(customer.state, NOON, customer.context.definitions))
    return {(figure.name, figure.dimension): figure for figure in figures}


def requests(customer: Judged, survey: str = "csat") -> list[SurveyRequest]:
    outputs = customer.context.effects.outputs
    return [record for record in outputs if isinstance(record, SurveyRequest) and record.survey == survey]


# ---- figures ----


def test_csat_is_good_answers_of_all_answers_in_percent() -> None:
    state = CsatState()
    for score in (1, 1, 0):
        csat.fold(state, answer("csat", "good_bad", score), NOON, NAMES, Totals())
    assert csat.share(state, None, D90, NOON).value_pct == pytest.approx(200 / 3)


def test_good_of_good_bad_is_1() -> None:
    assert good("good_bad") & {0, 1} == {1}


def test_good_of_1_5_is_4_and_5() -> None:
    assert good("1_5") & {1, 2, 3, 4, 5} == {4, 5}


def test_good_of_1_7_is_5_6_and_7() -> None:
    assert good("1_7") & {1, 2, 3, 4, 5, 6, 7} == {5, 6, 7}


def test_answers_of_the_csat_scales_are_pooled_as_good_or_not_and_their_raw_score_and_scale_are_stored() -> None:
    state = CsatState()
    for scale, score in (("good_bad", 1), ("1_5", 1), ("1_7", 7)):
        csat.fold(state, answer("csat", scale, score), NOON, NAMES, Totals())  # type: ignore[arg-type]  # one of the scales
    assert csat.share(state, None, D90, NOON) == csat.Share(2, 3)
    assert len(state.by_touchpoint["other"].days) == 3


def test_the_record_says_from_which_scales_a_csat_is() -> None:
    customer = Judged()
    customer.happens(
        answered("csat", 1), answered("csat", 5, scale="1_5", touchpoint="support"), answered("csat", 2, scale="1_5")
    )
    told = {key: figure.value for key, figure in shown(customer).items() if key[0] == "csat_answers_90d"}
    assert told == {("csat_answers_90d", "good_bad"): 1, ("csat_answers_90d", "1_5"): 2}
    assert shown(customer)["csat_90d_pct", ""].n == sum(value or 0 for value in told.values())


def test_csat_of_no_answers_is_null_never_0() -> None:
    customer = Judged()
    customer.happens(usage("session"))
    figure = shown(customer)["csat_90d_pct", ""]
    assert (figure.value, figure.n, figure.reason) == (None, 0, "no answers in the window")


def test_nps_promoters_are_9_and_10_and_detractors_0_to_6_of_0_10() -> None:
    assert promoters_and_detractors("0_10") == ({9, 10}, {0, 1, 2, 3, 4, 5, 6})


def test_nps_promoters_are_9_and_10_and_detractors_1_to_6_of_1_10() -> None:
    assert promoters_and_detractors("1_10") == ({9, 10}, {1, 2, 3, 4, 5, 6})


def test_the_two_scales_are_never_mixed_in_one_figure() -> None:
    customer = Judged()
    customer.happens(answer("nps", "0_10", 10), answer("nps", "1_10", 1))
    found = shown(customer)
    assert (found["nps_0_10_90d", ""].value, found["nps_0_10_90d", ""].n) == (100, 1)
    assert (found["nps_1_10_90d", ""].value, found["nps_1_10_90d", ""].n) == (-100, 1)


@pytest.mark.parametrize("figure", ["nps_90d", "nps_180d"])
def test_a_measure_of_both_scales_is_rejected_at_configuration(figure: str) -> None:
    with pytest.raises(DefinitionsError, match=figure):
        parse(default_text().replace('figure = "nps_0_10_180d"', f'figure = "{figure}"'))


def test_ces_is_the_mean_on_1_7_and_the_share_of_5_and_more_with_variant_and_direction_in_their_names() -> None:
    customer = Judged()
    customer.happens(*(answered("ces", score) for score in (2, 5, 7, 7)))
    found = shown(customer)
    assert found["ces_1_7_easy_mean_90d", ""].value == 5.25
    assert (found["ces_1_7_easy_pct_90d", ""].value, found["ces_1_7_easy_pct_90d", ""].n) == (75, 4)
    state = FeedbackState()
    for score in range(1, 8):
        feedback.fold(state, answered("ces", score), NOON, NAMES, Totals())
    assert feedback.effort(state, D90, NOON).easy == 3


@pytest.mark.parametrize(("part", "n", "low", "high"), [(8, 10, 0.4902, 0.9433), (0, 5, 0.0, 0.4345), (10, 10, 0.7225, 1.0)])
def test_the_interval_of_a_share_is_wilson_s_at_95_percent(part: int, n: int, low: float, high: float) -> None:
    interval = wilson(part, n)
    assert interval is not None
    assert (round(interval.low, 4), round(interval.high, 4)) == (low, high)


def test_the_interval_is_always_shown_beside_a_csat() -> None:
    customer = Judged()
    customer.happens(*(answer("csat", "good_bad", int(number < 8)) for number in range(10)))
    for name in ("csat_7d_pct", "csat_30d_pct", "csat_90d_pct"):
        figure = shown(customer)[name, ""]
        assert (figure.value, round(figure.low or 0, 2), round(figure.high or 0, 2)) == (80, 49.02, 94.33)


@pytest.mark.parametrize(("counts", "score", "low", "high"), [((5, 3, 2), 30, -19.1, 65.2), ((10, 0, 0), 100, 47.5, 100)])
def test_the_interval_of_an_nps_is_the_adjusted_wald(counts: tuple[int, int, int], score: float, low: float, high: float) -> None:
    interval = adjusted_wald_nps(*counts)
    assert interval is not None
    assert Counts(*counts).score == score
    assert (round(interval.low, 1), round(interval.high, 1)) == (low, high)


@pytest.mark.parametrize(("counts", "estimate"), [((1, 0, 0), 100), ((0, 0, 1), -100), ((0, 1, 0), 0)])
def test_the_interval_of_an_nps_is_clipped_and_widened_to_include_the_estimate(
    counts: tuple[int, int, int], estimate: float
) -> None:
    interval = adjusted_wald_nps(*counts)
    assert interval is not None
    assert -100 <= interval.low <= estimate <= interval.high <= 100


def test_the_windows_are_7_30_and_90_days_of_csat_and_90_and_180_of_nps_and_each_figure_names_its_own() -> None:
    customer = Judged()
    customer.happens(answer("csat", "good_bad", 1), answer("nps", "0_10", 9))
    found = shown(customer)
    for window in (D7, D30, D90):
        assert found[f"csat_{window.name}_pct", ""].window_days == window.days
    for window in (D90, D180):
        assert found[f"nps_0_10_{window.name}", ""].window_days == window.days


def test_the_response_rate_is_of_the_requests_sent_in_the_window_the_share_answered_so_far_per_survey_and_touchpoint() -> None:
    customer = Judged()
    long_ago = NOON - 95 * DAY_MS
    customer.happens(sent("csat", long_ago, touchpoint="support", request_id="old"))
    for number in range(4):
        customer.happens(sent("csat", NOON - DAY_MS, touchpoint="support", request_id=f"q{number}"))
    customer.happens(sent("nps", NOON - DAY_MS, request_id="n"), answered("csat", 1, NOON, request_id="q1"))
    found = shown(customer)
    rates = {
        dimension: (figure.value, figure.n) for (name, dimension), figure in found.items() if name == "response_rate_90d_pct"
    }
    assert rates == {"": (20, 5), "csat": (25, 4), "csat/support": (25, 4), "nps": (0, 1)}


def test_volume_and_quality_of_feedback_are_n_answered_and_the_share_with_a_comment() -> None:
    customer = Judged()
    customer.happens(answered("csat", 1, comment="thanks"), answered("nps", 3), answered("ces", 3), answered("product", 3))
    found = shown(customer)
    assert found["answers_90d", ""].value == 4
    assert found["answers_with_comment_90d_pct", ""].value == 25


# ---- plan ----


def test_nps_is_asked_3_days_after_onboarding_then_every_180_days() -> None:
    customer = Judged()
    customer.happens(account("onboarded", NOON))
    customer.passes(NOON + 200 * DAY_MS)
    assert [(request.due_at - NOON) // DAY_MS for request in requests(customer, "nps")] == [3, 183]


def test_the_csat_request_is_due_within_5_minutes_of_the_end_and_worthless_after_24_hours() -> None:
    customer = Judged()
    customer.happens(ticket("solved", NOON, touchpoint="support"))
    (request,) = requests(customer)
    assert NOON <= request.due_at <= NOON + 5 * 60_000
    assert request.expires_at == NOON + 24 * HOUR_MS


def test_a_csat_request_that_a_replay_finds_late_is_expired() -> None:
    customer = Judged()
    for clock, expected in ((NOON + 24 * HOUR_MS - 1, "due"), (NOON + 24 * HOUR_MS, "expired")):
        customer = Judged()
        customer.happens(ticket("solved", NOON, touchpoint="support"), clock=clock)
        assert [request.state for request in requests(customer)] == [expected]


def test_a_blocked_csat_is_dropped_and_counted() -> None:
    customer = Judged()
    customer.happens(ticket("solved", NOON, touchpoint="support"), ticket("solved", NOON + DAY_MS, "T2", touchpoint="support"))
    customer.passes(NOON + 300 * DAY_MS)
    assert [request.state for request in requests(customer)] == ["due", "throttled"]
    flows = customer.context.effects.totals.flows
    assert flows["survey_requests_by_day", "csat/throttled", NOON + DAY_MS // 2] == [1]


def test_nps_is_one_per_respondent_in_179_days() -> None:
    customer = Judged()
    customer.happens(account("contact", NOON, respondent_id="r1"), account("contact", NOON, respondent_id="r2"))
    customer.happens(sent("nps", NOON, respondent_id="r1"), account("onboarded", NOON + DAY_MS))
    customer.passes(NOON + 30 * DAY_MS)
    assert [(request.respondent_id, request.state) for request in requests(customer, "nps")] == [
        ("r1", "throttled"),
        ("r2", "due"),
    ]


def test_a_due_survey_carries_the_question_in_the_respondent_s_language() -> None:
    customer = Judged()
    customer.happens(
        account("contact", NOON, respondent_id="r1", locale="en"),
        account("contact", NOON, respondent_id="r2", locale="vi"),
        account("onboarded", NOON),
    )
    customer.passes(NOON + 3 * DAY_MS)
    english, vietnamese = requests(customer, "nps")
    assert english.question.startswith("How likely are you to recommend us")
    assert (vietnamese.locale, "giới thiệu" in vietnamese.question) == ("vi", True)


def test_the_words_of_csat_are_good_i_m_satisfied_and_bad_i_am_not_satisfied() -> None:
    customer = Judged()
    customer.happens(ticket("solved", NOON))
    assert requests(customer)[0].answers == ["Good, I'm satisfied", "Bad, I am not satisfied"]


def test_survey_answers_to_requests_the_pipeline_never_made_are_counted_like_any_other() -> None:
    customer = Judged()
    customer.happens(answered("csat", 1, request_id="theirs", touchpoint="support"))
    assert shown(customer)["csat_90d_pct", "support"].n == 1


def test_nps_requests_expire_after_14_days() -> None:
    customer = Judged()
    customer.happens(account("onboarded", NOON))
    customer.passes(NOON + 3 * DAY_MS)
    (request,) = requests(customer, "nps")
    assert request.expires_at == request.due_at + 14 * DAY_MS


def test_users_respondents_and_requesters_share_one_name_space() -> None:
    customer = Judged()
    customer.happens(account("contact", NOON, respondent_id="ann", consent=False))
    who = {"customer_id": "c", "occurred_at": NOON}
    customer.happens(
        TicketEvent(**who, event_id="t", kind="solved", ticket_id="T", requester_id="ann"),  # type: ignore[arg-type]  # as above
        UsageEvent(**who, event_id="u", kind="interaction_ended", touchpoint="trial", user_id="ann"),  # type: ignore[arg-type]  # as above
    )
    assert requests(customer) == []
