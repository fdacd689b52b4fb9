"""The health score: what a scorecard makes of the readings, its band, and the changes worth publishing.

Score = sum(weight x value) / sum(weight) over the measures that count; None when no figure is there at all. It is kept exact and
rounded only for display, half away from zero, to one decimal.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

from msgspec import Struct

from processors.scorecard_file import Measure, Scorecard
from processors.windows import DAY_MS, HOUR_MS
from schemas.records import Band, HealthNow, MeasureChange

PEAK_MS = 7 * DAY_MS  # how long a displayed score is remembered after another took its place
MAX_PEAKS = 64
LATE_MS = HOUR_MS  # an event this much older than the last published judgement revises what was published
_PUBLISHED_STEP = 10  # tenths of a point by which the displayed score must move to be published
_NEUTRAL, _POOR = 50.0, 0.0
_EXACT = 2**53  # below it every whole number is a float of its own


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


Kept: TypeAlias = tuple[str, int | float | None, int | float | None, int | float]
"""A measure as the state keeps it: whole numbers as integers, which take 1 byte and not 9."""


class HealthState(Struct, array_like=True):
    """What is remembered of one score.

    Everything up to `revision` is what was last published, so that changes chain. `judged_band` is the computed band that the
    margin holds on to; `shown` is the newest displayed score in tenths, and `peaks` the higher ones before it as [tenths, until
    when it was displayed], the highest first and the oldest first.
    """

    scorecard: str = ""
    score: float | None = None
    band: Band | None = None
    present: int = 0
    measures: list[Kept] = []
    published_at: int = 0
    overridden_until: int = 0
    override_score: float | None = None
    revision: int = 0
    judged_band: Band | None = None
    shown: int | None = None
    peaks: list[tuple[int, int]] = []


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
    measures = []
    present = 0
    total = weights = 0.0
    for measure, (figure, newest_at) in zip(scorecard.measures, readings, strict=True):
        stale = measure.stale_after_ms
        if figure is None or (stale is not None and newest_at is not None and as_of_ms - newest_at > stale):
            now = _without_figure(measure)
        else:
            present += 1
            now = MeasureNow(measure.name, figure, measure.curve.at(figure), measure.weight)
        measures.append(now)
        _, _, value, weight = now
        if value is not None:
            total += weight * value
            weights += weight
    if not present:
        return Assessment(None, None, 0, [MeasureNow(now.measure, None, None, 0.0) for now in measures])
    score = total / weights
    return Assessment(score, tenths(score), present, measures)


def _without_figure(measure: Measure) -> MeasureNow:
    if measure.missing == "redistribute":
        return MeasureNow(measure.name, None, None, 0.0)
    return MeasureNow(measure.name, None, _NEUTRAL if measure.missing == "neutral" else _POOR, measure.weight)


def observe(state: HealthState, scorecard: Scorecard, assessment: Assessment, as_of_ms: int) -> None:
    """Take a judgement into the memory of bands and peaks, whether or not it will be published."""
    score = assessment.score
    was_covered = state.judged_band is not None
    if score is None or assessment.present < scorecard.bands.least_coverage_share * len(scorecard.measures):
        state.judged_band = None
    elif state.judged_band is None:
        state.judged_band = scorecard.bands.plain(score)
    else:
        state.judged_band = scorecard.bands.after(state.judged_band, score)
    if assessment.tenths != state.shown:
        if state.shown is not None and was_covered:
            _remember_peak(state, state.shown, as_of_ms)
        state.shown = assessment.tenths
    if state.peaks:
        _forget_peaks(state, as_of_ms)


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
    if state.shown is None or state.judged_band is None:
        return None
    return (state.peaks[0][0] - state.shown) / 10 if state.peaks else 0.0


def band_shown(scorecard: Scorecard, state: HealthState, override: Override | None) -> Band | None:
    """The band in force: of the score that a person has set, else the computed one."""
    return state.judged_band if override is None else scorecard.bands.plain(override.score)


def is_worth_publishing(state: HealthState, scorecard: Scorecard, assessment: Assessment, override: Override | None) -> bool:
    """Whether the displayed score moved by at least 1 since the last record, or band, coverage, scorecard or override changed."""
    old = tenths(state.score)
    new = assessment.tenths
    if old is None or new is None:
        if old is not new:
            return True
    elif abs(new - old) >= _PUBLISHED_STEP:
        return True
    return (
        state.present != assessment.present
        or state.band != band_shown(scorecard, state, override)
        or len(state.measures) != len(assessment.measures)
        or state.scorecard != scorecard.name
        or state.overridden_until != (override.expires_at if override else 0)
        or state.override_score != (override.score if override else None)
    )


def explain(scorecard: Scorecard, old: Sequence[MeasureNow], new: Sequence[MeasureNow]) -> list[MeasureChange]:
    """Each measure's part in the change from `old` to `new`: the deltas sum to the change of the score, None counting as 0.

    A measure that is no longer in the scorecard stands at the end, with what it took away; its figure's name is then empty.
    """
    old_weights = _sum_of_weights(old)
    new_weights = _sum_of_weights(new)
    if [was.measure for was in old] != [now.measure for now in new]:
        old, new = _side_by_side(old, new)
    figures = {measure.name: measure.figure for measure in scorecard.measures}
    changes = []
    for was, now in zip(old, new, strict=True):
        name, old_figure, old_value, old_weight = was
        _, new_figure, new_value, new_weight = now
        old_contribution = 0.0 if old_value is None else old_weight * old_value / old_weights
        new_contribution = 0.0 if new_value is None else new_weight * new_value / new_weights
        changes.append(
            MeasureChange(
                measure=name,
                figure=figures.get(name, ""),
                old_figure=old_figure,
                new_figure=new_figure,
                old_value=old_value,
                new_value=new_value,
                old_weight=old_weight,
                new_weight=new_weight,
                old_contribution=old_contribution,
                new_contribution=new_contribution,
                delta=new_contribution - old_contribution,
            )
        )
    return changes


def _side_by_side(old: Sequence[MeasureNow], new: Sequence[MeasureNow]) -> tuple[list[MeasureNow], list[MeasureNow]]:
    """The same measures in the same order on both sides: those of `new` first, then those that it lacks."""
    before = {now.measure: now for now in old}
    after = {now.measure: now for now in new}
    names = [*after, *(name for name in before if name not in after)]
    absent = [MeasureNow(name, None, None, 0.0) for name in names]
    return (
        [before.get(blank.measure, blank) for blank in absent],
        [after.get(blank.measure, blank) for blank in absent],
    )


def _sum_of_weights(measures: Sequence[MeasureNow]) -> float:
    return sum(now.weight for now in measures if now.value is not None)


def costliest(assessment: Assessment) -> list[MeasureNow]:
    """The measures that count, those first that cost the score most points of what they could give."""
    weights = _sum_of_weights(assessment.measures) or 1.0
    counted = [now for now in assessment.measures if now.value is not None]
    return sorted(counted, key=lambda now: (-(now.weight * (100.0 - (now.value or 0.0)) / weights), now.measure))


def remember_published(
    state: HealthState, scorecard: Scorecard, assessment: Assessment, override: Override | None, as_of_ms: int
) -> None:
    """Make this judgement the one that the next change is held against."""
    state.scorecard = scorecard.name
    state.score = assessment.score
    state.band = band_shown(scorecard, state, override)
    state.present = assessment.present
    state.measures = [
        (now.measure, _short(now.figure), _short(now.value), _short(now.weight) or 0) for now in assessment.measures
    ]
    state.published_at = as_of_ms
    state.overridden_until = override.expires_at if override else 0
    state.override_score = override.score if override else None


def published_measures(state: HealthState) -> list[MeasureNow]:
    """The measures as they were last published."""
    return [MeasureNow(name, _float(figure), _float(value), float(weight)) for name, figure, value, weight in state.measures]


def _short(number: float | None) -> int | float | None:
    return int(number) if number is not None and number.is_integer() and abs(number) < _EXACT else number


def _float(number: float | None) -> float | None:
    return None if number is None else float(number)


def health_now(scorecard: Scorecard, assessment: Assessment, band: Band | None) -> HealthNow:
    """The score as it stands, for a snapshot: every measure's contribution, without a change."""
    return HealthNow(
        scorecard=scorecard.name,
        purpose=scorecard.purpose,
        score=assessment.score,
        displayed=displayed(assessment.score),
        band=band,
        measures_present=assessment.present,
        measures_total=len(scorecard.measures),
        measures=explain(scorecard, assessment.measures, assessment.measures),
    )
