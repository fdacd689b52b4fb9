"""CSAT: the share of good answers, by touchpoint.

Good is 1 of 0-1, 4 and 5 of 1-5, and 5 to 7 of 1-7. The scales are pooled as good or not; every answer is counted under its raw
score and scale, so that both stay known, and every share can say from which scales it is.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

from msgspec import Struct, field

from processors.names import OTHER, Names, rarest
from processors.totals import Totals
from processors.windows import D90, Buckets, Window
from schemas.events import Scale, SurveyEvent

_FIRST_PLACE: Final[dict[Scale, int]] = {"good_bad": 0, "1_5": 1, "1_7": 6}
"""Where a scale's score 0 is or would be among the places: 0-1 at 0-1, 1-5 at 2-6, 1-7 at 7-13."""

_SCALE_OF_PLACE: Final[tuple[Scale, ...]] = ("good_bad",) * 2 + ("1_5",) * 5 + ("1_7",) * 7
_PLACES: Final = len(_SCALE_OF_PLACE)
_GOOD_PLACES: Final = frozenset({1, 5, 6, 11, 12, 13})


class Share(NamedTuple):
    """Good answers among all."""

    good: int
    n: int

    @property
    def value_pct(self) -> float | None:
        """In percent, 0 to 100; None without answers."""
        return 100 * self.good / self.n if self.n else None


class CsatState(Struct, array_like=True, gc=False):
    """Answers by touchpoint.

    `other_touchpoints` counts those that named a touchpoint nobody configured, `folded_touchpoints` the rare touchpoints that
    were moved into `other` to save space.
    """

    by_touchpoint: dict[str, Buckets] = field(default_factory=dict)
    other_touchpoints: int = 0
    newest_at: int = 0
    folded_touchpoints: int = 0


def fold(
    state: CsatState,
    event: SurveyEvent,
    clock_ms: int,  # noqa: ARG001 - the folds of all families are called alike
    definitions: Names,
    totals: Totals,
) -> None:
    """Count a CSAT answer; anything else is none of this figure's."""
    if event.kind != "answered" or event.survey != "csat":
        return
    assert event.score is not None, "an answer without a score is refused by the checks"
    assert event.scale is not None, "an answer without a scale is refused by the checks"
    at = event.occurred_at
    touchpoint = event.touchpoint or OTHER
    if touchpoint != OTHER and touchpoint not in definitions.touchpoints:
        touchpoint = OTHER
        state.other_touchpoints += 1
        totals.oddity("other_touchpoint", at)
    place = _FIRST_PLACE[event.scale] + event.score
    buckets = state.by_touchpoint.get(touchpoint)
    if buckets is None:
        buckets = state.by_touchpoint[touchpoint] = Buckets(_PLACES)
    buckets.add(at, place)
    state.newest_at = max(state.newest_at, at)
    totals.add("csat", touchpoint, at, (1 if place in _GOOD_PLACES else 0, 1))
    totals.add("csat_scales", event.scale, at, (1,))


def share(state: CsatState, touchpoint: str | None, window: Window, as_of_ms: int) -> Share:
    """The answers of a window at one touchpoint, or at all of them."""
    if touchpoint is None:
        chosen = list(state.by_touchpoint.values())
    else:
        buckets = state.by_touchpoint.get(touchpoint)
        chosen = [] if buckets is None else [buckets]
    good = n = 0
    for buckets in chosen:
        here = share_of(buckets.total(window, as_of_ms))
        good += here.good
        n += here.n
    return Share(good, n)


def by_touchpoint(state: CsatState, window: Window, as_of_ms: int) -> dict[str, list[int]]:
    """The answers of a window at each touchpoint, by raw score and scale, as `share_of` and `scales_of` take them."""
    return {touchpoint: buckets.total(window, as_of_ms) for touchpoint, buckets in sorted(state.by_touchpoint.items())}


def share_of(counts: Iterable[int]) -> Share:
    """What counts by raw score and scale come to as good or not."""
    good = n = 0
    for place, count in enumerate(counts):
        if count:
            n += count
            if place in _GOOD_PLACES:
                good += count
    return Share(good, n)


def scales_of(counts: Iterable[int]) -> dict[Scale, int]:
    """How many answers were given on each scale; only scales with answers."""
    found: dict[Scale, int] = {}
    for place, count in enumerate(counts):
        if count:
            scale = _SCALE_OF_PLACE[place]
            found[scale] = found.get(scale, 0) + count
    return found


def fold_touchpoints(state: CsatState, most: int, at_ms: int, totals: Totals) -> None:
    """Keep at most so many touchpoints by name; the rarest go into `other`."""
    for touchpoint in rarest(state.by_touchpoint, most):
        rare = state.by_touchpoint.pop(touchpoint)
        state.by_touchpoint.setdefault(OTHER, Buckets(_PLACES)).take_in(rare)
        state.folded_touchpoints += 1
        totals.oddity("folded_touchpoint", at_ms)


def prune(state: CsatState, as_of_ms: int) -> None:
    """Drop the answers that no window sees any more."""
    for touchpoint, buckets in list(state.by_touchpoint.items()):
        buckets.prune(as_of_ms, D90)
        if buckets.empty:
            del state.by_touchpoint[touchpoint]
