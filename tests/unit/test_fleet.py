import pytest

from processors import accounts, tickets
from processors.episodes import Episode, RuleBook
from processors.fleet import FIGURES, UNFOLLOWED, gauges
from processors.health import HealthState
from processors.scorecard_file import BANDS
from processors.state import CustomerState
from processors.totals import Totals
from processors.windows import day_of
from tests.support.happenings import NAMES, NOON, account, ticket


def test_a_customer_of_whom_nothing_is_known_counts_as_one_of_unknown_stage() -> None:
    assert gauges(CustomerState("c")) == {("customers", "unknown"): (1,)}


def test_a_customer_contributes_its_stage_and_open_tickets() -> None:
    state = CustomerState("c")
    accounts.fold(state.account, account("onboarded"), NOON, NAMES, Totals())
    for number in range(2):
        tickets.fold(state.tickets, ticket("opened", NOON, f"T{number}", touchpoint="trial"), NOON, NAMES, Totals())
    assert gauges(state) == {
        ("customers", "onboarded"): (1,),
        ("open_tickets_by_priority", "normal"): (2,),
        ("open_tickets_by_touchpoint", "trial"): (2,),
        ("open_tickets_by_opening_day", str(day_of(NOON))): (2,),
    }


def test_tickets_beyond_the_bound_are_shown_as_not_followed() -> None:
    state = CustomerState("c")
    state.tickets.overflow_open = 3
    assert gauges(state)["open_tickets_by_priority", UNFOLLOWED] == (3,)


@pytest.mark.parametrize("band", ["red", "yellow", "green"])
def test_a_customer_with_a_score_counts_in_its_band(band: str) -> None:
    state = CustomerState("c")
    state.health.risk = HealthState(band_rank=1 + BANDS.index(band))
    state.account.stage = "trial"
    assert ("health_band", band) not in gauges(state)
    state.account.stage = "onboarded"
    assert gauges(state)["health_band", band] == (1,)


def test_open_episodes_count_by_rule() -> None:
    state = CustomerState("c")
    episode = Episode(opened_at=NOON, rule_version=1, severity="high", over=[], owner=None, muted=False, explanation="")
    state.alerts.rules = {"silence": RuleBook(1, episode), "backlog": RuleBook(3)}
    found = gauges(state)
    assert found["alerts_open", "silence"] == found["alerts_open_by_severity", "high"] == (1,)
    assert not [dimension for figure, dimension in found if figure == "alerts_open" and dimension != "silence"]


def test_every_gauge_is_described() -> None:
    state = CustomerState("c")
    tickets.fold(state.tickets, ticket("opened", NOON), NOON, NAMES, Totals())
    assert {FIGURES[figure].kind for figure, _ in gauges(state)} == {"gauge"}
    assert all(len(counts) == len(FIGURES[figure].places) for (figure, _), counts in gauges(state).items())


def test_a_customer_who_has_left_is_in_no_band() -> None:
    state = CustomerState("c")
    state.health.risk = HealthState(band_rank=1)
    accounts.fold(state.account, account("cancelled"), NOON, NAMES, Totals())
    assert not [name for name in gauges(state) if name[0] == "health_band"]
