"""The health score: what a scorecard makes of the readings, its band, and the changes worth publishing.

Score = sum(weight x value) / sum(weight) over the measures that count; None when no figure is there at all. It is kept exact and
rounded only for display, half away from zero, to one decimal.
"""

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from msgspec import Struct

from processors.scorecard_file import BANDS, Measure, Purpose, Scorecard
from processors.windows import DAY_MS, HOUR_MS
from schemas.records import Band

PEAK_MS = 7 * DAY_MS  # how long a displayed score is remembered after another took its place
MAX_PEAKS = 64
LATE_MS = HOUR_MS  # an event this much older than the last published judgement revises what was published
_PUBLISHED_STEP = 10  # tenths of a point by which the displayed score must move to be published
_NEUTRAL, _POOR = 50.0, 0.0
_EXACT = 2**53  # below it every whole number is a float of its own
_MINUTE_MS = 60_000
_BAND_OF_RANK: Final[tuple[Band | None, ...]] = (None, *BANDS)
_RANK_OF_BAND: Final[dict[Band | None, int]] = {band: rank for rank, band in enumerate(_BAND_OF_RANK)}


class Reading(NamedTuple):
    """A figure as it is read from a state: None when it cannot be known, with the time of its newest event if that matters."""

    value: float | None
    newest_at_ms: int | None = None


class Override(NamedTuple):
    """A score that a person has set in place of the computed one, until it expires."""

    score: float
    author: str
    reason: str | None
    expires_at: int


class MeasureNow(NamedTuple):
    """A measure as judged: `value` is the height on the curve (or the policy's), `weight` is 0 when it is left out."""

    measure: str
    figure: float | None
    value: float | None
    weight: float


class HealthState(Struct, array_like=True, gc=False):
    """What is remembered of one score.

    Everything up to `revision` is what was last published, so that changes chain: the version of the definitions and the place of
    the scorecard in them, the displayed score in tenths, the band (0: none, 1: red, …), how many measures were present, and the
    figures that counted, in the order of the scorecard (whole numbers as integers, which take 1 byte and not 9). All else of a
    published score is made anew from these. `judged_rank` is the computed band that the margin holds on to; `shown` is the newest
    displayed score in tenths, and `peaks` the higher ones before it as [tenths, until when it was displayed], the highest first
    and the oldest first; they are kept of the risk score alone, which is the only one that is asked for its fall, and only of the
    scorecard and the version of the definitions by which it is judged now: only scores of one measure are compared. `told` is how
    many events there had been of the customer when it was last published.
    """

    version: int = 0
    card: int = -1
    tenths: int | None = None
    band_rank: int = 0
    present: int = 0
    figures: list[int | float | None] = []
    published_minute: int = 0
    overridden_until: int = 0
    override_score: float | None = None
    revision: int = 0
    judged_rank: int = 0
    shown: int | None = None
    peaks: list[tuple[int, int]] = []
    told: int = 0

    @property
    def band(self) -> Band | None:
        """The band that was last published."""
        return _BAND_OF_RANK[self.band_rank]

    @property
    def judged_band(self) -> Band | None:
        """The computed band."""
        return _BAND_OF_RANK[self.judged_rank]

    @property
    def published_at(self) -> int:
        """When it was last published, to the minute."""
        return self.published_minute * _MINUTE_MS


class Scores(Struct, array_like=True, gc=False):
    """What is remembered of each purpose's score; None of one that was never judged."""

    risk: HealthState | None = None
    upgrade_readiness: HealthState | None = None
    advocacy: HealthState | None = None

    def get(self, purpose: Purpose) -> HealthState | None:
        """What is remembered of a purpose's score."""
        found: HealthState | None = getattr(self, purpose)
        return found

    def of(self, purpose: Purpose) -> HealthState:
        """What is remembered of a purpose's score; from now on there is something."""
        found = self.get(purpose)
        if found is None:
            found = HealthState()
            setattr(self, purpose, found)
        return found


class Assessment(NamedTuple):
    """A score with what it is made of, the measures in the order of the scorecard."""

    score: float | None
    tenths: int | None
    present: int
    measures: list[MeasureNow]


def tenths(score: float | None) -> int | None:
    """A score as it is displayed, in tenths of a point: rounded half away from zero (scores are never negative)."""
    return None if score is None else math.floor(score * 10 + 0.5)


def displayed(score: float | None) -> float | None:
    """A score as it is displayed, with one decimal."""
    rounded = tenths(score)
    return None if rounded is None else rounded / 10


def assess(scorecard: Scorecard, readings: Sequence[Reading], as_of_ms: int) -> Assessment:
    """What the scorecard makes of one reading for each of its measures."""
    figures = []
    for measure, (figure, newest_at) in zip(scorecard.measures, readings, strict=True):
        stale = measure.stale_after_ms
        is_stale = stale is not None and newest_at is not None and as_of_ms - newest_at > stale
        figures.append(None if is_stale else figure)
    return assess_figures(scorecard, figures)


def assess_figures(scorecard: Scorecard, figures: Sequence[float | None]) -> Assessment:
    """What the scorecard makes of the figures that count, one for each of its measures."""
    measures = []
    present = 0
    total = weights = 0.0
    for measure, absent, figure in zip(scorecard.measures, _without_figures(scorecard), figures, strict=True):
        if figure is None:
            measures.append(absent)
            _, _, value, weight = absent
        else:
            present += 1
            value, weight = measure.curve.at(figure), measure.weight
            measures.append(MeasureNow(measure.name, figure, value, weight))
        if value is not None:
            total += weight * value
            weights += weight
    if not present:
        return Assessment(None, None, 0, [MeasureNow(now.measure, None, None, 0.0) for now in measures])
    score = total / weights
    return Assessment(score, tenths(score), present, measures)


@lru_cache(maxsize=256)
def _without_figures(scorecard: Scorecard) -> tuple[MeasureNow, ...]:
    """Each measure as it counts while its figure is missing."""
    return tuple(map(_without_figure, scorecard.measures))


def _without_figure(measure: Measure) -> MeasureNow:
    if measure.missing == "redistribute":
        return MeasureNow(measure.name, None, None, 0.0)
    return MeasureNow(measure.name, None, _NEUTRAL if measure.missing == "neutral" else _POOR, measure.weight)


def observe(state: HealthState, scorecard: Scorecard, assessment: Assessment, as_of_ms: int) -> None:
    """Take a judgement into the memory of bands and peaks, whether or not it will be published."""
    score = assessment.score
    was_covered = state.judged_rank > 0
    if score is None or assessment.present < scorecard.bands.least_coverage_share * len(scorecard.measures):
        state.judged_rank = 0
    elif not was_covered:
        state.judged_rank = _RANK_OF_BAND[scorecard.bands.plain(score)]
    else:
        state.judged_rank = _RANK_OF_BAND[scorecard.bands.after(BANDS[state.judged_rank - 1], score)]
    if assessment.tenths != state.shown:
        if state.shown is not None and was_covered and scorecard.purpose == "risk":
            _remember_peak(state, state.shown, as_of_ms)
        state.shown = assessment.tenths
    if state.peaks:
        _forget_peaks(state, as_of_ms)


def begin_anew(state: HealthState) -> None:
    """Forget what was displayed: another scorecard or other definitions judge from now on; no fall is measured across them."""
    state.peaks = []
    state.shown = None


def _remember_peak(state: HealthState, shown: int, until_ms: int) -> None:
    peaks = state.peaks
    while peaks and peaks[-1][0] <= shown:
        peaks.pop()
    peaks.append((shown, until_ms))
    if len(peaks) > MAX_PEAKS:  # merge the two nearest, at most 1.6 points apart, on the safe side
        nearest = min(range(MAX_PEAKS), key=lambda index: peaks[index][0] - peaks[index + 1][0])
        peaks[nearest : nearest + 2] = [(peaks[nearest][0], peaks[nearest + 1][1])]


def _forget_peaks(state: HealthState, as_of_ms: int) -> None:
    peaks = state.peaks
    shown = state.shown
    while peaks and shown is not None and peaks[-1][0] <= shown:
        peaks.pop()
    expired = 0
    while expired < len(peaks) and peaks[expired][1] <= as_of_ms - PEAK_MS:
        expired += 1
    if expired:
        del peaks[:expired]


def score_shown(state: HealthState) -> float | None:
    """The score as it is displayed now, published or not."""
    return None if state.shown is None else state.shown / 10


def fall_points(state: HealthState) -> float | None:
    """How far the displayed score lies below the highest displayed in the 7 days before; None without a score or a band.

    A score of too few measures has no band and is no peak to fall from: it would fall with the first figure that becomes known.
    """
    if state.shown is None or not state.judged_rank:
        return None
    return (state.peaks[0][0] - state.shown) / 10 if state.peaks else 0.0


def band_shown(scorecard: Scorecard, state: HealthState, override: Override | None) -> Band | None:
    """The band in force: of the score that a person has set, else the computed one."""
    return state.judged_band if override is None else scorecard.bands.plain(override.score)


def is_worth_publishing(
    state: HealthState, scorecard: Scorecard, assessment: Assessment, override: Override | None, before: Scorecard | None
) -> bool:
    """Whether the displayed score moved by at least 1 since the last record, or band, coverage, scorecard or override changed.

    `before` is the scorecard of the last record, None when there was none.
    """
    old = state.tenths
    new = assessment.tenths
    if old is None or new is None:
        if old is not new:
            return True
    elif abs(new - old) >= _PUBLISHED_STEP:
        return True
    return (
        state.present != assessment.present
        or state.band != band_shown(scorecard, state, override)
        or before is None
        or len(state.figures) != len(assessment.measures)
        or before.name != scorecard.name
        or state.overridden_until != (override.expires_at if override else 0)
        or state.override_score != (override.score if override else None)
    )


def published(state: HealthState, before: Scorecard | None) -> Assessment:
    """The score as it was last published, made anew from its figures; `before` is the scorecard of that record.

    Should the scorecard not be known any more, one measure without a name stands for the whole score, as displayed.
    """
    if before is not None and len(before.measures) == len(state.figures):
        return assess_figures(before, [None if figure is None else float(figure) for figure in state.figures])
    if state.tenths is None:
        return Assessment(None, None, 0, [])
    score = state.tenths / 10
    return Assessment(score, state.tenths, state.present, [MeasureNow("", None, score, 1.0)])


def remember_published(
    state: HealthState,
    place: tuple[int, int],
    scorecard: Scorecard,
    assessment: Assessment,
    override: Override | None,
    as_of_ms: int,
) -> None:
    """Make this judgement the one that the next change is held against.

    `place` is the version of the definitions and the place of the scorecard among those of its purpose.
    """
    state.version, state.card = place
    state.tenths = assessment.tenths
    state.band_rank = _RANK_OF_BAND[band_shown(scorecard, state, override)]
    state.present = assessment.present
    state.figures = [_short(now.figure) for now in assessment.measures]
    state.published_minute = as_of_ms // _MINUTE_MS
    state.overridden_until = override.expires_at if override else 0
    state.override_score = override.score if override else None


def _short(number: float | None) -> int | float | None:
    return int(number) if number is not None and number.is_integer() and abs(number) < _EXACT else number
