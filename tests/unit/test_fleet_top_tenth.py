"""The top tenth of the fleet by monthly revenue: never more than a tenth of the customers, whatever the prices."""

from collections import Counter
from random import Random

import pytest

from processors.fleet import gauges
from processors.fleet_figures import MRR_TOP_TENTH, View, customers
from processors.fleet_state import FleetState
from processors.sketch import bin_of, largest_in
from schemas.events import AccountKind
from tests.support.happenings import NOON, account
from tests.support.judging import Judged
from tests.support.summed import default_definitions


def threshold(revenues: list[int]) -> float:
    state = FleetState(1, "app")
    for sketch_bin, n in Counter(map(bin_of, revenues)).items():
        state.put(("customers_by_mrr", f"EUR|{sketch_bin}", None), 0, (n,))
    (found,) = (value for value in customers(View(state, default_definitions())) if value.figure == MRR_TOP_TENTH)
    assert (found.dimension, found.n) == ("EUR", len(revenues))
    assert found.value is not None
    return found.value


def in_it(revenues: list[int]) -> int:
    top = threshold(revenues)
    return sum(revenue > top for revenue in revenues)


def test_on_flat_prices_nobody_is_in_the_top_tenth() -> None:
    assert in_it([10_000] * 100) == 0


@pytest.mark.parametrize(
    ("tiers", "found"),
    [
        ({4_900: 60, 9_900: 30, 49_900: 10}, 10),
        ({4_900: 60, 9_900: 29, 49_900: 11}, 0),
        ({4_900: 90, 9_900: 6, 49_900: 4}, 10),
        ({4_900: 85, 9_900: 11, 49_900: 4}, 4),
        ({4_900: 5, 49_900: 1}, 0),
    ],
)
def test_of_tiers_those_are_in_it_that_come_to_a_tenth_at_most(tiers: dict[int, int], found: int) -> None:
    assert in_it([price for price, n in tiers.items() for _ in range(n)]) == found


@pytest.mark.parametrize("seed", range(20))
def test_of_any_prices_at_most_a_tenth_is_in_it_and_all_that_lie_2_pct_above_the_exact_one(seed: int) -> None:
    random = Random(seed)
    revenues = [int(random.lognormvariate(9, 1.5)) + 1 for _ in range(random.randrange(1, 400))]
    exact = sorted(revenues, reverse=True)[len(revenues) // 10]
    assert sum(revenue > exact * 1.021 for revenue in revenues) <= in_it(revenues) <= len(revenues) / 10


@pytest.mark.parametrize(
    ("kind", "counted"), [("known", 1), ("contracted", 1), ("lead", 0), ("trial_started", 0), ("cancelled", 0)]
)
def test_only_customers_are_counted(kind: AccountKind, counted: int) -> None:
    customer = Judged()
    customer.happens(account(kind, NOON, mrr_cents=900_000, currency="EUR"))
    assert sum(name == "customers_by_mrr" for name, _ in gauges(customer.state)) == counted


@pytest.mark.parametrize("number", [1, 2, 7, 99, 10_000, 49_900, 10**9 + 7])
def test_the_largest_whole_number_of_a_bin_is_in_it_and_the_next_is_not(number: int) -> None:
    largest = largest_in(bin_of(number))
    assert largest >= number
    assert bin_of(largest) == bin_of(number) < bin_of(largest + 1)
