from processors import journey
from processors.journey import JourneyState
from processors.totals import Totals
from processors.windows import DAY_MS
from schemas.events import AccountEvent, AccountKind
from tests.support.happenings import NAMES, NOON, account, usage

TODAY = NOON // DAY_MS


def folded(*events: AccountEvent) -> tuple[JourneyState, Totals]:
    state, totals = JourneyState(), Totals()
    for event in events:
        journey.fold_account(state, event, totals)
    return state, totals


def at(kind: AccountKind, days_ago: int) -> AccountEvent:
    return account(kind, NOON - days_ago * DAY_MS)


def counted(totals: Totals) -> dict[tuple[str, str, int], list[int]]:
    """What the fleet sees, by figure, dimension and how many days ago."""
    return {(key[0], key[1], TODAY - key[2] // DAY_MS): counts for key, counts in totals.items() if any(counts)}


def test_each_step_counts_on_the_day_it_was_first_reached() -> None:
    state, _ = folded(at("lead", 30), at("trial_started", 20), at("lead", 10), at("contracted", 5))
    steps = {step.name: (TODAY - step.day, step.went_on, step.days_to_next) for step in journey.steps(state)}
    assert steps == {"lead": (30, True, 10), "trial": (20, True, 15), "contracted": (5, False, None)}


def test_an_event_that_is_no_step_changes_nothing() -> None:
    state, totals = folded(account("payment"), account("known"))
    assert state == JourneyState()
    assert not totals.flows


def test_who_skips_a_step_went_on_but_not_to_the_very_next() -> None:
    state, _ = folded(at("lead", 30), at("contracted", 5))
    (lead, _) = journey.steps(state)
    assert (lead.went_on, lead.days_to_next) == (True, None)


def test_a_later_step_that_was_reached_before_is_no_going_on() -> None:
    state, _ = folded(at("trial_started", 5), at("lead", 4))
    (lead, trial) = journey.steps(state)
    assert (lead.went_on, lead.days_to_next) == (False, None)
    assert not trial.went_on


def test_two_steps_on_one_day_count_as_going_on() -> None:
    state, _ = folded(at("contracted", 5), at("handed_over", 5))
    assert next(journey.steps(state)).days_to_next == 0


def test_late_data_that_moves_a_step_takes_back_what_was_counted() -> None:
    events = [at("lead", 30), at("trial_started", 20), at("lead", 32)]
    _, totals = folded(*events)
    assert counted(totals) == counted(folded(*events[::-1])[1])
    found = counted(totals)
    assert found["steps_by_day", "lead", 32] == [1, 1]
    assert found["steps_by_day", "trial", 20] == [1, 0]
    assert [key[2] for key in found if key[0] == "step_days_by_day"] == [32]


def test_interactions_at_stations_before_the_sale_are_counted() -> None:
    state = JourneyState()
    for touchpoint in ("trial", "support", None, "nowhere"):
        journey.fold_use(state, usage("interaction_ended", touchpoint=touchpoint), NAMES)
    journey.fold_use(state, usage("session", touchpoint="trial"), NAMES)
    assert state.interactions_before_sale == 1
