"""What the time-ordered history of one ticket means.

A history is a sorted list of integers: milliseconds since the ticket's base * 8 + kind. Everything said of a ticket is derived
from it, so the order of arrival changes nothing, and the difference of two derivations is what a late event changes.
"""

from typing import Final, NamedTuple

from schemas.events import TicketKind

OPENED: Final = 0
REPLIED: Final = 1
SOLVED: Final = 2
REOPENED: Final = 3
CLOSED: Final = 4
KIND_CODES: Final[dict[TicketKind, int]] = {
    "opened": OPENED,
    "replied": REPLIED,
    "solved": SOLVED,
    "reopened": REOPENED,
    "closed": CLOSED,
}
KIND_BITS: Final = 3
KIND_MASK: Final = 7

FLOW_OPENED: Final = 0
FLOW_SOLVED: Final = 1
FLOW_REOPENED: Final = 2
FLOW_UNKNOWN_SOLVED: Final = 3
FLOW_EARLY_REPLY: Final = 4
FLOWS: Final = 5

_UNKNOWN: Final = 0
_OPEN: Final = 1
_DONE: Final = 2

_STEPS: Final[dict[tuple[int, int], tuple[int, int | None]]] = {
    (_UNKNOWN, OPENED): (_OPEN, FLOW_OPENED),
    (_UNKNOWN, SOLVED): (_DONE, FLOW_UNKNOWN_SOLVED),
    (_UNKNOWN, REOPENED): (_OPEN, FLOW_REOPENED),
    (_UNKNOWN, CLOSED): (_DONE, None),
    (_OPEN, OPENED): (_OPEN, FLOW_OPENED),
    (_OPEN, SOLVED): (_DONE, FLOW_SOLVED),
    (_OPEN, CLOSED): (_DONE, None),
    (_DONE, OPENED): (_OPEN, FLOW_OPENED),
    (_DONE, REOPENED): (_OPEN, FLOW_REOPENED),
}
"""(status, kind) to (status, what is counted). What is not here changes nothing. A history holds one opening at most, so an
opening counts wherever it stands."""


class Course(NamedTuple):
    """The course of a ticket: whether it is open, when it was opened, and what is counted of it.

    `opened` is in milliseconds since the base and None while nothing opened the ticket; `assumed` says that it is the time of a
    reopening, because the opening is unknown. `flows` are (milliseconds since the base) * 8 + the code of what is counted.

    `responded` is the entry of the first reply from the opening on; a reply before the opening answers nothing and is counted
    as an early one. `resolved` is the entry of the solve that still stands: a reopening takes it back, and a ticket that was
    closed without one has none. Both are None while the opening is unknown.
    """

    is_open: bool
    opened: int | None
    assumed: bool
    flows: list[int]
    responded: int | None = None
    resolved: int | None = None


NO_COURSE: Final = Course(is_open=False, opened=None, assumed=False, flows=[])


def course_of(history: list[int]) -> Course:
    """Follow a ticket through its history.

    Of several entries in the same millisecond the first that changes something goes first, in the order opened, replied, solved,
    reopened, closed: a solve and a reopening at one time leave an open ticket open and a solved one solved.
    """
    status = _UNKNOWN
    opened: int | None = None
    assumed = False
    flows: list[int] = []
    resolved: int | None = None
    for entry in history if _all_times_differ(history) else _untied(history):
        kind = entry & KIND_MASK
        step = _STEPS.get((status, kind))
        if step is None:
            continue
        status, flow = step
        if flow is not None:
            flows.append(entry - kind | flow)
            resolved = entry if flow == FLOW_SOLVED else None
        if kind == OPENED:
            opened, assumed = entry >> KIND_BITS, False
        elif opened is None and status == _OPEN:
            opened, assumed = entry >> KIND_BITS, True
    if opened is None or assumed:
        return Course(status == _OPEN, opened, assumed, flows)
    return Course(status == _OPEN, opened, assumed, flows, _first_response(history, opened, flows), resolved)


def turns(history: list[int]) -> list[tuple[int, int]]:
    """When a ticket became open (1) and ceased to be (-1), in milliseconds since the base, oldest first."""
    found: list[tuple[int, int]] = []
    was_open = False
    for at in sorted({entry >> KIND_BITS for entry in history}):
        is_open = course_of([entry for entry in history if entry >> KIND_BITS <= at]).is_open
        if is_open != was_open:
            found.append((at, 1 if is_open else -1))
            was_open = is_open
    return found


def opened_of(history: list[int]) -> int | None:
    """When a ticket was opened, as `Course.opened` says it, without following the whole course."""
    opening = _opening_of(history)
    return None if opening is None else opening >> KIND_BITS


def insert(history: list[int], entry: int) -> bool:
    """Put an entry into its place, and say whether it was new.

    Kept are the earliest opening, since a second one changes nothing, and of the replies from the opening on the first.
    """
    if entry in history:
        return False
    if entry & KIND_MASK == OPENED:
        known = next((other for other in history if other & KIND_MASK == OPENED), None)
        if known is not None:
            if known < entry:
                return False
            history.remove(known)
    history.append(entry)
    history.sort()
    _keep_first_reply(history)
    return entry in history


def cut(history: list[int], most: int) -> bool:
    """Drop the oldest entries but the opening and the first response until `most` are left, and say whether any was dropped.

    These two are what durations are made of: without them a later reply would be taken for the first one.
    """
    if len(history) <= most:
        return False
    kept = (_opening_of(history), course_of(history).responded)
    for entry in [entry for entry in history if entry not in kept][: len(history) - most]:
        history.remove(entry)
    return True


def at_rest(history: list[int]) -> list[int]:
    """What a ticket that is done still needs: its opening, or the reopening that stands for it, its first response and its end.

    The end is the solve that stands, so that a reopening can take it back; of a ticket without one, what closed it.
    """
    course = course_of(history)
    end = course.resolved
    if end is None:
        closed_only = course.opened is not None and not course.assumed
        ends = {CLOSED} if closed_only else {SOLVED, CLOSED}
        end = next((entry for entry in reversed(history) if entry & KIND_MASK in ends), None)
    return sorted(entry for entry in {_opening_of(history), course.responded, end} if entry is not None)


def _opening_of(history: list[int]) -> int | None:
    """The entry of the opening, or of the first reopening where there is none."""
    reopening = None
    for entry in history:
        kind = entry & KIND_MASK
        if kind == OPENED:
            return entry
        if kind == REOPENED and reopening is None:
            reopening = entry
    return reopening


def _first_response(history: list[int], opened: int, flows: list[int]) -> int | None:
    """The first reply from the opening on; those before it are added to what is counted."""
    for entry in history:
        if entry & KIND_MASK == REPLIED:
            if entry >> KIND_BITS >= opened:
                return entry
            flows.append(entry - REPLIED | FLOW_EARLY_REPLY)
    return None


def _all_times_differ(history: list[int]) -> bool:
    before = None
    for entry in history:
        at = entry >> KIND_BITS
        if at == before:
            return False
        before = at
    return True


def _untied(history: list[int]) -> list[int]:
    """The history with the entries of one millisecond in the order in which each changes something, where there is one."""
    status = _UNKNOWN
    waiting = list(history)
    ordered: list[int] = []
    while waiting:
        at = waiting[0] >> KIND_BITS
        tied = [entry for entry in waiting if entry >> KIND_BITS == at]
        chosen = next((entry for entry in tied if (status, entry & KIND_MASK) in _STEPS), tied[0])
        status = _STEPS.get((status, chosen & KIND_MASK), (status, None))[0]
        waiting.remove(chosen)
        ordered.append(chosen)
    return ordered


def _keep_first_reply(history: list[int]) -> None:
    """Drop the replies from the opening on but the first; without an opening all are kept."""
    opening = next((entry for entry in history if entry & KIND_MASK == OPENED), None)
    if opening is None:
        return
    replies = [entry for entry in history if entry & KIND_MASK == REPLIED and entry > opening]
    for entry in replies[1:]:
        history.remove(entry)
