"""The commercial figures, by looking at each customer right before a month began and right before it was over.

Nothing is counted along the way: who was a customer at a time, and what it paid, is told anew for every question.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from math import log
from typing import Any, NamedTuple

from tests.support.oracle.acceptance import Event
from tests.support.oracle.account import ACCOUNT_KINDS, recency

DAY_MS = 24 * 60 * 60 * 1000
NEVER = 10**18
BEGINS = ("contracted", "handed_over", "onboarded")
ENDS = ("lapsed", "cancelled")
ORDER = ("known", *BEGINS, "renewal_due", "renewed", *ENDS, "reactivated")

REASONS = ("competitor", "dissatisfaction", "attitude", "price", "no_need", "other")

Found = dict[tuple[str, str], float | None]


class Terms(NamedTuple):
    """What the definitions say."""

    base: str
    rates: Mapping[str, float]
    margin: float
    grace_days: int
    cap_months: int


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
        self.spells = list(_spells(sorted((event for event in self.events if event["kind"] in ORDER), key=_in_life)))

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


def commercial(customers: Mapping[str, Iterable[Event]], as_of: int, terms: Terms) -> Found:
    """Every figure of the fleet by name and dimension."""
    everybody = [Customer(events) for events in customers.values()]
    currencies = {""} | {event.get("currency") or "" for one in everybody for event in one.events}
    groups = {"": [currency for currency in currencies if currency in ("", terms.base) or currency in terms.rates]}
    groups |= {f"/{currency}": [currency] for currency in currencies if currency not in groups[""]}
    found: Found = {}
    this_month = _month(as_of)
    for back in range(24, -1, -1):
        month = _later(this_month, -back)
        values = _month_s(everybody, month, groups, as_of, terms)
        name = datetime.fromtimestamp(month / 1000, UTC).strftime("%Y-%m")
        found |= {(figure, name + suffix): value for (figure, suffix), value in values.items()}
        if back == 1:
            found |= values
    found |= _departures(everybody, as_of) | _overdue(everybody, groups, as_of, terms)
    return found | _year_s(everybody, this_month, groups, as_of, terms) | _now_s(everybody, this_month, groups, terms)


def _month_s(everybody: Sequence[Customer], month: int, groups: Mapping[str, list[str]], as_of: int, terms: Terms) -> Found:
    found = _period(everybody, month, _later(month, 1), ("at_month_start", "in_month"), groups, as_of, terms)
    inside = [event for one in everybody for event in one.events if month <= event["occurred_at"] < _later(month, 1)]
    for status in ("late", "failed"):
        found[f"payments_{status}_in_month", ""] = sum(event.get("status") == status for event in _payments(inside))
    for suffix, currencies in groups.items():
        found["payments_received_in_month_cents", suffix] = sum(
            _worth(event["amount_cents"], one.paid_in(event), terms)
            for one in everybody
            for event in _payments(one.events)
            if event["status"] == "paid" and month <= event["occurred_at"] < _later(month, 1) and one.paid_in(event) in currencies
        )
    first = [
        min(
            event["occurred_at"]
            for event in one.events
            if event["kind"] == "referred" and event["referred_customer_id"] == friend
        )
        for one in everybody
        for friend in {event["referred_customer_id"] for event in one.events if event["kind"] == "referred"}
    ]
    found["referrals_in_month", ""] = sum(month <= at < _later(month, 1) for at in first)
    entered = [spell for one in everybody for spell in one.spells if spell.how == "entered"]
    found["customers_already_there_first_heard_of_in_month", ""] = sum(
        month <= spell.start < _later(month, 1) for spell in entered
    )
    return found


def _year_s(everybody: Sequence[Customer], this_month: int, groups: Mapping[str, list[str]], as_of: int, terms: Terms) -> Found:
    names = ("at_start_of_trailing_12_months", "in_trailing_12_months")
    return _period(everybody, _later(this_month, -12), this_month, names, groups, as_of, terms)


def _period(
    everybody: Sequence[Customer],
    start: int,
    until: int,
    names: tuple[str, str],
    groups: Mapping[str, list[str]],
    as_of: int,
    terms: Terms,
) -> Found:
    at_start, within = names
    there = [one for one in everybody if one.spell_at(start)]
    kept = [one for one in there if one.spell_at(start) == one.spell_at(until)]
    begun = [(one, spell) for one in everybody for spell in one.spells if start <= spell.start < until]
    ended = [spell for one in everybody for spell in one.spells if start <= spell.end < until]
    new = [one for one, spell in begun if spell.how == "acquired"]
    found: Found = {
        (f"customers_{at_start}", ""): len(there),
        (f"logo_churn_rate_of_customers_{at_start}_pct", ""): _pct(len(there) - len(kept), len(there)),
        (f"retention_rate_of_customers_{at_start}_pct", ""): _pct(len(kept), len(there)),
        (f"customers_acquired_{within}", ""): len(new),
        (f"customers_acquired_by_referral_{within}", ""): _came_by_referral(everybody, new),
        (f"customers_reactivated_{within}", ""): sum(spell.how == "reactivated" for _, spell in begun),
        (f"customers_lost_{within}", ""): len(ended),
    }
    found |= _due(everybody, start, until, within, "renewals", lambda _cents, _currency: 1, as_of, terms)
    for suffix, currencies in groups.items():

        def worth(cents: int, currency: str, mine: list[str] = currencies) -> int:
            return _worth(cents, currency, terms) if currency in mine else 0

        def paid(one: Customer, at: int, worth: Any = worth) -> int:
            return int(worth(one.mrr(at), one.currency_at(at)))

        same = [one for one in there if one.currency_at(start) == one.currency_at(until)]
        total = sum(paid(one, start) for one in there)
        least = sum(min(paid(one, start), paid(one, until)) for one in same)
        net = sum(paid(one, until) for one in same if one in kept)
        gained = sum(max(0, paid(one, until) - paid(one, start)) for one in same if one in kept)
        moves = {(one.currency_at(start), one.currency_at(until)) for one in kept if one not in same}
        for before, after in moves:
            moved = [one for one in kept if (one.currency_at(start), one.currency_at(until)) == (before, after)]
            was, now = sum(paid(one, start) for one in moved), sum(paid(one, until) for one in moved)
            if before in currencies and after in currencies:
                least, net, gained = least + min(was, now), net + now, gained + max(0, now - was)
            else:
                least, net = least + was, net + was
        found[f"mrr_{at_start}_cents", suffix] = total
        found[f"grr_of_mrr_{at_start}_pct", suffix] = _pct(least, total)
        found[f"nrr_of_mrr_{at_start}_pct", suffix] = _pct(net, total)
        found[f"expansion_rate_of_mrr_{at_start}_pct", suffix] = _pct(gained, total)
        sold = sum(
            worth(_sold(one, event), one.currency_at(event["occurred_at"] + 1))
            for one in everybody
            for event in one.events
            if start <= event["occurred_at"] < until
        )
        found[f"cross_sell_rate_of_mrr_{at_start}_pct", suffix] = _pct(sold, total)
        won = 0
        for one in everybody:
            month = start
            while month < until:
                first = [spell for spell in one.spells if month <= spell.start < _later(month, 1)][:1]
                won += sum(paid(one, _later(month, 1)) for spell in first if spell.how == "acquired")
                month = _later(month, 1)
        found[f"acquisition_rate_of_mrr_{at_start}_pct", suffix] = _pct(won, total)
        due = _due(everybody, start, until, within, "mrr", worth, as_of, terms)
        found |= {(figure, suffix): value for (figure, _), value in due.items()}
    return found


def _came_by_referral(everybody: Sequence[Customer], new: Sequence[Customer]) -> int | None:
    """How many of the new ones were referred; unknown where customers were referred and no new one ever said by whom."""
    any_referral = any(event["kind"] == "referred" for one in everybody for event in one.events)
    any_told = any(one.referred_by and any(spell.how == "acquired" for spell in one.spells) for one in everybody)
    return sum(one.referred_by is not None for one in new) if any_told or not any_referral else None


def _due(
    everybody: Sequence[Customer], start: int, until: int, within: str, name: str, weight: Any, as_of: int, terms: Terms
) -> Found:
    """The renewals due in a period up to the day of now: those made, and those neither made nor cancelled after the grace."""
    total = made = lapsed = 0
    for one in everybody:
        for due, outcome, cents, currency in one.renewals():
            day = due - due % DAY_MS
            if start <= day < until and day <= as_of:
                total += weight(cents, currency)
                made += weight(cents, currency) if outcome == "renewed" else 0
                grace_is_over = day + DAY_MS + terms.grace_days * DAY_MS <= as_of
                lapsed += weight(cents, currency) if outcome == "lapsed" or (outcome == "open" and grace_is_over) else 0
    return {
        (f"renewal_rate_of_{name}_due_{within}_pct", ""): _pct(made, total),
        (f"lapse_rate_of_{name}_due_{within}_pct", ""): _pct(lapsed, total),
    }


def _departures(everybody: Sequence[Customer], as_of: int) -> Found:
    """Who left, and why: the first reason that a cancellation named from then on, until the customer was back."""
    found: Found = {}
    for days in (30, 90, 365):
        why = []
        for one in everybody:
            for spell, following in zip(one.spells, [*one.spells[1:], None], strict=False):
                back = NEVER if following is None else following.start
                if spell.end < NEVER and as_of // DAY_MS - days < spell.end // DAY_MS <= as_of // DAY_MS:
                    said = [
                        (event["occurred_at"], REASONS.index(event["reason"]))
                        for event in one.events
                        if event["kind"] == "cancelled" and event.get("reason") and spell.end <= event["occurred_at"] < back
                    ]
                    why.append(REASONS[min(said)[1]] if said else "lapsed" if spell.ending == "lapsed" else "untold")
        found[f"departures_{days}d", ""] = len(why)
        found[f"share_of_departures_with_a_reason_{days}d_pct", ""] = _pct(sum(reason in REASONS for reason in why), len(why))
        for reason in (*REASONS, "lapsed", "untold"):
            found[f"departures_by_reason_{days}d", reason] = why.count(reason)
            found[f"share_of_departures_by_reason_{days}d_pct", reason] = _pct(why.count(reason), len(why))
    return found


def _overdue(everybody: Sequence[Customer], groups: Mapping[str, list[str]], as_of: int, terms: Terms) -> Found:
    """Customers of now whose renewal is neither made nor cancelled after the grace."""
    late = [
        (cents, currency)
        for one in everybody
        for due, outcome, cents, currency in one.renewals()
        if outcome == "open" and due - due % DAY_MS + DAY_MS + terms.grace_days * DAY_MS <= as_of
    ]
    found: Found = {("customers_overdue_beyond_grace", ""): len(late)}
    for suffix, currencies in groups.items():
        sums = (_worth(cents, currency, terms) for cents, currency in late if currency in currencies)
        found["mrr_overdue_beyond_grace_cents", suffix] = sum(sums)
    return found


def _now_s(everybody: Sequence[Customer], this_month: int, groups: Mapping[str, list[str]], terms: Terms) -> Found:
    months = [_later(this_month, -back) for back in range(1, 13)]
    there = [one for month in months for one in everybody if one.spell_at(month)]
    lost = sum(
        one.spell_at(month) is not None and one.spell_at(month) != one.spell_at(_later(month, 1))
        for month in months
        for one in everybody
    )
    churn = _pct(lost, len(there))
    stay = None if churn is None else float(terms.cap_months) if not churn else min(100 / churn, terms.cap_months)
    found: Found = {
        ("mean_logo_churn_rate_of_customers_at_month_start_over_trailing_12_months_pct", ""): churn,
        ("customers_now", ""): sum(one.spell_at(NEVER) is not None for one in everybody),
        ("customer_lifetime_months_by_monthly_churn_of_trailing_12_months", ""): stay,
        ("clv_in_months_of_arpa_by_monthly_churn_of_trailing_12_months", ""): None if stay is None else terms.margin * stay,
    }
    for suffix, currencies in groups.items():
        cents = [_worth(one.mrr(NEVER), one.currency, terms) for one in everybody if one.currency in currencies]
        paying = sum(one > 0 for one in cents)
        arpa = sum(cents) / paying if paying else None
        found["mrr_now_cents", suffix] = sum(cents)
        found["arpa_of_customers_with_mrr_now_cents", suffix] = arpa
        found["clv_by_monthly_churn_of_trailing_12_months_cents", suffix] = (
            None if arpa is None or stay is None else terms.margin * arpa * stay
        )
        found["value_realised_so_far_cents", suffix] = terms.margin * sum(
            _worth(event["amount_cents"], one.paid_in(event), terms)
            for one in everybody
            for event in _payments(one.events)
            if event["status"] == "paid" and one.paid_in(event) in currencies
        )
    return found


def terms_of(read: Mapping[str, Any]) -> Terms:
    """The terms of a definitions file."""
    said = read.get("commercial", {})
    return Terms(
        said.get("base_currency", "EUR"),
        said.get("rates", {}),
        said.get("gross_margin_pct", 80) / 100,
        said.get("renewal_grace_days", 30),
        said.get("clv_cap_months", 60),
    )


def of_customer(events: Iterable[Event], as_of: int, terms: Terms) -> dict[tuple[str, int | None], float | None]:
    """The commercial figures of one customer, by name and window."""
    customer = Customer(events)
    first_day = as_of // DAY_MS - 89
    spell = customer.spell_at(NEVER)
    now = customer.register("mrr_cents", NEVER)
    before = customer.register("mrr_cents", first_day * DAY_MS)
    recent = [event for event in _payments(customer.events) if first_day <= event["occurred_at"] // DAY_MS <= as_of // DAY_MS]
    friends = {event["referred_customer_id"] for event in customer.events if event["kind"] == "referred"}
    return {
        ("mrr_cents", None): now,
        ("seats", None): customer.register("seats", NEVER),
        ("growth_log_90d", 90): _growth(customer, now, before, first_day * DAY_MS, terms) if spell else None,
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


def _whole_months(start: int, as_of: int) -> int:
    """How often the same day and time of a month came round; the end of the month where it has no such day."""
    months = 0
    while True:
        month = _later(_month(start), months + 1)
        last = _later(month, 1) - 1
        if min(month + start - _month(start), last) > as_of:
            return months
        months += 1


def _realised(customer: Customer, terms: Terms) -> float | None:
    own = customer.currency or terms.base
    rates = {**terms.rates, terms.base: 1.0}
    total = 0.0
    for event in _payments(customer.events):
        paid_in = customer.paid_in(event) or terms.base
        if event["status"] == "paid":
            if paid_in != own and not {paid_in, own} <= set(rates):
                return None
            total += event["amount_cents"] * (1.0 if paid_in == own else rates[paid_in] / rates[own])
    return terms.margin * total


def _spells(events: Sequence[Event]) -> Iterable[Spell]:
    how, start, was_customer = "", 0, False
    for event in events:
        kind, at = event["kind"], event["occurred_at"]
        if kind in ENDS:
            if how:
                yield Spell(how, start, at, kind)
            how, was_customer = "", True
        elif not how and kind == "known" and event.get("mrr_cents") and not was_customer:
            how, start, was_customer = "entered", at - at % DAY_MS - 1, True
        elif not how and (kind in BEGINS or kind == "reactivated"):
            how = "acquired" if kind in BEGINS and not was_customer else "reactivated"
            start, was_customer = at, True
    if how:
        yield Spell(how, start, NEVER, "open")


def _sold(one: Customer, event: Event) -> int:
    """What a cross-sale brought: by how much the revenue rose with it, else its price."""
    at = event["occurred_at"]
    if event["kind"] != "cross_sold" or one.spell_at(at + 1) is None:
        return 0
    if event.get("mrr_cents") is not None:
        return max(0, one.mrr(at + 1) - one.mrr(at)) if one.currency_at(at) == one.currency_at(at + 1) else 0
    return int(event.get("amount_cents") or 0)


def _payments(events: Iterable[Event]) -> list[Event]:
    return [event for event in events if event["kind"] == "payment"]


def _worth(cents: int, currency: str, terms: Terms) -> int:
    return round(cents * terms.rates.get(currency, 1.0))


def _pct(numerator: float, denominator: float) -> float | None:
    return 100 * numerator / denominator if denominator else None


def _in_life(event: Event) -> tuple[int, int]:
    """By time, and in one millisecond by the order of an account's life."""
    return event["occurred_at"], ORDER.index(event["kind"])


def _month(at: int) -> int:
    date = datetime.fromtimestamp(at / 1000, UTC)
    return int(datetime(date.year, date.month, 1, tzinfo=UTC).timestamp()) * 1000


def _later(month: int, months: int) -> int:
    date = datetime.fromtimestamp(month / 1000, UTC)
    number = date.year * 12 + date.month - 1 + months
    return int(datetime(number // 12, number % 12 + 1, 1, tzinfo=UTC).timestamp()) * 1000
