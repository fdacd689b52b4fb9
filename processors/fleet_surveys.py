"""The fleet's survey figures: what customers say of the touchpoints and of the whole, how many answer, and how much they tell.

Everything is made from sums of counts; a share comes with Wilson's interval, an NPS with the adjusted Wald interval, and the two
scales of the NPS are never mixed. A figure that rests on nothing is null and says so.
"""

from collections.abc import Iterator
from typing import Final

from processors import fleet_departures
from processors.feedback import CES_EASY_FROM
from processors.feedback_figures import (
    ANSWERS,
    CES_EASY,
    CES_MEAN,
    NAMED,
    NO_ANSWERS,
    NO_REQUESTS,
    PRODUCT,
    RESPONSE_RATE,
    WITH_COMMENT,
    WITH_TOUCHPOINT,
    by_part,
)
from processors.fleet_view import FleetValue, FleetView
from processors.intervals import adjusted_wald_nps, wilson
from processors.nps import SCALES
from processors.responses import Responses
from processors.sketch import ERROR_NOTE, quantile
from processors.windows import D7, D30, D90, D180, Window

COMMENT_LENGTH: Final = "comment_length_median_90d_chars"
REQUESTS: Final = "survey_requests_90d"

_MEDIAN: Final = 0.5
_NOTHING_SAID: Final = "no answers in the window, and nobody left"
_CSAT_FLOWS: Final = (
    (D7, "csat_by_hour", "csat_scales_by_hour"),
    (D30, "csat_by_day", "csat_scales_by_day"),
    (D90, "csat_by_day", "csat_scales_by_day"),
)


def figures(view: FleetView) -> Iterator[FleetValue]:
    """All survey figures."""
    yield from _csat(view)
    yield from _nps(view)
    yield from _ces(view)
    good, n = _sum(view, "product_by_day", D90, 2)
    yield share(PRODUCT, "", D90, good, n, NO_ANSWERS)
    yield from _responses(view)
    yield from _told(view)
    for dimension in view.dimensions("survey_requests_by_day"):
        (n,) = view.total("survey_requests_by_day", dimension, D90)
        yield FleetValue(figure=REQUESTS, dimension=dimension, window_days=D90.days, value=float(n), n=n)


def share(figure: str, dimension: str, window: Window, part: int, n: int, reason: str) -> FleetValue:
    """A share in percent, with Wilson's interval; null with the reason when it is a share of nothing."""
    interval = wilson(part, n)
    return FleetValue(
        figure=figure,
        dimension=dimension,
        window_days=window.days,
        value=100 * part / n if n else None,
        numerator=float(part),
        denominator=float(n),
        n=n,
        low=None if interval is None else 100 * interval.low,
        high=None if interval is None else 100 * interval.high,
        reason=None if n else reason,
    )


def _sum(view: FleetView, flow: str, window: Window, places: int) -> tuple[int, ...]:
    """What a flow comes to over all its dimensions."""
    sums = [0] * places
    for dimension in view.dimensions(flow):
        for place, count in enumerate(view.total(flow, dimension, window)):
            sums[place] += count
    return tuple(sums)


def _csat(view: FleetView) -> Iterator[FleetValue]:
    """The share of good answers, whole and by touchpoint, and on which scales they were given."""
    for window, flow, by_scale in _CSAT_FLOWS:
        name = f"csat_{window.name}_pct"
        good, n = _sum(view, flow, window, 2)
        yield share(name, "", window, good, n, NO_ANSWERS)
        for touchpoint in view.dimensions(flow):
            good, n = view.total(flow, touchpoint, window)
            yield share(name, touchpoint, window, good, n, NO_ANSWERS)
        for scale in view.dimensions(by_scale):
            (n,) = view.total(by_scale, scale, window)
            yield FleetValue(figure=f"csat_answers_{window.name}", dimension=scale, window_days=window.days, value=float(n), n=n)


def _nps(view: FleetView) -> Iterator[FleetValue]:
    """The Net Promoter Score of each scale."""
    counted = set(view.dimensions("nps_by_day"))
    for scale in SCALES:
        for window in (D90, D180):
            promoters, passives, detractors = view.total("nps_by_day", scale, window) if scale in counted else (0, 0, 0)
            n = promoters + passives + detractors
            interval = adjusted_wald_nps(promoters, passives, detractors)
            yield FleetValue(
                figure=f"nps_{scale}_{window.name}",
                window_days=window.days,
                value=100 * (promoters - detractors) / n if n else None,
                numerator=float(promoters - detractors),
                denominator=float(n),
                n=n,
                low=None if interval is None else interval.low,
                high=None if interval is None else interval.high,
                reason=None if n else NO_ANSWERS,
            )


def _ces(view: FleetView) -> Iterator[FleetValue]:
    """The mean effort, and the share of those who found it easy."""
    by_score = _sum(view, "ces_by_day", D90, 7)
    n, points = sum(by_score), sum(score * count for score, count in enumerate(by_score, 1))
    yield FleetValue(
        figure=CES_MEAN,
        window_days=D90.days,
        value=points / n if n else None,
        numerator=float(points),
        denominator=float(n),
        n=n,
        reason=None if n else NO_ANSWERS,
    )
    yield share(CES_EASY, "", D90, sum(by_score[CES_EASY_FROM - 1 :]), n, NO_ANSWERS)


def _responses(view: FleetView) -> Iterator[FleetValue]:
    """The share of requests that were answered so far: whole, by survey, and by survey and touchpoint."""
    parts = {}
    for part in view.dimensions("requests_by_day"):
        sent, answered = view.total("requests_by_day", part, D90)
        parts[part] = Responses(answered, sent)
    for dimension, found in by_part(parts).items():
        yield share(RESPONSE_RATE, dimension, D90, found.answered, found.sent, NO_REQUESTS)


def _told(view: FleetView) -> Iterator[FleetValue]:
    """How many answers there are, how many of them have a comment or name a touchpoint, and how long a comment is."""
    n, with_comment, with_touchpoint = _sum(view, "answers_by_day", D90, 3)
    yield FleetValue(figure=ANSWERS, window_days=D90.days, value=float(n), n=n)
    for survey in view.dimensions("answers_by_day"):
        here = view.total("answers_by_day", survey, D90)[0]
        yield FleetValue(figure=ANSWERS, dimension=survey, window_days=D90.days, value=float(here), n=here)
    yield share(WITH_COMMENT, "", D90, with_comment, n, NO_ANSWERS)
    yield share(WITH_TOUCHPOINT, "", D90, with_touchpoint, n, NO_ANSWERS)
    with_reason, left = fleet_departures.with_a_reason(view, D90)
    yield share(NAMED, "", D90, with_touchpoint + with_reason, n + left, _NOTHING_SAID)
    lengths = {
        int(dimension): view.total("comment_lengths_by_day", dimension, D90)[0]
        for dimension in view.dimensions("comment_lengths_by_day")
    }
    yield FleetValue(
        figure=COMMENT_LENGTH,
        window_days=D90.days,
        value=quantile(lengths, _MEDIAN),
        n=sum(lengths.values()),
        reason=None if any(lengths.values()) else "no comments in the window",
        note=ERROR_NOTE,
    )
