from processors import accounts, promises, usage
from processors.fleet import gauges
from processors.promises import MAX_PROMISES
from processors.state import CustomerState
from processors.totals import Totals
from processors.windows import DAY_MS
from schemas.events import AccountEvent, PromisedGoal, UsageEvent
from schemas.records import PromiseNow
from tests.support.happenings import NOON, account
from tests.support.happenings import usage as use
from tests.support.judging import default_definitions

DEFINITIONS = default_definitions()
TODAY = NOON - DAY_MS // 2


def promise(goal: str = "report_created", expected: float = 2.0) -> list[PromisedGoal]:
    return [PromisedGoal(goal=goal, expected_per_30_days=expected)]


def done(at: int = NOON, goal: str = "report_created", quantity: int | None = None) -> UsageEvent:
    return use("goal_completed", at, goal=goal, quantity=quantity)


def folded(*events: UsageEvent | AccountEvent) -> tuple[CustomerState, Totals]:
    state, totals = CustomerState("c", events_accepted=1), Totals()
    for event in events:
        if isinstance(event, UsageEvent):
            usage.fold(state.usage, event, NOON, DEFINITIONS, totals)
            promises.fold_use(state, event, NOON, DEFINITIONS, totals)
        else:
            accounts.fold(state.account, event, NOON, DEFINITIONS, totals)
            promises.fold_account(state, event, NOON, DEFINITIONS, totals)
    return state, totals


def the_entry(*events: UsageEvent | AccountEvent) -> PromiseNow:
    (entry,) = promises.ledger(folded(*events)[0], NOON, DEFINITIONS)
    return entry


def test_a_promise_has_its_day_its_attainment_and_the_day_of_first_value() -> None:
    entry = the_entry(account("contracted", NOON - 10 * DAY_MS, goals=promise()), done(NOON - 3 * DAY_MS))
    assert entry.promised_at == TODAY - 10 * DAY_MS
    assert (entry.expected_per_30_days, entry.actual_30d, entry.attainment_ratio) == (2.0, 1.0, 0.5)
    assert (entry.first_value_at, entry.days_to_first_value) == (TODAY - 3 * DAY_MS, 7)
    assert entry.reason is None


def test_the_absence_of_first_value_is_told() -> None:
    entry = the_entry(use("session"), account("contracted", goals=promise()))
    assert (entry.first_value_at, entry.days_to_first_value, entry.attainment_ratio) == (None, None, 0.0)
    assert entry.reason == "the goal was not completed since it was promised"


def test_a_completion_before_the_promise_is_no_first_value() -> None:
    entry = the_entry(account("contracted", goals=promise()), done(NOON - DAY_MS))
    assert entry.first_value_at is None
    assert entry.actual_30d == 1


def test_a_completion_that_arrives_late_moves_the_first_value() -> None:
    contract = account("contracted", NOON - 10 * DAY_MS, goals=promise())
    first, totals = folded(contract, done(NOON - DAY_MS), done(NOON - 2 * DAY_MS))
    second, _ = folded(done(NOON - 2 * DAY_MS), done(NOON - DAY_MS), contract)
    for state in (first, second):
        assert promises.ledger(state, NOON, DEFINITIONS)[0].days_to_first_value == 8
    counted = {key[1]: counts for key, counts in totals.items() if key[0] == "first_values_by_day" and any(counts)}
    assert list(counted.values()) == [[1]], "what was counted before is taken back"


def test_first_value_is_remembered_when_no_window_sees_it_any_more() -> None:
    state, _ = folded(account("contracted", NOON - DAY_MS, goals=promise()), done())
    usage.prune(state.usage, NOON + 200 * DAY_MS)
    (entry,) = promises.ledger(state, NOON + 200 * DAY_MS, DEFINITIONS)
    assert (entry.days_to_first_value, entry.actual_30d) == (1, 0)


def test_the_newest_contract_counts_as_a_whole_and_the_day_is_that_of_the_first() -> None:
    first = account("contracted", NOON - 20 * DAY_MS, goals=promise(expected=5.0))
    second = account("known", NOON - 1, goals=[*promise("setup_finished", 1.0), *promise(expected=3.5)])
    silent = account("contracted", NOON)
    for state, _ in (folded(first, second, silent), folded(silent, second, first)):
        assert state.promises.per_30_days == {"report_created": 3.5, "setup_finished": 1.0}
        assert promises.ledger(state, NOON, DEFINITIONS)[0].promised_at == TODAY - 20 * DAY_MS
    emptied, _ = folded(first, account("known", goals=[]))
    assert emptied.promises.per_30_days == {}
    assert promises.ledger(emptied, NOON, DEFINITIONS) == []


def test_a_promise_made_again_keeps_the_day_of_the_first_time() -> None:
    events = [
        account("contracted", NOON - 20 * DAY_MS, goals=promise()),
        account("known", NOON - 10 * DAY_MS, goals=promise("setup_finished")),
        account("known", NOON, goals=promise()),
    ]
    for order in (events, events[::-1]):
        assert the_entry(*order).promised_at == TODAY - 20 * DAY_MS


def test_a_promised_goal_that_nobody_configured_says_so() -> None:
    entry = the_entry(account("contracted", goals=promise("moonshot")), done(goal="moonshot"))
    assert (entry.actual_30d, entry.attainment_ratio, entry.first_value_at) == (None, None, None)
    assert entry.reason == "the goal is not in the definitions, so its completions are not told apart"


def test_a_promise_of_nothing_is_neither_kept_nor_broken() -> None:
    entry = the_entry(use("session"), account("contracted", goals=promise(expected=0.0)))
    assert (entry.actual_30d, entry.attainment_ratio) == (0, None)
    assert entry.reason == "nothing is promised or expected of the goal"


def test_the_fleet_counts_promises_kept_valued_and_all() -> None:
    contract = account("contracted", goals=[*promise(), *promise("setup_finished", 1.0)])
    state, totals = folded(contract, done(), done(goal="setup_finished"))
    assert gauges(state)["promises", ""] == (1, 2, 2)
    assert totals.flows["promises_by_day", "", TODAY] == [2, 2]
    promises.refresh(state, NOON + 30 * DAY_MS, DEFINITIONS)
    assert gauges(state)["promises", ""] == (1, 2, 2), "what was set up stays set up"


def test_who_has_left_holds_no_promise_any_more() -> None:
    state, _ = folded(account("contracted", goals=promise()), account("cancelled", NOON + 1))
    assert ("promises", "") not in gauges(state)


def test_beyond_the_bound_what_is_no_promise_any_more_goes_first_and_is_counted() -> None:
    many = [PromisedGoal(goal=f"g{number:02}", expected_per_30_days=1.0) for number in range(MAX_PROMISES)]
    old = account("contracted", NOON - DAY_MS, goals=promise("old"))
    for state, totals in (folded(old, account("known", goals=many)), folded(account("known", goals=many), old)):
        assert set(state.promises.per_30_days) == {said.goal for said in many}
        assert state.promises.forgotten == 1
        assert sum(counts[0] for key, counts in totals.items() if key[1] == "forgotten_goal") == 1
