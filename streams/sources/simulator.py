"""Simulated customers: everything they do in some months, and the truth about each.

A seed says everything: the same seed, span and disorder give the same lines, and a customer is the same however many others are
simulated beside it. Lines come in order of their timestamps, while memory holds one open day of each customer.
"""

import json
from collections.abc import Iterable, Iterator
from heapq import merge

from msgspec import Struct

from schemas.jsonlines import Line
from schemas.times import format_time
from streams.sources.simulation.chance import DAY_MS
from streams.sources.simulation.customer import lines_of
from streams.sources.simulation.disorder import TIDY, Disorder
from streams.sources.simulation.profiles import Profile, Span, profile_of

__all__ = ["TIDY", "Disorder", "Simulation", "Truth", "format_truth", "simulate", "truths", "truths_of", "with_customers"]

_TICKETS_TOPIC = "cs.tickets"
_FRIEND_DISTANCE = 5  # customer k may bring along customer k xor 5: a pairing that does not depend on how many there are


class Simulation(Struct, frozen=True, kw_only=True):
    """What is simulated: how many customers, over the days before `end_ms` (epoch ms), from which seed, how untidily."""

    customers: int
    days: int
    seed: int
    end_ms: int
    disorder: Disorder = Disorder()

    @property
    def span(self) -> Span:
        """The simulated time."""
        return Span(self.end_ms - self.days * DAY_MS, self.end_ms)


class Truth(Struct, frozen=True, kw_only=True):
    """What nobody can know from the events alone. Times are epoch milliseconds.

    `churned_at` is when the customer cancelled or lapsed within the span, `reason` why (also of one who lapsed without a word).
    `signs` is what there was to see before, from `signs_from` on: empty for those who leave out of the blue. A customer who stays
    may have had a bad time too. `contracted` is False for a trial that led to nothing.
    """

    customer_id: str
    character: str
    contracted: bool
    churned_at: int | None
    ending: str | None
    reason: str | None
    reactivated_at: int | None
    signs: list[str]
    signs_from: int | None


def simulate(simulation: Simulation) -> Iterator[Line]:
    """All lines of a simulation, in order of their timestamps."""
    span = simulation.span
    streams = []
    for number in range(1, simulation.customers + 1):
        profile = profile_of(_customer_id(number), simulation.seed, span)
        friend_id = _customer_id(number ^ _FRIEND_DISTANCE)
        streams.append(lines_of(profile, simulation.seed, span, simulation.disorder, friend_id))
    return _merged(streams)


def truths(simulation: Simulation) -> Iterator[Truth]:
    """The truth about each customer of a simulation, in order of their numbers."""
    for number in range(1, simulation.customers + 1):
        yield _truth(profile_of(_customer_id(number), simulation.seed, simulation.span), simulation.span)


def with_customers(ids: Iterable[str], span: Span, seed: int, *, disorder: Disorder = TIDY) -> Iterator[Line]:
    """Usage, surveys and account events of given customers, whose tickets come from elsewhere.

    They bring nobody along, and questions about tickets are left out with the tickets.
    """
    streams = [lines_of(profile_of(one, seed, span), seed, span, disorder, None) for one in ids]
    return (line for line in _merged(streams) if line.topic != _TICKETS_TOPIC and getattr(line.value, "ticket_id", None) is None)


def truths_of(ids: Iterable[str], span: Span, seed: int) -> Iterator[Truth]:
    """The truth about given customers, in their order."""
    for one in ids:
        yield _truth(profile_of(one, seed, span), span)


def format_truth(truth: Truth) -> str:
    """The truth about a customer as a JSON line, with times in RFC 3339."""
    fields = {name: getattr(truth, name) for name in truth.__struct_fields__}
    for name in ("churned_at", "reactivated_at", "signs_from"):
        if fields[name] is not None:
            fields[name] = format_time(fields[name])
    return json.dumps(fields, ensure_ascii=False)


def _merged(streams: list[Iterator[Line]]) -> Iterator[Line]:
    return merge(*streams, key=lambda line: line.timestamp_ms)


def _customer_id(number: int) -> str:
    return f"customer-{number:06}"


def _truth(profile: Profile, span: Span) -> Truth:
    departure, trouble = profile.departure, profile.character.trouble
    spell = next((spell for spell in profile.spells if spell.trouble is trouble and spell.from_ms < span.end_ms), None)
    contracted = profile.arrival is None or profile.arrival.contracted_at is not None
    return Truth(
        customer_id=profile.customer_id,
        character=profile.character.name,
        contracted=contracted,
        churned_at=None if departure is None else departure.at,
        ending=None if departure is None else "lapsed" if departure.lapsed else "cancelled",
        reason=None if departure is None else departure.reason,
        reactivated_at=None if departure is None else departure.back_at,
        signs=[] if spell is None else list(spell.trouble.signs),
        signs_from=None if spell is None else spell.from_ms,
    )
