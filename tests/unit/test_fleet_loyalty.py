from collections.abc import Mapping

import pytest

from processors import fleet_loyalty, fleet_touchpoints
from processors.definitions import Definitions
from processors.fleet import gauges
from processors.fleet_view import FleetValue
from processors.windows import DAY_MS, Window, first_day
from tests.support.happenings import NOON, account, answer
from tests.support.judging import Judged, default_definitions


class FakeView:
    """Counts as a test says them: gauges by (figure, dimension), flows by (figure, dimension) and days back."""

    as_of_ms = NOON

    def __init__(
        self,
        standing: Mapping[tuple[str, str], int] | None = None,
        flows: Mapping[tuple[str, str], Mapping[int, tuple[int, ...]]] | None = None,
    ) -> None:
        self._gauges = standing or {}
        self._flows = flows or {}

    @property
    def definitions(self) -> Definitions:
        return default_definitions()

    def dimensions(self, figure: str) -> list[str]:
        return sorted(name for known, name in (*self._gauges, *self._flows) if known == figure)

    def total(self, figure: str, dimension: str, window: Window | None = None) -> tuple[int, ...]:
        if window is None:
            return (self._gauges.get((figure, dimension), 0),)
        first_ms = first_day(window, NOON) * DAY_MS
        mine = [counts for at, counts in self.buckets(figure, dimension).items() if at >= first_ms]
        return tuple(map(sum, zip(*mine, strict=True))) if mine else (0, 0)

    def parts(self, figure: str, dimension: str) -> Mapping[int, tuple[int, ...]]:
        raise AssertionError(f"nobody asks for the parts of {figure} {dimension}")

    def buckets(self, figure: str, dimension: str) -> Mapping[int, tuple[int, ...]]:
        today = NOON - NOON % DAY_MS
        return {today - days * DAY_MS: counts for days, counts in self._flows.get((figure, dimension), {}).items()}


def made(view: FakeView) -> dict[tuple[str, str], FleetValue]:
    return {(value.figure, value.dimension): value for value in fleet_loyalty.figures(view)}


def test_the_share_of_churners_is_of_the_customers_with_a_quadrant_beside_that_of_all_and_the_unknown_share() -> None:
    standing = {
        ("quadrant", "churner"): 2,
        ("quadrant", "advocate"): 18,
        ("customers", "onboarded"): 38,
        ("customers", "known"): 2,
    }
    others = {("customers", stage): 60 for stage in ("lead", "trial", "cancelled", "lapsed")}
    found = made(FakeView({**standing, **others}))
    churners = found["churner_share", ""]
    assert (churners.value, churners.numerator, churners.denominator, churners.n) == (0.1, 2, 20, 20)
    assert churners.low == pytest.approx(0.0279, abs=1e-4)
    assert found["churner_share_of_all", ""].value == 0.05
    assert found["quadrant_unknown_share", ""].value == 0.5
    assert found["wildcard_share", ""].value == 0


def test_a_share_of_nobody_is_null_and_says_why() -> None:
    found = made(FakeView())
    assert found["churner_share", ""].value is None
    assert found["churner_share", ""].reason == "no customer has a quadrant"
    assert found["quadrant_unknown_share", ""].reason == "no customers"
    assert found["band_share", "red"].reason == "no customer has a band"


def test_the_shares_of_bands_are_of_the_customers_with_a_band() -> None:
    found = made(FakeView({("health_band", "red"): 1, ("health_band", "green"): 3, ("customers", "onboarded"): 5}))
    assert [found["band_share", band].value for band in ("red", "yellow", "green")] == [0.25, 0, 0.75]
    assert found["band_unknown_share", ""].value == 0.2


def test_a_share_stays_within_its_bounds_while_the_parts_of_a_count_come_one_after_the_other() -> None:
    found = made(FakeView({("quadrant", "churner"): 3, ("customers", "onboarded"): 2}))
    assert found["quadrant_unknown_share", ""].value == 0
    assert found["churner_share_of_all", ""].value == 1


def test_a_customer_counts_in_its_quadrant_from_the_contract_until_it_leaves() -> None:
    customer = Judged()
    customer.happens(*(answer("csat", "good_bad", 1) for _ in range(2)))
    assert not [name for name in gauges(customer.state) if name[0] == "quadrant"]
    customer.happens(answer("nps", "0_10", 9, respondent="r"), account("trial_started", NOON - 1))
    assert not [name for name in gauges(customer.state) if name[0] == "quadrant"]
    customer.happens(account("contracted", NOON - 1), clock=NOON)
    assert gauges(customer.state)["quadrant", "advocate"] == (1,)
    customer.happens(account("cancelled", NOON))
    assert not [name for name in gauges(customer.state) if name[0] == "quadrant"]


def test_the_map_holds_every_station_in_its_order_also_those_of_which_nothing_is_known() -> None:
    found = fleet_touchpoints.touchpoint_map(FakeView())
    assert [station.touchpoint for station in found] == list(default_definitions().touchpoints)
    assert {(station.n, station.csat_pct, station.trend, station.strength) for station in found} == {
        (0, None, "unknown", "unknown")
    }


def test_the_map_shows_csat_backlog_strength_trend_and_interactions_over_the_whole_fleet() -> None:
    flows: dict[tuple[str, str], dict[int, tuple[int, ...]]] = {
        ("csat_by_day", "support"): {0: (10, 40), 29: (0, 10), 30: (30, 40), 89: (5, 10), 90: (100, 100)},
        ("csat_by_day", "product"): {5: (95, 100)},
        ("csat_by_day", "other"): {5: (1, 2)},
        ("interactions_by_day", "support"): {0: (3,), 29: (1,), 30: (9,)},
    }
    found = {
        now.touchpoint: now
        for now in fleet_touchpoints.touchpoint_map(FakeView({("open_tickets_by_touchpoint", "support"): 7}, flows))
    }
    support = found["support"]
    assert (support.n, support.csat_pct) == (100, 45)
    assert (support.strength, support.trend, support.open_tickets, support.interactions_30d) == ("weak", "down", 7, 4)
    assert support.trend_points == pytest.approx(100 * (10 / 50 - 30 / 40))
    assert (found["product"].strength, found["product"].trend) == ("strong", "unknown")
