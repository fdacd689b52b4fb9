"""The fleet figures of usage and of the way to the sale, from the sums of some customers."""

import pytest

from processors import accounts, fleet_journey, fleet_usage, journey, promises, usage
from processors.definitions import Definitions
from processors.fleet import gauges
from processors.fleet_figures import View
from processors.fleet_state import FleetState
from processors.fleet_view import FleetValue, FleetView
from processors.state import CustomerState
from processors.totals import Totals
from processors.windows import DAY_MS, HOUR_MS
from schemas.events import AccountEvent, PromisedGoal, UsageEvent
from tests.support.happenings import NOON, account
from tests.support.happenings import usage as use
from tests.support.judging import default_definitions

DEFINITIONS: Definitions = default_definitions()
REPORTS = [PromisedGoal(goal="report_created", expected_per_30_days=2.0)]


class Fleet:
    """Customers by their ids, to whom things happen."""

    def __init__(self) -> None:
        self.totals = Totals()
        self.states: dict[str, CustomerState] = {}

    def happens(self, customer: str, *events: UsageEvent | AccountEvent) -> None:
        state = self.states.setdefault(customer, CustomerState(customer))
        for event in events:
            state.events_accepted += 1
            if isinstance(event, UsageEvent):
                usage.fold(state.usage, event, NOON, DEFINITIONS, self.totals)
                promises.fold_use(state, event, NOON, DEFINITIONS, self.totals)
            else:
                accounts.fold(state.account, event, NOON, DEFINITIONS, self.totals)
                journey.fold_account(state.journey, event, self.totals)
                promises.fold_account(state, event, NOON, DEFINITIONS, self.totals)

    def view(self, as_of_ms: int = NOON) -> FleetView:
        state = FleetState(1, "test")
        for (flow, cut, bucket), flowed in self.totals.items():
            state.put((flow, cut, bucket), 0, tuple(flowed))
        summed: dict[tuple[str, str], tuple[int, ...]] = {}
        for customer in self.states.values():
            for key, counts in gauges(customer).items():
                known = summed.get(key, (0,) * len(counts))
                summed[key] = tuple(one + other for one, other in zip(known, counts, strict=True))
        for (figure, dimension), counts in summed.items():
            state.put((figure, dimension, None), 0, counts)
        view = View(state, DEFINITIONS)
        view.as_of_ms = as_of_ms
        return view


def figure(found: Fleet, name: str, dimension: str = "", as_of_ms: int = NOON) -> FleetValue:
    view = found.view(as_of_ms)
    values = [*fleet_usage.figures(view), *fleet_journey.figures(view)]
    (value,) = [value for value in values if (value.figure, value.dimension) == (name, dimension)]
    return value


def test_goals_are_added_up_over_customers_with_the_share_completed() -> None:
    fleet = Fleet()
    fleet.happens("ann", use("goal_completed", goal="report_created", quantity=3), use("goal_failed", goal="import_correct"))
    fleet.happens("binh", use("goal_completed", NOON - 20 * DAY_MS, goal="report_created"))
    assert figure(fleet, "goals_completed_7d").value == 3
    assert figure(fleet, "goals_completed_30d", "report_created").value == 4
    ratio = figure(fleet, "goals_correct_ratio_30d")
    assert (ratio.value, ratio.numerator, ratio.denominator, ratio.n) == (0.8, 4, 5, 5)
    assert ratio.low == pytest.approx(0.3755, abs=1e-4)


def test_a_goal_tells_how_long_it_took_where_its_events_say_so() -> None:
    fleet = Fleet()
    for place, seconds in enumerate((30, 60, 90, 3_600)):
        fleet.happens(f"c{place}", use("goal_completed", goal="report_created", quantity=place + 1, duration_ms=1000 * seconds))
    fleet.happens("ann", use("goal_completed", goal="report_created"), use("goal_completed", goal="import_correct"))
    fleet.happens(
        "ann", use("goal_failed", goal="import_correct", duration_ms=5), use("goal_completed", goal="dreams", duration_ms=0)
    )
    half, most = (figure(fleet, f"goal_duration_{name}_seconds_30d", "report_created") for name in ("p50", "p90"))
    assert half.value == pytest.approx(60, rel=0.01)
    assert half.n == 4
    assert most.value == pytest.approx(90, rel=0.01)
    assert figure(fleet, "goal_duration_p50_seconds_90d", "other").value == 0
    told = {value.dimension for value in fleet_usage.figures(fleet.view()) if value.figure.startswith("goal_duration")}
    assert told == {"report_created", "other"}


def test_seven_days_of_goals_are_cut_by_the_hour() -> None:
    fleet = Fleet()
    fleet.happens("ann", use("goal_completed", NOON - 167 * HOUR_MS, goal="report_created"))
    fleet.happens("ann", use("goal_completed", NOON - 168 * HOUR_MS, goal="report_created"))
    assert figure(fleet, "goals_completed_7d").value == 1


def test_without_any_event_every_share_says_why_it_is_null() -> None:
    values = [*fleet_usage.figures(Fleet().view()), *fleet_journey.figures(Fleet().view())]
    unknown = [value for value in values if value.value is None]
    assert {"active_customers_30d_ratio", "promises_kept_ratio", "step_conversion_90d_ratio"} <= {one.figure for one in unknown}
    assert all(value.reason and value.low is None for value in unknown)
    assert all(value.reason is None for value in values if value.value is not None)


def test_active_customers_are_those_with_any_use_in_30_days_of_all_who_are_customers() -> None:
    fleet = Fleet()
    for customer, days in (("ann", 0), ("binh", 29), ("chi", 30)):
        fleet.happens(customer, account("contracted"), use("session", NOON - days * DAY_MS))
    fleet.happens("fay", use("session", NOON), account("trial_started"))
    fleet.happens("gil", use("session", NOON))
    fleet.happens("dung", use("session", NOON), account("cancelled"))
    fleet.happens("em", account("known"))
    share = figure(fleet, "active_customers_30d_ratio")
    assert (share.numerator, share.denominator) == (3, 5)
    assert figure(fleet, "active_customers_30d").value == 3


def test_promises_kept_are_those_attained_in_full() -> None:
    fleet = Fleet()
    fleet.happens("ann", account("contracted", goals=REPORTS), use("goal_completed", goal="report_created", quantity=2))
    fleet.happens("binh", account("contracted", goals=REPORTS), use("goal_completed", goal="report_created"))
    fleet.happens("chi", account("contracted", goals=REPORTS), account("lapsed", NOON + 1))
    kept = figure(fleet, "promises_kept_ratio")
    assert (kept.numerator, kept.denominator) == (1, 2)
    valued = figure(fleet, "promises_valued_ratio")
    assert (valued.numerator, valued.denominator) == (2, 2)


def test_the_median_of_days_to_first_value_comes_from_a_sketch_that_says_so() -> None:
    fleet = Fleet()
    for customer, days in (("ann", 0), ("binh", 10), ("chi", 40)):
        fleet.happens(customer, account("contracted", NOON - 50 * DAY_MS, goals=REPORTS))
        fleet.happens(customer, use("goal_completed", NOON - (50 - days) * DAY_MS, goal="report_created"))
    fleet.happens("dung", account("contracted", NOON - 50 * DAY_MS, goals=REPORTS))
    median = figure(fleet, "days_to_first_value_median_90d")
    assert median.value == pytest.approx(10, rel=0.01)
    assert median.n == 3
    assert median.note is not None
    assert figure(fleet, "promises_valued_90d_ratio").value == 0.75


def test_a_cohort_is_who_reached_a_step_in_the_window_and_converts_with_who_went_on_so_far() -> None:
    fleet = Fleet()
    for customer in ("ann", "binh", "chi"):
        fleet.happens(customer, account("lead", NOON - 60 * DAY_MS))
    fleet.happens("ann", account("trial_started", NOON - 50 * DAY_MS))
    fleet.happens("binh", account("contracted", NOON))
    fleet.happens("dung", account("lead", NOON - 100 * DAY_MS), account("trial_started", NOON - 99 * DAY_MS))
    conversion = figure(fleet, "step_conversion_90d_ratio", "lead")
    assert (conversion.numerator, conversion.denominator) == (2, 3), "who skipped the trial went on as well"
    assert figure(fleet, "step_conversion_180d_ratio", "lead").value == 0.75
    days = figure(fleet, "days_to_next_step_median_90d", "lead")
    assert days.n == 1, "days are those to the very next step"
    assert days.value == pytest.approx(10, rel=0.01)
    assert figure(fleet, "customers_reached_90d", "lead").value == 3
    assert figure(fleet, "customers_reached_30d", "contracted").value == 1


def test_the_map_shows_each_step_with_wilsons_interval() -> None:
    fleet = Fleet()
    for number in range(10):
        fleet.happens(f"c{number}", account("lead"), *([account("trial_started")] if number < 8 else []))
    steps = fleet_journey.steps(fleet.view())
    assert [(step.step, step.next_step) for step in steps if step.window_days == 180] == [
        ("lead", "trial"),
        ("trial", "contracted"),
        ("contracted", "handed_over"),
        ("handed_over", "onboarded"),
    ]
    first = steps[0]
    assert (first.reached, first.converted, first.ratio) == (10, 8, 0.8)
    assert [first.low, first.high] == pytest.approx([0.4902, 0.9433], abs=1e-4)
    assert steps[2].reason == "no customer reached the step in the window"
    assert steps[1].ratio == 0
