"""Who is asked what and when: the plan of surveys.

A question after an occasion is published with the event that ended it: due, `expired` when it is too late by then, `throttled`
when its respondent was asked at that touchpoint lately. A question that comes round is published at its own due time: due, or
`deferred` while it is blocked or inconvenient, and `throttled` when that lasts too long. Its cycle begins with the onboarding;
that of a customer who came in as `known`, before any event said its stage, begins then, for its onboarding is older than the
log. Who opted out is never asked, nor is a customer who is gone.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from msgspec import Struct, field

from processors import tickets
from processors.due import NEVER
from processors.effects import Context
from processors.names import OTHER, short_id
from processors.survey_file import CyclePlan, OccasionPlan, SurveyPlan
from processors.survey_requests import NOBODY, Question, asked_lately, count, may_be_asked, place_of, publish
from processors.survey_throttle import MAX_ASKED, Throttle
from schemas.events import AccountEvent, CustomerEvent, Survey, SurveyEvent, TicketEvent, UsageEvent
from schemas.records import Cause

if TYPE_CHECKING:
    from processors.definitions import Definitions
    from processors.state import CustomerState

MAX_LOCALE: Final = 35
"""Characters kept of a locale: no language tag in use is longer."""


_PROSPECTS: Final = frozenset({"lead", "trial"})


class Round(Struct, array_like=True, gc=False):
    """A survey that comes round, for one customer.

    `done` is how many times it has come round since the cycle began, `waiting` when it did for those who could not be asked then.
    """

    done: int = 0
    waiting: dict[str, int] = field(default_factory=dict)


class PlanState(Struct, array_like=True, gc=False):
    """What is remembered of the questions to one customer.

    `started_at` is when the cycle of the surveys that come round began, 0 for not at all: the newest onboarding; where none has
    been seen, with `began_known`, when the customer came in as one known from elsewhere. `rounds` are by survey. `locale` is that
    of the newest survey event that had one, at `locale_at_s` seconds.
    """

    throttle: Throttle = field(default_factory=Throttle)
    started_at: int = 0
    rounds: dict[str, Round] = field(default_factory=dict)
    locale: str | None = None
    locale_at_s: int = 0
    began_known: bool = False


def fold(state: "CustomerState", event: CustomerEvent, clock_ms: int, context: Context) -> None:
    """Note what an event says for the plan, and publish the questions that it gives occasion to."""
    plan = context.definitions.surveys
    if isinstance(event, SurveyEvent):
        _note_survey(state.plan, event, clock_ms, context)
    elif isinstance(event, AccountEvent):
        _begin(state, event)
    else:
        for question in _after(state, event, plan):
            _ask_at_once(state, question, clock_ms, context)


def judge(state: "CustomerState", as_of_ms: int, cause: Cause, context: Context) -> None:
    """Publish the questions that have come round up to a time, and those that waited and can be asked now, or no longer."""
    plan_state = state.plan
    if not _comes_round(state):
        return
    cycles = context.definitions.surveys.cycles
    if cause == "config":
        known = {plan.survey for plan in cycles}
        plan_state.rounds = {survey: found for survey, found in plan_state.rounds.items() if survey in known}
    for plan in cycles:
        found = plan_state.rounds.get(plan.survey)
        done = plan.rounds_until(plan_state.started_at, as_of_ms)
        if found is None:
            if not done:
                continue
            found = plan_state.rounds[plan.survey] = Round()
        new = _come_round(state, plan, found, done, as_of_ms, cause, context) if done != found.done else []
        if found.waiting:
            _ask_waiting(state, plan, found, new, as_of_ms, context)


def next_due(state: "CustomerState", as_of_ms: int, definitions: "Definitions") -> int:
    """When a question comes round, can be asked, or is given up, after a time; NEVER for a customer who is gone."""
    plan_state = state.plan
    if not _comes_round(state) or state.account.is_gone:
        return NEVER
    due = NEVER
    for plan in definitions.surveys.cycles:
        rounds = plan.rounds_until(plan_state.started_at, as_of_ms)
        due = min(due, plan.round_at(plan_state.started_at, rounds + 1))
        found = plan_state.rounds.get(plan.survey)
        for respondent, came_at in found.waiting.items() if found else ():
            free_at = plan_state.throttle.free_at(plan.survey, respondent, None, plan.throttle_ms)
            due = min(due, free_at if free_at > as_of_ms else came_at + plan.defer_at_most_ms)
    return max(due, as_of_ms + 1)


def _begin(state: "CustomerState", event: AccountEvent) -> None:
    """Let the cycle begin with the newest onboarding, and until one is seen with the first word of a customer of old."""
    plan_state = state.plan
    if event.kind == "onboarded" and (plan_state.began_known or event.occurred_at > plan_state.started_at):
        plan_state.started_at, plan_state.began_known = event.occurred_at, False
        for found in plan_state.rounds.values():
            found.done = 0
    elif event.kind == "known" and not plan_state.started_at and state.account.stage == "known":
        plan_state.started_at, plan_state.began_known = event.occurred_at, True


def _comes_round(state: "CustomerState") -> bool:
    """Whether the cycle has begun, and not as that of one who proves to be no customer yet."""
    return bool(state.plan.started_at) and not (state.plan.began_known and state.account.stage in _PROSPECTS)


def _note_survey(state: PlanState, event: SurveyEvent, clock_ms: int, context: Context) -> None:
    """A question that was sent, and an answer to one whose sending is not known, count for the throttles."""
    at_s = event.occurred_at // 1000
    if event.locale is not None and (at_s, event.locale[:MAX_LOCALE]) > (state.locale_at_s, state.locale or ""):
        state.locale, state.locale_at_s = event.locale[:MAX_LOCALE], at_s
    plan = context.definitions.surveys.plan_of(event.survey)
    if plan is None or event.kind == "expired":
        return
    respondent = event.respondent_id or NOBODY
    touchpoint = place_of(event.touchpoint, context) if isinstance(plan, OccasionPlan) else None
    if event.kind == "answered":
        asked_at = state.throttle.asked_at(event.survey, respondent, touchpoint)
        if asked_at is not None and asked_at <= event.occurred_at <= asked_at + plan.expires_after_ms:
            return
    _note_asked(state, event.survey, respondent, touchpoint, event.occurred_at, clock_ms, context)


def _note_asked(
    state: PlanState, survey: Survey, respondent: str, touchpoint: str | None, at_ms: int, clock_ms: int, context: Context
) -> None:
    """Remember a question, and forget those that block nothing any more."""
    throttle = state.throttle
    throttle.note(survey, respondent, touchpoint, at_ms)
    throttle.forget(clock_ms, context.definitions.surveys.throttles_ms)
    for _ in range(throttle.keep_newest(MAX_ASKED)):
        context.effects.totals.oddity("forgotten_question", clock_ms)


def _after(state: "CustomerState", event: TicketEvent | UsageEvent, plans: SurveyPlan) -> Iterator[Question]:
    """The questions that an event gives occasion to."""
    at = event.occurred_at
    if isinstance(event, UsageEvent):
        if event.kind == "interaction_ended" and event.touchpoint is not None:
            trigger = f"interaction\x00{event.interaction_id or event.event_id}\x00{at}"
            for plan in plans.occasions:
                if event.touchpoint in plan.touchpoints:
                    yield Question(
                        plan=plan,
                        respondent=event.user_id or NOBODY,
                        trigger=trigger,
                        due_at=at + plan.due_within_ms,
                        expires_at=at + plan.expires_after_ms,
                        touchpoint=event.touchpoint,
                        interaction_id=event.interaction_id,
                    )
    elif event.kind == "solved":
        touchpoint = _touchpoint_of(state, event)
        for plan in plans.occasions:
            if plan.after_tickets:
                yield Question(
                    plan=plan,
                    respondent=event.requester_id or NOBODY,
                    trigger=f"ticket\x00{event.ticket_id}\x00{at}",
                    due_at=at + plan.due_within_ms,
                    expires_at=at + plan.expires_after_ms,
                    touchpoint=touchpoint,
                    ticket_id=event.ticket_id,
                )


def _touchpoint_of(state: "CustomerState", event: TicketEvent) -> str | None:
    """Where the ticket belongs, as far as is known."""
    ticket_id = short_id(event.ticket_id)
    ticket = state.tickets.closed.get(ticket_id) or state.tickets.open.get(ticket_id)
    return None if ticket is None or ticket.touchpoint == OTHER else ticket.touchpoint


def _ask_at_once(state: "CustomerState", question: Question, clock_ms: int, context: Context) -> None:
    """Publish a question after an occasion, as it stands."""
    plan, respondent = question.plan, question.respondent
    touchpoint = place_of(question.touchpoint, context)
    ask_at = max(question.due_at, clock_ms)
    if state.account.is_gone or not may_be_asked(state, respondent, context.definitions.surveys):
        count(plan.survey, "not_asked", clock_ms, context)
    elif clock_ms >= question.expires_at:
        publish(state, question, "expired", "the occasion is too long ago", clock_ms, context)
    elif state.plan.throttle.free_at(plan.survey, respondent, touchpoint, plan.throttle_ms) > ask_at:
        publish(state, question, "throttled", asked_lately(plan), clock_ms, context)
    else:
        _note_asked(state.plan, plan.survey, respondent, touchpoint, ask_at, clock_ms, context)
        publish(state, question, "due", None, clock_ms, context)


def _come_round(
    state: "CustomerState", plan: CyclePlan, found: Round, done: int, as_of_ms: int, cause: Cause, context: Context
) -> list[str]:
    """A survey has come round: everybody who may be asked waits for it, if only for a moment. Returns who is new.

    What came round while the plan was not in force, or before the customer came back, is left out.
    """
    came_at = plan.round_at(state.plan.started_at, done)
    is_new = done > found.done
    found.done = done
    account = state.account
    if not is_new or account.is_gone or came_at <= (account.stage_since or 0):
        return []
    is_late = as_of_ms >= came_at + plan.expires_after_ms
    if is_late and cause == "config":
        return []
    respondents = _respondents(state, context.definitions.surveys)
    if is_late:
        for respondent in respondents:
            publish(state, _round_question(plan, respondent, came_at, came_at), "expired", "known too late", as_of_ms, context)
        return []
    new = [respondent for respondent in respondents if respondent not in found.waiting]
    found.waiting.update(dict.fromkeys(new, came_at))
    return new


def _respondents(state: "CustomerState", plans: SurveyPlan) -> list[str]:
    """The contacts who may be asked; when none is known, one whom nobody has named."""
    known = sorted(state.account.contacts) or [NOBODY]
    return [respondent for respondent in known if may_be_asked(state, respondent, plans)]


def _ask_waiting(state: "CustomerState", plan: CyclePlan, found: Round, new: list[str], as_of_ms: int, context: Context) -> None:
    """Ask those who wait for a question that came round, where that is possible now; give up where it has lasted too long."""
    if state.account.is_gone:
        found.waiting.clear()
        return
    inconvenient = plan.waits_for_urgent and tickets.open_by_priority(state.tickets)["urgent"] > 0
    for respondent, came_at in list(found.waiting.items()):
        if not may_be_asked(state, respondent, context.definitions.surveys):
            del found.waiting[respondent]
            count(plan.survey, "not_asked", as_of_ms, context)
            continue
        last_ms = came_at + plan.defer_at_most_ms
        free_at = state.plan.throttle.free_at(plan.survey, respondent, None, plan.throttle_ms)
        if free_at <= as_of_ms and not inconvenient:
            del found.waiting[respondent]
            _note_asked(state.plan, plan.survey, respondent, None, as_of_ms, as_of_ms, context)
            publish(state, _round_question(plan, respondent, came_at, as_of_ms), "due", None, as_of_ms, context)
            continue
        question = _round_question(plan, respondent, came_at, min(max(free_at, as_of_ms), last_ms))
        reason = asked_lately(plan) if free_at > as_of_ms else "an urgent ticket is open"
        if free_at > last_ms or as_of_ms >= last_ms:
            del found.waiting[respondent]
            publish(state, question, "throttled", reason, as_of_ms, context)
        elif respondent in new:
            publish(state, question, "deferred", reason, as_of_ms, context)


def _round_question(plan: CyclePlan, respondent: str, came_at: int, due_at: int) -> Question:
    """A question of the round that came at a time, to be answered within the plan's time after it is due."""
    return Question(
        plan=plan,
        respondent=respondent,
        trigger=f"round\x00{came_at}",
        due_at=due_at,
        expires_at=due_at + plan.expires_after_ms,
    )
