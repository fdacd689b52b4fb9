"""What a customer does with the product: goals, features, users, volume; and what it was promised."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import ceil, log
from typing import Any

from tests.support.oracle.acceptance import Event
from tests.support.oracle.account import account, recency
from tests.support.oracle.events import DAY_MS, Names, in_window, is_usage, known_for_60_days
from tests.support.oracle.found import Found, Key

MOST_OF_A_GOAL = 1_000_000_000
STEPS = {
    "lead": "lead",
    "trial_started": "trial",
    "contracted": "contracted",
    "handed_over": "handed_over",
    "onboarded": "onboarded",
}


def usage(events: Sequence[Event], as_of_ms: int, names: Names) -> dict[Key, Found]:
    return {
        **_goals(events, as_of_ms, names),
        **_features(events, as_of_ms),
        **_users(events, as_of_ms),
        **_volume(events, as_of_ms),
        **_attainment(events, as_of_ms, names),
        **_sale(events, names),
    }


def quantity(event: Event) -> int:
    said = event["quantity"]
    return 1 if said is None else min(int(said), MOST_OF_A_GOAL)


def uses(events: Sequence[Event]) -> list[Event]:
    """All use of the product; the end of a talk is none."""
    return [event for event in events if is_usage(event) and event["kind"] != "interaction_ended"]


def completed(events: Sequence[Event], goal: str, names: Names) -> list[Event]:
    mine = [event for event in events if event["kind"] == "goal_completed" and quantity(event)]
    return [event for event in mine if names.goal(event["goal"]) == goal]


def _goals(events: Sequence[Event], as_of_ms: int, names: Names) -> dict[Key, Found]:
    found: dict[Key, Found] = {}
    for days in (7, 30, 90):
        mine = in_window(uses(events), days, as_of_ms)
        done = [event for event in mine if event["kind"] == "goal_completed"]
        total = sum(map(quantity, done))
        tried = total + sum(event["kind"] == "goal_failed" for event in mine)
        found[f"goals_completed_{days}d", "", days] = Found(total if uses(events) else None)
        found[f"goals_correct_ratio_{days}d", "", days] = Found(total / tried if tried else None, tried)
        for goal in {names.goal(event["goal"]) for event in done}:
            counted = sum(quantity(event) for event in done if names.goal(event["goal"]) == goal)
            found[f"goals_completed_{days}d", goal, days] = Found(counted)
    return found


def _features(events: Sequence[Event], as_of_ms: int) -> dict[Key, Found]:
    found: dict[Key, Found] = {}
    for days in (7, 30, 90):
        used = {event["feature"] for event in in_window(events, days, as_of_ms) if event["kind"] == "feature_used"}
        found[f"features_used_{days}d", "", days] = Found(len(used) if uses(events) else None)
    return found


def active_users(events: Sequence[Event], as_of_ms: int) -> int | None:
    """Distinct users of 30 days; unknown when nothing was ever used, or no use of the 30 days says by whom."""
    recent = in_window(uses(events), 30, as_of_ms)
    named = {event["user_id"] for event in recent if event["user_id"] is not None}
    return None if not uses(events) or (recent and not named) else len(named)


def _users(events: Sequence[Event], as_of_ms: int) -> dict[Key, Found]:
    recent = in_window(uses(events), 30, as_of_ms)
    days = {event["occurred_at"] // DAY_MS for event in recent}
    users = active_users(events, as_of_ms)
    daily = {(event["occurred_at"] // DAY_MS, event["user_id"]) for event in recent if event["user_id"] is not None}
    seats = account(events)["seats"]
    named = len({user for _, user in daily})
    return {
        ("active_days_30d", "", 30): Found(len(days) if uses(events) else None),
        ("active_users_30d", "", 30): Found(users, named),
        ("stickiness_30d_ratio", "", 30): Found(len(daily) / 30 / users if users else None, named),
        ("seats_used_30d_ratio", "", 30): Found(users / seats if users is not None and seats else None, named),
    }


def _volume(events: Sequence[Event], as_of_ms: int) -> dict[Key, Found]:
    counted = [event for event in events if event["kind"] in {"feature_used", "session"}]
    now = sum(quantity(event) for event in in_window(counted, 30, as_of_ms))
    before = sum(quantity(event) for event in in_window(counted, 30, as_of_ms - 30 * DAY_MS))
    return {
        ("usage_volume_30d", "", 30): Found(now if uses(events) else None),
        ("usage_volume_change_30d_ratio", "", 30): Found(
            now / before - 1 if before and known_for_60_days(events, as_of_ms) else None
        ),
    }


def promised(events: Sequence[Event]) -> dict[str, float]:
    """What the newest contract that says goals promises; of a goal said twice the last counts."""
    newest = max(_promising(events), key=recency, default=None)
    return {} if newest is None else {goal["goal"]: goal["expected_per_30_days"] for goal in newest["goals"]}


def _promising(events: Sequence[Event]) -> list[Event]:
    return [event for event in events if event["kind"] in {"contracted", "known"} and event["goals"] is not None]


def actual(events: Sequence[Event], goal: str, as_of_ms: int, names: Names) -> float | None:
    """What came of a goal in 30 days, by its kind."""
    table = names.goal_tables.get(goal)
    if table is None or not uses(events):
        return None
    mine = in_window(events, 30, as_of_ms)
    done = sum(map(quantity, completed(mine, goal, names)))
    failed = sum(event["kind"] == "goal_failed" and event["goal"] == goal for event in mine)
    kind = table.get("kind", "count")
    if kind == "reach":
        return float(bool(completed(events, goal, names)))
    if kind == "correct_ratio":
        return done / (done + failed) if done + failed else None
    if kind == "per_active_user" and done:
        users = active_users(events, as_of_ms)
        return done / users if users else None
    return float(done)


def ratio(events: Sequence[Event], goal: str, expected: float, as_of_ms: int, names: Names) -> float | None:
    """min(1, actual / expected)."""
    found = actual(events, goal, as_of_ms, names)
    kind = names.goal_tables.get(goal, {}).get("kind", "count")
    if found is None or expected <= 0 or (kind == "correct_ratio" and expected > 1):
        return None
    return min(1.0, found / (1 if kind == "reach" else expected))


def _attainment(events: Sequence[Event], as_of_ms: int, names: Names) -> dict[Key, Found]:
    segment = account(events)["segment"]
    expected = {
        goal: table.get("expected_by_segment", {}).get(segment, table.get("expected_per_30_days", 0))
        for goal, table in names.goal_tables.items()
    }
    expected.update(promised(events))
    ratios = {goal: ratio(events, goal, wanted, as_of_ms, names) for goal, wanted in expected.items() if wanted}
    known = [found for found in ratios.values() if found is not None]
    name = "goal_attainment_30d_ratio"
    return {
        **{(name, goal, 30): Found(found) for goal, found in ratios.items()},
        (name, "", 30): Found(sum(known) / len(known) if known else None, len(known)),
    }


def ledger(events: Sequence[Event], as_of_ms: int, names: Names) -> list[dict[str, Any]]:
    """The promises of now, as a snapshot shows them, but for the words."""
    return [_entry(events, goal, expected, as_of_ms, names) for goal, expected in sorted(promised(events).items())]


def _entry(events: Sequence[Event], goal: str, expected: float, as_of_ms: int, names: Names) -> dict[str, Any]:
    day, first_day = promise_days(events, goal, names)
    return {
        "goal": goal,
        "promised_at": day * DAY_MS,
        "expected_per_30_days": expected,
        "actual_30d": actual(events, goal, as_of_ms, names),
        "attainment_ratio": ratio(events, goal, expected, as_of_ms, names),
        "first_value_at": None if first_day is None else first_day * DAY_MS,
        "days_to_first_value": None if first_day is None else first_day - day,
    }


def promise_days(events: Sequence[Event], goal: str, names: Names) -> tuple[int, int | None]:
    """The day of the first promise of a goal, and of the first completion on it or after it."""
    promises = [event for event in _promising(events) if goal in {said["goal"] for said in event["goals"]}]
    day = min(event["occurred_at"] // DAY_MS for event in promises)
    done = completed(events, goal, names) if goal in names.goals else []
    return day, min((event["occurred_at"] // DAY_MS for event in done if event["occurred_at"] // DAY_MS >= day), default=None)


def promises_ever(events: Sequence[Event], names: Names) -> Iterator[tuple[int, int | None]]:
    """The days of the promise and of the first value of every goal that was ever promised."""
    for goal in {said["goal"] for event in _promising(events) for said in event["goals"]}:
        yield promise_days(events, goal, names)


def promise_flows(events: Sequence[Event], names: Names) -> Iterator[tuple[str, str, int, tuple[int, ...]]]:
    """Every goal ever promised, on the day of the promise, and in how many days it had its first value."""
    for day, first_day in promises_ever(events, names):
        yield "promises_by_day", "", day * DAY_MS, (1, int(first_day is not None))
        if first_day is not None:
            yield "first_values_by_day", str(_bin(first_day - day)), day * DAY_MS, (1,)


def step_days(events: Sequence[Event]) -> dict[str, int]:
    """The day on which each step of the sale was first reached, in the order of the sale."""
    found = {}
    for kind, step in STEPS.items():
        days = [event["occurred_at"] // DAY_MS for event in events if event["kind"] == kind]
        if days:
            found[step] = min(days)
    return found


def step_flows(events: Sequence[Event]) -> Iterator[tuple[str, str, int, tuple[int, ...]]]:
    """Every step that was reached, on its day; whether a later one was reached then or after; and the days to the next."""
    days = step_days(events)
    order = list(STEPS.values())
    for step, day in days.items():
        later = [days[other] for other in order[order.index(step) + 1 :] if other in days]
        yield "steps_by_day", step, day * DAY_MS, (1, int(any(other >= day for other in later)))
    for step, between in to_next(days).items():
        yield "step_days_by_day", f"{step}:{_bin(between)}", days[step] * DAY_MS, (1,)


def _bin(days: int) -> int:
    """The bin of a sketch with a relative error of 1 %: bin b holds what is above g^(b-1) and up to g^b, g = 1.01 / 0.99."""
    return ceil(log(days) / log(1.01 / 0.99)) if days else -40_000


def to_next(days: dict[str, int]) -> dict[str, int]:
    order = list(STEPS.values())
    return {step: days[after] - days[step] for step, after in pairwise(order) if 0 < days.get(step, 0) <= days.get(after, 0)}


def _sale(events: Sequence[Event], names: Names) -> dict[Key, Found]:
    talks = [event for event in events if event["kind"] == "interaction_ended" and event["touchpoint"] in names.before_sale]
    return {
        ("interactions_before_sale", "", None): Found(len(talks)),
        **{("days_to_next_step", step, None): Found(days) for step, days in to_next(step_days(events)).items()},
    }
