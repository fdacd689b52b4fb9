"""What is played: events of customers, simulated or from a log, in the order of time, and the truth about each."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from heapq import merge
from itertools import takewhile
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from processors.windows import DAY_MS
from schemas.events import TicketEvent
from schemas.jsonlines import Line
from streams.demo.options import DEFAULT_CUSTOMERS, DEFAULT_DAYS, DemoOptions
from streams.shift import shift
from streams.sources.bad_line import BadLine, SourceUnreadableError
from streams.sources.lines import line_of
from streams.sources.servicenow import read_servicenow
from streams.sources.simulation.profiles import Span
from streams.sources.simulator import Simulation, Truth, simulate, truths, truths_of, with_customers

KEEP_DAYS: Final = 365
"""How far `--keep` can go into the future."""

_KEEP_NOTE: Final = "after the present an imagined future goes on, a day a second, until interrupted or the broker is nearly full"

EVENTS_MAX: Final = 32_000
"""About what fits into the time of a demo."""
EVENTS_A_DAY: Final = 0.85
"""What the simulator makes of one customer, tickets aside."""
_SHORTEST_DAYS: Final = 14


class Story(Struct, frozen=True, kw_only=True):
    """Lines in order of time from `start_ms` to `end_ms`; those after `now_ms` are an imagined future.

    `truths` knows each customer by id. `notes` say in words what is played and what was left out.
    """

    lines: Iterator[Line]
    truths: Mapping[str, Truth]
    start_ms: int
    now_ms: int
    end_ms: int
    notes: Sequence[str]


def story_of(options: DemoOptions, now_ms: int) -> Story:
    """The story that the options ask for, ending at `now_ms`.

    Raises SourceUnreadableError when the log cannot be read or has no events.
    """
    told = _from_log(options.log, options, now_ms) if options.log is not None else _simulated(options, now_ms)
    return msgspec.structs.replace(told, notes=(*told.notes, _KEEP_NOTE)) if options.keep else told


def _simulated(options: DemoOptions, now_ms: int) -> Story:
    customers = options.customers or DEFAULT_CUSTOMERS
    days = options.days or DEFAULT_DAYS
    ahead_days = KEEP_DAYS if options.keep else 0
    end_ms = now_ms + ahead_days * DAY_MS
    simulation = Simulation(customers=customers, days=days + ahead_days, seed=options.seed, end_ms=end_ms)
    return Story(
        lines=_until(simulate(simulation), end_ms),
        truths={truth.customer_id: truth for truth in truths(simulation)},
        start_ms=now_ms - days * DAY_MS,
        now_ms=now_ms,
        end_ms=end_ms,
        notes=(f"{customers} simulated customers over {days} days, seed {options.seed}",),
    )


class Excerpt(Struct, frozen=True, kw_only=True):
    """The part of a log that is played, by its own times: from `start_ms` to `end_ms`, both included."""

    start_ms: int
    end_ms: int
    events: Sequence[TicketEvent]


def busiest(events: Sequence[TicketEvent], days: int) -> Excerpt:
    """The `days` of a log, given in order of time, that hold the most of its events; the earliest of equals."""
    length_ms = days * DAY_MS
    best, first = (0, 0), 0
    for last, event in enumerate(events):
        while event.occurred_at - events[first].occurred_at > length_ms:
            first += 1
        if last - first > best[1] - best[0]:
            best = (first, last)
    chosen = events[best[0] : best[1] + 1]
    end_ms = chosen[-1].occurred_at
    start_ms = max(events[0].occurred_at, end_ms - length_ms) if best[0] else events[0].occurred_at
    return Excerpt(start_ms=start_ms, end_ms=end_ms, events=chosen)


def days_that_fit(customers: int) -> int:
    """How many days of so many customers make the events of one demo."""
    return max(_SHORTEST_DAYS, int(EVENTS_MAX / (customers * EVENTS_A_DAY)))


def _from_log(path: Path, options: DemoOptions, now_ms: int) -> Story:
    found = list(read_servicenow(path))
    events = [event for event in found if not isinstance(event, BadLine)]
    if not events:
        raise SourceUnreadableError(f"{path}: there is no event in it")
    all_callers = Counter(event.customer_id for event in events)
    callers = {caller for caller, _ in all_callers.most_common(options.customers or len(all_callers))}
    events = [event for event in events if event.customer_id in callers]
    excerpt = busiest(events, options.days or days_that_fit(len(callers)))
    ids = sorted({event.customer_id for event in excerpt.events})
    end_ms = now_ms + (KEEP_DAYS * DAY_MS if options.keep else 0)
    start_ms = now_ms - (excerpt.end_ms - excerpt.start_ms)
    span = Span(start_ms, end_ms)
    tickets = _only_lines(shift((line_of(event) for event in excerpt.events), now_ms - excerpt.end_ms))
    lines = merge(tickets, with_customers(ids, span, options.seed), key=lambda line: line.timestamp_ms)
    total = len(found) - sum(isinstance(one, BadLine) for one in found)
    played_days = (excerpt.end_ms - excerpt.start_ms) / DAY_MS
    played = f"{len(excerpt.events):,} of the log's {total:,} ticket events, of {len(ids)} of its {len(all_callers)} callers"
    notes = [f"{played}: its busiest {played_days:.0f} days, moved to end now"]
    if len(found) > total:
        notes.append(f"{len(found) - total:,} lines of the log could not be read and were left out")
    notes.append(f"usage, answers and contracts of the same customers are simulated, seed {options.seed}")
    return Story(
        lines=_until(lines, end_ms),
        truths={truth.customer_id: truth for truth in truths_of(ids, span, options.seed)},
        start_ms=start_ms,
        now_ms=now_ms,
        end_ms=end_ms,
        notes=notes,
    )


def _only_lines(lines: Iterable[Line | BadLine]) -> Iterator[Line]:
    return (line for line in lines if isinstance(line, Line))


def _until(lines: Iterable[Line], end_ms: int) -> Iterator[Line]:
    return takewhile(lambda line: line.timestamp_ms <= end_ms, lines)
