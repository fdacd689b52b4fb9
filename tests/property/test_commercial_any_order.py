"""Churn, retention, renewals and revenue against the batch answer, whatever came late, twice or in another order."""

from typing import get_args

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from processors import commercial_figures, fleet_commercial
from processors.definitions import parse
from processors.state import CustomerState
from processors.windows import DAY_MS, HOUR_MS
from schemas.events import AccountEvent, AccountKind
from tests.support.happenings import NOON
from tests.support.oracle.commercial import commercial
from tests.support.oracle.commercial_customer import of_customer
from tests.support.oracle.terms import Terms
from tests.support.summed import Accounts, by_name, default_text

RATES = "rates = { USD = 2.0 }\n"
DEFINITIONS = parse(default_text().replace("rates = {}\n", RATES))
TERMS = Terms("EUR", {"USD": 2.0}, 0.8, 30, 60)
MIDNIGHT = NOON - DAY_MS // 2
FIRST_OF_MONTH = MIDNIGHT - 15 * DAY_MS  # 2026-02-01
KINDS = [
    kind for kind in get_args(AccountKind) if kind not in {"erased", "acknowledged", "acted", "muted", "override", "contact"}
]
LIVES = [*KINDS, "known", "contracted", "cancelled", "lapsed", "reactivated", "renewal_due", "renewed", "contracted"]

TIMES = st.one_of(
    st.integers(NOON - 800 * DAY_MS, NOON),
    st.builds(lambda month, shift: FIRST_OF_MONTH - 31 * DAY_MS * month + shift, st.integers(0, 3), st.sampled_from([-1, 0, 1])),
    st.sampled_from([FIRST_OF_MONTH, FIRST_OF_MONTH + HOUR_MS, NOON - 40 * DAY_MS, NOON - 30 * DAY_MS, NOON]),
)


@st.composite
def account_events(draw: st.DrawFn) -> AccountEvent:
    at = draw(TIMES)
    return AccountEvent(
        event_id=str(draw(st.integers(0, 10**9))),
        customer_id=draw(st.sampled_from(["ann", "binh", "chi"])),
        occurred_at=at,
        kind=draw(st.sampled_from(LIVES)),
        mrr_cents=draw(st.sampled_from([None, None, 0, 100, 250])),
        seats=draw(st.sampled_from([None, None, 0, 2, 5])),
        currency=draw(st.sampled_from([None, None, "EUR", "USD", "VND"])),
        renewal_at=draw(st.none() | st.sampled_from([at + DAY_MS, at + 40 * DAY_MS, at - DAY_MS, NOON, NOON + 9 * DAY_MS])),
        amount_cents=draw(st.sampled_from([0, 70])),
        status=draw(st.sampled_from(["paid", "late", "failed"])),
        reason=draw(st.sampled_from([None, "price", "other", "competitor"])),
        referred_customer_id=draw(st.sampled_from([None, "dan", "em"])) or "dan",
    )


EVENTS = st.lists(account_events(), max_size=14, unique_by=lambda event: event.event_id)


@settings(max_examples=150, deadline=None)
@given(EVENTS, st.randoms(use_true_random=False), st.integers(-40, 70), st.booleans())
def test_every_commercial_figure_is_the_batch_answer(events: list[AccountEvent], rng: object, days: int, pruned: bool) -> None:
    as_of = NOON + days * DAY_MS
    arrived = sorted(events, key=lambda _: rng.random())  # type: ignore[attr-defined]  # a random.Random
    fleet = Accounts().happen(arrived)
    if pruned:
        fleet.prune(NOON + 400 * DAY_MS)
    found = by_name(fleet_commercial.figures(fleet.view(as_of, DEFINITIONS)))
    customers: dict[str, list[dict[str, object]]] = {}
    for event in events:
        customers.setdefault(event.customer_id, []).append(msgspec.to_builtins(event))
    expected = commercial(customers, as_of, TERMS)
    wrong = {
        key: (found[key].value if key in found else "missing", right)
        for key, right in expected.items()
        if not (key not in found and not right) and not same(found[key].value if key in found else None, right)
    }
    assert not wrong
    assert not set(found) - set(expected)
    assert all((value.value is None) == (value.reason is not None) for value in found.values())


def same(one: float | None, other: float | None) -> bool:
    return one is other if one is None or other is None else abs(one - other) < 1e-9 * max(1, abs(other))


@settings(deadline=None)
@given(EVENTS, st.randoms(use_true_random=False))
def test_the_sums_are_the_same_in_any_order(events: list[AccountEvent], rng: object) -> None:
    shuffled = sorted(events, key=lambda _: rng.random())  # type: ignore[attr-defined]  # a random.Random
    one, other = Accounts().happen(events).view(NOON), Accounts().happen(shuffled).view(NOON)
    assert (one.flows, one.gauges) == (other.flows, other.gauges)


@settings(deadline=None)
@given(EVENTS)
def test_what_is_pruned_changes_no_sum(events: list[AccountEvent]) -> None:
    """Events that come after it must count as if nothing had been dropped, too."""
    in_time = sorted(events, key=lambda event: event.occurred_at)
    for customer_id in {event.customer_id for event in in_time}:
        first = next(at for at, event in enumerate(in_time) if event.customer_id == customer_id)
        # A currency that is first told later than 60 days after a payment does not reach back to it.
        in_time[first] = msgspec.structs.replace(in_time[first], currency=in_time[first].currency or "EUR")
    plain = Accounts().happen(in_time)
    pruned = Accounts()
    for event in in_time:
        pruned.happen([event]).prune(event.occurred_at)
    assert pruned.view(NOON).flows == plain.view(NOON).flows
    assert pruned.view(NOON).gauges == plain.view(NOON).gauges


@settings(deadline=None)
@given(EVENTS, st.integers(-40, 70))
def test_every_commercial_figure_of_a_customer_is_the_batch_answer(events: list[AccountEvent], days: int) -> None:
    as_of = NOON + days * DAY_MS
    for customer_id, (commercial_state, account) in Accounts().happen(events).states.items():
        state = CustomerState(customer_id, account=account, commercial=commercial_state)
        mine = [msgspec.to_builtins(event) for event in events if event.customer_id == customer_id]
        found = {(one.name, one.window_days): one for one in commercial_figures.listed(state, as_of, DEFINITIONS)}
        expected = of_customer(mine, as_of, TERMS)
        assert set(found) == set(expected)
        assert not {key: (found[key].value, right) for key, right in expected.items() if not same(found[key].value, right)}
        assert all((one.value is None) == (one.reason is not None) for one in found.values())
