"""The hours from the opening of an alert until somebody acted, by the owner of the account."""

from itertools import permutations

from processors.sketch import bin_of
from schemas.events import CustomerEvent
from tests.support.alerting import last
from tests.support.happenings import NOON, account, ticket
from tests.support.judging import Judged

HOUR = 3_600_000
OPENED = NOON + 4


def with_backlog(owner: str | None = "ann") -> Judged:
    customer = Judged()
    customer.happens(account("onboarded", NOON - 40 * 24 * HOUR, owner=owner))
    customer.happens(*(ticket("opened", NOON + place, f"T{place}") for place in range(5)))
    return customer


def acted(customer: Judged, hours: float) -> CustomerEvent:
    return account("acted", OPENED + int(hours * HOUR), episode_id=last(customer, "backlog").episode_id, author="eve")


def solved(at: int, number: int = 2) -> list[CustomerEvent]:
    return [ticket("solved", at, f"T{place}") for place in range(number)]


def counted(customer: Judged) -> dict[str, int]:
    """How many actions were counted, by owner and bin."""
    items = customer.context.effects.totals.items()
    return {dimension: counts[0] for (name, dimension, _), counts in items if name == "actions_by_day" and counts[0]}


def after(owner: str, hours: float) -> str:
    return f"{owner}/{bin_of(hours * HOUR)}"


def test_it_runs_from_the_opening_to_the_earliest_word_in_any_order() -> None:
    for hours in permutations((3, 1, 7)):
        customer = with_backlog()
        for one in hours:
            customer.happens(acted(customer, one), clock=OPENED + 8 * HOUR)
        assert counted(customer) == {after("ann", 1): 1}


def test_it_counts_for_the_owner_of_then_also_when_the_account_changes_hands_and_an_earlier_word_comes() -> None:
    customer = with_backlog()
    customer.happens(acted(customer, 3), account("owner_changed", OPENED + 4 * HOUR, owner="bo"))
    customer.happens(acted(customer, 2), clock=OPENED + 5 * HOUR)
    assert counted(customer) == {after("ann", 2): 1}


def test_what_nobody_owns_counts_for_nobody() -> None:
    customer = with_backlog(owner=None)
    customer.happens(acted(customer, 3))
    assert counted(customer) == {after("", 3): 1}


def test_a_word_that_comes_when_the_episode_is_over_counts_and_is_put_right_by_an_earlier_one() -> None:
    customer = with_backlog()
    customer.happens(*solved(OPENED + 10 * HOUR))
    customer.happens(acted(customer, 5), clock=OPENED + 20 * HOUR)
    assert counted(customer) == {after("ann", 5): 1}
    customer.happens(acted(customer, 4), clock=OPENED + 21 * HOUR)
    assert counted(customer) == {after("ann", 4): 1}


def test_a_word_on_an_episode_that_was_over_counts_for_who_owned_the_account_at_its_end() -> None:
    customer = with_backlog()
    customer.happens(account("owner_changed", OPENED + HOUR, owner="bo"), *solved(OPENED + 10 * HOUR))
    customer.happens(account("owner_changed", OPENED + 11 * HOUR, owner="cy"))
    customer.happens(acted(customer, 5), clock=OPENED + 20 * HOUR)
    assert counted(customer) == {after("bo", 5): 1}


def test_a_retracted_episode_is_taken_back_and_late_words_on_it_count_nowhere() -> None:
    customer = with_backlog()
    customer.happens(acted(customer, 1))
    customer.happens(ticket("solved", NOON + 3, "T0"), clock=OPENED + 2 * HOUR)
    assert last(customer, "backlog").state == "retracted"
    assert counted(customer) == {}
    customer.happens(acted(customer, 0.5), clock=OPENED + 3 * HOUR)
    assert counted(customer) == {}


def test_an_action_before_the_opening_by_another_clock_took_no_time() -> None:
    customer = with_backlog()
    customer.happens(acted(customer, -1), clock=OPENED + HOUR)
    assert counted(customer) == {after("ann", 0): 1}
