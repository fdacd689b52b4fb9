"""Each ticket's course, from its events in the order of time.

Open is what was opened and neither solved nor closed since. Opened, solved or reopened twice changes nothing. A ticket first
heard of by its reopening counts as opened then, unless an opening is known.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from tests.support.oracle.acceptance import Event
from tests.support.oracle.events import Names, is_ticket

KINDS = ("opened", "replied", "solved", "reopened", "closed")
URGENCY = ("low", "normal", "high", "urgent")


class Course(NamedTuple):
    """How a ticket stands, and what is counted of it: (opened, solved, reopened or unknown_solved, time)."""

    is_open: bool
    opened_at: int | None
    priority: str
    touchpoint: str
    flows: list[tuple[str, int]]


def courses(events: Iterable[Event], names: Names) -> dict[str, Course]:
    """The tickets of a customer by id."""
    mine = [event for event in events if is_ticket(event)]
    ids = {event["ticket_id"] for event in mine}
    return {ticket_id: _course([event for event in mine if event["ticket_id"] == ticket_id], names) for ticket_id in ids}


def _course(events: Sequence[Event], names: Names) -> Course:
    opened_at, is_open, flows = _walk(events)
    priorities = [(event["occurred_at"], URGENCY.index(event["priority"])) for event in events if event["priority"]]
    touchpoints = [(event["occurred_at"], names.touchpoint(event["touchpoint"])) for event in events if event["touchpoint"]]
    priority = URGENCY[max(priorities)[1]] if priorities else "normal"
    return Course(is_open, opened_at, priority, max(touchpoints)[1] if touchpoints else "other", flows)


def _walk(events: Sequence[Event]) -> tuple[int | None, bool, list[tuple[str, int]]]:
    """Follow what happened: time of opening, whether it is open now, and what counts."""
    happened = sorted({(event["occurred_at"], KINDS.index(event["kind"])) for event in events})
    openings = [entry for entry in happened if KINDS[entry[1]] == "opened"]
    waiting = [entry for entry in happened if entry not in openings[1:]]
    is_open: bool | None = None
    opened_at: int | None = None
    flows = []
    while waiting:
        # Of what happened in one millisecond, the first that changes something goes first.
        at_once = [entry for entry in waiting if entry[0] == waiting[0][0]]
        at, code = next((entry for entry in at_once if _matters(KINDS[entry[1]], is_open)), at_once[0])
        waiting.remove((at, code))
        kind = KINDS[code]
        if not _matters(kind, is_open):
            continue
        if kind == "opened" or (kind == "reopened" and opened_at is None):
            opened_at = at
        if kind != "closed":
            flows.append(("unknown_solved" if kind == "solved" and is_open is None else kind, at))
        is_open = kind in {"opened", "reopened"}
    return opened_at, bool(is_open), flows


def _matters(kind: str, is_open: bool | None) -> bool:
    """Whether it changes a ticket that is open, done, or unknown (None)."""
    if kind == "opened":
        return True
    if kind == "reopened":
        return not is_open
    return kind in {"solved", "closed"} and is_open is not False
