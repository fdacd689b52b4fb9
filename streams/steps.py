"""What is done to a customer, so that it can be done again after a rollback and come to the same."""

from msgspec import Struct

from processors import customer as domain
from processors.effects import Around, Context
from processors.state import CustomerState
from schemas.events import CustomerEvent


class Folded(Struct, gc=False):
    """An event was folded, at the partition's clock; `letter_id` is that of the dead letter that was replayed."""

    at_ms: int
    event: CustomerEvent
    around: Around
    letter_id: bytes | None = None


class TimePassed(Struct, gc=False):
    """What was due up to a time was evaluated."""

    at_ms: int
    around: Around


class Postponed(Struct, gc=False):
    """A due evaluation raised, and is tried again at another time."""

    until_ms: int


class Reconsidered(Struct, gc=False):
    """The customer was judged by the definitions that had come into force at a time."""

    at_ms: int
    around: Around


class GivenUp(Struct, gc=False):
    """Judging by this version of the definitions raised: the customer counts as judged by it."""

    config_version: int


Step = Folded | TimePassed | Postponed | Reconsidered | GivenUp
"""One thing that was done to a customer since its bytes were decoded, with what was around it then: to be done again alike."""


def carry_out(state: CustomerState, step: Step, context: Context) -> None:
    """Do to a state what the step says; done again after a rollback, it comes to the same."""
    if isinstance(step, Folded | TimePassed | Reconsidered):
        context.around = step.around
    if isinstance(step, Folded):
        domain.fold(state, step.event, step.at_ms, context, step.letter_id)
    elif isinstance(step, TimePassed):
        domain.settle(state, step.at_ms, context)
    elif isinstance(step, Postponed):
        state.next_due = step.until_ms
    elif isinstance(step, Reconsidered):
        domain.reconsider(state, step.at_ms, context)
    else:
        state.config_version = step.config_version
