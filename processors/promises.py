"""The promise ledger: the goals that a customer was promised, each with the day of first value or its absence.

The newest contract (or the account as another system knows it) that carries goals says what is promised now, as a whole. A goal
counts as promised from the UTC day of the first event that promised it, and its first value is the first UTC day on or after
that with a completion. Days, because the completions of 90 days are kept by the day: so a contract that comes late still
finds the completions that came before it, and the order of arrival changes nothing.
"""

from typing import TYPE_CHECKING, Final

from msgspec import Struct, field

from processors import usage
from processors.attainment import attainment
from processors.registers import newer, version_of
from processors.sketch import bin_of
from processors.totals import Totals
from processors.windows import DAY_MS
from schemas.events import AccountEvent, UsageEvent
from schemas.records import PromiseNow

if TYPE_CHECKING:
    from processors.definitions import Definitions
    from processors.state import CustomerState
    from processors.usage import UsageState

MAX_PROMISES: Final = 64
GAUGE: Final = "promises"
NO_VALUE_YET: Final = "the goal was not completed since it was promised"


class Promise(Struct, array_like=True, gc=False):
    """One goal that was promised.

    `day` is the UTC day of the first promise, `first_day` that of its first value, 0 while there is none. `expected` in 30 days
    is None when the newest contract no longer promises the goal. `kept`: it was attained in full when that was last looked at.
    """

    day: int
    first_day: int = 0
    expected: int | float | None = None
    kept: bool = False


class PromiseLedger(Struct, array_like=True, gc=False):
    """All goals ever promised, at most 64; `version` is that of the newest event with goals, by `processors.registers`.

    `forgotten` counts the promises dropped beyond the bound: first those that are none any more, then the oldest.
    """

    version: int | None = None
    goals: dict[str, Promise] = field(default_factory=dict)
    forgotten: int = 0

    @property
    def per_30_days(self) -> dict[str, float]:
        """How much of each goal the customer is promised in 30 days now; empty when nothing is."""
        return {goal: promise.expected for goal, promise in self.goals.items() if promise.expected is not None}


def fold_account(state: "CustomerState", event: AccountEvent, clock_ms: int, definitions: "Definitions", totals: Totals) -> None:
    """Take over what a contract promises, and look whether it was kept before it was heard of."""
    if event.goals is None or event.kind not in ("contracted", "known"):
        return
    book = state.promises
    version = version_of(event.occurred_at, event.event_id)
    is_newest = newer(version, book.version)
    if is_newest:
        book.version = version
        for promise in book.goals.values():
            promise.expected = None
    day = event.occurred_at // DAY_MS
    for said in sorted(event.goals, key=lambda said: said.goal):
        promise = _promised_on(book, state.usage, said.goal, day, totals)
        if is_newest:
            promise.expected = _plain(said.expected_per_30_days)
    keep_newest(book, MAX_PROMISES, event.occurred_at, totals)
    refresh(state, clock_ms, definitions)


def fold_use(state: "CustomerState", event: UsageEvent, clock_ms: int, definitions: "Definitions", totals: Totals) -> None:
    """Note the first value of a promise; what nobody configured is not told apart, so it is the value of none."""
    if not state.promises.goals or event.goal is None or not event.kind.startswith("goal"):
        return
    promise = state.promises.goals.get(event.goal)
    if promise is not None and event.goal in definitions.goals and event.kind == "goal_completed" and event.quantity != 0:
        _take_value(promise, event.occurred_at // DAY_MS, totals)
    refresh(state, clock_ms, definitions)


def refresh(state: "CustomerState", as_of_ms: int, definitions: "Definitions") -> None:
    """Look which promises are kept; the fleet counts them by what was seen last."""
    for goal, promise in state.promises.goals.items():
        expected = promise.expected
        found = None if expected is None else attainment(state, goal, definitions.goals.get(goal), expected, as_of_ms)
        promise.kept = found is not None and found.ratio == 1.0


def ledger(state: "CustomerState", as_of_ms: int, definitions: "Definitions") -> list[PromiseNow]:
    """What is promised now and what came of it, by the name of the goal."""
    found = []
    for goal, promise in sorted(state.promises.goals.items()):
        if promise.expected is None:
            continue
        now = attainment(state, goal, definitions.goals.get(goal), promise.expected, as_of_ms)
        valued = promise.first_day > 0
        found.append(
            PromiseNow(
                goal=goal,
                promised_at=promise.day * DAY_MS,
                expected_per_30_days=float(promise.expected),
                actual_30d=now.actual,
                attainment_ratio=now.ratio,
                first_value_at=promise.first_day * DAY_MS if valued else None,
                days_to_first_value=float(promise.first_day - promise.day) if valued else None,
                reason=now.reason or (None if valued else NO_VALUE_YET),
            )
        )
    return found


def gauges(state: PromiseLedger) -> dict[tuple[str, str], tuple[int, ...]]:
    """What a customer's promises of now contribute to the fleet: how many are kept, have brought first value, and all."""
    now = [promise for promise in state.goals.values() if promise.expected is not None]
    if not now:
        return {}
    return {(GAUGE, ""): (sum(promise.kept for promise in now), sum(promise.first_day > 0 for promise in now), len(now))}


def keep_newest(state: PromiseLedger, most: int, at_ms: int, totals: Totals) -> None:
    """Keep at most so many promises; those that are none any more go first, then the oldest."""
    goals = state.goals
    while len(goals) > most:
        del goals[min(goals, key=lambda goal: (goals[goal].expected is not None, goals[goal].day, goal))]
        state.forgotten += 1
        totals.oddity("forgotten_goal", at_ms)


def _promised_on(book: PromiseLedger, use: "UsageState", goal: str, day: int, totals: Totals) -> Promise:
    """A goal as it was promised on a day, or on an earlier one."""
    promise = book.goals.get(goal)
    if promise is None:
        promise = book.goals[goal] = Promise(day)
    elif day < promise.day:
        _count(promise, -1, totals)
        promise.day = day
    else:
        return promise
    _count(promise, 1, totals)
    _look_back(promise, use, goal, totals)
    return promise


def _look_back(promise: Promise, use: "UsageState", goal: str, totals: Totals) -> None:
    """Find the first value among the completions that came before the promise was heard of."""
    day = usage.first_completed_day(use, goal, promise.day)
    if day is not None:
        _take_value(promise, day, totals)


def _take_value(promise: Promise, day: int, totals: Totals) -> None:
    """Take over a day with a completion if it is the first since the promise."""
    if day >= promise.day and (not promise.first_day or day < promise.first_day):
        _count(promise, -1, totals)
        promise.first_day = day
        _count(promise, 1, totals)


def _count(promise: Promise, sign: int, totals: Totals) -> None:
    """Count a promise in the fleet's flows, on the day it was given, or take it back."""
    at_ms = promise.day * DAY_MS
    valued = promise.first_day > 0
    totals.add("promises", "", at_ms, (sign, sign * valued))
    if valued:
        totals.add("first_values", str(bin_of(promise.first_day - promise.day)), at_ms, (sign,))


def _plain(expected: float) -> int | float:
    """A whole number as an integer: it takes a byte instead of nine."""
    return whole if (whole := int(expected)) == expected else expected
