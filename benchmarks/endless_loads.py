"""Loads that have no bounds of their own, for `benchmarks.bounds`: every event brings names that nobody has seen before."""

from collections.abc import Callable
from typing import Any, Final

from schemas.events import AccountEvent, CustomerEvent, PromisedGoal, SurveyEvent, TicketEvent, UsageEvent

DAY_MS: Final = 86_400_000
HOT: Final = "customer"
LONG: Final = 20  # names of up to two hundred characters
TEXT: Final = "so they said " * 1_200

Maker = Callable[[int, int], tuple[str, CustomerEvent]]
"""The topic and the event of a number and a time."""


def a_ticket(number: int, at_ms: int) -> tuple[str, CustomerEvent]:
    """Every ticket is another one, and none is solved."""
    return "cs.tickets", TicketEvent(
        event_id=f"e{number}", customer_id=HOT, occurred_at=at_ms, kind="opened", ticket_id=f"t{number}", priority="urgent"
    )


def an_answer(number: int, at_ms: int) -> tuple[str, CustomerEvent]:
    """Every answer is of another touchpoint and person."""
    return "cs.surveys", SurveyEvent(
        event_id=f"e{number}",
        customer_id=HOT,
        occurred_at=at_ms,
        kind="answered",
        survey="csat",
        scale="1_5",
        score=1 + number % 5,
        touchpoint=f"touchpoint-{number % 10_000}",
        respondent_id=f"person-{number}",
    )


def a_use(number: int, at_ms: int) -> tuple[str, CustomerEvent]:
    """Every use is of another feature, by another user."""
    return "cs.usage", UsageEvent(
        event_id=f"e{number}", customer_id=HOT, occurred_at=at_ms, kind="feature_used", feature=f"f{number}", user_id=f"u{number}"
    )


def half_of_one(number: int, at_ms: int) -> tuple[str, CustomerEvent]:
    """Every second event is of one customer, the others are of everybody else."""
    customer = HOT if number % 2 else f"other-{number}"
    return "cs.usage", UsageEvent(
        event_id=f"e{number}", customer_id=customer, occurred_at=at_ms, kind="feature_used", feature="search", user_id="u"
    )


def a_course(number: int, at_ms: int) -> tuple[str, CustomerEvent]:
    """Every ticket is answered by another agent, solved, closed and opened again."""
    kinds: Any = ("opened", "replied", "solved", "closed", "reopened")
    return "cs.tickets", TicketEvent(
        event_id=f"e{number}",
        customer_id=HOT,
        occurred_at=at_ms,
        kind=kinds[number % 5],
        ticket_id=f"t{number // 5}" * LONG,
        agent_id=f"agent{number}" * LONG,
        touchpoint=f"touchpoint-{number}",
        requester_id=f"person-{number}",
    )


def a_goal(number: int, at_ms: int) -> tuple[str, CustomerEvent]:
    """Every goal, interaction and user is another one, and quantities are as large as they may be."""
    kinds: Any = ("goal_completed", "goal_failed", "interaction_ended", "session")
    return "cs.usage", UsageEvent(
        event_id=f"e{number}",
        customer_id=HOT,
        occurred_at=at_ms,
        kind=kinds[number % 4],
        goal=f"goal-{number}",
        touchpoint=f"touchpoint-{number}",
        interaction_id=f"i{number}",
        user_id=f"u{number}",
        quantity=10**12,
        duration_ms=10**12,
    )


def a_question(number: int, at_ms: int) -> tuple[str, CustomerEvent]:
    """Every question and answer is of another person, with all the words that fit."""
    asked: Any = (("sent", "nps", "0_10"), ("answered", "nps", "0_10"), ("answered", "ces", "1_7"))
    kind, survey, scale = asked[number % 3]
    return "cs.surveys", SurveyEvent(
        event_id=f"e{number}",
        customer_id=HOT,
        occurred_at=at_ms,
        kind=kind,
        survey=survey,
        scale=scale,
        score=1 + number % 7,
        respondent_id=f"person-{number}" * LONG,
        request_id=f"q{number}" * LONG,
        comment=TEXT,
    )


def a_promise(number: int, at_ms: int) -> tuple[str, CustomerEvent]:
    """Every contract promises 64 other goals."""
    goals = [PromisedGoal(goal=f"goal-{number}-{place}", expected_per_30_days=1.0) for place in range(64)]
    return "cs.accounts", AccountEvent(event_id=f"e{number}", customer_id=HOT, occurred_at=at_ms, kind="contracted", goals=goals)


ACCOUNT_KINDS: Final[Any] = (
    *("plan_changed", "contact", "referred", "muted", "owner_changed", "cross_sold", "payment", "override", "acknowledged"),
    *("acted", "renewed", "cancelled", "reactivated", "known"),
)


def an_account(number: int, at_ms: int) -> tuple[str, CustomerEvent]:
    """Every account event brings another plan, owner, person, rule and episode, with all the words that fit."""
    return "cs.accounts", AccountEvent(
        event_id=f"e{number}",
        customer_id=HOT,
        occurred_at=at_ms,
        kind=ACCOUNT_KINDS[number % len(ACCOUNT_KINDS)],
        plan=f"plan{number}" * LONG,
        currency="EUR",
        segment=f"segment{number}" * LONG,
        owner=f"owner{number}" * LONG,
        product=f"product{number}" * LONG,
        mrr_cents=number,
        seats=number,
        amount_cents=number,
        status="paid",
        renewal_at=at_ms + number,
        respondent_id=f"person-{number}" * LONG,
        locale="l" * 256,
        referred_customer_id=f"friend-{number}" * LONG,
        author=f"author{number}" * LONG,
        reason_text=TEXT,
        override_score=5.0,
        expires_at=at_ms + DAY_MS,
        episode_id=f"episode{number}" * LONG,
        action=TEXT,
        rule=f"rule{number}" * LONG,
        muted_until=at_ms + DAY_MS,
    )


LOADS: Final[dict[str, tuple[Maker, int]]] = {
    "a customer with open tickets": (a_ticket, 100_000),
    "10,000 touchpoints and as many people as answers": (an_answer, 50_000),
    "as many features and users as uses": (a_use, 100_000),
    "half of all events by one customer": (half_of_one, 50_000),
    "tickets by as many agents as events": (a_course, 50_000),
    "as many goals as uses": (a_goal, 100_000),
    "as many people as questions, with long comments": (a_question, 30_000),
    "64 other goals with every contract": (a_promise, 10_000),
    "other plans, owners, people, rules and episodes with every account event": (an_account, 30_000),
}
"""With how many events each is measured."""
