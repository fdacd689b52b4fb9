"""What customers say beside CSAT and NPS: how easy it was, how good the product is as a whole, and how much they tell.

CES is on 1-7 and 7 is very easy; easy is 5 and more. Product feedback is the share of good answers: 1 of 0-1, 4 and 5 of 1-5,
5 to 7 of 1-7 as for CSAT, and 7 to 10 of 0-10, which cuts that scale between where the other two are cut.
"""

from typing import Final, NamedTuple

from msgspec import Struct, field

from processors.names import OTHER, Names
from processors.sketch import bin_of
from processors.totals import Totals
from processors.windows import D90, Days, Window
from schemas.events import Scale, SurveyEvent

CES_SCORES: Final = 7
CES_EASY_FROM: Final = 5

_COMMENT: Final = 1
_TOUCHPOINT: Final = 2
_ANSWER_PLACES: Final = 4

_FIRST_PLACE: Final[dict[Scale, int]] = {"good_bad": 0, "1_5": 1, "1_7": 6, "0_10": 14}
_PRODUCT_PLACES: Final = 25
_GOOD_PLACES: Final = frozenset({1, 5, 6, 11, 12, 13, 21, 22, 23, 24})


class Effort(NamedTuple):
    """The CES answers of a window by score: the first is how many answered 1."""

    by_score: tuple[int, ...]

    @property
    def n(self) -> int:
        """All answers."""
        return sum(self.by_score)

    @property
    def easy(self) -> int:
        """Those of 5 and more."""
        return sum(self.by_score[CES_EASY_FROM - 1 :])

    @property
    def mean(self) -> float | None:
        """The mean score, 1 (very difficult) to 7 (very easy); None without answers."""
        n = self.n
        return sum(score * count for score, count in enumerate(self.by_score, 1)) / n if n else None


class Good(NamedTuple):
    """Good answers among all."""

    good: int
    n: int


class Told(NamedTuple):
    """The answers of a window, of whatever survey, and how many of them have a comment or name a touchpoint."""

    n: int
    with_comment: int
    with_touchpoint: int


class FeedbackState(Struct, array_like=True, gc=False):
    """What one customer said, by day.

    `answers` has four places: with neither, with a comment, with a touchpoint, with both. CES and product feedback are counted by
    raw score and scale; the two times are those of their newest answers.
    """

    answers: Days = field(default_factory=lambda: Days(_ANSWER_PLACES))
    ces: Days | None = None
    product: Days | None = None
    ces_newest_at: int = 0
    product_newest_at: int = 0


def comment_length(event: SurveyEvent) -> int:
    """The characters of the comment, without the blanks around it; 0 when there is none."""
    return 0 if event.comment is None else len(event.comment.strip())


def fold(
    state: FeedbackState,
    event: SurveyEvent,
    clock_ms: int,  # noqa: ARG001 - the folds of all families are called alike
    definitions: Names,  # noqa: ARG001 - the folds of all families are called alike
    totals: Totals,
) -> None:
    """Count an answer; anything else is none of these figures'."""
    if event.kind != "answered":
        return
    _count_answer(state, event, totals)
    if event.survey == "ces":
        _count_effort(state, event, totals)
    elif event.survey == "product":
        _count_product(state, event, totals)


def effort(state: FeedbackState, window: Window, as_of_ms: int) -> Effort:
    """The CES answers of a window."""
    return Effort((0,) * CES_SCORES if state.ces is None else tuple(state.ces.total(window, as_of_ms)))


def product(state: FeedbackState, window: Window, as_of_ms: int) -> Good:
    """The answers on the product as a whole in a window."""
    counts = [] if state.product is None else state.product.total(window, as_of_ms)
    return Good(sum(count for place, count in enumerate(counts) if place in _GOOD_PLACES), sum(counts))


def told(state: FeedbackState, window: Window, as_of_ms: int) -> Told:
    """The answers of a window, and how much they tell."""
    neither, comment, touchpoint, both = state.answers.total(window, as_of_ms)
    return Told(neither + comment + touchpoint + both, comment + both, touchpoint + both)


def prune(state: FeedbackState, as_of_ms: int) -> None:
    """Drop what no window sees any more."""
    state.answers.prune(as_of_ms, D90)
    state.ces = _pruned(state.ces, as_of_ms)
    state.product = _pruned(state.product, as_of_ms)


def _pruned(days: Days | None, as_of_ms: int) -> Days | None:
    if days is None:
        return None
    days.prune(as_of_ms, D90)
    return None if days.empty else days


def _count_answer(state: FeedbackState, event: SurveyEvent, totals: Totals) -> None:
    """Count an answer by whether it has a comment and names a touchpoint."""
    at = event.occurred_at
    length = comment_length(event)
    names_touchpoint = event.touchpoint is not None and event.touchpoint != OTHER
    state.answers.add(at, (_COMMENT if length else 0) | (_TOUCHPOINT if names_touchpoint else 0))
    totals.add("answers", event.survey, at, (1, int(length > 0), int(names_touchpoint)))
    if length:
        totals.add("comment_lengths", str(bin_of(length)), at, (1,))


def _count_effort(state: FeedbackState, event: SurveyEvent, totals: Totals) -> None:
    assert event.score is not None, "an answer without a score is refused by the checks"
    if state.ces is None:
        state.ces = Days(CES_SCORES)
    place = event.score - 1
    state.ces.add(event.occurred_at, place)
    state.ces_newest_at = max(state.ces_newest_at, event.occurred_at)
    totals.add("ces", "1_7", event.occurred_at, tuple(int(place == other) for other in range(CES_SCORES)))


def _count_product(state: FeedbackState, event: SurveyEvent, totals: Totals) -> None:
    assert event.score is not None, "an answer without a score is refused by the checks"
    assert event.scale is not None, "an answer without a scale is refused by the checks"
    if state.product is None:
        state.product = Days(_PRODUCT_PLACES)
    place = _FIRST_PLACE[event.scale] + event.score
    state.product.add(event.occurred_at, place)
    state.product_newest_at = max(state.product_newest_at, event.occurred_at)
    totals.add("product", event.scale, event.occurred_at, (int(place in _GOOD_PLACES), 1))
