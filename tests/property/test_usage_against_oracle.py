"""All that a customer does with the product, what it was promised and the way to the sale: against the oracle, in any order."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from processors import accounts, activity_figures, journey, promises, upkeep, usage, usage_figures
from processors.definitions import Definitions, parse
from processors.state import CustomerState
from processors.totals import Totals
from schemas.events import AccountEvent, UsageEvent
from tests.support import histories
from tests.support.histories import DAY_MS, END_MS
from tests.support.judging import default_text
from tests.support.log_checker import wrong_figures
from tests.support.oracle.events import names_of
from tests.support.oracle.usage import ledger, promise_flows, step_flows
from tests.support.oracle.usage import usage as oracle

TEXT = (
    default_text()
    .replace("expected_by_segment = { enterprise = 8 }", "expected_by_segment = { small = 0, large = 3 }")
    .replace("expected_per_30_days = 0.9", "expected_by_segment = { large = 0.9 }")
)
DEFINITIONS: Definitions = parse(TEXT)
NAMES = names_of(TEXT)
FLOWS = ("promises_by_day", "first_values_by_day", "steps_by_day", "step_days_by_day")
SALE = ("lead", "trial_started", "contracted", "handed_over", "onboarded")

Event = UsageEvent | AccountEvent


@st.composite
def events(draw: st.DrawFn) -> list[Event]:
    """Uses and account events of one customer, more of the sale than chance would bring, each with an id of its own."""
    found: list[Event] = []
    for number in range(draw(st.integers(1, 30))):
        _, event = draw(histories.uses() | histories.accounts())
        assert isinstance(event, Event)
        changed: dict[str, Any] = {"event_id": f"e{number}", "customer_id": "c"}
        if isinstance(event, AccountEvent) and draw(st.booleans()):
            changed["kind"] = draw(st.sampled_from(SALE))
        found.append(msgspec.structs.replace(event, **changed))
    return found


ORDERS = events().flatmap(lambda found: st.tuples(st.just(found), st.permutations(found)))
LATER = st.sampled_from([0, 1, 29, 30, 31, 60, 91, 200])


def folded(found: Iterable[Event], prune_each: int = 0) -> tuple[CustomerState, Totals]:
    """The state after the events, each of which comes right at the end; what no window sees is dropped now and then."""
    state, totals = CustomerState("c"), Totals()
    for number, event in enumerate(found, 1):
        state.first_day = min(state.first_day or event.occurred_at // DAY_MS, event.occurred_at // DAY_MS)
        if isinstance(event, UsageEvent):
            usage.fold(state.usage, event, END_MS, DEFINITIONS, totals)
            journey.fold_use(state.journey, event, DEFINITIONS)
            promises.fold_use(state, event, END_MS, DEFINITIONS, totals)
        else:
            accounts.fold(state.account, event, END_MS, DEFINITIONS, totals)
            journey.fold_account(state.journey, event, totals)
            promises.fold_account(state, event, END_MS, DEFINITIONS, totals)
        if prune_each and number % prune_each == 0:
            upkeep.prune(state, END_MS)
    return state, totals


def shown(state: CustomerState, as_of_ms: int) -> list[dict[str, Any]]:
    """The figures, but for a goal of which nothing is counted any more: it may be listed until it is cleared away."""
    found = [*usage_figures.listed(state, as_of_ms, DEFINITIONS), *activity_figures.listed(state, as_of_ms, DEFINITIONS)]
    kept = (figure for figure in found if figure.value or not figure.dimension or not figure.name.startswith("goals_completed"))
    return [msgspec.to_builtins(figure) for figure in kept if figure.name != "days_since_last_sign"]


def flows(totals: Totals) -> dict[Any, tuple[int, ...]]:
    return {key: tuple(counts) for key, counts in totals.items() if key[0] in FLOWS and any(counts)}


@settings(max_examples=80, deadline=None)
@given(events(), LATER)
def test_every_figure_and_promise_is_the_batch_answer_then_and_later(found: list[Event], days: int) -> None:
    state, _ = folded(found)
    plain = [msgspec.to_builtins(event) for event in found]
    as_of_ms = END_MS + days * DAY_MS
    if days:
        upkeep.prune(state, as_of_ms - DAY_MS)
    assert list(wrong_figures(shown(state, as_of_ms), oracle(plain, as_of_ms, NAMES))) == []
    right = ledger(plain, as_of_ms, NAMES)
    told = [msgspec.to_builtins(promise) for promise in promises.ledger(state, as_of_ms, DEFINITIONS)]
    assert [{name: value for name, value in promise.items() if name != "reason"} for promise in told] == right
    for promise in told:
        assert promise["reason"] or (promise["attainment_ratio"] is not None and promise["first_value_at"] is not None)


@settings(max_examples=80, deadline=None)
@given(ORDERS, st.integers(0, 3))
def test_the_order_changes_no_figure_no_promise_and_no_flow(orders: tuple[list[Event], list[Event]], prune_each: int) -> None:
    (first, counted), (second, counted_anew) = folded(orders[0]), folded(orders[1], prune_each)
    assert shown(first, END_MS) == shown(second, END_MS)
    assert promises.ledger(first, END_MS, DEFINITIONS) == promises.ledger(second, END_MS, DEFINITIONS)
    assert flows(counted) == flows(counted_anew)


@settings(max_examples=80, deadline=None)
@given(events())
def test_the_fleet_counts_each_promise_and_step_once_on_its_day(found: list[Event]) -> None:
    _, totals = folded(found)
    plain = [msgspec.to_builtins(event) for event in found]
    right: dict[Any, Counter[int]] = {}
    for figure, dimension, at_ms, counts in (*promise_flows(plain, NAMES), *step_flows(plain)):
        right.setdefault((figure, dimension, at_ms), Counter()).update(dict(enumerate(counts)))
    assert flows(totals) == {key: tuple(counts[place] for place in sorted(counts)) for key, counts in right.items()}


@given(events())
def test_what_is_read_for_a_score_is_what_is_listed(found: list[Event]) -> None:
    state, _ = folded(found)
    listed = {(figure["name"], figure["dimension"]): figure["value"] for figure in shown(state, END_MS)}
    for name, read in activity_figures.READERS.items():
        assert read(state, END_MS, DEFINITIONS).value == listed[name, ""]
