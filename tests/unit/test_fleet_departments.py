"""The same figures for every department, touchpoint by touchpoint."""

from processors.fleet_departments import figures
from processors.fleet_figures import View
from processors.fleet_state import FleetState
from processors.fleet_support import figures as support_figures
from processors.fleet_view import FleetValue
from processors.windows import DAY_MS
from tests.support.happenings import NOON
from tests.support.summed import default_definitions
from tests.unit.test_fleet_state import partial

DAY = NOON - NOON % DAY_MS
TOUCHPOINTS = default_definitions().touchpoints
DEPARTMENTS = {touchpoint.department for touchpoint in TOUCHPOINTS.values()}


def view_of(*counts: tuple[str, str, tuple[int, ...]]) -> View:
    state = FleetState(1, "app")
    state.take(partial(0, 1, "as_of", [NOON]))
    for figure, dimension, found in counts:
        state.put((figure, dimension, DAY), 0, found)
    return View(state, default_definitions())


def values(view: View) -> dict[tuple[str, str], FleetValue]:
    return {(value.figure, value.dimension): value for value in figures(view)}


def test_every_touchpoint_and_department_has_the_same_figures_also_with_nothing_to_show() -> None:
    for made in (figures(view_of()), support_figures(view_of())):
        shown: dict[str, set[str]] = {}
        for value in made:
            shown.setdefault(value.figure, set()).add(value.dimension)
            assert (value.value is None) == (value.reason is not None)
        assert {figure: names for figure, names in shown.items() if figure.endswith("_by_touchpoint")}
        for figure, names in shown.items():
            if "_by_touchpoint" in figure:
                assert names == set(TOUCHPOINTS), figure
            elif "_by_department" in figure:
                assert names == DEPARTMENTS, figure


def test_what_is_said_and_reached_at_a_department_s_touchpoints_is_added_up() -> None:
    found = values(
        view_of(
            ("csat_by_day", "onboarding", (1, 4)),
            ("csat_by_day", "renewal", (4, 4)),
            ("csat_by_day", "other", (0, 1)),
            ("requests_by_day", "csat/onboarding", (8, 2)),
            ("requests_by_day", "ces/onboarding", (2, 2)),
            ("requests_by_day", "nps", (9, 9)),
            ("goals_by_day", "setup_finished", (3, 1)),
            ("goals_by_day", "report_created", (5, 0)),
            ("goals_by_day", "workflow_completed", (2, 0)),
            ("goals_by_day", "other", (1, 1)),
        )
    )
    told = {(figure, name): found[figure, name].value for figure, name in found}
    assert told["csat_90d_by_touchpoint_pct", "onboarding"] == 25
    assert told["csat_90d_by_department_pct", "Customer Success"] == 62.5
    assert told["csat_90d_by_department_pct", "other"] == 0
    assert told["response_rate_90d_by_touchpoint_pct", "onboarding"] == 40
    assert told["response_rate_90d_by_department_pct", "Customer Success"] == 40
    assert told["goals_completed_30d_by_touchpoint", "product"] == 7
    assert told["goals_completed_30d_by_department", "Customer Success"] == 3
    assert told["goals_correct_ratio_30d_by_department", "Customer Success"] == 0.75
    assert told["goals_correct_ratio_30d_by_touchpoint", "other"] == 0.5
