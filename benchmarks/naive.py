"""What anybody would think of first, to hold the default rules against. Computed from the plain lines.

Two rules: the latest CSAT answer was bad; usage is half of what it was. The second one also in stricter versions, because a rule
that opens seldom is more often right: they show what it is worth at any recall.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from schemas.events import CustomerEvent, SurveyEvent, UsageEvent
from schemas.jsonlines import Line
from streams.whatif.stays import DAY_MS, NEVER, Stays
from streams.whatif.told import Episode

LATEST_BAD: Final = "naive: latest CSAT answer bad"
USAGE_HALVED: Final = "naive: usage halved"
USAGE_FELL: Final = (
    (USAGE_HALVED, 0.5, 0.75),
    ("naive: usage down to a quarter", 0.25, 0.5),
    ("naive: usage down to a tenth", 0.1, 0.3),
)
"""Name, and the shares of the uses of 30 days before at which it opens and above which it ends."""
_LEAST_USES: Final = 4

Event = Any


def episodes(lines: Iterable[Line], stays: Stays) -> list[Episode]:
    """What the rules would have opened, in order of time."""
    history: defaultdict[str, dict[str, Event]] = defaultdict(dict)
    for line in lines:
        if isinstance(line.value, CustomerEvent):
            history[line.value.customer_id].setdefault(line.value.event_id, line.value)
    found: list[Episode] = []
    for customer_id, by_id in history.items():
        events = sorted(by_id.values(), key=lambda event: event.occurred_at)
        spans = [(LATEST_BAD, *span) for span in _latest_bad(events)]
        for name, opens_at, ends_above in USAGE_FELL:
            spans += [(name, *span) for span in _usage_fell(events, stays, opens_at, ends_above)]
        found += [
            Episode(customer_id=customer_id, rule=rule, opened_ms=opened_ms, ended_ms=ended_ms, severity="warning")
            for rule, opened_ms, ended_ms in spans
            if stays.is_customer(customer_id, opened_ms)
        ]
    return sorted(found, key=lambda episode: episode.opened_ms)


def _latest_bad(events: Sequence[Event]) -> Iterator[tuple[int, int]]:
    """From a bad answer to the next good one, of whomever."""
    opened_ms = None
    for event in events:
        if not isinstance(event, SurveyEvent) or event.survey != "csat" or event.score is None:
            continue
        good = event.score >= {"good_bad": 1, "1_5": 4, "1_7": 5}[event.scale or "1_5"]
        if opened_ms is None and not good:
            opened_ms = event.occurred_at
        elif opened_ms is not None and good:
            yield opened_ms, event.occurred_at
            opened_ms = None
    if opened_ms is not None:
        yield opened_ms, NEVER


def _usage_fell(events: Sequence[Event], stays: Stays, opens_at: float, ends_above: float) -> Iterator[tuple[int, int]]:
    """From when the uses of the last 30 days are at most such a share of those of the 30 before until they are above the other.

    It is looked at once a day.
    """
    by_day: defaultdict[int, int] = defaultdict(int)
    for event in events:
        if isinstance(event, UsageEvent) and event.kind in ("feature_used", "session"):
            by_day[event.occurred_at // DAY_MS] += event.quantity or 1
    first_day, last_day = stays.start_ms // DAY_MS, stays.end_ms // DAY_MS
    recent = before = 0
    opened_ms = None
    for day in range(first_day, last_day + 1):
        recent += by_day[day] - by_day[day - 30]
        before += by_day[day - 30] - by_day[day - 60]
        holds = day >= first_day + 60 and before >= _LEAST_USES and recent <= opens_at * before
        if holds and opened_ms is None:
            opened_ms = (day + 1) * DAY_MS
        elif opened_ms is not None and recent > ends_above * before:
            yield opened_ms, (day + 1) * DAY_MS
            opened_ms = None
    if opened_ms is not None:
        yield opened_ms, NEVER
