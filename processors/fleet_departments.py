"""The same figures for every department, touchpoint by touchpoint: what customers say, whether they answer, and what they reach.

A goal belongs to the touchpoint that the definitions file lays it at; a department answers for its touchpoints. Every configured
one is shown, with nothing to show too: then the value is null and says why. What lies at no configured touchpoint is `other`.
The support figures by touchpoint and department are those of `processors.fleet_support`.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from processors.feedback_figures import NO_ANSWERS, NO_REQUESTS
from processors.fleet_surveys import share
from processors.fleet_usage import NO_GOALS
from processors.fleet_usage import share as ratio
from processors.fleet_view import FleetValue, FleetView
from processors.names import OTHER
from processors.windows import D30, D90

if TYPE_CHECKING:
    from processors.definitions import Definitions

_Pairs = dict[str, tuple[int, int]]


def figures(view: FleetView) -> Iterator[FleetValue]:
    """CSAT, response rate and goals for each touchpoint and each department."""
    definitions = view.definitions
    for cut, names in (("touchpoint", _same), ("department", department_of)):
        for name, (good, n) in _cut(_csat(view), definitions, names):
            yield share(f"csat_90d_by_{cut}_pct", name, D90, good, n, NO_ANSWERS)
        for name, (sent, answered) in _cut(_responses(view), definitions, names):
            yield share(f"response_rate_90d_by_{cut}_pct", name, D90, answered, sent, NO_REQUESTS)
        for name, (completed, failed) in _cut(_goals(view), definitions, names):
            figure = f"goals_completed_30d_by_{cut}"
            yield FleetValue(figure=figure, dimension=name, window_days=D30.days, value=completed, n=completed)
            yield ratio(f"goals_correct_ratio_30d_by_{cut}", completed, completed + failed, D30, NO_GOALS, name)


def department_of(definitions: "Definitions", touchpoint: str) -> str:
    """The department that answers for a touchpoint; of one that is not configured, `other`."""
    known = definitions.touchpoints.get(touchpoint)
    return OTHER if known is None else known.department


def _same(definitions: "Definitions", touchpoint: str) -> str:
    return touchpoint if touchpoint in definitions.touchpoints else OTHER


def _cut(
    by_touchpoint: Mapping[str, tuple[int, int]], definitions: "Definitions", names: Callable[["Definitions", str], str]
) -> Iterator[tuple[str, tuple[int, int]]]:
    """Counts by touchpoint, added up by what each of them belongs to, in the order of the names; all that are configured."""
    found: _Pairs = {names(definitions, touchpoint): (0, 0) for touchpoint in definitions.touchpoints}
    for touchpoint, (one, other) in by_touchpoint.items():
        name = names(definitions, touchpoint)
        before = found.get(name, (0, 0))
        found[name] = (before[0] + one, before[1] + other)
    yield from sorted(found.items())


def _csat(view: FleetView) -> _Pairs:
    """Good answers and all of them."""
    return {name: _pair(view.total("csat_by_day", name, D90)) for name in view.dimensions("csat_by_day")}


def _responses(view: FleetView) -> _Pairs:
    """Requests sent and answered, of all surveys; a request that names no touchpoint belongs to none."""
    found: _Pairs = {}
    for part in view.dimensions("requests_by_day"):
        _, separator, touchpoint = part.partition("/")
        if separator:
            sent, answered = _pair(view.total("requests_by_day", part, D90))
            before = found.get(touchpoint, (0, 0))
            found[touchpoint] = (before[0] + sent, before[1] + answered)
    return found


def _goals(view: FleetView) -> _Pairs:
    """Goals completed and failed."""
    found: _Pairs = {}
    for name in view.dimensions("goals_by_day"):
        goal = view.definitions.goals.get(name)
        touchpoint = OTHER if goal is None else goal.touchpoint or OTHER
        completed, failed = _pair(view.total("goals_by_day", name, D30))
        before = found.get(touchpoint, (0, 0))
        found[touchpoint] = (before[0] + completed, before[1] + failed)
    return found


def _pair(counts: tuple[int, ...]) -> tuple[int, int]:
    return counts[0], counts[1]
