"""The commercial figures of one customer."""

from collections.abc import Iterable
from math import log

from tests.support.oracle.acceptance import Event
from tests.support.oracle.course import DAY_MS, NEVER, Customer
from tests.support.oracle.terms import Terms, later, month_of, payments_of


def of_customer(events: Iterable[Event], as_of: int, terms: Terms) -> dict[tuple[str, int | None], float | None]:
    """The commercial figures of one customer, by name and window."""
    customer = Customer(events)
    first_day = as_of // DAY_MS - 89
    spell = customer.spell_at(NEVER)
    now = customer.register("mrr_cents", NEVER)
    before = customer.register("mrr_cents", first_day * DAY_MS)
    recent = [event for event in payments_of(customer.events) if first_day <= event["occurred_at"] // DAY_MS <= as_of // DAY_MS]
    friends = {event["referred_customer_id"] for event in customer.events if event["kind"] == "referred"}
    return {
        ("mrr_cents", None): now,
        ("seats", None): customer.register("seats", NEVER),
        ("growth_log_90d", 90): _growth(customer, now, before, first_day * DAY_MS, terms) if spell else None,
        ("seats_growth_log_90d", 90): _seats_growth(customer, first_day * DAY_MS) if spell else None,
        ("payments_late_90d", 90): sum(event["status"] == "late" for event in recent),
        ("payments_failed_90d", 90): sum(event["status"] == "failed" for event in recent),
        ("referrals", None): len(friends),
        ("months_as_customer", None): None if spell is None else _whole_months(spell.start, as_of),
        ("value_realised_cents", None): _realised(customer, terms),
    }


def _growth(customer: Customer, now: int | None, before: int | None, at: int, terms: Terms) -> float | None:
    was_in, is_in = (currency or terms.base for currency in (customer.currency_at(at), customer.currency))
    rates = {**terms.rates, terms.base: 1.0}
    same = customer.currency_at(at) == customer.currency
    if not now or not before or not (same or {was_in, is_in} <= set(rates)):
        return None
    return log(now / before) if same else log(now * rates[is_in] / (before * rates[was_in]))


def _seats_growth(customer: Customer, at: int) -> float | None:
    now, before = customer.register("seats", NEVER), customer.register("seats", at)
    return log(now / before) if now and before else None


def _whole_months(start: int, as_of: int) -> int:
    """How often the same day and time of a month came round; the end of the month where it has no such day."""
    months = 0
    while True:
        month = later(month_of(start), months + 1)
        last = later(month, 1) - 1
        if min(month + start - month_of(start), last) > as_of:
            return months
        months += 1


def _realised(customer: Customer, terms: Terms) -> float | None:
    own = customer.currency or terms.base
    rates = {**terms.rates, terms.base: 1.0}
    total = 0.0
    for event in payments_of(customer.events):
        paid_in = customer.paid_in(event) or terms.base
        if event["status"] == "paid":
            if paid_in != own and not {paid_in, own} <= set(rates):
                return None
            total += event["amount_cents"] * (1.0 if paid_in == own else rates[paid_in] / rates[own])
    return terms.margin * total
