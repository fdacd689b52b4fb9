"""History moved in time, so that it ends now."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec

from schemas.events import AccountEvent, InputEvent, SurveyEvent, Tick, TicketEvent, UsageEvent
from schemas.jsonlines import Line
from streams.sources.bad_line import BadLine

Lines = Iterable[Line | BadLine]

TIME_FIELDS: dict[type, tuple[str, ...]] = {
    TicketEvent: ("occurred_at",),
    UsageEvent: ("occurred_at",),
    SurveyEvent: ("occurred_at",),
    AccountEvent: ("occurred_at", "renewal_at", "expires_at", "muted_until"),
    Tick: ("occurred_at",),
}
"""Every field of an input record that is a point in time; the `as_of` of a tick's figures moves too."""


def shift_to_now(open_lines: Callable[[], Lines], now_ms: int) -> Iterator[Line | BadLine]:
    """The lines with every time moved by the same amount, such that the newest record's timestamp is `now_ms`.

    Order, ages and distances stay exact; the hour of the day and the day of the week change. `open_lines` is called twice, since
    the newest record must be known before the first is moved.
    """
    newest_ms = max((line.timestamp_ms for line in open_lines() if isinstance(line, Line)), default=now_ms)
    return shift(open_lines(), now_ms - newest_ms)


def shift(lines: Lines, by_ms: int) -> Iterator[Line | BadLine]:
    """The lines with every time moved by `by_ms`; bad lines pass as they are, and so does a record that is not an input."""
    for line in lines:
        if isinstance(line, BadLine) or type(line.value) not in TIME_FIELDS:
            yield line
        else:
            moved = _moved(line.value, by_ms)  # type: ignore[arg-type]  # the line above holds it to be an input
            yield msgspec.structs.replace(line, timestamp_ms=line.timestamp_ms + by_ms, value=moved)


def _moved(event: InputEvent, by_ms: int) -> InputEvent:
    changes: dict[str, Any] = {}
    for name in TIME_FIELDS[type(event)]:
        at_ms = getattr(event, name)
        if at_ms is not None:
            changes[name] = at_ms + by_ms
    if isinstance(event, Tick):
        changes["fleet"] = [msgspec.structs.replace(figure, as_of=figure.as_of + by_ms) for figure in event.fleet]
    return msgspec.structs.replace(event, **changes)
