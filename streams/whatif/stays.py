"""Who was a customer when, and who left: from the account events of a log.

A stay begins when another system knows the account (`known`), with the contract, or with a return; it ends with a cancellation
or when the contract lapses. A customer whose account events say nothing of a beginning is one from its first event on, unless
that is a lead or a trial: these are no customers yet, and nobody loses them. Events count whether or not they came in time: what
is asked is who left, not what the pipeline was told of it.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from msgspec import Struct

from schemas.events import AccountEvent, CustomerEvent
from schemas.jsonlines import Line

NEVER: Final = 2**63 - 1
DAY_MS: Final = 86_400_000
_BEGINS: Final = ("known", "contracted", "reactivated")
_ENDS: Final = ("cancelled", "lapsed")
_NOT_YET: Final = ("lead", "trial_started")


class Stay(Struct, frozen=True, gc=False):
    """The time from `from_ms` on in which somebody was a customer; `until_ms` is NEVER for one who stays to the log's end."""

    from_ms: int
    until_ms: int


class Departure(Struct, frozen=True, gc=False):
    """Somebody stopped being a customer."""

    customer_id: str
    at_ms: int
    ending: str


class Stays(Struct, frozen=True):
    """The stays of all customers of a log from `start_ms` to `end_ms`, and the departures in order of time."""

    by_customer: Mapping[str, Sequence[Stay]]
    departures: Sequence[Departure]
    start_ms: int
    end_ms: int

    def is_customer(self, customer_id: str, at_ms: int) -> bool:
        """Whether it was a customer at that time."""
        return any(stay.from_ms <= at_ms < stay.until_ms for stay in self.by_customer.get(customer_id, ()))

    def left_within(self, customer_id: str, at_ms: int, within_ms: int) -> bool:
        """Whether a customer of that time left at most so much later."""
        return any(stay.from_ms <= at_ms < stay.until_ms <= at_ms + within_ms for stay in self.by_customer.get(customer_id, ()))

    def customers_at(self, at_ms: int) -> list[str]:
        """Who was a customer at that time."""
        return [customer_id for customer_id in self.by_customer if self.is_customer(customer_id, at_ms)]

    @property
    def customer_days(self) -> float:
        """Days that customers have been there, added up."""
        stays = [stay for mine in self.by_customer.values() for stay in mine]
        return sum(max(0, min(stay.until_ms, self.end_ms) - stay.from_ms) for stay in stays) / DAY_MS


class Chances:
    """What share of the customers of a day left within a horizon: what an alert that knows nothing would find."""

    def __init__(self, stays: Stays, horizon_ms: int) -> None:
        self._stays = stays
        self._horizon_ms = horizon_ms
        self._by_day: dict[int, float | None] = {}

    def share_at(self, at_ms: int) -> float | None:
        """The share at noon of that day; None when nobody was there."""
        day = at_ms // DAY_MS
        if day not in self._by_day:
            self._by_day[day] = self._share(day * DAY_MS + DAY_MS // 2)
        return self._by_day[day]

    def _share(self, at_ms: int) -> float | None:
        there = self._stays.customers_at(at_ms)
        left = sum(self._stays.left_within(customer_id, at_ms, self._horizon_ms) for customer_id in there)
        return left / len(there) if there else None


def stays_of(lines: Iterable[Line]) -> Stays:
    """The stays that the lines tell of."""
    turns: dict[str, dict[str, tuple[int, str]]] = {}
    first: dict[str, tuple[int, str]] = {}
    start_ms, end_ms = NEVER, 0
    for line in lines:
        event = line.value
        if not isinstance(event, CustomerEvent):
            continue
        at_ms = event.occurred_at
        start_ms, end_ms = min(start_ms, at_ms), max(end_ms, at_ms)
        customer_id = event.customer_id
        if at_ms < first.get(customer_id, (NEVER, ""))[0]:
            first[customer_id] = (at_ms, event.kind)
        if isinstance(event, AccountEvent) and event.kind in (*_BEGINS, *_ENDS):
            turns.setdefault(customer_id, {})[event.event_id] = (at_ms, event.kind)
    by_customer = {}
    departures = []
    for customer_id, (first_ms, first_kind) in sorted(first.items()):
        mine = sorted(turns.get(customer_id, {}).values())
        stays, ends = _walk(mine, None if first_kind in _NOT_YET else first_ms)
        if stays:
            by_customer[customer_id] = stays
        departures += [Departure(customer_id, at_ms, kind) for at_ms, kind in ends]
    departures.sort(key=lambda departure: (departure.at_ms, departure.customer_id))
    return Stays(by_customer, departures, min(start_ms, end_ms), end_ms)


def _walk(turns: Sequence[tuple[int, str]], begun_ms: int | None) -> tuple[list[Stay], list[tuple[int, str]]]:
    """The stays of one customer and how they ended; `begun_ms` is when it is there without a word of a beginning."""
    stays, ends = [], []
    if turns and turns[0][1] in _BEGINS and begun_ms is not None:
        begun_ms = turns[0][0] if turns[0][1] != "reactivated" else None
    for at_ms, kind in turns:
        if kind in _BEGINS:
            begun_ms = at_ms if begun_ms is None else begun_ms
        elif begun_ms is not None:
            stays.append(Stay(begun_ms, at_ms))
            ends.append((at_ms, kind))
            begun_ms = None
    if begun_ms is not None:
        stays.append(Stay(begun_ms, NEVER))
    return stays, ends
