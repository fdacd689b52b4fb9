"""Fleet figures of the way to the sale and into use: how many reached each step, how many of them went on, and how soon.

Conversion is that of a cohort: of the customers who first reached a step in the last N days, those who went on to the next step
or one beyond it so far. Who reached it yesterday has had a day; that is why the window stands in the name.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from processors.fleet_usage import bins_of, median, share
from processors.fleet_view import FleetValue, FleetView
from processors.intervals import wilson
from processors.journey import STEPS
from processors.windows import D30, D90, D180
from schemas.records import StepConversion

COHORTS: Final = (D180, D90)
"""The windows of the cohorts: most sales are decided within them."""

_NONE_REACHED: Final = "no customer reached the step in the window"
_NONE_WENT_ON: Final = "no customer who reached the step in the window has reached the next one"


def figures(view: FleetView) -> Iterator[FleetValue]:
    """Customers at each step, interactions, conversion from step to step, and the days between."""
    for window in (D30, D90):
        for step in STEPS:
            reached = view.total("steps_by_day", step, window)[0]
            name = f"customers_reached_{window.name}"
            yield FleetValue(figure=name, dimension=step, window_days=window.days, value=reached, numerator=reached)
        for touchpoint in view.dimensions("interactions_by_day"):
            ended = view.total("interactions_by_day", touchpoint, window)[0]
            name = f"interactions_{window.name}"
            yield FleetValue(figure=name, dimension=touchpoint, window_days=window.days, value=ended, numerator=ended)
    for window in COHORTS:
        for step in STEPS[:-1]:
            reached, went_on = view.total("steps_by_day", step, window)
            yield share(f"step_conversion_{window.name}_ratio", went_on, reached, window, _NONE_REACHED, step)
            bins = bins_of(view, "step_days_by_day", window, f"{step}:")
            yield median(f"days_to_next_step_median_{window.name}", bins, window, _NONE_WENT_ON, step)


def steps(view: FleetView) -> list[StepConversion]:
    """The conversion from step to step, as the touchpoint map shows it."""
    found = []
    for window in COHORTS:
        for step, next_step in pairwise(STEPS):
            reached, went_on = view.total("steps_by_day", step, window)
            interval = wilson(went_on, reached)
            found.append(
                StepConversion(
                    step=step,
                    next_step=next_step,
                    window_days=window.days,
                    reached=reached,
                    converted=went_on,
                    ratio=went_on / reached if reached else None,
                    low=None if interval is None else interval.low,
                    high=None if interval is None else interval.high,
                    reason=None if reached else _NONE_REACHED,
                )
            )
    return found
