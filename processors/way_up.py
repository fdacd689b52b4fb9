"""What would make it better: the single measure whose figure needs the smallest relative change to reach the next band.

Exact from the curves: with all other measures as they are, a measure must give so many more points that the score comes to the
boundary of the next band + the margin (a band is held, so the boundary alone does not do); the figure needed is the nearest point
of its curve, on either side, that is as high as that. Counts move by whole numbers. The smallest |needed - now| / |now| wins, the
first in the scorecard of equal ones. Of a figure of 0 now no relative change exists: in its place stands the change as a part of
the curve's width, |needed| / (last - first figure of the curve), so that such measures stand in one order with the others.

Only figures that are known and count can change; one that is missing has nothing to start from.
"""

import math
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from processors.curves import Curve
from processors.health import Assessment, MeasureNow, assess_figures
from processors.scorecard_file import BANDS, Measure, Scorecard
from processors.vocabulary import TERMS, shown
from schemas.records import Band, WayUp

_NEVER_NEGATIVE: Final = ("count", "days", "hours", "cents")
_NUDGES: Final = 32
_ROUNDING: Final = 1e-11  # points of a measure by which a float may miss a height
_WORDS: Final = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_SOLVED: Final = {"open_tickets": "open tickets", "open_urgent_tickets": "open urgent tickets"}


class Step(NamedTuple):
    """A change of one figure that reaches the next band; `size` is what it is compared by."""

    size: float
    place: int
    needed: float


def way_up(scorecard: Scorecard, assessment: Assessment, band: Band | None) -> WayUp | None:
    """The cheapest way from a computed band to the next; None in green, and where there is no band."""
    if band is None or band == BANDS[-1] or assessment.score is None:
        return None
    return _cheapest(scorecard, tuple(now.figure for now in assessment.measures), band)


@lru_cache(maxsize=8192)
def _cheapest(scorecard: Scorecard, figures: tuple[float | None, ...], band: Band) -> WayUp:
    """The cheapest way up from the figures that count, made once: a change and the snapshot after it ask for the same."""
    assessment = assess_figures(scorecard, figures)
    to_band = BANDS[BANDS.index(band) + 1]
    target = scorecard.bands.cuts[BANDS.index(band)] + scorecard.bands.margin
    best = min(_steps(scorecard, assessment, target), default=None)
    if best is None:
        text = f"no single measure reaches {to_band} by itself"
        return WayUp(to_band=to_band, measure=None, figure_now=None, figure_needed=None, text=text)
    measure, now = scorecard.measures[best.place], assessment.measures[best.place]
    assert now.figure is not None, "a figure that is not known is no way up"
    return WayUp(
        to_band=to_band,
        measure=measure.name,
        figure_now=now.figure,
        figure_needed=best.needed,
        text=_told(measure.figure, now.figure, best.needed),
    )


def _steps(scorecard: Scorecard, assessment: Assessment, target: float) -> Iterator[Step]:
    """The smallest change of each measure that reaches the target by itself."""
    measures = assessment.measures
    assert assessment.score is not None
    points = (target - assessment.score) * sum(now.weight for now in measures if now.value is not None)
    for place, (measure, now) in enumerate(zip(scorecard.measures, measures, strict=True)):
        if now.figure is None or now.value is None:
            continue
        height = now.value + points / measure.weight
        for lower in (height, height - _ROUNDING):
            steps = [_step(scorecard, measures, place, x, target) for x in _nearest(measure, now.figure, lower)]
            best = min(steps, default=None)
            if best is not None and best.size < math.inf:
                yield best
                break


def _nearest(measure: Measure, x: float, height: float) -> list[float]:
    """The nearest figures above and below `x` at which the curve is as high as `height`, as far as there are any."""
    lowest = 0.0 if _unit(measure) in _NEVER_NEGATIVE else -math.inf
    found = []
    for low, high in _stretches(measure.curve, height):
        first, last = max(low, lowest), high
        if _unit(measure) == "count":
            first, last = math.ceil(first), (math.floor(last) if last < math.inf else last)
        if first <= last:
            found.append(float(min(max(x, first), last)))
    above = [point for point in found if point >= x]
    below = [point for point in found if point < x]
    return [*([min(above)] if above else []), *([max(below)] if below else [])]


def _unit(measure: Measure) -> str:
    term = TERMS.get(measure.figure)
    return term.unit if term else "points"


def _stretches(curve: Curve, height: float) -> Iterator[tuple[float, float]]:
    """The stretches of figures over which the curve is at least so high, from left to right; neighbours touch."""
    xs, ys = curve.xs, curve.ys
    if ys[0] >= height:
        yield -math.inf, xs[0]
    for right in range(1, len(xs)):
        x0, x1, y0, y1 = xs[right - 1], xs[right], ys[right - 1], ys[right]
        if max(y0, y1) < height:
            continue
        crossing = x0 if y0 == y1 else x0 + (x1 - x0) * ((height - y0) / (y1 - y0))
        yield (x0 if y0 >= height else crossing, x1 if y1 >= height else crossing)
    if ys[-1] >= height:
        yield xs[-1], math.inf


def _step(scorecard: Scorecard, measures: Sequence[MeasureNow], place: int, needed: float, target: float) -> Step:
    """The change to the figure needed, moved by the last digits that rounding may lack; of infinite size if it never reaches."""
    measure, now = scorecard.measures[place], measures[place].figure
    assert now is not None
    away = 1.0 if needed >= now else -1.0
    for nudge in range(_NUDGES):
        if _score(measures, place, measure.curve.at(needed)) >= target:
            return Step(change_size(measure, now, needed), place, needed)
        if _unit(measure) != "count":
            needed += away * math.ulp(needed or 1.0) * 2**nudge
        elif nudge:
            break  # the next whole number is far beyond what rounding may lack
        else:
            needed += away
    return Step(math.inf, place, needed)


def _score(measures: Sequence[MeasureNow], place: int, value: float) -> float:
    """The score with another value of one measure, added up in the order in which `health.assess_figures` does."""
    total = weights = 0.0
    for index, (_, _, now, weight) in enumerate(measures):
        height = value if index == place else now
        if height is not None:
            total += weight * height
            weights += weight
    return total / weights


def change_size(measure: Measure, now: float, needed: float) -> float:
    """How large a change of a figure is: relative to what it is now, or, where that is 0, to the width of the curve."""
    xs = measure.curve.xs
    return abs(needed - now) / (abs(now) if now else xs[-1] - xs[0])


def _told(figure: str, now: float, needed: float) -> str:
    """The change as a person reads it."""
    term = TERMS.get(figure)
    label = term.label if term else figure
    change = abs(needed - now)
    if term is not None and term.unit == "count" and change.is_integer():
        number = int(change)
        word = _WORDS[number] if number < len(_WORDS) else f"{number:,}"
        if figure in _SOLVED and needed < now:
            return _solve(word, _SOLVED[figure], int(now), int(needed))
        return f"{word} {'more' if needed > now else 'fewer'} {label} ({int(needed):,} instead of {int(now):,})"
    return f"bring the {label} {'up' if needed > now else 'down'} from {shown(figure, now)} to {shown(figure, needed)}"


def _solve(word: str, tickets: str, now: int, needed: int) -> str:
    """Which tickets to solve: all of them, or so many."""
    if needed:
        return f"solve {word} of the {tickets} ({now:,} now)"
    return f"solve the {word} {tickets}" if now > 1 else f"solve the {tickets.removesuffix('s')}"
