"""Survey events for tests, with only what matters spelled out."""

from itertools import count

from schemas.events import Scale, Survey, SurveyEvent
from tests.support.happenings import NOON

_numbers = count(1)
_SCALES: dict[Survey, Scale] = {"csat": "good_bad", "nps": "0_10", "ces": "1_7", "product": "1_5"}


def sent(survey: Survey, at: int = NOON, **said: object) -> SurveyEvent:
    return SurveyEvent(event_id=f"q{next(_numbers)}", customer_id="c", occurred_at=at, kind="sent", survey=survey, **said)  # type: ignore[arg-type]  # any field


def answered(survey: Survey, score: int, at: int = NOON, **said: object) -> SurveyEvent:
    scale = said.pop("scale", _SCALES[survey])
    return SurveyEvent(
        **said,  # type: ignore[arg-type]  # any field
        event_id=f"q{next(_numbers)}",
        customer_id="c",
        occurred_at=at,
        kind="answered",
        survey=survey,
        score=score,
        scale=scale,  # type: ignore[arg-type]  # one of the scales
    )
