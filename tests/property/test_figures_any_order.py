"""CSAT, NPS, goals and features against batch answers, and every family in any order."""

from typing import TypeVar

from hypothesis import given
from hypothesis import strategies as st

from processors import accounts, csat, nps, usage
from processors.account_state import FIELDS, AccountState
from processors.csat import CsatState, Share
from processors.nps import SCALES, NpsState
from processors.totals import Totals
from processors.usage import UsageState
from processors.windows import D7, D30, D90, D180, DAY_MS, HOUR_MS, Window
from schemas.events import AccountEvent, SurveyEvent, UsageEvent
from tests.support.happenings import NAMES, NOON
from tests.support.strategies import account_events, answers, times, usage_events

Event = TypeVar("Event")


def in_two_orders(events: st.SearchStrategy[list[Event]]) -> st.SearchStrategy[tuple[list[Event], list[Event]]]:
    return events.flatmap(lambda found: st.tuples(st.just(found), st.permutations(found)))


ANSWERS = st.lists(answers(times(200)), max_size=30)
USES = st.lists(usage_events(times(100)), max_size=30)
ACCOUNTS = st.lists(account_events(st.integers(NOON - 4, NOON) | times(1)), max_size=12, unique_by=lambda event: event.event_id)


def is_in(window: Window, at: int, as_of_ms: int) -> bool:
    unit = HOUR_MS if window.days == 7 else DAY_MS
    end = as_of_ms - as_of_ms % unit + unit
    return end - window.days * DAY_MS <= at < end


def is_good(event: SurveyEvent) -> bool:
    assert event.score is not None
    return event.score >= {"good_bad": 1, "1_5": 4, "1_7": 5}[str(event.scale)]


def answered(events: list[SurveyEvent]) -> tuple[CsatState, NpsState, Totals]:
    csat_state, nps_state, totals = CsatState(), NpsState(), Totals()
    for event in events:
        csat.fold(csat_state, event, NOON, NAMES, totals)
        nps.fold(nps_state, event, NOON, NAMES, totals)
    return csat_state, nps_state, totals


def used(events: list[UsageEvent]) -> tuple[UsageState, Totals]:
    state, totals = UsageState(), Totals()
    for event in events:
        usage.fold(state, event, NOON, NAMES, totals)
    return state, totals


@given(ANSWERS, st.integers(0, 60), st.sampled_from([D7, D30, D90]))
def test_csat_is_the_batch_answer(events: list[SurveyEvent], days: int, window: Window) -> None:
    as_of = NOON - days * DAY_MS
    state, _, _ = answered(events)
    mine = [event for event in events if event.survey == "csat" and is_in(window, event.occurred_at, as_of)]
    assert csat.share(state, None, window, as_of) == Share(sum(map(is_good, mine)), len(mine))
    at_support = [event for event in mine if event.touchpoint == "support"]
    assert csat.share(state, "support", window, as_of) == Share(sum(map(is_good, at_support)), len(at_support))


@given(ANSWERS, st.integers(0, 60), st.sampled_from([D90, D180]), st.sampled_from(SCALES))
def test_nps_is_the_batch_answer(events: list[SurveyEvent], days: int, window: Window, scale: nps.NpsScale) -> None:
    as_of = NOON - days * DAY_MS
    _, state, _ = answered(events)
    scores = [event.score or 0 for event in events if event.scale == scale and is_in(window, event.occurred_at, as_of)]
    found = nps.counts(state, scale, window, as_of)
    assert found.n == len(scores)
    assert found.promoters == sum(score in {9, 10} for score in scores)
    assert found.detractors == sum(score <= 6 for score in scores)


@given(ANSWERS)
def test_the_latest_answer_of_each_respondent_is_the_batch_answer(events: list[SurveyEvent]) -> None:
    _, state, _ = answered(events)
    for found in nps.latest_answers(state):
        mine = [event for event in events if event.survey == "nps" and event.respondent_id == found.respondent_id]
        newest = max(mine, key=lambda event: (event.occurred_at, event.scale == "1_10", -(event.score or 0)))
        assert (found.occurred_at, found.score, found.scale) == (newest.occurred_at, newest.score, newest.scale)


@given(USES, st.integers(0, 600), st.sampled_from([D7, D30, D90]))
def test_goals_are_the_batch_answer(events: list[UsageEvent], hours: int, window: Window) -> None:
    as_of = NOON - hours * HOUR_MS
    state, _ = used(events)
    mine = [event for event in events if event.goal == "invoices" and is_in(window, event.occurred_at, as_of)]
    found = usage.goal_counts(state, "invoices", window, as_of)
    completed = [event for event in mine if event.kind == "goal_completed"]
    assert found.completed == sum(1 if event.quantity is None else event.quantity for event in completed)
    assert found.failed == sum(event.kind == "goal_failed" for event in mine)


@given(USES, st.sampled_from([D7, D30, D90]))
def test_features_are_the_batch_answer(events: list[UsageEvent], window: Window) -> None:
    state, _ = used(events)
    mine = {event.feature for event in events if event.kind == "feature_used" and is_in(window, event.occurred_at, NOON)}
    assert usage.features_used(state, window, NOON) == len(mine)


@given(in_two_orders(ANSWERS))
def test_answers_count_the_same_in_any_order(orders: tuple[list[SurveyEvent], list[SurveyEvent]]) -> None:
    first, second = answered(orders[0]), answered(orders[1])
    assert first[:2] == second[:2]
    assert first[2].flows == second[2].flows


@given(in_two_orders(USES))
def test_uses_count_the_same_in_any_order(orders: tuple[list[UsageEvent], list[UsageEvent]]) -> None:
    first, second = used(orders[0]), used(orders[1])
    assert first[0] == second[0]
    assert first[1].flows == second[1].flows


@given(USES, ANSWERS, st.integers(0, 90))
def test_pruning_changes_no_figure_then_or_later(uses: list[UsageEvent], surveys: list[SurveyEvent], days: int) -> None:
    as_of = NOON - 5 * DAY_MS
    pruned_use, pruned_csat, pruned_nps = used(uses)[0], *answered(surveys)[:2]
    usage.prune(pruned_use, as_of)
    csat.prune(pruned_csat, as_of)
    nps.prune(pruned_nps, as_of)
    use, (shares, answer_counts, _) = used(uses)[0], answered(surveys)
    later = as_of + days * DAY_MS
    for window in (D7, D30, D90):
        assert usage.goal_counts(pruned_use, None, window, later) == usage.goal_counts(use, None, window, later)
        assert usage.features_used(pruned_use, window, later) == usage.features_used(use, window, later)
        assert csat.share(pruned_csat, None, window, later) == csat.share(shares, None, window, later)
    for scale in SCALES:
        assert nps.counts(pruned_nps, scale, D180, later) == nps.counts(answer_counts, scale, D180, later)


def known(events: list[AccountEvent], prune_each: int = 0) -> dict[str, object]:
    """Everything that can be read of an account, in comparable form."""
    state = AccountState()
    for number, event in enumerate(events, 1):
        accounts.fold(state, event, NOON, NAMES, Totals())
        if prune_each and number % prune_each == 0:
            accounts.prune(state, NOON)
    return {
        "fields": [getattr(state, name) for name in FIELDS],
        "stage": (state.stage, state.stage_since),
        "seats": [state.seats_at(NOON + shift) for shift in (-3, -1, 0, 1)],
        "mrr": (state.mrr_cents, state.previous_mrr),
        "contacts": {name: (found.locale, found.consent) for name, found in state.contacts.items()},
        "referred": state.referred,
        "override": state.override and (state.override.author, state.override.score),
        "mutes": {rule: max(NOON, accounts.muted_until(state, rule)) for rule in ("silence", "backlog")},
        "left": state.cancellation and (state.cancellation.reason, state.cancellation.text),
    }


@given(in_two_orders(ACCOUNTS), st.integers(0, 3))
def test_an_account_is_the_same_in_any_order_and_with_events_repeated(
    orders: tuple[list[AccountEvent], list[AccountEvent]], prune_each: int
) -> None:
    first, second = orders
    assert known(first) == known(second)
    assert known(first) == known(first + second, prune_each)
