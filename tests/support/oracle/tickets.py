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


class Answer(NamedTuple):
    """A first response or a resolution: from when to when, and by whom."""

    opened_at: int
    ended_at: int
    agent: str


class Course(NamedTuple):
    """How a ticket stands, and what is counted of it: (opened, solved, reopened, unknown_solved or early_replies, time)."""

    is_open: bool
    opened_at: int | None
    priority: str
    touchpoint: str
    flows: list[tuple[str, int]]
    first_response: Answer | None = None
    resolution: Answer | None = None


def courses(events: Iterable[Event], names: Names) -> dict[str, Course]:
    """The tickets of a customer by id."""
    mine = [event for event in events if is_ticket(event)]
    ids = {event["ticket_id"] for event in mine}
    return {ticket_id: _course([event for event in mine if event["ticket_id"] == ticket_id], names) for ticket_id in ids}


def _course(events: Sequence[Event], names: Names) -> Course:
    opened_at, is_open, flows = _walk(events)
    knows_opening = any(event["kind"] == "opened" for event in events)
    replies = sorted({event["occurred_at"] for event in events if event["kind"] == "replied"})
    first_response = resolution = None
    if knows_opening and opened_at is not None:
        flows += [("early_replies", at) for at in replies if at < opened_at]
        answered = [at for at in replies if at >= opened_at]
        if answered:
            first_response = Answer(opened_at, answered[0], _agent(events, "replied", answered[0]))
        solved = [at for kind, at in flows if kind == "solved"]
        # Solved for good: nothing opened it again, and it was not closed without a solve after that.
        last = [kind for kind, _ in flows if kind in ("opened", "solved", "reopened")][-1]
        if solved and last == "solved":
            resolution = Answer(opened_at, solved[-1], _agent(events, "solved", solved[-1]))
    priorities = [(event["occurred_at"], URGENCY.index(event["priority"])) for event in events if event["priority"]]
    touchpoints = [(event["occurred_at"], names.touchpoint(event["touchpoint"])) for event in events if event["touchpoint"]]
    priority = URGENCY[max(priorities)[1]] if priorities else "normal"
    touchpoint = max(touchpoints)[1] if touchpoints else "other"
    return Course(is_open, opened_at, priority, touchpoint, flows, first_response, resolution)


def _agent(events: Sequence[Event], kind: str, at: int) -> str:
    """Who did it; of several at one time the alphabetically first."""
    there = (event["agent_id"] for event in events if event["kind"] == kind and event["occurred_at"] == at)
    return min((agent for agent in there if agent), default="other")


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
