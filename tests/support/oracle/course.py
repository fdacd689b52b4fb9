"""When an account was a customer, what it paid then and in which currency, and its renewals: asked anew for every time."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from tests.support.oracle.acceptance import Event
from tests.support.oracle.account import ACCOUNT_KINDS, late_renewals, recency

DAY_MS = 24 * 60 * 60 * 1000
NEVER = 10**18
BEGINS = ("contracted", "handed_over", "onboarded")
ENDS = ("lapsed", "cancelled")
ORDER = ("known", *BEGINS, "renewal_due", "renewed", *ENDS, "reactivated")


class Spell(NamedTuple):
    """A time as a customer without interruption: how it began, when, when it ended, and how."""

    how: str
    start: int
    end: int
    ending: str


class Customer:
    """What can be asked of one customer."""

    def __init__(self, events: Iterable[Event]) -> None:
        self.events = sorted((event for event in events if event["kind"] in ACCOUNT_KINDS - {"erased"}), key=recency)
        self.spells = _spells(sorted((event for event in self.events if event["kind"] in ORDER), key=_in_life))

    def spell_at(self, at: int) -> Spell | None:
        """The spell that it was in right before a time."""
        return next((spell for spell in self.spells if spell.start < at <= spell.end), None)

    def register(self, name: str, before: int) -> Any:
        """The newest value of a field right before a time."""
        said = [event[name] for event in self.events if event.get(name) is not None and event["occurred_at"] < before]
        return said[-1] if said else None

    def mrr(self, at: int) -> int:
        """The revenue of a customer right before a time; one of nobody who is no customer then."""
        spell = self.spell_at(at)
        if spell is None:
            return 0
        found = self.register("mrr_cents", at)
        if found is None and spell.how == "entered" and at <= spell.start + DAY_MS:
            found = next(event["mrr_cents"] for event in self.events if event.get("mrr_cents") is not None)
        return int(found or 0)

    @property
    def currency(self) -> str:
        return self.currency_at(NEVER)

    def currency_at(self, at: int) -> str:
        """The currency in force right before a time, and the first one before any was told."""
        said = [event["currency"] for event in self.events if event.get("currency") is not None]
        return str(self.register("currency", at) or (said[0] if said else ""))

    def paid_in(self, payment: Event) -> str:
        """The currency of a payment: that which it names, else that of the account as of then."""
        return str(payment.get("currency") or self.currency_at(payment["occurred_at"] + 1))

    @property
    def referred_by(self) -> str | None:
        said = [
            (event["occurred_at"], event["referred_customer_id"])
            for event in self.events
            if event["kind"] in ("lead", "trial_started", "contracted", "known") and event.get("referred_customer_id")
        ]
        return min(said)[1] if said else None

    def renewals(self) -> Iterable[tuple[int, str, int, str]]:
        """The due date of each renewal, what came of it, its revenue and the currency of that."""
        for spell, following in zip(self.spells, [*self.spells[1:], None], strict=False):
            term_began, due_last = spell.start, spell.start
            inside = [event for event in self.events if spell.start <= event["occurred_at"] < spell.end]
            made = sorted({event["occurred_at"] for event in inside if event["kind"] == "renewed"})
            for end, outcome in [*((at, "renewed") for at in made), (spell.end, spell.ending)]:
                date = self.register("renewal_at", end)
                announced = [
                    event["occurred_at"]
                    for event in self.events
                    if event["kind"] == "renewal_due" and term_began < event["occurred_at"] <= end
                ]
                due = None
                if (
                    date is not None
                    and date > due_last
                    and (outcome == "renewed" or date <= end or following is None or date <= following.start)
                ):
                    due = date
                elif announced:
                    due = announced[0]
                elif outcome == "renewed":
                    due = end
                if due is not None:
                    then = min(due, end)
                    yield due, outcome, self.mrr(then), self.currency_at(then)
                    due_last = max(due_last, due)
                term_began = end


def _spells(events: Sequence[Event]) -> list[Spell]:
    found: list[Spell] = []
    how, start, was_customer = "", 0, False
    for event in events:
        kind, at = event["kind"], event["occurred_at"]
        if kind in ENDS:
            if how:
                found.append(Spell(how, start, at, kind))
            how, was_customer = "", True
        elif kind == "renewed" and not how and found and found[-1].ending == "lapsed" and at in late_renewals(events):
            how, start, *_ = found.pop()  # as if it had never lapsed
        elif not how and kind == "known" and event.get("mrr_cents") and not was_customer:
            how, start, was_customer = "entered", at - at % DAY_MS - 1, True
        elif not how and (kind in BEGINS or kind == "reactivated"):
            how = "acquired" if kind in BEGINS and not was_customer else "reactivated"
            start, was_customer = at, True
    return [*found, Spell(how, start, NEVER, "open")] if how else found


def _in_life(event: Event) -> tuple[int, int]:
    """By time, and in one millisecond by the order of an account's life."""
    return event["occurred_at"], ORDER.index(event["kind"])
