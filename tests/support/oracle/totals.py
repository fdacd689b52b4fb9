"""The fleet's figures: what happened by day or hour, and how many there are now, summed over all customers."""

from collections import Counter
from collections.abc import Iterable, Sequence

from ddsketch.mapping import LogarithmicMapping

from tests.support.oracle.acceptance import Event, Judged
from tests.support.oracle.account import account
from tests.support.oracle.events import DAY_MS, HOUR_MS, Names, answers
from tests.support.oracle.figures import is_good
from tests.support.oracle.support import Wait, waits
from tests.support.oracle.surveys import between_erasures, survey_flows
from tests.support.oracle.tickets import courses
from tests.support.oracle.usage import promise_flows, quantity, step_flows

FlowKey = tuple[str, str, int]
GaugeKey = tuple[str, str]
BINS = LogarithmicMapping(0.01)
ZERO_BIN = -40_000
FAMILIES = {"cs.tickets": "tickets", "cs.usage": "usage", "cs.surveys": "surveys", "cs.accounts": "accounts"}
TICKET_PLACES = ("opened", "solved", "reopened", "unknown_solved", "early_replies")


class Flows:
    """Counts by figure, dimension and start of the bucket."""

    def __init__(self) -> None:
        self.found: dict[FlowKey, Counter[int]] = {}

    def add(self, figure: str, dimension: str, at_ms: int, counts: Iterable[int], bucket_ms: int = DAY_MS) -> None:
        self.found.setdefault((figure, dimension, at_ms - at_ms % bucket_ms), Counter()).update(dict(enumerate(counts)))


def flows(accepted: Iterable[Judged], names: Names) -> dict[FlowKey, tuple[int, ...]]:
    """What happened, of one partition or of all; only what is not zero."""
    total = Flows()
    tickets: dict[str, list[Event]] = {}
    lives: dict[str, list[Event]] = {}
    for judgement in accepted:
        event = judgement.record["value"]
        lives.setdefault(event["customer_id"], []).append(event)
        if event["kind"] == "erased":
            continue
        total.add("events_by_day", FAMILIES[judgement.record["topic"]], event["occurred_at"], (1,))
        _add_answer(total, event, names)
        _add_goal(total, event, names)
        _add_interaction(total, event, names)
        tickets.setdefault(event["customer_id"], []).append(event)
    for events in tickets.values():
        for course in courses(events, names).values():
            for flow, at in course.flows:
                total.add("tickets_by_day", course.touchpoint, at, (int(flow == place) for place in TICKET_PLACES))
        for wait in waits(events, names):
            _add_wait(total, wait)
        for figure, dimension, at, counts in (*promise_flows(events, names), *step_flows(events)):
            total.add(figure, dimension, at, counts)
    for events in lives.values():
        for figure, dimension, at, counts in (count for life in between_erasures(events) for count in survey_flows(life, names)):
            total.add(figure, dimension, at, counts)
    return {key: tuple(counts[place] for place in sorted(counts)) for key, counts in total.found.items() if any(counts.values())}


def _add_answer(total: Flows, event: Event, names: Names) -> None:
    at = event["occurred_at"]
    for _ in answers([event], "csat"):
        counts = (int(is_good(event)), 1)
        total.add("csat_by_hour", names.touchpoint(event["touchpoint"]), at, counts, HOUR_MS)
        total.add("csat_by_day", names.touchpoint(event["touchpoint"]), at, counts)
        total.add("csat_scales_by_hour", event["scale"], at, (1,), HOUR_MS)
        total.add("csat_scales_by_day", event["scale"], at, (1,))
    for _ in answers([event], "nps"):
        score = event["score"]
        total.add("nps_by_day", event["scale"], at, (int(score >= 9), int(7 <= score <= 8), int(score <= 6)))


def _add_wait(total: Flows, wait: Wait) -> None:
    is_first = wait.span == "first_response"
    total.add("agent_load_by_day", wait.agent, wait.ended_at, (int(is_first), int(not is_first)))
    for place, duration_ms in enumerate((wait.clock_ms, wait.business_ms)):
        number = BINS.key(duration_ms) if duration_ms else ZERO_BIN
        counts = (int(place == 0), int(place == 1))
        total.add(f"{wait.span}s_by_day", f"{wait.touchpoint}/{number}", wait.ended_at, counts)
        if is_first:
            total.add("agent_responses_by_day", f"{wait.agent}/{number}", wait.ended_at, counts)


def _add_goal(total: Flows, event: Event, names: Names) -> None:
    if event["kind"] not in {"goal_completed", "goal_failed"}:
        return
    counts = (quantity(event), 0) if event["kind"] == "goal_completed" else (0, 1)
    total.add("goals_by_day", names.goal(event["goal"]), event["occurred_at"], counts)
    total.add("goals_by_hour", names.goal(event["goal"]), event["occurred_at"], counts, HOUR_MS)
    if counts[0] and event["duration_ms"] is not None:
        number = BINS.key(event["duration_ms"]) if event["duration_ms"] else ZERO_BIN
        total.add("goal_durations_by_day", f"{names.goal(event['goal'])}/{number}", event["occurred_at"], (1,))


def _add_interaction(total: Flows, event: Event, names: Names) -> None:
    if event["kind"] == "interaction_ended":
        total.add("interactions_by_day", names.touchpoint(event["touchpoint"]), event["occurred_at"], (1,))


def gauges(customers: Iterable[Sequence[Event]], names: Names) -> dict[GaugeKey, int]:
    """How many customers there are by stage, and how many tickets are open by priority, touchpoint and day of opening."""
    found: Counter[GaugeKey] = Counter()
    for events in customers:
        found["customers", account(events)["stage"]] += 1
        for course in courses(events, names).values():
            if course.is_open and course.opened_at is not None:
                found["open_tickets_by_priority", course.priority] += 1
                found["open_tickets_by_touchpoint", course.touchpoint] += 1
                found["open_tickets_by_opening_day", str(course.opened_at // DAY_MS)] += 1
    return dict(found)
