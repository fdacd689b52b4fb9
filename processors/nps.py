"""NPS by scale, and the latest answer of each respondent.

Promoters answer 9-10, detractors 0-6 or 1-6. The two scales are never mixed in one figure. Answers without a respondent count
in the figure only.
"""

from collections.abc import Iterator
from typing import Final, Literal, NamedTuple

from msgspec import Struct, field

from processors.names import Names
from processors.totals import Totals
from processors.windows import D180, DAY_MS, Days, Window
from schemas.events import SurveyEvent

NpsScale = Literal["0_10", "1_10"]
SCALES: Final[tuple[NpsScale, ...]] = ("0_10", "1_10")
MAX_RESPONDENTS: Final = 100
MAX_VALID_DAYS: Final = 400
"""How long a respondent's latest answer is remembered: the longest that definitions may call it valid, a year and a month."""

BETTER_WITHIN_DAYS: Final = 360
"""How long the answer before the latest is remembered: twice the longest that a detractor's counts, as both must be young."""

_PLACES: Final = 11
_FIRST_PASSIVE: Final = 7
_FIRST_PROMOTER: Final = 9


class Counts(NamedTuple):
    """The answers of a window by kind."""

    promoters: int
    passives: int
    detractors: int

    @property
    def n(self) -> int:
        """All answers."""
        return self.promoters + self.passives + self.detractors

    @property
    def score(self) -> float | None:
        """The Net Promoter Score, -100 to 100; None without answers."""
        return 100 * (self.promoters - self.detractors) / self.n if self.n else None


class Answer(NamedTuple):
    """A respondent's latest answer, and what is remembered of the one before it: 0 and None when there is none."""

    respondent_id: str
    occurred_at: int
    score: int
    scale: NpsScale
    before_at: int = 0
    before_score: int | None = None

    @property
    def is_promoter(self) -> bool:
        """Whether the respondent would recommend."""
        return self.score >= _FIRST_PROMOTER

    @property
    def is_detractor(self) -> bool:
        """Whether the respondent would advise against."""
        return self.score < _FIRST_PASSIVE


class NpsState(Struct, array_like=True, gc=False):
    """Answers by scale and raw score, and each respondent's latest answer.

    `latest` packs an answer into one integer: occurred_at * 32 + 16 for the scale 1-10 + (10 - score). The largest is the
    newest and, of two in the same millisecond, the worse, so the order of arrival changes nothing. `forgotten` counts the
    respondents dropped beyond the bound, the one with the oldest answer first. `newest_at` is the newest answer's time by scale.
    `before` is the answer before the latest, packed alike, of those whose latest is a detractor's: it tells whether that is a
    better one.
    """

    by_scale: dict[str, Days] = field(default_factory=dict)
    latest: dict[str, int] = field(default_factory=dict)
    forgotten: int = 0
    newest_at: dict[str, int] = field(default_factory=dict)
    before: dict[str, int] = field(default_factory=dict)


def fold(
    state: NpsState,
    event: SurveyEvent,
    clock_ms: int,  # noqa: ARG001 - the folds of all families are called alike
    definitions: Names,  # noqa: ARG001 - the folds of all families are called alike
    totals: Totals,
) -> None:
    """Count an NPS answer; anything else is none of this figure's."""
    if event.kind != "answered" or event.survey != "nps":
        return
    assert event.score is not None, "an answer without a score is refused by the checks"
    assert event.scale in SCALES, "an answer on another scale is refused by the checks"
    score = event.score
    days = state.by_scale.get(event.scale)
    if days is None:
        days = state.by_scale[event.scale] = Days(_PLACES)
    days.add(event.occurred_at, score)
    state.newest_at[event.scale] = max(state.newest_at.get(event.scale, 0), event.occurred_at)
    totals.add(
        "nps",
        event.scale,
        event.occurred_at,
        (int(score >= _FIRST_PROMOTER), int(_FIRST_PASSIVE <= score < _FIRST_PROMOTER), int(score < _FIRST_PASSIVE)),
    )
    if event.respondent_id is not None:
        _remember(state, event.respondent_id, _packed(event.occurred_at, score, event.scale), totals)


def counts(state: NpsState, scale: NpsScale, window: Window, as_of_ms: int) -> Counts:
    """The answers of a window on one scale."""
    days = state.by_scale.get(scale)
    if days is None:
        return Counts(0, 0, 0)
    by_score = days.total(window, as_of_ms)
    return Counts(
        promoters=sum(by_score[_FIRST_PROMOTER:]),
        passives=sum(by_score[_FIRST_PASSIVE:_FIRST_PROMOTER]),
        detractors=sum(by_score[:_FIRST_PASSIVE]),
    )


def latest_answers(state: NpsState) -> Iterator[Answer]:
    """The latest answer of each respondent that is remembered."""
    for respondent_id, packed in state.latest.items():
        scale: NpsScale = "1_10" if packed & 16 else "0_10"
        before = state.before.get(respondent_id)
        if before is None:
            yield Answer(respondent_id, packed >> 5, 10 - (packed & 15), scale)
        else:
            yield Answer(respondent_id, packed >> 5, 10 - (packed & 15), scale, before >> 5, 10 - (before & 15))


def keep_newest(state: NpsState, most: int, totals: Totals) -> None:
    """Remember at most so many respondents, those with the newest answers."""
    while len(state.latest) > most:
        oldest = min(state.latest, key=lambda key: (state.latest[key], key))
        totals.oddity("forgotten_respondent", state.latest[oldest] >> 5)
        del state.latest[oldest]
        state.before.pop(oldest, None)
        state.forgotten += 1


def prune(state: NpsState, as_of_ms: int) -> None:
    """Drop the answers that no window sees any more, and the respondents whose latest answer is no longer valid."""
    for scale, days in list(state.by_scale.items()):
        days.prune(as_of_ms, D180)
        if days.empty:
            del state.by_scale[scale]
    oldest = (as_of_ms - MAX_VALID_DAYS * DAY_MS) << 5
    for respondent_id in [key for key, packed in state.latest.items() if packed < oldest]:
        del state.latest[respondent_id]
    settled = (as_of_ms - BETTER_WITHIN_DAYS * DAY_MS) << 5
    for respondent_id in [key for key, packed in state.before.items() if packed < settled or key not in state.latest]:
        del state.before[respondent_id]


def _packed(occurred_at: int, score: int, scale: str) -> int:
    return occurred_at << 5 | (16 if scale == "1_10" else 0) | (10 - score)


def _remember(state: NpsState, respondent_id: str, packed: int, totals: Totals) -> None:
    """Keep a respondent's answer if it is one of the two newest, within the bound on respondents."""
    latest = state.latest.get(respondent_id)
    newest = packed if latest is None else max(packed, latest)
    if newest & 15 <= 10 - _FIRST_PASSIVE:  # no detractor's: nobody asks whether it is a better one
        state.before.pop(respondent_id, None)
    elif latest is not None and packed != latest:
        older = min(packed, latest)
        state.before[respondent_id] = max(older, state.before.get(respondent_id, older))
    if newest == latest:
        return
    state.latest[respondent_id] = packed
    keep_newest(state, MAX_RESPONDENTS, totals)
