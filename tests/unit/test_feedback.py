import pytest

from processors import feedback
from processors.feedback import FeedbackState, Good, Told
from processors.sketch import bin_of
from processors.totals import Totals
from processors.windows import D90, DAY_MS
from schemas.checks import SCALES, SURVEY_SCALES
from schemas.events import Scale, SurveyEvent
from tests.support.asked import answered, sent
from tests.support.happenings import NAMES, NOON

TODAY = NOON - DAY_MS // 2


def folded(*events: SurveyEvent) -> tuple[FeedbackState, Totals]:
    state, totals = FeedbackState(), Totals()
    for event in events:
        feedback.fold(state, event, NOON, NAMES, totals)
    return state, totals


def test_effort_is_the_mean_and_the_share_of_5_and_more() -> None:
    state, totals = folded(*(answered("ces", score) for score in (1, 4, 5, 7)))
    found = feedback.effort(state, D90, NOON)
    assert (found.mean, found.easy, found.n) == (4.25, 2, 4)
    assert totals.flows["ces_by_day", "1_7", TODAY] == [1, 0, 0, 1, 1, 0, 1]


def test_effort_without_answers_is_unknown() -> None:
    assert feedback.effort(FeedbackState(), D90, NOON).mean is None


@pytest.mark.parametrize(("scale", "good_from"), [("good_bad", 1), ("1_5", 4), ("1_7", 5), ("0_10", 7)])
def test_product_feedback_is_good_from_a_score_of_each_scale(scale: Scale, good_from: int) -> None:
    lowest, highest = SCALES[scale]
    scores = range(lowest, highest + 1)
    state, totals = folded(*(answered("product", score, scale=scale) for score in scores))
    expected = Good(sum(score >= good_from for score in scores), len(scores))
    assert feedback.product(state, D90, NOON) == expected
    assert totals.flows["product_by_day", scale, TODAY] == list(expected)


def test_every_scale_of_product_feedback_is_known() -> None:
    for scale in SURVEY_SCALES["product"]:
        state, _ = folded(answered("product", SCALES[scale][0], scale=scale), answered("product", SCALES[scale][1], scale=scale))
        assert feedback.product(state, D90, NOON) == Good(1, 2)


def test_the_raw_scores_of_different_scales_are_kept_apart() -> None:
    state, _ = folded(answered("product", 1, scale="good_bad"), answered("product", 1, scale="1_5"))
    assert state.product is not None
    assert len(state.product.days) == 2


def test_answers_of_all_surveys_are_counted_by_what_they_tell() -> None:
    state, totals = folded(
        answered("csat", 1, comment="  fast ", touchpoint="support"),
        answered("nps", 9, comment="   "),
        answered("ces", 3, comment="a form too many"),
        answered("product", 4, touchpoint="other"),
        sent("csat", comment="not an answer"),
    )
    assert feedback.told(state, D90, NOON) == Told(n=4, with_comment=2, with_touchpoint=1)
    assert totals.flows["answers_by_day", "csat", TODAY] == [1, 1, 1]
    assert totals.flows["answers_by_day", "nps", TODAY] == [1, 0, 0]
    assert totals.flows["comment_lengths_by_day", str(bin_of(4)), TODAY] == [1]
    assert totals.flows["comment_lengths_by_day", str(bin_of(15)), TODAY] == [1]


def test_the_newest_answer_is_told_whatever_the_order() -> None:
    early, late = answered("ces", 3, NOON - DAY_MS), answered("ces", 5, NOON)
    assert folded(early, late)[0] == folded(late, early)[0]
    assert folded(late, early)[0].ces_newest_at == NOON


def test_answers_leave_after_90_days_and_nothing_of_them_stays() -> None:
    state, _ = folded(answered("ces", 3, comment="hm"), answered("product", 3))
    feedback.prune(state, NOON + 89 * DAY_MS)
    assert feedback.told(state, D90, NOON + 89 * DAY_MS).n == 2
    feedback.prune(state, NOON + 90 * DAY_MS)
    assert (state.ces, state.product, state.answers.empty) == (None, None, True)
