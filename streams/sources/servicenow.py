"""A ServiceNow incident audit log (CSV) as ticket events.

Each row of the log is the state of an incident after a change. An incident becomes one ticket, its caller the customer. The
states become kinds: the first row opens the ticket; the first Active or Awaiting is `replied`; Resolved is `solved`; leaving
Resolved or Closed for New, Active or Awaiting is `reopened`; Closed is `closed`. Rows that keep the state say nothing. An event
carries the priority of its row: a change of priority alone has no kind and shows with the next event.

The choices that the format leaves open:

- Rows are put in order of `sys_updated_at`; rows of one minute keep their order in the file.
- An incident belongs to its first known caller for good, or its ticket would be opened at one customer and solved at another.
- A ticket is opened at the first row's `opened_at`, or, where that is missing, the next row's that has one. It is never opened
  after the first thing that happened to it (its first reply, say): the log is older than its own opening in places.
- `resolved_at` and `closed_at` are not read: they contradict the history in places.
- A row that cannot be understood is a `BadLine`, and the incident goes on without it.
"""

from collections.abc import Iterator
from operator import attrgetter
from pathlib import Path

from schemas.events import Priority, TicketEvent, TicketKind
from streams.sources.bad_line import BadLine, SourceUnreadableError
from streams.sources.servicenow_rows import Row, rows_of

_PRIORITIES: dict[str, Priority] = {"1": "urgent", "2": "high", "3": "normal", "4": "low"}
_REPLIED_STATES = ("Active", "Awaiting")
_OVER_STATES = ("Resolved", "Closed")
_NO_CALLER = "caller_id is missing in every row of this incident, and an event needs its customer"


def read_servicenow(path: Path, *, touchpoint: str = "support") -> Iterator[TicketEvent | BadLine]:
    """The bad lines of the log as they are found, then its events in order of `occurred_at`.

    Sorting needs the whole: memory grows with the rows (about 300 bytes each), not with the length of their texts.
    Raises `SourceUnreadableError` when the file cannot be opened or lacks a column that is needed.
    """
    incidents: dict[str, list[Row]] = {}
    try:
        for row in rows_of(path):
            if isinstance(row, BadLine):
                yield row
            else:
                incidents.setdefault(row.number, []).append(row)
    except OSError as error:
        raise SourceUnreadableError(f"{path}: {error.strerror or error}") from error
    events: list[TicketEvent] = []
    for rows in incidents.values():
        caller = _first_caller(rows)
        if caller is None:
            yield from (BadLine(line_number=row.line_number, message=_NO_CALLER) for row in rows)
        else:
            events.extend(_events_of(rows, caller, touchpoint))
    # The sort is stable, so the events of one minute keep the order of their incidents in the file, and of their rows.
    events.sort(key=attrgetter("occurred_at"))
    yield from events


def _first_caller(rows: list[Row]) -> str | None:
    rows.sort(key=attrgetter("updated_at", "line_number"))
    return next((row.caller for row in rows if row.caller is not None), None)


def _events_of(rows: list[Row], caller: str, touchpoint: str) -> Iterator[TicketEvent]:
    """The events of one incident, whose rows stand in order of time."""
    for count, (occurred_at, kind, row) in enumerate(_history(rows), start=1):
        yield TicketEvent(
            event_id=f"servicenow-{row.number}-{count}-{kind}",
            customer_id=caller,
            occurred_at=occurred_at,
            kind=kind,
            ticket_id=row.number,
            priority=_PRIORITIES[row.priority],
            touchpoint=touchpoint,
            channel=row.channel,
            agent_id=row.agent,
            requester_id=row.caller or caller,
        )


def _history(rows: list[Row]) -> Iterator[tuple[int, TicketKind, Row]]:
    steps = list(_steps(rows))
    opened_at = next((row.opened_at for row in rows if row.opened_at is not None), rows[0].updated_at)
    yield min([opened_at, *(at for at, _, _ in steps)]), "opened", rows[0]
    yield from steps


def _steps(rows: list[Row]) -> Iterator[tuple[int, TicketKind, Row]]:
    """What happened after the opening, in order of time."""
    state, replied = "New", False
    for row in rows:
        for kind in _kinds_of_step(state, row.state):
            yield row.updated_at, kind, row
        if row.state in _REPLIED_STATES and not replied:
            replied = True
            yield row.updated_at, "replied", row
        state = row.state


def _kinds_of_step(old: str, new: str) -> tuple[TicketKind, ...]:
    """What a step from one state to another means, replies aside. A ticket that is over is not solved or closed a second time."""
    if new == old:
        return ()
    if new == "Resolved":
        return () if old == "Closed" else ("solved",)
    if new == "Closed":
        return ("closed",)
    return ("reopened",) if old in _OVER_STATES else ()
