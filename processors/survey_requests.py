"""The questions of the survey plan and what becomes of them, as records that a sender of questions follows.

The id of a request names the question itself and nothing of who computes it, so that no rebuild asks a second time.
"""

from hashlib import blake2b
from typing import TYPE_CHECKING, Final, Literal

from msgspec import Struct

from processors.effects import Context, identity
from processors.names import OTHER
from processors.survey_file import CyclePlan, OccasionPlan, SurveyPlan
from processors.windows import DAY_MS
from schemas.events import Survey
from schemas.records import SurveyRequest

if TYPE_CHECKING:
    from processors.state import CustomerState

RequestState = Literal["due", "deferred", "expired", "throttled"]

NOBODY: Final = ""
"""Stands for a respondent whom nobody has named: the record says null."""


class Question(Struct, frozen=True, gc=False):
    """A question before it is known whether it is asked: what of, whom, why, when, and from when on it is worthless."""

    plan: OccasionPlan | CyclePlan
    respondent: str
    trigger: str
    due_at: int
    expires_at: int
    touchpoint: str | None = None
    interaction_id: str | None = None
    ticket_id: str | None = None


def request_id(customer_id: str, survey: str, respondent: str, trigger: str) -> str:
    """Id of a request: 128 bits of BLAKE2b, in hex, over who is asked what, and after what."""
    name = f"{customer_id}\x00{survey}\x00{respondent}\x00{trigger}"
    return blake2b(name.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def may_be_asked(state: "CustomerState", respondent: str, plan: SurveyPlan) -> bool:
    """Whether a respondent has not opted out, and has consented where that is needed.

    Where no consent is needed a stranger may be asked, unless contacts had to be forgotten: it could be one who opted out. So
    may nobody in particular, unless a contact has opted out, for it could be just that one.
    """
    if respondent == NOBODY:
        return not plan.needs_consent and all(known.consent is not False for known in state.account.contacts.values())
    contact = state.account.contacts.get(respondent)
    consent = None if contact is None else contact.consent
    if consent is not None:
        return consent
    if plan.needs_consent:
        return False
    return contact is not None or not state.account.forgotten_contacts


def place_of(touchpoint: str | None, context: Context) -> str | None:
    """The touchpoint as the definitions know it."""
    return touchpoint if touchpoint is None or touchpoint in context.definitions.touchpoints else OTHER


def asked_lately(plan: OccasionPlan | CyclePlan) -> str:
    """What a throttle says."""
    place = " at this touchpoint" if isinstance(plan, OccasionPlan) else ""
    return f"asked{place} less than {plan.throttle_ms // DAY_MS} days before"


def count(survey: Survey, outcome: str, at_ms: int, context: Context) -> None:
    """Count for the fleet what became of a question."""
    context.effects.totals.add("survey_requests", f"{survey}/{outcome}", at_ms, (1,))


def publish(
    state: "CustomerState", question: Question, outcome: RequestState, reason: str | None, as_of_ms: int, context: Context
) -> None:
    """Publish what becomes of a question, in the words of the respondent's language."""
    plan, respondent = question.plan, question.respondent
    contact = state.account.contacts.get(respondent)
    wanted = contact.locale if contact is not None and contact.locale is not None else state.plan.locale
    locale = context.definitions.surveys.locale_for(wanted, plan.wording)
    wording = plan.wording[locale]
    count(plan.survey, outcome, as_of_ms, context)
    context.effects.outputs.append(
        SurveyRequest(
            **identity(state, "survey", context),
            as_of=as_of_ms,
            request_id=request_id(state.customer_id, plan.survey, respondent, question.trigger),
            survey=plan.survey,
            scale=plan.scale,
            state=outcome,
            reason=reason,
            due_at=question.due_at,
            expires_at=question.expires_at,
            respondent_id=respondent or None,
            touchpoint=question.touchpoint,
            interaction_id=question.interaction_id,
            ticket_id=question.ticket_id,
            locale=locale,
            question=wording.question,
            answers=list(wording.answers),
        )
    )
