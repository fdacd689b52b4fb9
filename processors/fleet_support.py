"""Support over the whole fleet: the backlog, what came in and was solved, how long customers wait, and who answers them.

Percentiles come from the counts by bin of `processors.sketch`, added up over days, touchpoints and partitions, and never
from other percentiles. A department is that of the touchpoints it answers for; what has none belongs to `other`. Every configured
touchpoint and department is shown by the same figures.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from msgspec import Struct, field

from processors.fleet import UNFOLLOWED
from processors.fleet_departments import department_of
from processors.fleet_view import FleetValue, FleetView
from processors.names import OTHER
from processors.sketch import ERROR_NOTE, merged, place_of, quantiles, total
from processors.tickets import AGEING_DAYS
from processors.windows import D30, D90, DAY_MS, HOUR_MS, Window

if TYPE_CHECKING:
    from processors.definitions import Definitions

MAX_AGENTS: Final = 500
"""So many agents are shown by name, those who answered and solved most; the others together are `other`."""

_AGES: Final = ("0-1d", "1-3d", "3-7d", "7-30d", "30d+")
_DAYS_NOTE: Final = "age in whole UTC days"
_UNFOLLOWED_NOTE: Final = "beyond the bound of a customer; only how many is known"
_OTHERS_NOTE: Final = f"with all agents beyond the {MAX_AGENTS} who answered and solved most"
_FLOWS: Final = ("opened", "solved", "reopened", "solved_unknown", "replied_early")
_SHARES: Final = ((0.5, "p50"), (0.9, "p90"), (0.95, "p95"))
_SPANS: Final = (
    ("first_response", "first_responses_by_day", "no ticket was first answered in the window"),
    ("resolution", "resolutions_by_day", "no ticket was solved for good in the window"),
)
_AGENT_SPAN: Final = ("first_response", "agent_responses_by_day", "first answered no ticket in the window")


class Waits(Struct):
    """Durations in milliseconds counted by bin, by the clock and in business hours."""

    clock: dict[int, int] = field(default_factory=dict)
    business: dict[int, int] = field(default_factory=dict)

    @classmethod
    def of(cls, parts: Iterable["Waits"]) -> "Waits":
        """All of several."""
        parts = list(parts)
        if len(parts) == 1:
            return parts[0]
        return cls(merged(part.clock for part in parts), merged(part.business for part in parts))


def figures(view: FleetView) -> Iterator[FleetValue]:
    """All figures of support."""
    yield from _backlog(view)
    for window in (D30, D90):
        yield from _inflow(view, window)
        for span, figure, reason in _SPANS:
            yield from _waits(view, span, figure, reason, window)
        yield from _agents(view, window)


def _backlog(view: FleetView) -> Iterator[FleetValue]:
    """The open tickets: whole, by priority, touchpoint, department and age."""
    by_touchpoint = _whole(view, _gauge(view, "open_tickets_by_touchpoint"))
    yield _count("open_tickets", "", sum(by_touchpoint.values()))
    by_priority = _gauge(view, "open_tickets_by_priority")
    for figure, gauge in (("open_tickets_by_priority", by_priority), ("open_tickets_by_touchpoint", by_touchpoint)):
        for name, n in gauge.items():
            yield _count(figure, name, n, note=_UNFOLLOWED_NOTE if name == UNFOLLOWED else None)
    for department, n in _by_department(view.definitions, by_touchpoint).items():
        yield _count("open_tickets_by_department", department, n, note=_UNFOLLOWED_NOTE if department == UNFOLLOWED else None)
    yield from _ageing(view)


def _ageing(view: FleetView) -> Iterator[FleetValue]:
    """The open tickets by age; of the fleet only the UTC days of opening are added up, so an age is a difference of days."""
    today = view.as_of_ms // DAY_MS
    counts = [0] * len(_AGES)
    by_day = _gauge(view, "open_tickets_by_opening_day")
    unfollowed = by_day.pop(UNFOLLOWED, 0)
    for day, n in by_day.items():
        counts[sum(today - int(day) >= days for days in AGEING_DAYS)] += n
    for age, n in zip(_AGES, counts, strict=True):
        yield _count("open_tickets_by_age", age, n, note=_DAYS_NOTE)
    if unfollowed:
        yield _count("open_tickets_by_age", UNFOLLOWED, unfollowed, note=_UNFOLLOWED_NOTE)


def _inflow(view: FleetView, window: Window) -> Iterator[FleetValue]:
    """What was opened, solved and reopened, whole, by touchpoint and by department, and what came in an odd order."""
    rows = {name: view.total("tickets_by_day", name, window) for name in view.dimensions("tickets_by_day")}
    for place, flow in enumerate(_FLOWS):
        by_touchpoint = _whole(view, {name: counts[place] for name, counts in rows.items()})
        name = f"tickets_{flow}_{window.name}"
        yield _count(name, "", sum(by_touchpoint.values()), window)
        for touchpoint, n in by_touchpoint.items():
            yield _count(f"{name}_by_touchpoint", touchpoint, n, window)
        for department, n in _by_department(view.definitions, by_touchpoint).items():
            yield _count(f"{name}_by_department", department, n, window)


def _waits(view: FleetView, span: str, figure: str, reason: str, window: Window) -> Iterator[FleetValue]:
    """The percentiles of a span: whole, by touchpoint and by department."""
    by_touchpoint = {**{name: Waits() for name in view.definitions.touchpoints}, **_sketches(view, figure, window)}
    yield from _percentiles(span, window, "", "", Waits.of(by_touchpoint.values()), reason)
    departments: dict[str, list[Waits]] = {}
    for touchpoint, waits in by_touchpoint.items():
        yield from _percentiles(span, window, "_by_touchpoint", touchpoint, waits, reason)
        departments.setdefault(_department(view.definitions, touchpoint), []).append(waits)
    for department in sorted(departments):
        yield from _percentiles(span, window, "_by_department", department, Waits.of(departments[department]), reason)


def _agents(view: FleetView, window: Window) -> Iterator[FleetValue]:
    """The load of each agent, and how long customers waited for the first answers that were theirs."""
    every = {name: view.total("agent_load_by_day", name, window) for name in view.dimensions("agent_load_by_day")}
    loads = {name: load for name, load in every.items() if any(load)}
    busiest = sorted((-sum(load), name) for name, load in loads.items() if name != OTHER)
    shown = {name for _, name in busiest[:MAX_AGENTS]}
    others_note = _OTHERS_NOTE if len(busiest) > MAX_AGENTS else None
    for place, figure in enumerate(("tickets_first_answered", "tickets_resolved")):
        counts = Counter[str]()
        for name, load in loads.items():
            counts[name if name in shown else OTHER] += load[place]
        for name in sorted(counts):
            note = others_note if name == OTHER else None
            yield _count(f"{figure}_{window.name}_by_agent", name, counts[name], window, note)
    parts: dict[str, list[Waits]] = {}
    span, figure, reason = _AGENT_SPAN
    for name, waits in _sketches(view, figure, window).items():
        parts.setdefault(name if name in shown else OTHER, []).append(waits)
    for name in sorted(parts):
        yield from _percentiles(span, window, "_by_agent", name, Waits.of(parts[name]), reason)


def _sketches(view: FleetView, figure: str, window: Window) -> dict[str, Waits]:
    """The durations of a flow by the name in its dimension; only those with a count in the window."""
    found: dict[str, Waits] = {}
    for dimension in view.dimensions(figure):
        clock, business = view.total(figure, dimension, window)
        if not clock and not business:
            continue
        name, sketch_bin = place_of(dimension)
        waits = found.get(name)
        if waits is None:
            waits = found[name] = Waits()
        if clock:
            waits.clock[sketch_bin] = clock
        if business:
            waits.business[sketch_bin] = business
    return found


def _percentiles(span: str, window: Window, cut: str, name: str, waits: Waits, reason: str) -> Iterator[FleetValue]:
    """The percentiles of a span in hours, by the clock and in business hours."""
    for hours, counts in (("hours", waits.clock), ("business_hours", waits.business)):
        n = total(counts)
        for (_, percentile), value in zip(_SHARES, quantiles(counts, [share for share, _ in _SHARES]), strict=True):
            yield FleetValue(
                figure=f"{span}_{percentile}_{hours}_{window.name}{cut}",
                dimension=name,
                window_days=window.days,
                value=None if value is None else value / HOUR_MS,
                n=n,
                reason=reason if value is None else None,
                note=ERROR_NOTE if value is not None else None,
            )


def _gauge(view: FleetView, figure: str) -> dict[str, int]:
    return {name: view.total(figure, name)[0] for name in view.dimensions(figure)}


def _whole(view: FleetView, by_touchpoint: dict[str, int]) -> dict[str, int]:
    """Counts by touchpoint with all that are configured: a touchpoint or department without any is shown as the others are."""
    return {**dict.fromkeys(view.definitions.touchpoints, 0), **by_touchpoint}


def _by_department(definitions: "Definitions", by_touchpoint: dict[str, int]) -> dict[str, int]:
    """Counts by touchpoint, added up by the department that answers for it."""
    found = Counter[str]()
    for touchpoint, n in by_touchpoint.items():
        found[_department(definitions, touchpoint)] += n
    return dict(sorted(found.items()))


def _department(definitions: "Definitions", touchpoint: str) -> str:
    return UNFOLLOWED if touchpoint == UNFOLLOWED else department_of(definitions, touchpoint)


def _count(figure: str, name: str, n: int, window: Window | None = None, note: str | None = None) -> FleetValue:
    days = None if window is None else window.days
    return FleetValue(figure=figure, dimension=name, window_days=days, value=float(n), n=n, note=note)
