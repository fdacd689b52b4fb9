import pytest

from processors import csat
from processors.csat import CsatState, Share
from processors.totals import Totals
from processors.windows import D7, D30, D90, DAY_MS
from schemas.events import Scale, SurveyEvent
from tests.support.happenings import NAMES, NOON, answer


def folded(*events: SurveyEvent) -> tuple[CsatState, Totals]:
    state, totals = CsatState(), Totals()
    for event in events:
        csat.fold(state, event, NOON, NAMES, totals)
    return state, totals


@pytest.mark.parametrize(
    ("scale", "good", "bad"),
    [("good_bad", [1], [0]), ("1_5", [4, 5], [1, 2, 3]), ("1_7", [5, 6, 7], [1, 2, 3, 4])],
)
def test_what_is_good_depends_on_the_scale(scale: Scale, good: list[int], bad: list[int]) -> None:
    for score in good + bad:
        state, _ = folded(answer("csat", scale, score))
        assert csat.share(state, None, D30, NOON) == Share(int(score in good), 1)


def test_scales_are_pooled_as_good_or_not_and_stay_told_apart() -> None:
    state, _ = folded(answer("csat", "good_bad", 1), answer("csat", "1_5", 5), answer("csat", "1_7", 4))
    assert csat.share(state, None, D7, NOON) == Share(2, 3)
    assert len(state.by_touchpoint["other"].days) == 3


def test_a_touchpoint_has_its_own_share_and_the_whole_has_all() -> None:
    state, _ = folded(
        answer("csat", "good_bad", 1, touchpoint="support"),
        answer("csat", "good_bad", 0, touchpoint="trial"),
    )
    assert csat.share(state, "support", D30, NOON) == Share(1, 1)
    assert csat.share(state, "trial", D30, NOON) == Share(0, 1)
    assert csat.share(state, None, D30, NOON).value_pct == 50.0


def test_no_answers_are_no_percentage_and_never_0() -> None:
    assert csat.share(CsatState(), None, D30, NOON).value_pct is None
    assert csat.share(CsatState(), "trial", D30, NOON) == Share(0, 0)


def test_an_unknown_touchpoint_goes_to_other_and_is_counted() -> None:
    state, totals = folded(answer("csat", "good_bad", 1, touchpoint="nowhere"), answer("csat", "good_bad", 1))
    assert csat.share(state, "other", D30, NOON) == Share(2, 2)
    assert state.other_touchpoints == 1
    assert totals.flows["oddities_by_day", "other_touchpoint", NOON - DAY_MS // 2] == [1]


def test_other_surveys_and_requests_are_none_of_its_business() -> None:
    sent = SurveyEvent(event_id="x", customer_id="c", occurred_at=NOON, kind="sent", survey="csat")
    state, totals = folded(answer("product", "1_5", 5), answer("nps", "0_10", 9), answer("ces", "1_7", 7), sent)
    assert state == CsatState()
    assert not totals.flows


def test_an_answer_reaches_the_fleet_by_hour_and_by_day() -> None:
    _, totals = folded(answer("csat", "1_5", 4, touchpoint="support"), answer("csat", "1_5", 1, touchpoint="support"))
    assert totals.flows == {
        ("csat_by_hour", "support", NOON): [1, 2],
        ("csat_by_day", "support", NOON - DAY_MS // 2): [1, 2],
        ("csat_scales_by_hour", "1_5", NOON): [2],
        ("csat_scales_by_day", "1_5", NOON - DAY_MS // 2): [2],
    }


def test_pruning_changes_no_figure_and_leaves_nothing_of_the_old() -> None:
    state, _ = folded(
        answer("csat", "1_5", 4, NOON - 10 * DAY_MS), answer("csat", "1_5", 1, NOON - 90 * DAY_MS, touchpoint="trial")
    )
    csat.prune(state, NOON)
    assert csat.share(state, None, D90, NOON) == Share(1, 1)
    assert list(state.by_touchpoint) == ["other"]
    csat.prune(state, NOON + 80 * DAY_MS)
    assert not state.by_touchpoint
