"""What a score is made of, in words and parts: each measure's part in a change, and what costs most."""

from collections.abc import Mapping, Sequence
from functools import lru_cache

from processors.health import Assessment, MeasureNow, displayed
from processors.scorecard_file import Scorecard
from processors.way_up import way_up
from schemas.records import Band, HealthNow, MeasureChange


def explain(scorecard: Scorecard, old: Sequence[MeasureNow], new: Sequence[MeasureNow]) -> list[MeasureChange]:
    """Each measure's part in the change from `old` to `new`: the deltas sum to the change of the score, None counting as 0.

    A measure that is no longer in the scorecard stands at the end, with what it took away; its figure's name is then empty.
    """
    old_weights = _sum_of_weights(old)
    new_weights = _sum_of_weights(new)
    if [was.measure for was in old] != [now.measure for now in new]:
        old, new = _side_by_side(old, new)
    figures = _figures(scorecard)
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


@lru_cache(maxsize=256)
def _figures(scorecard: Scorecard) -> Mapping[str, str]:
    """The figure of each measure."""
    return {measure.name: measure.figure for measure in scorecard.measures}


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


def health_now(scorecard: Scorecard, assessment: Assessment, band: Band | None, computed: Band | None) -> HealthNow:
    """The score as it stands, for a snapshot: every measure's part without a change, and the way up from the computed band."""
    return HealthNow(
        scorecard=scorecard.name,
        purpose=scorecard.purpose,
        score=assessment.score,
        displayed=displayed(assessment.score),
        band=band,
        measures_present=assessment.present,
        measures_total=len(scorecard.measures),
        measures=explain(scorecard, assessment.measures, assessment.measures),
        way_up=way_up(scorecard, assessment, computed),
    )
