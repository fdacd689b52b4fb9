"""Why customers left: how many in a time, and which share of them for which reason."""

from collections.abc import Iterator
from typing import Final

from processors import commercial_rows
from processors.fleet_view import FleetValue, FleetView
from processors.windows import D30, D90, DAY_MS, Window, first_day

_WINDOWS: Final = (D30, D90, Window(365, "365d"))
_NOBODY: Final = "nobody left"
_WORDLESS: Final = (commercial_rows.UNTOLD, commercial_rows.LAPSED)


def figures(view: FleetView) -> Iterator[FleetValue]:
    """The departures of 30, 90 and 365 days, by reason, and the share of them that says one."""
    reasons = list(view.dimensions(commercial_rows.DEPARTURES))
    for window in _WINDOWS:
        days = window.days
        counts = {reason: _left(view, reason, window) for reason in reasons}
        total = sum(counts.values())
        yield FleetValue(figure=f"departures_{days}d", window_days=days, value=total)
        told, _ = with_a_reason(view, window)
        yield _share(f"share_of_departures_with_a_reason_{days}d_pct", "", days, told, total)
        for reason, n in counts.items():
            yield FleetValue(figure=f"departures_by_reason_{days}d", dimension=reason, window_days=days, value=n)
            yield _share(f"share_of_departures_by_reason_{days}d_pct", reason, days, n, total)


def with_a_reason(view: FleetView, window: Window) -> tuple[int, int]:
    """How many of the departures of a window say why, and how many there are."""
    counts = {reason: _left(view, reason, window) for reason in view.dimensions(commercial_rows.DEPARTURES)}
    total = sum(counts.values())
    return total - sum(counts.get(reason, 0) for reason in _WORDLESS), total


def _left(view: FleetView, reason: str, window: Window) -> int:
    since_ms = first_day(window, view.as_of_ms) * DAY_MS
    buckets = view.buckets(commercial_rows.DEPARTURES, reason)
    return sum(counts[0] for start_ms, counts in buckets.items() if since_ms <= start_ms <= view.as_of_ms)


def _share(figure: str, reason: str, days: int, n: int, total: int) -> FleetValue:
    return FleetValue(
        figure=figure,
        dimension=reason,
        window_days=days,
        value=100 * n / total if total else None,
        numerator=n,
        denominator=total,
        n=total,
        reason=None if total else _NOBODY,
    )
