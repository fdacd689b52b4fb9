"""How the figures of what customers say are read from a state, and shown: effort, product, response rate, how much they tell.

The CES figures name their variant and direction: on 1-7, where 7 is very easy.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from processors import feedback, responses
from processors.health import Reading
from processors.intervals import wilson
from processors.readings import UNKNOWN, Reader, count, shared
from processors.windows import D90
from schemas.records import Figure

if TYPE_CHECKING:
    from processors.definitions import Definitions
    from processors.state import CustomerState

CES_MEAN: Final = "ces_1_7_easy_mean_90d"
CES_EASY: Final = "ces_1_7_easy_pct_90d"
PRODUCT: Final = "product_feedback_90d_pct"
RESPONSE_RATE: Final = "response_rate_90d_pct"
ANSWERS: Final = "answers_90d"
WITH_COMMENT: Final = "answers_with_comment_90d_pct"
WITH_TOUCHPOINT: Final = "answers_with_touchpoint_90d_pct"
NAMED: Final = "feedback_with_touchpoint_or_reason_90d_pct"
"""Of the fleet only: of all that customers say, by answering or by leaving, the share that names its touchpoint or its reason."""

NO_ANSWERS: Final = "no answers in the window"
NO_REQUESTS: Final = "no requests were sent in the window"


def _ces_mean(state: "CustomerState", as_of_ms: int, _definitions: "Definitions") -> Reading:
    return Reading(feedback.effort(state.feedback, D90, as_of_ms).mean, state.feedback.ces_newest_at or None)


def _ces_easy(state: "CustomerState", as_of_ms: int, _definitions: "Definitions") -> Reading:
    effort = feedback.effort(state.feedback, D90, as_of_ms)
    return Reading(_pct(effort.easy, effort.n), state.feedback.ces_newest_at or None)


def _product(state: "CustomerState", as_of_ms: int, _definitions: "Definitions") -> Reading:
    return Reading(_pct(*feedback.product(state.feedback, D90, as_of_ms)), state.feedback.product_newest_at or None)


def _response_rate(state: "CustomerState", as_of_ms: int, _definitions: "Definitions") -> Reading:
    return _shares(*_all_responses(state.responses, as_of_ms))


def _answers(state: "CustomerState", as_of_ms: int, _definitions: "Definitions") -> Reading:
    return Reading(float(feedback.told(state.feedback, D90, as_of_ms).n))


def _with_comment(state: "CustomerState", as_of_ms: int, _definitions: "Definitions") -> Reading:
    told = feedback.told(state.feedback, D90, as_of_ms)
    return _shares(told.with_comment, told.n)


def _with_touchpoint(state: "CustomerState", as_of_ms: int, _definitions: "Definitions") -> Reading:
    told = feedback.told(state.feedback, D90, as_of_ms)
    return _shares(told.with_touchpoint, told.n)


READERS: Final[dict[str, Reader]] = {
    CES_MEAN: _ces_mean,
    CES_EASY: _ces_easy,
    PRODUCT: _product,
    RESPONSE_RATE: _response_rate,
    ANSWERS: _answers,
    WITH_COMMENT: _with_comment,
    WITH_TOUCHPOINT: _with_touchpoint,
}


def _pct(part: int, n: int) -> float | None:
    return 100 * part / n if n else None


def _shares(part: int, n: int) -> Reading:
    return Reading(100 * part / n) if n else UNKNOWN


def _all_responses(state: responses.ResponseState, as_of_ms: int) -> responses.Responses:
    return responses.added(responses.responses(state, part, D90, as_of_ms) for part in state.parts)


@shared
def _share(name: str, dimension: str, part: int, n: int, reason: str) -> Figure:
    """A share in percent, with Wilson's interval."""
    interval = wilson(part, n)
    return Figure(
        name=name,
        dimension=dimension,
        window_days=D90.days,
        value=_pct(part, n),
        n=n,
        low=None if interval is None else 100 * interval.low,
        high=None if interval is None else 100 * interval.high,
        reason=None if n else reason,
    )


@shared
def _mean(effort: feedback.Effort) -> Figure:
    return Figure(name=CES_MEAN, window_days=D90.days, value=effort.mean, n=effort.n, reason=None if effort.n else NO_ANSWERS)


def listed(state: "CustomerState", as_of_ms: int, _definitions: "Definitions") -> Iterator[Figure]:
    """The figures of what was said, for a snapshot."""
    effort = feedback.effort(state.feedback, D90, as_of_ms)
    yield _mean(effort)
    yield _share(CES_EASY, "", effort.easy, effort.n, NO_ANSWERS)
    yield _share(PRODUCT, "", *feedback.product(state.feedback, D90, as_of_ms), NO_ANSWERS)
    told = feedback.told(state.feedback, D90, as_of_ms)
    yield count(ANSWERS, told.n, days=D90.days)
    yield _share(WITH_COMMENT, "", told.with_comment, told.n, NO_ANSWERS)
    yield _share(WITH_TOUCHPOINT, "", told.with_touchpoint, told.n, NO_ANSWERS)
    yield from _response_rates(state.responses, as_of_ms)


def _response_rates(state: responses.ResponseState, as_of_ms: int) -> Iterator[Figure]:
    """The share of requests that were answered: whole, by survey, and by survey and touchpoint."""
    found = {part: responses.responses(state, part, D90, as_of_ms) for part in sorted(state.parts)}
    for dimension, ratio in by_part(found).items():
        yield _share(RESPONSE_RATE, dimension, *ratio, NO_REQUESTS)


def by_part(found: dict[str, responses.Responses]) -> dict[str, responses.Responses]:
    """The requests as a whole (under no name), by survey, and by survey and touchpoint, from those of the parts."""
    surveys = dict.fromkeys(map(responses.survey_of, found))
    return {
        "": responses.added(found.values()),
        **{
            survey: responses.added(one for part, one in found.items() if responses.survey_of(part) == survey)
            for survey in surveys
        },
        **{part: one for part, one in found.items() if part not in surveys},
    }
