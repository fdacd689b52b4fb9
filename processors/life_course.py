"""When an account was a customer, and which of its renewals came due: from the steps of its life, in any order of arrival.

A customer is an account from its contract (`contracted`, `handed_over` or `onboarded`, whichever is heard of first) to its end
(`cancelled` or `lapsed`), and again from its return. One that another system knows already (`known`, with a revenue) is older
than what we know of it: it counts from the start of the UTC day on which it became known, so that a log which begins on the
first of a month has customers at its start.

A renewal that is signed within the grace after `lapsed` is a *late renewal*: the contract goes on as if it had been signed in
time, the lapse is undone, and no customer was lost. That is the trade's grace window for renewals signed late (Renewal rate,
https://bigdelta.com/library/metrics/renewal-rate). A renewal that comes later, or after a cancellation, brings nobody back: that
takes a return (`reactivated`) or a new contract.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, Literal, NamedTuple

from processors.windows import DAY_MS
from schemas.events import AccountEvent, AccountKind

Step = Literal["known", "active", "due", "renewed", "lapsed", "cancelled", "reactivated", "renewed_late"]
Start = Literal["entered", "acquired", "reactivated"]
Outcome = Literal["renewed", "cancelled", "lapsed", "open"]

STEPS: Final[tuple[Step, ...]] = ("known", "active", "due", "renewed", "lapsed", "cancelled", "reactivated", "renewed_late")
"""In the order of an account's life, but for the last: of two in one millisecond the later one counts. A renewal becomes a
late one when a lapse is known that it came within the grace of: the grace that is in force then decides."""

_RENEWALS: Final[tuple[Step, ...]] = ("renewed", "renewed_late")

_STEP_OF_KIND: Final[dict[AccountKind, Step]] = {
    "known": "known",
    "contracted": "active",
    "handed_over": "active",
    "onboarded": "active",
    "renewal_due": "due",
    "renewed": "renewed",
    "lapsed": "lapsed",
    "cancelled": "cancelled",
    "reactivated": "reactivated",
}
_CODE_BITS: Final = 3
_CODES: Final = (1 << _CODE_BITS) - 1
_KNOWN: Final = STEPS.index("known")
_RENEWED, _LAPSED, _LATE = (STEPS.index(step) for step in ("renewed", "lapsed", "renewed_late"))
FOREVER: Final = 2**62
"""The end of what has not ended."""


class Span(NamedTuple):
    """A time for which the account was a customer without interruption; `ended_by` is "open" while it still is one."""

    how: Start
    start_ms: int
    end_ms: int
    ended_by: Literal["cancelled", "lapsed", "open"]

    def covers(self, at_ms: int) -> bool:
        """Whether the account was a customer right before `at_ms`."""
        return self.start_ms < at_ms <= self.end_ms


class Renewal(NamedTuple):
    """A renewal that came or will come due, and what came of it; `decided_ms` is when that was decided."""

    due_ms: int
    outcome: Outcome
    decided_ms: int


def step_of(event: AccountEvent, after_ms: int) -> int | None:
    """The step that an event is, packed as (occurred_at - base) * 8 + its place in `STEPS`; None when it is none."""
    step = _STEP_OF_KIND.get(event.kind)
    if step is None or (step == "known" and not event.mrr_cents):
        return None
    return after_ms << _CODE_BITS | STEPS.index(step)


def take_step(steps: list[int], step: int) -> None:
    """Put a step into its place. Of several times at which the account was known only the first says anything."""
    if step & _CODES == _KNOWN:
        known = [one for one in steps if one & _CODES == _KNOWN]
        if known and known[0] <= step:
            return
        for one in known:
            steps.remove(one)
    if step not in steps:
        steps.append(step)
        steps.sort(key=_in_life)


def mark_late_renewals(steps: list[int], grace_ms: int) -> None:
    """Tell the renewals that came after a lapse, at most the grace later, from the others."""
    lapses = [step >> _CODE_BITS for step in steps if step & _CODES == _LAPSED]
    for step in [step for step in steps if step & _CODES == _RENEWED]:
        at = step >> _CODE_BITS
        if any(lapsed_at < at <= lapsed_at + grace_ms for lapsed_at in lapses):
            steps.remove(step)
            take_step(steps, at << _CODE_BITS | _LATE)


def came_back_late(steps: Iterable[int]) -> int | None:
    """When a late renewal undid a lapse the last time, after the base; None when none did."""
    came_at, ended_by = None, None
    for step in steps:
        kind = STEPS[step & _CODES]
        if kind in ("lapsed", "cancelled"):
            ended_by = ended_by or kind
        elif kind in ("active", "reactivated"):
            ended_by = None
        elif kind == "renewed_late" and ended_by == "lapsed":
            came_at, ended_by = step >> _CODE_BITS, None
    return came_at


def without_repetitions(steps: Sequence[int], settled_after_ms: int) -> list[int]:
    """The steps without contracts, handovers and onboardings of one who was a customer already, once they are old enough."""
    kept: list[int] = []
    active = was_customer = lapsed = False
    for step in steps:
        kind = STEPS[step & _CODES]
        if not (kind == "active" and active and step >> _CODE_BITS < settled_after_ms):
            kept.append(step)
        if kind in ("lapsed", "cancelled"):
            lapsed = kind == "lapsed" if active else lapsed
            active, was_customer = False, True
        elif kind == "renewed_late":
            active = active or lapsed
        elif _start(kind, was_customer=was_customer) is not None:
            active = was_customer = True
    return kept


def keep_newest(steps: list[int], most: int) -> int:
    """Keep at most so many steps, and return how many were dropped: old renewals first, which do not say who is a customer."""
    dropped = 0
    while len(steps) > most:
        renewal = next((step for step in steps if STEPS[step & _CODES] in ("due", "renewed")), steps[0])
        steps.remove(renewal)
        dropped += 1
    return dropped


def spans(steps: Iterable[int], base_ms: int) -> list[Span]:
    """The times for which the account was a customer, in their order."""
    found: list[Span] = []
    how: Start | None = None
    start_ms = 0
    was_customer = False
    for step in steps:
        kind, at_ms = STEPS[step & _CODES], base_ms + (step >> _CODE_BITS)
        if kind == "lapsed" or kind == "cancelled":
            if how is not None:
                found.append(Span(how, start_ms, at_ms, kind))
            how, was_customer = None, True
        elif kind == "renewed_late" and how is None and found and found[-1].ended_by == "lapsed":
            how, start_ms = found[-1].how, found[-1].start_ms
            del found[-1]
        elif how is None and (begins := _start(kind, was_customer=was_customer)) is not None:
            how, was_customer = begins, True
            start_ms = at_ms - at_ms % DAY_MS - 1 if how == "entered" else at_ms
    if how is not None:
        found.append(Span(how, start_ms, FOREVER, "open"))
    return found


def is_customer(steps: Sequence[int]) -> bool:
    """Whether the account is a customer after all its steps: the same as an open last span, without making the spans."""
    was_known = False
    for step in reversed(steps):
        kind = STEPS[step & _CODES]
        if kind == "active" or kind == "reactivated":
            return True
        if kind == "lapsed" or kind == "cancelled":
            return False
        if kind == "renewed_late":
            course = spans(steps, 0)
            return bool(course) and course[-1].ended_by == "open"
        was_known = was_known or kind == "known"
    return was_known


def _start(kind: Step, *, was_customer: bool) -> Start | None:
    """How a step makes a customer of one who is none; None when it does not."""
    if kind == "known":
        return None if was_customer else "entered"
    if kind == "active":
        return "reactivated" if was_customer else "acquired"
    return "reactivated" if kind == "reactivated" else None


def renewals(course: Iterable[Span], steps: Iterable[int], dates: Sequence[tuple[int, int]], base_ms: int) -> Iterator[Renewal]:
    """One renewal for each term of a contract: that which `renewed` ended, and the one that runs or was left.

    `dates` are the renewal dates (both absolute: since when, the date) in the order in which they came into force. A term is due
    at its newest date, else at its first `renewal_due`, else when it was renewed: a renewal ahead of its date counts in the
    period of the date. So does the notice of one who leaves ahead of its date, however long: it was due then and not renewed,
    unless the customer is back before the date, whose new term is then due at it. Who leaves without a date or an announcement
    leaves no renewal behind, but a lost customer. The date of the running term may lie ahead.
    """
    told = [(STEPS[step & _CODES], base_ms + (step >> _CODE_BITS)) for step in steps]
    life = list(course)
    for number, span in enumerate(life):
        since_ms, last_due_ms = span.start_ms, span.start_ms
        back_ms = life[number + 1].start_ms if number + 1 < len(life) else FOREVER
        for at_ms in (at_ms for kind, at_ms in told if kind in _RENEWALS and span.start_ms <= at_ms < span.end_ms):
            due_ms = _date(dates, at_ms, last_due_ms) or _announced(told, since_ms, at_ms) or at_ms
            yield Renewal(due_ms, "renewed", at_ms)
            since_ms, last_due_ms = at_ms, max(last_due_ms, due_ms)
        date_ms = _date(dates, span.end_ms, last_due_ms)
        if date_ms is None or span.end_ms < date_ms > back_ms:
            date_ms = _announced(told, since_ms, span.end_ms)
        if date_ms is not None:
            yield Renewal(date_ms, span.ended_by, span.end_ms)


def renewed_after_end(steps: Iterable[int], base_ms: int) -> Iterator[int]:
    """When a contract was renewed, but not in time, of one who had left: only a return makes a customer again."""
    ended_by = None
    for step in steps:
        kind = STEPS[step & _CODES]
        if kind == "renewed_late" and ended_by == "lapsed":
            ended_by = None
        elif kind in _RENEWALS and ended_by is not None:
            yield base_ms + (step >> _CODE_BITS)
        elif kind in ("lapsed", "cancelled"):
            ended_by = ended_by or kind
        elif kind in ("active", "reactivated"):
            ended_by = None


def _in_life(step: int) -> tuple[int, int]:
    """By time, and in one millisecond by the order of an account's life: a late renewal is a renewal."""
    code = step & _CODES
    return step >> _CODE_BITS, _RENEWED if code == _LATE else code


def _date(dates: Iterable[tuple[int, int]], before_ms: int, last_due_ms: int) -> int | None:
    """The renewal date in force right before a time, if it is a later one than what was due last."""
    date_ms = None
    for since_ms, one in dates:
        if since_ms < before_ms:
            date_ms = one
    return date_ms if date_ms is not None and date_ms > last_due_ms else None


def _announced(told: Iterable[tuple[Step, int]], since_ms: int, before_ms: int) -> int | None:
    """When the renewal of a term was first announced as due."""
    return next((at_ms for kind, at_ms in told if kind == "due" and since_ms < at_ms <= before_ms), None)
