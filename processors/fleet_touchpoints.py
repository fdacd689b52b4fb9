"""The touchpoint map: every configured station in its order, over the whole fleet."""

from collections.abc import Mapping

from processors.csat import Share
from processors.fleet_view import FleetView
from processors.touchpoints import MONTH_MS, rest, station
from processors.windows import D30, D90, DAY_MS, Window, first_day
from schemas.records import StationNow


def touchpoint_map(view: FleetView) -> list[StationNow]:
    """The stations; one without answers has no CSAT, and neither strength nor trend."""
    answers = {name: Share(*view.total("csat_by_day", name, D90)[:2]) for name in view.dimensions("csat_by_day")}
    total = Share(sum(share.good for share in answers.values()), sum(share.n for share in answers.values()))
    found = []
    for name, touchpoint in view.definitions.touchpoints.items():
        share = answers.get(name, Share(0, 0))
        days = view.buckets("csat_by_day", name) if share.n else {}
        found.append(
            station(
                touchpoint,
                share,
                rest(total, share),
                _share(days, D30, view.as_of_ms),
                _share(days, D30, view.as_of_ms - MONTH_MS),
                view.total("open_tickets_by_touchpoint", name)[0],
                view.total("interactions_by_day", name, D30)[0],
            )
        )
    return found


def _share(days: Mapping[int, tuple[int, ...]], window: Window, as_of_ms: int) -> Share:
    """The answers of the days of a window."""
    first_ms = first_day(window, as_of_ms) * DAY_MS
    mine = [counts for at_ms, counts in days.items() if first_ms <= at_ms <= as_of_ms]
    return Share(sum(counts[0] for counts in mine), sum(counts[1] for counts in mine))
