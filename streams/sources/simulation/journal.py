"""What a customer has done or will do, waiting to be handed out in the order of the records' timestamps."""

from collections.abc import Iterator
from heapq import heappop, heappush
from random import Random
from typing import Any

from schemas.events import AccountEvent, AccountKind, CustomerEvent, SurveyEvent, TicketEvent, UsageEvent, UsageKind
from schemas.jsonlines import Line
from streams.sources.lines import line_of
from streams.sources.simulation.disorder import Disorder
from streams.sources.simulation.profiles import Profile, Span


class Journal:
    """Gives events their ids and records their timestamps. What lies outside the span or after a departure is not written."""

    def __init__(self, profile: Profile, span: Span, disorder: Disorder, disorder_rng: Random) -> None:
        self._profile = profile
        self._span = span
        self._disorder = disorder
        self._disorder_rng = disorder_rng
        self._ids = 0
        self._written = 0
        self._waiting: list[tuple[int, int, Line]] = []

    def ticket(self, event: TicketEvent) -> None:
        """Write down a ticket event. A ticket is solved and closed even after its customer has left."""
        if event.kind in {"solved", "closed"} or not self._profile.is_gone(event.occurred_at):
            self._add(event, may_be_late=True)

    def usage(self, at_ms: int, kind: UsageKind, **fields: Any) -> None:
        """Write down something done with the product."""
        if not self._profile.is_gone(at_ms):
            customer_id = self._profile.customer_id
            event = UsageEvent(event_id=self.new_id("use"), customer_id=customer_id, occurred_at=at_ms, kind=kind, **fields)
            self._add(event, may_be_late=True)

    def survey(self, event: SurveyEvent) -> None:
        """Write down that a survey was sent, answered or expired."""
        if not self._profile.is_gone(event.occurred_at):
            self._add(event, may_be_late=True)

    def account(self, at_ms: int, kind: AccountKind, **fields: Any) -> None:
        """Write down a change of the account. These are never late: a cancellation that is lost would make the truth a lie."""
        customer_id = self._profile.customer_id
        event = AccountEvent(event_id=self.new_id("acc"), customer_id=customer_id, occurred_at=at_ms, kind=kind, **fields)
        self._add(event, may_be_late=False)

    def new_id(self, prefix: str) -> str:
        """An id that no other event, ticket or interaction has."""
        self._ids += 1
        return f"{prefix}-{self._profile.customer_id}-{self._ids}"

    def until(self, before_ms: int) -> Iterator[Line]:
        """The records with timestamps before this time, in their order. Nothing may be written down for earlier from then on."""
        waiting, end_ms = self._waiting, self._span.end_ms
        while waiting and waiting[0][0] < before_ms:
            timestamp_ms, _, line = heappop(waiting)
            if timestamp_ms < end_ms:
                yield line

    def _add(self, event: CustomerEvent, *, may_be_late: bool) -> None:
        if not self._span.start_ms <= event.occurred_at < self._span.end_ms or self._is_forgotten(event):
            return
        timestamp_ms = event.occurred_at + self._disorder.lag_ms(self._disorder_rng, may_be_late=may_be_late)
        self._push(timestamp_ms, event)
        repeat_ms = self._disorder.repeat_ms(self._disorder_rng)
        if repeat_ms is not None:
            self._push(timestamp_ms + repeat_ms, event)

    def _is_forgotten(self, event: CustomerEvent) -> bool:
        """Whether the customer was erased before: its tickets are closed without a record of it."""
        departure = self._profile.departure
        return departure is not None and departure.erased_at is not None and event.occurred_at > departure.erased_at

    def _push(self, timestamp_ms: int, event: CustomerEvent) -> None:
        # The running number keeps records of one millisecond in the order they were written down.
        self._written += 1
        heappush(self._waiting, (timestamp_ms, self._written, line_of(event, timestamp_ms)))
