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
FLOWS: Final = 4

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
    """

    is_open: bool
    opened: int | None
    assumed: bool
    flows: list[int]


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
    for entry in history if _all_times_differ(history) else _untied(history):
        kind = entry & KIND_MASK
        step = _STEPS.get((status, kind))
        if step is None:
            continue
        status, flow = step
        if flow is not None:
            flows.append(entry - kind | flow)
        if kind == OPENED:
            opened, assumed = entry >> KIND_BITS, False
        elif opened is None and status == _OPEN:
            opened, assumed = entry >> KIND_BITS, True
    return Course(status == _OPEN, opened, assumed, flows)


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
    """Drop the oldest entries but the opening until `most` are left, and say whether any was dropped."""
    if len(history) <= most:
        return False
    while len(history) > most:
        del history[1 if history[0] & KIND_MASK == OPENED else 0]
    return True


def at_rest(history: list[int]) -> list[int]:
    """What a ticket that is done still needs: its opening, or the reopening that stands for it, and its newest end."""
    opening = next((entry for entry in history if entry & KIND_MASK == OPENED), None)
    if opening is None:
        opening = next((entry for entry in history if entry & KIND_MASK == REOPENED), None)
    end = next((entry for entry in reversed(history) if entry & KIND_MASK in {SOLVED, CLOSED}), None)
    return sorted(entry for entry in (opening, end) if entry is not None)


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
