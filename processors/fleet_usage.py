"""Fleet figures of usage: goals completed, customers who are active, and promises that are kept."""

from collections.abc import Iterator
from typing import Final

from processors import promises
from processors.fleet_view import FleetValue, FleetView
from processors.intervals import wilson
from processors.names import is_customer
from processors.sketch import ERROR_NOTE, merged, place_of, quantile, quantiles
from processors.windows import D7, D30, D90, D180, Window, first_day

_GOALS: Final = ((D7, "goals_by_hour"), (D30, "goals_by_day"), (D90, "goals_by_day"))
_DURATIONS: Final = (("p50", 0.5), ("p90", 0.9))
NO_GOALS: Final = "no goal was tried in the window"
_NO_CUSTOMERS: Final = "there is no customer"
_NO_PROMISES: Final = "nothing is promised to any customer"
_NONE_PROMISED: Final = "nothing was promised in the window"
_NO_VALUE: Final = "no goal promised in the window was completed yet"
_AS_SEEN_LAST: Final = "each customer as of its newest goal, contract or daily evaluation"


def figures(view: FleetView) -> Iterator[FleetValue]:
    """Goals, activity and promises, in this order."""
    for window, flow in _GOALS:
        yield from _goals(view, window, flow)
    for window in (D30, D90):
        yield from _durations(view, window)
    yield from _active_customers(view)
    yield from _promises(view)


def share(
    name: str, numerator: int, denominator: int, window: Window | None, reason: str, dimension: str = "", note: str | None = None
) -> FleetValue:
    """A share, 0 to 1, with Wilson's interval; None with the reason when there is nothing to take a share of."""
    interval = wilson(numerator, denominator)
    return FleetValue(
        figure=name,
        dimension=dimension,
        window_days=None if window is None else window.days,
        value=numerator / denominator if denominator else None,
        numerator=numerator,
        denominator=denominator,
        n=denominator,
        low=None if interval is None else interval.low,
        high=None if interval is None else interval.high,
        reason=None if denominator else reason,
        note=note,
    )


def median(name: str, bins: dict[int, int], window: Window, reason: str, dimension: str = "") -> FleetValue:
    """The median of what is counted by bin, with the sketch's error; None with the reason when nothing is."""
    value = quantile(bins, 0.5)
    return FleetValue(
        figure=name,
        dimension=dimension,
        window_days=window.days,
        value=value,
        n=sum(bins.values()),
        reason=reason if value is None else None,
        note=None if value is None else ERROR_NOTE,
    )


def bins_of(view: FleetView, flow: str, window: Window, prefix: str = "") -> dict[int, int]:
    """The counts by bin of a flow whose dimensions are bins behind a prefix."""
    dimensions = [dimension for dimension in view.dimensions(flow) if dimension.startswith(prefix)]
    return merged({int(dimension[len(prefix) :]): view.total(flow, dimension, window)[0]} for dimension in dimensions)


def _goals(view: FleetView, window: Window, flow: str) -> Iterator[FleetValue]:
    """How often goals were completed, and the share of the tries that were: together and by goal."""
    by_goal = {goal: view.total(flow, goal, window) for goal in view.dimensions(flow)}
    whole = (sum(counts[0] for counts in by_goal.values()), sum(counts[1] for counts in by_goal.values()))
    for goal, (completed, failed) in {"": whole, **by_goal}.items():
        if goal and not completed and not failed:
            continue
        yield FleetValue(
            figure=f"goals_completed_{window.name}",
            dimension=goal,
            window_days=window.days,
            value=completed,
            numerator=completed,
        )
        yield share(f"goals_correct_ratio_{window.name}", completed, completed + failed, window, NO_GOALS, goal)


def _durations(view: FleetView, window: Window) -> Iterator[FleetValue]:
    """How long goals took, of the completions that say it: by goal, for together they would say nothing of any."""
    by_goal: dict[str, dict[int, int]] = {}
    for dimension in view.dimensions("goal_durations_by_day"):
        goal, sketch_bin = place_of(dimension)
        (completed,) = view.total("goal_durations_by_day", dimension, window)
        if completed:
            by_goal.setdefault(goal, {})[sketch_bin] = completed
    for goal, bins in by_goal.items():
        for (name, _), duration_ms in zip(_DURATIONS, quantiles(bins, [q for _, q in _DURATIONS]), strict=True):
            yield FleetValue(
                figure=f"goal_duration_{name}_seconds_{window.name}",
                dimension=goal,
                window_days=window.days,
                value=None if duration_ms is None else duration_ms / 1000,
                n=sum(bins.values()),
                note=ERROR_NOTE,
            )


def _active_customers(view: FleetView) -> Iterator[FleetValue]:
    """How many customers used the product on one of the 30 days, and which share of all customers."""
    first = first_day(D30, view.as_of_ms)
    days = [day for day in view.dimensions("customers_by_last_use") if int(day) >= first]
    active = sum(view.total("customers_by_last_use", day)[0] for day in days)
    stages = [stage for stage in view.dimensions("customers") if is_customer(stage)]
    customers = sum(view.total("customers", stage)[0] for stage in stages)
    yield FleetValue(figure="active_customers_30d", window_days=D30.days, value=active, numerator=active)
    yield share("active_customers_30d_ratio", active, customers, D30, _NO_CUSTOMERS)


def _promises(view: FleetView) -> Iterator[FleetValue]:
    """Promises kept and valued of those that hold now; and of those given in 180 days, which had first value, and how soon."""
    kept, valued, promised = view.total(promises.GAUGE, "")
    yield share("promises_kept_ratio", kept, promised, None, _NO_PROMISES, note=_AS_SEEN_LAST if promised else None)
    yield share("promises_valued_ratio", valued, promised, None, _NO_PROMISES)
    for window in (D90, D180):
        given, with_value = view.total("promises_by_day", "", window)
        yield share(f"promises_valued_{window.name}_ratio", with_value, given, window, _NONE_PROMISED)
        bins = bins_of(view, "first_values_by_day", window)
        yield median(f"days_to_first_value_median_{window.name}", bins, window, _NO_VALUE)
