from itertools import permutations

import pytest

from processors import nps
from processors.nps import MAX_RESPONDENTS, MAX_VALID_DAYS, Answer, Counts, NpsScale, NpsState
from processors.totals import Totals
from processors.windows import D90, D180, DAY_MS
from schemas.events import SurveyEvent
from tests.support.happenings import NAMES, NOON, answer


def folded(*events: SurveyEvent) -> tuple[NpsState, Totals]:
    state, totals = NpsState(), Totals()
    for event in events:
        nps.fold(state, event, NOON, NAMES, totals)
    return state, totals


@pytest.mark.parametrize(("scale", "lowest"), [("0_10", 0), ("1_10", 1)])
def test_promoters_answer_9_and_10_and_detractors_up_to_6(scale: NpsScale, lowest: int) -> None:
    state, _ = folded(*(answer("nps", scale, score) for score in range(lowest, 11)))
    assert nps.counts(state, scale, D90, NOON) == Counts(promoters=2, passives=2, detractors=7 - lowest)


def test_the_two_scales_are_never_mixed() -> None:
    state, totals = folded(answer("nps", "0_10", 10), answer("nps", "1_10", 1))
    assert nps.counts(state, "0_10", D180, NOON).score == 100
    assert nps.counts(state, "1_10", D180, NOON).score == -100
    assert {key[1] for key in totals.flows} == {"0_10", "1_10"}


def test_an_nps_without_answers_is_unknown() -> None:
    assert nps.counts(NpsState(), "0_10", D90, NOON).score is None


def test_the_check_value_of_5_3_2_is_30() -> None:
    assert Counts(5, 3, 2).score == 30


def test_the_latest_answer_of_a_respondent_is_remembered_whatever_the_order() -> None:
    early, late = answer("nps", "0_10", 2, NOON - 5, respondent="r"), answer("nps", "1_10", 9, NOON, respondent="r")
    assert folded(early, late)[0] == folded(late, early)[0]
    assert list(nps.latest_answers(folded(late, early)[0])) == [Answer("r", NOON, 9, "1_10")]


def test_of_two_answers_in_one_millisecond_the_worse_is_remembered() -> None:
    good, bad = answer("nps", "0_10", 9, respondent="r"), answer("nps", "0_10", 3, respondent="r")
    assert [found.score for found in nps.latest_answers(folded(good, bad)[0])] == [3]
    assert folded(good, bad)[0] == folded(bad, good)[0]


def test_an_answer_without_a_respondent_counts_in_the_figure_only() -> None:
    state, _ = folded(answer("nps", "0_10", 0))
    assert nps.counts(state, "0_10", D90, NOON).n == 1
    assert not state.latest


def test_promoters_and_detractors_are_told_from_their_answers() -> None:
    state, _ = folded(*(answer("nps", "0_10", score, respondent=f"r{score}") for score in (6, 7, 8, 9)))
    assert [found.score for found in nps.latest_answers(state) if found.is_detractor] == [6]
    assert [found.score for found in nps.latest_answers(state) if found.is_promoter] == [9]


def test_beyond_the_bound_the_respondent_with_the_oldest_answer_is_forgotten_and_counted() -> None:
    events = [answer("nps", "0_10", 9, NOON + number, respondent=f"r{number}") for number in range(MAX_RESPONDENTS + 2)]
    state, totals = folded(*reversed(events))
    assert "r0" not in state.latest
    assert "r1" not in state.latest
    assert len(state.latest) == MAX_RESPONDENTS
    assert state.forgotten == 2
    assert totals.flows["oddities_by_day", "forgotten_respondent", NOON - DAY_MS // 2] == [2]


def test_an_answer_leaves_the_windows_at_90_and_180_days_and_its_respondent_later() -> None:
    state, _ = folded(answer("nps", "0_10", 10, NOON, respondent="r"))
    for days, in_90, in_180, remembered in [(89, 1, 1, 1), (90, 0, 1, 1), (180, 0, 0, 1), (MAX_VALID_DAYS + 1, 0, 0, 0)]:
        as_of = NOON + days * DAY_MS
        nps.prune(state, as_of)
        assert nps.counts(state, "0_10", D90, as_of).n == in_90
        assert nps.counts(state, "0_10", D180, as_of).n == in_180
        assert len(state.latest) == remembered


def test_the_answer_before_the_latest_is_remembered_in_whatever_order_they_come_while_the_latest_is_a_detractors() -> None:
    said = [answer("nps", "0_10", score, NOON + place, respondent="r") for place, score in enumerate((1, 8, 3, 6))]
    for order in permutations(said):
        assert list(nps.latest_answers(folded(*order)[0])) == [Answer("r", NOON + 3, 6, "0_10", NOON + 2, 3)]
    promoter = answer("nps", "0_10", 9, NOON + 4, respondent="r")
    for order in permutations([*said[1:], promoter]):
        state = folded(*order)[0]
        assert list(nps.latest_answers(state)) == [Answer("r", NOON + 4, 9, "0_10")]
        assert not state.before
