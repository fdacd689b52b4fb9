"""The fleet's commercial figures, by looking at each customer right before a month began and right before it was over.

Nothing is counted along the way: who was a customer at a time, and what it paid, is told anew for every question.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from tests.support.oracle.acceptance import Event
from tests.support.oracle.course import DAY_MS, NEVER, Customer
from tests.support.oracle.terms import Terms, later, month_of, payments_of, pct, worth_of

REASONS = ("competitor", "dissatisfaction", "attitude", "price", "no_need", "other")

Found = dict[tuple[str, str], float | None]


def commercial(customers: Mapping[str, Iterable[Event]], as_of: int, terms: Terms) -> Found:
    """Every figure of the fleet by name and dimension."""
    everybody = [Customer(events) for events in customers.values()]
    currencies = {""} | {event.get("currency") or "" for one in everybody for event in one.events}
    groups = {"": [currency for currency in currencies if currency in ("", terms.base) or currency in terms.rates]}
    groups |= {f"/{currency}": [currency] for currency in currencies if currency not in groups[""]}
    found: Found = {}
    this_month = month_of(as_of)
    for back in range(24, -1, -1):
        month = later(this_month, -back)
        values = _month_s(everybody, month, groups, as_of, terms)
        name = datetime.fromtimestamp(month / 1000, UTC).strftime("%Y-%m")
        found |= {(figure, name + suffix): value for (figure, suffix), value in values.items()}
        if back == 1:
            found |= values
    found |= _departures(everybody, as_of) | _overdue(everybody, groups, as_of, terms)
    return found | _year_s(everybody, this_month, groups, as_of, terms) | _now_s(everybody, this_month, groups, terms)


def _month_s(everybody: Sequence[Customer], month: int, groups: Mapping[str, list[str]], as_of: int, terms: Terms) -> Found:
    found = _period(everybody, month, later(month, 1), ("at_month_start", "in_month"), groups, as_of, terms)
    inside = [event for one in everybody for event in one.events if month <= event["occurred_at"] < later(month, 1)]
    for status in ("late", "failed"):
        found[f"payments_{status}_in_month", ""] = sum(event.get("status") == status for event in payments_of(inside))
    for suffix, currencies in groups.items():
        found["payments_received_in_month_cents", suffix] = sum(
            worth_of(event["amount_cents"], one.paid_in(event), terms)
            for one in everybody
            for event in payments_of(one.events)
            if event["status"] == "paid" and month <= event["occurred_at"] < later(month, 1) and one.paid_in(event) in currencies
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
    found["referrals_in_month", ""] = sum(month <= at < later(month, 1) for at in first)
    entered = [spell for one in everybody for spell in one.spells if spell.how == "entered"]
    found["customers_already_there_first_heard_of_in_month", ""] = sum(
        month <= spell.start < later(month, 1) for spell in entered
    )
    return found


def _year_s(everybody: Sequence[Customer], this_month: int, groups: Mapping[str, list[str]], as_of: int, terms: Terms) -> Found:
    names = ("at_start_of_trailing_12_months", "in_trailing_12_months")
    return _period(everybody, later(this_month, -12), this_month, names, groups, as_of, terms)


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
        (f"logo_churn_rate_of_customers_{at_start}_pct", ""): pct(len(there) - len(kept), len(there)),
        (f"retention_rate_of_customers_{at_start}_pct", ""): pct(len(kept), len(there)),
        (f"customers_acquired_{within}", ""): len(new),
        (f"customers_acquired_by_referral_{within}", ""): _came_by_referral(everybody, new),
        (f"customers_reactivated_{within}", ""): sum(spell.how == "reactivated" for _, spell in begun),
        (f"customers_lost_{within}", ""): len(ended),
    }
    found |= _due(everybody, start, until, within, "renewals", lambda _cents, _currency: 1, as_of, terms)
    for suffix, currencies in groups.items():

        def worth(cents: int, currency: str, mine: list[str] = currencies) -> int:
            return worth_of(cents, currency, terms) if currency in mine else 0

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
        found[f"grr_of_mrr_{at_start}_pct", suffix] = pct(least, total)
        found[f"nrr_of_mrr_{at_start}_pct", suffix] = pct(net, total)
        found[f"expansion_rate_of_mrr_{at_start}_pct", suffix] = pct(gained, total)
        sold = sum(
            worth(_sold(one, event), one.currency_at(event["occurred_at"] + 1))
            for one in everybody
            for event in one.events
            if start <= event["occurred_at"] < until
        )
        found[f"cross_sell_rate_of_mrr_{at_start}_pct", suffix] = pct(sold, total)
        won = 0
        for one in everybody:
            month = start
            while month < until:
                first = [spell for spell in one.spells if month <= spell.start < later(month, 1)][:1]
                won += sum(paid(one, later(month, 1)) for spell in first if spell.how == "acquired")
                month = later(month, 1)
        found[f"acquisition_rate_of_mrr_{at_start}_pct", suffix] = pct(won, total)
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
        (f"renewal_rate_of_{name}_due_{within}_pct", ""): pct(made, total),
        (f"lapse_rate_of_{name}_due_{within}_pct", ""): pct(lapsed, total),
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
        found[f"share_of_departures_with_a_reason_{days}d_pct", ""] = pct(sum(reason in REASONS for reason in why), len(why))
        for reason in (*REASONS, "lapsed", "untold"):
            found[f"departures_by_reason_{days}d", reason] = why.count(reason)
            found[f"share_of_departures_by_reason_{days}d_pct", reason] = pct(why.count(reason), len(why))
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
        sums = (worth_of(cents, currency, terms) for cents, currency in late if currency in currencies)
        found["mrr_overdue_beyond_grace_cents", suffix] = sum(sums)
    return found


def _now_s(everybody: Sequence[Customer], this_month: int, groups: Mapping[str, list[str]], terms: Terms) -> Found:
    months = [later(this_month, -back) for back in range(1, 13)]
    there = [one for month in months for one in everybody if one.spell_at(month)]
    lost = sum(
        one.spell_at(month) is not None and one.spell_at(month) != one.spell_at(later(month, 1))
        for month in months
        for one in everybody
    )
    churn = pct(lost, len(there))
    stay = None if churn is None else float(terms.cap_months) if not churn else min(100 / churn, terms.cap_months)
    found: Found = {
        ("mean_logo_churn_rate_of_customers_at_month_start_over_trailing_12_months_pct", ""): churn,
        ("customers_now", ""): sum(one.spell_at(NEVER) is not None for one in everybody),
        ("customer_lifetime_months_by_monthly_churn_of_trailing_12_months", ""): stay,
        ("clv_in_months_of_arpa_by_monthly_churn_of_trailing_12_months", ""): None if stay is None else terms.margin * stay,
    }
    for suffix, currencies in groups.items():
        cents = [worth_of(one.mrr(NEVER), one.currency, terms) for one in everybody if one.currency in currencies]
        paying = sum(one > 0 for one in cents)
        arpa = sum(cents) / paying if paying else None
        found["mrr_now_cents", suffix] = sum(cents)
        found["arpa_of_customers_with_mrr_now_cents", suffix] = arpa
        found["clv_by_monthly_churn_of_trailing_12_months_cents", suffix] = (
            None if arpa is None or stay is None else terms.margin * arpa * stay
        )
        found["value_realised_so_far_cents", suffix] = terms.margin * sum(
            worth_of(event["amount_cents"], one.paid_in(event), terms)
            for one in everybody
            for event in payments_of(one.events)
            if event["status"] == "paid" and one.paid_in(event) in currencies
        )
    return found


def _sold(one: Customer, event: Event) -> int:
    """What a cross-sale brought: by how much the revenue rose with it, else its price."""
    at = event["occurred_at"]
    if event["kind"] != "cross_sold" or one.spell_at(at + 1) is None:
        return 0
    if event.get("mrr_cents") is not None:
        return max(0, one.mrr(at + 1) - one.mrr(at)) if one.currency_at(at) == one.currency_at(at + 1) else 0
    return int(event.get("amount_cents") or 0)
