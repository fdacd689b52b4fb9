"""Who looks after how much, and how soon somebody acts."""

import pytest

from processors import accounts
from processors.episode_gauges import OPEN
from processors.fleet import OWNED, gauges
from processors.fleet_figures import View
from processors.fleet_load import figures
from processors.fleet_state import FleetState
from processors.fleet_view import FleetValue
from processors.sketch import bin_of
from processors.state import CustomerState
from processors.totals import Totals
from processors.windows import DAY_MS, HOUR_MS
from tests.support.happenings import NAMES, NOON, account
from tests.support.summed import default_definitions
from tests.unit.test_fleet_state import partial

DAY = NOON - NOON % DAY_MS


class Fleet:
    def __init__(self) -> None:
        self.state = FleetState(2, "app")
        for partition in range(2):
            self.state.take(partial(partition, 1, "as_of", [NOON]))

    def owns(self, owner: str, currency: str, counts: tuple[int, int, int], partition: int = 0) -> None:
        self.state.put((OWNED, f"{owner}\x1f{currency}", None), partition, counts)

    def opens(self, owner: str, episode: str, *, acted: bool) -> None:
        self.state.put((OPEN, f"{owner}\x1fc\x1fsilence\x1f{episode}\x1fEUR", None), 0, (NOON, 1, 0, 0, 0, int(acted), 0, 0))

    def acts(self, owner: str, hours: float) -> None:
        key = ("actions_by_day", f"{owner}/{bin_of(hours * HOUR_MS)}", DAY)
        self.state.put(key, 0, ((self.state.part(key, 0) or (0,))[0] + 1,))

    def values(self, figure: str) -> dict[str, FleetValue]:
        return {value.dimension: value for value in figures(View(self.state, default_definitions())) if value.figure == figure}


def test_a_customer_adds_itself_to_its_owner_until_it_has_left() -> None:
    state = CustomerState("c")
    event = account("onboarded", NOON, owner="Chi\x1f", currency="EUR", mrr_cents=900)
    accounts.fold(state.account, event, NOON, NAMES, Totals())
    assert gauges(state)[OWNED, "Chi \x1fEUR"] == (1, 900, 1)
    accounts.fold(state.account, account("cancelled", NOON + 1), NOON + 1, NAMES, Totals())
    assert not [key for key in gauges(state) if key[0] == OWNED]


def test_an_owner_s_accounts_revenue_and_open_episodes_are_summed_over_the_partitions_by_currency() -> None:
    fleet = Fleet()
    fleet.owns("Chi", "EUR", (3, 900, 2))
    fleet.owns("Chi", "EUR", (2, 100, 1), partition=1)
    fleet.owns("Chi", "USD", (1, 50, 1))
    fleet.owns("Dung", "", (1, 0, 0))
    for number in range(4):
        fleet.opens("Chi", f"e{number}", acted=number == 0)
    assert {name: value.value for name, value in fleet.values("accounts_by_owner").items()} == {"Chi": 6, "Dung": 1}
    assert {name: (one.value, one.n) for name, one in fleet.values("mrr_by_owner_cents").items()} == {
        "Chi/EUR": (1000, 3),
        "Chi/USD": (50, 1),
    }
    assert {name: value.value for name, value in fleet.values("open_episodes_by_owner").items()} == {"Chi": 4, "Dung": 0}
    shares = fleet.values("open_episodes_acted_by_owner_share")
    assert (shares["Chi"].value, shares["Dung"].value, shares["Dung"].reason) == (0.25, None, "no episode is open")


def test_owners_beyond_those_that_are_named_stand_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("processors.fleet_load.MAX_OWNERS", 1)
    fleet = Fleet()
    for owner, n in (("An", 1), ("Binh", 5), ("Chi", 2)):
        fleet.owns(owner, "EUR", (n, 0, 0))
    found = fleet.values("accounts_by_owner")
    assert {name: value.value for name, value in found.items()} == {"Binh": 5, "other": 3}
    assert (found["Binh"].note is None, found["other"].note is None) == (True, False)


def test_the_time_to_act_is_told_for_all_and_for_each_owner_and_is_null_where_nobody_acted() -> None:
    fleet = Fleet()
    for owner in ("Chi", "Dung"):
        fleet.owns(owner, "EUR", (1, 0, 0))
    for owner, hours in (("Chi", 1), ("Chi", 1), ("Chi", 50), ("", 8)):
        fleet.acts(owner, hours)
    whole, mine = fleet.values("time_to_act_p50_hours_30d")[""], fleet.values("time_to_act_p50_hours_30d_by_owner")
    assert whole.value == pytest.approx(1, rel=0.01)
    assert mine["Chi"].value == pytest.approx(1, rel=0.01)
    assert (whole.n, mine["Chi"].n, mine["Dung"].value, mine["Dung"].n) == (4, 3, None, 0)
    assert mine["Dung"].reason == "nobody acted upon an episode that opened in the window"
    assert fleet.values("time_to_act_p95_hours_90d_by_owner")["Chi"].value == pytest.approx(1, rel=0.01)  # the lower of two
    assert set(mine) == {"Chi", "Dung"}
