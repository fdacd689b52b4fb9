"""How mature customer success is: seven criteria, each at a level from 1 to 5 by the figures of now, and the plans to raise them.

Nothing is averaged: a criterion with several parts is at the level of its weakest, and each stands for itself. They are ranked by
what is to be gained: weight x the levels that are missing to the fifth, where the way to the next level counts by how much of it
is done. What is not measured, or from too few, is missing all five, so it comes before what is weak: one cannot mend what one
cannot see.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal, NamedTuple

from processors.fleet_view import FleetValue
from processors.maturity_file import LEVELS, CriterionPlan, Maturity, Part, Plan
from processors.months import month_name, month_start, months_later
from schemas.records import Criterion, MaturityPoint, PlanProgress

PlanState = Literal["on_track", "behind", "reached", "missed", "not_measured"]
MONTHS_KEPT: Final = 24
_NO_FIGURE: Final = "there is no such figure"


class _Standing(NamedTuple):
    """Where a part stands: its level, and how much of the way to the next one is done (0-1).

    At level 0 it is not measured, and `why_not` says why.
    """

    level: int
    done: float
    part: Part
    value: FleetValue | None
    why_not: str | None = None

    @property
    def height(self) -> float:
        """The level with the part of the next one that is done."""
        return self.level + self.done


def assess(values: Iterable[FleetValue], maturity: Maturity) -> list[Criterion]:
    """The criteria, those first where most is to be gained; of equals in the order of the definitions."""
    whole = _whole(values)
    found = [(plan, _weakest(plan, whole)) for plan in maturity.criteria]
    found.sort(key=lambda one: -one[0].weight * (LEVELS - one[1].height))
    return [_criterion(plan, standing, rank) for rank, (plan, standing) in enumerate(found, 1)]


def progress(values: Iterable[FleetValue], maturity: Maturity, as_of_ms: int) -> list[PlanProgress]:
    """How far each plan has come: (now - baseline) / (target - baseline), beside the share of its time that is gone."""
    whole = _whole(values)
    return [_progress(plan, whole.get(plan.figure), as_of_ms) for plan in maturity.plans]


def remembered(history: Sequence[MaturityPoint], criteria: Iterable[Criterion], as_of_ms: int) -> list[MaturityPoint]:
    """The history with the points of the month that runs, by month and criterion; the newest assessment of a month counts.

    What was the newest when a month ended stays as how the month ended. Kept are 24 months.
    """
    month = month_name(as_of_ms)
    oldest = month_name(months_later(month_start(as_of_ms), 1 - MONTHS_KEPT))
    kept = [point for point in history if oldest <= point.month != month]
    now = [
        MaturityPoint(month=month, criterion=criterion.name, level=criterion.level, value=criterion.value)
        for criterion in sorted(criteria, key=lambda criterion: criterion.name)
    ]
    return sorted([*kept, *now], key=lambda point: (point.month, point.criterion))


def _whole(values: Iterable[FleetValue]) -> Mapping[str, FleetValue]:
    """The figures of the whole fleet by name, without those of a part of it."""
    return {value.figure: value for value in values if not value.dimension}


def _weakest(plan: CriterionPlan, values: Mapping[str, FleetValue]) -> _Standing:
    """The part that stands lowest; of equals the first."""
    standings = (_standing(part, values.get(part.figure), plan.least_n) for part in plan.parts)
    return min(standings, key=lambda standing: standing.height)


def _standing(part: Part, value: FleetValue | None, least_n: int) -> _Standing:
    if value is None or value.value is None:
        return _Standing(0, 0.0, part, value, _NO_FIGURE if value is None else value.reason or "not known yet")
    n = _n(value)
    if n is not None and n < least_n:
        return _Standing(0, 0.0, part, value, f"only {n} of {least_n}")
    sign = 1 if part.higher_is_better else -1
    begins = [sign * threshold for threshold in part.thresholds]
    height = sign * value.value
    level = 1 + sum(height >= begin for begin in begins)
    if level == LEVELS:
        return _Standing(level, 0.0, part, value)
    upper = begins[level - 1]
    lower = begins[level - 2] if level > 1 else upper - (begins[1] - begins[0])  # level 1 is taken to be as wide as level 2
    return _Standing(level, min(1.0, max(0.0, (height - lower) / (upper - lower))), part, value)


def _criterion(plan: CriterionPlan, standing: _Standing, rank: int) -> Criterion:
    value, level = standing.value, standing.level
    threshold = None if level in (0, LEVELS) else standing.part.thresholds[level - 1]
    now = None if value is None else value.value
    return Criterion(
        name=plan.name,
        rank=rank,
        level=level or None,
        figure=standing.part.figure,
        value=now,
        n=None if value is None else _n(value),
        threshold_next=threshold,
        distance=None if threshold is None or now is None else abs(threshold - now),
        next_step=plan.next_steps[level - 1] if level else plan.measure_first,
        side=plan.side,
        reason=None if level else f"not measured: {standing.why_not}",
    )


def _n(value: FleetValue) -> int | None:
    """How many answers, tickets or customers a figure is made of."""
    if value.n is not None:
        return value.n
    return None if value.denominator is None else int(value.denominator)


def _progress(plan: Plan, value: FleetValue | None, as_of_ms: int) -> PlanProgress:
    now = None if value is None else value.value
    done = None if now is None else (now - plan.baseline) / (plan.target - plan.baseline)
    return PlanProgress(
        criterion=plan.criterion,
        baseline=plan.baseline,
        target=plan.target,
        now=now,
        progress_ratio=done,
        starts_at=plan.starts_at,
        due_at=plan.due_at,
        owner=plan.owner,
        steps=list(plan.steps),
        state=_state(plan, done, as_of_ms),
    )


def _state(plan: Plan, done: float | None, as_of_ms: int) -> PlanState:
    """On track is whose progress is not behind the share of the time that is gone."""
    if done is None:
        return "not_measured"
    if done >= 1:
        return "reached"
    if as_of_ms >= plan.due_at:
        return "missed"
    gone = max(0.0, (as_of_ms - plan.starts_at) / (plan.due_at - plan.starts_at))
    return "on_track" if done >= gone else "behind"
