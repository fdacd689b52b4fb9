"""The fleet's commercial figures: churn, retention, renewals, revenue kept and gained, lifetime value.

Calendar months in UTC, 24 complete ones and the one that runs, and the 12 months that end with the last complete one. A figure of
a month has the month as its dimension; that of the last complete month stands under the empty one as well. Sums of money are in
the base currency, from all currencies that have a rate; each other currency stands for itself, its dimension ending in `/USD`.

The formulas are those of the trade (GRR and NRR as in SaaS metrics: what remains of the revenue at the start, without and with
expansion). Who leaves and comes back within a period is lost to it in the customers, and in NRR, which leaves returning accounts
out; GRR looks at the revenue at both ends only, and takes the lesser of them. So GRR may be above NRR where many came back. Who
comes back in another currency is lost to GRR too.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from msgspec.structs import replace

from processors import commercial_rows, fleet_departures
from processors.fleet_ledger import Ledger, Row, ledgers
from processors.fleet_view import FleetValue, FleetView
from processors.months import month_name, month_start, months_later

MONTHS_SHOWN: Final = 24
_TRAILING: Final = commercial_rows.TRAILING_MONTHS
_NOBODY: Final = "there were no customers at the start"
_NO_REVENUE: Final = "there was no revenue at the start"
_NONE_DUE: Final = "no renewal was due"
_NO_REFERRER: Final = "customers were referred, but no event of a new one says by whom (referred_customer_id)"
_STILL: Final = "they are customers in churn, retention and revenue until an event says that they lapsed or cancelled"
_SO_FAR: Final = "the month so far"


class _Period(NamedTuple):
    """A month, or the trailing twelve: where it begins and ends, how its figures are called, and what it counts."""

    start_ms: int
    until_ms: int
    at_start: str
    within: str


def figures(view: FleetView) -> Iterator[FleetValue]:
    """All commercial figures."""
    this_month = month_start(view.as_of_ms)
    everybody, moneys = ledgers(view)
    first = min((everybody.first_month, *view.buckets(commercial_rows.REFERRALS, "")))
    for month in (months_later(this_month, -back) for back in range(MONTHS_SHOWN, -1, -1)):
        if month >= first or month == months_later(this_month, -1):
            yield from _month(view, everybody, moneys, month, this_month)
    yield from _trailing(view, everybody, moneys, this_month)
    yield from _now(view, everybody, moneys, this_month)
    yield from _overdue(view, everybody, moneys)
    yield from fleet_departures.figures(view)


def _month(view: FleetView, everybody: Ledger, moneys: dict[str, Ledger], month: int, this_month: int) -> Iterator[FleetValue]:
    """The figures of a month, those of the last complete one twice: under its name, and as the newest."""
    period = _Period(month, months_later(month, 1), "at_month_start", "in_month")
    row = everybody.months.get(month, Row())
    name, note = month_name(month), _SO_FAR if month == this_month else None
    made = [("", value) for value in _logos(period, everybody, row, row)]
    referrals = view.buckets(commercial_rows.REFERRALS, "").get(month, (0,))[0]
    made += [("", value) for value in _events(row, everybody.payments.get(month, Row()), referrals)]
    made += [("", value) for value in _renewals(period, everybody, view, ("renewals", ""))]
    for suffix, money in moneys.items():
        inside = money.months.get(month, Row())
        made += [(suffix, value) for value in _revenue(period, money, inside, inside)]
        made += [(suffix, value) for value in _renewals(period, money, view, ("mrr", "_mrr"))]
        received = money.payments.get(month, Row())["paid_cents"]
        made.append((suffix, FleetValue(figure="payments_received_in_month_cents", value=received)))
    for suffix, value in made:
        yield _placed(value, name + suffix, note)
        if month == months_later(this_month, -1):
            yield _placed(value, suffix, name)


def _trailing(view: FleetView, everybody: Ledger, moneys: dict[str, Ledger], this_month: int) -> Iterator[FleetValue]:
    """The figures of the twelve months that end with the last complete one."""
    within = f"in_trailing_{_TRAILING}_months"
    overdue = everybody.overdue(view.as_of_ms, view.definitions.commercial.renewal_grace_ms)["lapsed"]
    with_overdue = f"{overdue} customers are overdue beyond the grace and not counted as lost" if overdue else None
    period = _Period(months_later(this_month, -_TRAILING), this_month, f"at_start_of_trailing_{_TRAILING}_months", within)
    last = months_later(this_month, -1)
    note = f"{month_name(period.start_ms)} to {month_name(last)}"
    for value in _logos(period, everybody, everybody.years.get(last, Row()), everybody.within(period.start_ms, this_month)):
        yield _placed(value, "", "; ".join((note, with_overdue)) if with_overdue and value.figure.endswith("_pct") else note)
    for value in _renewals(period, everybody, view, ("renewals", "")):
        yield _placed(value, "", note)
    for suffix, money in moneys.items():
        for value in _revenue(period, money, money.years.get(last, Row()), money.within(period.start_ms, this_month)):
            yield _placed(value, suffix, note)
        for value in _renewals(period, money, view, ("mrr", "_mrr")):
            yield _placed(value, suffix, note)


def _now(view: FleetView, everybody: Ledger, moneys: dict[str, Ledger], this_month: int) -> Iterator[FleetValue]:
    """How many there are and what they pay, what a customer is worth, and what was realised so far."""
    terms = view.definitions.commercial
    churn, months = _monthly_churn(everybody, this_month)
    yield churn
    yield FleetValue(figure="customers_now", value=everybody.now["customers"])
    stay, capped = _months_of_stay(churn.value, terms.clv_cap_months)
    stay_note = f"capped at {terms.clv_cap_months} months" if capped else None
    yield FleetValue(
        figure="customer_lifetime_months_by_monthly_churn_of_trailing_12_months",
        value=stay,
        n=months,
        note=stay_note,
        reason=churn.reason,
    )
    yield FleetValue(
        figure="clv_in_months_of_arpa_by_monthly_churn_of_trailing_12_months",
        value=None if stay is None else terms.gross_margin_share * stay,
        n=round((churn.denominator or 0) / months) if months else 0,
        note=stay_note,
        reason=churn.reason,
    )
    for suffix, money in moneys.items():
        paying, mrr_cents = money.now["with_mrr"], money.now["mrr_cents"]
        arpa = mrr_cents / paying if paying else None
        none_pays = None if paying else "no customer has a revenue"
        yield FleetValue(figure="mrr_now_cents", dimension=suffix, value=mrr_cents, n=int(paying), note=money.note)
        yield FleetValue(
            figure="arpa_of_customers_with_mrr_now_cents",
            dimension=suffix,
            value=arpa,
            numerator=mrr_cents,
            denominator=paying,
            reason=none_pays,
        )
        worth = None if stay is None or arpa is None else terms.gross_margin_share * arpa * stay
        yield FleetValue(
            figure="clv_by_monthly_churn_of_trailing_12_months_cents",
            dimension=suffix,
            value=worth,
            n=months,
            reason=churn.reason or none_pays,
            note=stay_note,
        )
        realised = terms.gross_margin_share * money.now["paid_cents"]
        yield FleetValue(figure="value_realised_so_far_cents", dimension=suffix, value=realised, note=money.note)


def _overdue(view: FleetView, everybody: Ledger, moneys: dict[str, Ledger]) -> Iterator[FleetValue]:
    """Who is a customer with a renewal neither made nor cancelled after the grace.

    Such a renewal has lapsed, and so it counts in the lapse rates. Whether the customer is lost only an event says: until then it
    is one in churn, retention and revenue.
    """
    grace_ms = view.definitions.commercial.renewal_grace_ms
    yield FleetValue(
        figure="customers_overdue_beyond_grace", value=everybody.overdue(view.as_of_ms, grace_ms)["lapsed"], note=_STILL
    )
    for suffix, money in moneys.items():
        cents = money.overdue(view.as_of_ms, grace_ms)["lapsed_mrr"]
        yield FleetValue(figure="mrr_overdue_beyond_grace_cents", dimension=suffix, value=cents, note=money.note)


def _monthly_churn(everybody: Ledger, this_month: int) -> tuple[FleetValue, int]:
    """The customers lost of those at the start of their month / those at the start, over up to twelve complete months."""
    months = [months_later(this_month, -back) for back in range(1, _TRAILING + 1)]
    levels = {month: everybody.level(month)["customers"] for month in months}
    measured = [month for month in months if levels[month] > 0]
    lost = sum(everybody.months.get(month, Row())["lost_of_start"] for month in measured)
    name = f"mean_logo_churn_rate_of_customers_at_month_start_over_trailing_{_TRAILING}_months_pct"
    value = _share(name, lost, sum(levels[month] for month in measured), _NOBODY)
    note = None if len(measured) == _TRAILING else f"from {len(measured)} of {_TRAILING} months"
    return _placed(value, "", note), len(measured)


def _months_of_stay(churn_pct: float | None, cap_months: int) -> tuple[float | None, bool]:
    """1 / monthly churn, at most the cap; and whether the cap was reached."""
    if churn_pct is None:
        return None, False
    stay = 100 / churn_pct if churn_pct else cap_months
    return float(min(stay, cap_months)), stay >= cap_months


def _logos(period: _Period, everybody: Ledger, kept: Row, within: Row) -> Iterator[FleetValue]:
    """Customers: how many there were at the start, how many of them were lost, and how many came."""
    start = everybody.level(period.start_ms)["customers"]
    yield FleetValue(figure=f"customers_{period.at_start}", value=start)
    churn = _share(f"logo_churn_rate_of_customers_{period.at_start}_pct", kept["lost_of_start"], start, _NOBODY)
    yield churn
    yield _share(f"retention_rate_of_customers_{period.at_start}_pct", start - kept["lost_of_start"], start, _NOBODY)
    for place in ("acquired", "reactivated"):
        yield FleetValue(figure=f"customers_{place}_{period.within}", value=within[place])
    came, told = within["acquired_by_referral"], everybody.referrers_are_told
    yield FleetValue(
        figure=f"customers_acquired_by_referral_{period.within}",
        value=came if told else None,
        numerator=came,
        denominator=within["acquired"],
        reason=None if told else _NO_REFERRER,
    )
    yield FleetValue(figure=f"customers_lost_{period.within}", value=within["losses"])


def _events(row: Row, payments: Row, referrals: int) -> Iterator[FleetValue]:
    """What else happened in a month."""
    yield FleetValue(figure="customers_already_there_first_heard_of_in_month", value=row["entered"])
    yield FleetValue(figure="referrals_in_month", value=referrals)
    for status in ("late", "failed"):
        yield FleetValue(figure=f"payments_{status}_in_month", value=payments[status])


def _revenue(period: _Period, money: Ledger, kept: Row, within: Row) -> Iterator[FleetValue]:
    """Revenue: how much there was at the start, what remained of it, and what was gained beside it."""
    level = money.level(period.start_ms)
    start, customers = level["mrr_cents"], level["customers"]
    remains = start - kept["contraction_mrr"] - kept["churned_mrr"]
    yield FleetValue(figure=f"mrr_{period.at_start}_cents", value=start, note=money.note)
    moved = (
        f"{kept['moved_out_mrr']} cents are now in a currency without a rate: kept as they were"
        if kept["moved_out_mrr"]
        else None
    )
    for name, numerator in (
        ("grr", remains + kept["returned_mrr"]),
        ("nrr", remains + kept["expansion_mrr"]),
        ("expansion_rate", kept["expansion_mrr"]),
        ("cross_sell_rate", within["cross_sold_mrr"]),
        ("acquisition_rate", within["acquired_mrr"]),
    ):
        value = _share(f"{name}_of_mrr_{period.at_start}_pct", numerator, start, _NO_REVENUE)
        yield _placed(replace(value, n=int(customers)), "", moved if name in ("grr", "nrr") else None)


def _renewals(period: _Period, ledger: Ledger, view: FleetView, of: tuple[str, str]) -> Iterator[FleetValue]:
    """Of the renewals due in the period: those made, and those that lapsed, by their number or their revenue."""
    name, suffix = of
    due = ledger.renewals(period.start_ms, period.until_ms, view.as_of_ms, view.definitions.commercial.renewal_grace_ms)
    total = due[f"due{suffix}"]
    open_now = int(due["within_grace"])
    note = f"{open_now} of them may still be renewed within the grace" if open_now else None
    for rate, place in (("renewal", "renewed"), ("lapse", "lapsed")):
        value = _share(f"{rate}_rate_of_{name}_due_{period.within}_pct", due[f"{place}{suffix}"], total, _NONE_DUE)
        yield _placed(value, "", note)


def _share(figure: str, numerator: float, denominator: float, reason: str) -> FleetValue:
    """A share in percent; without a value where there is nothing to divide by."""
    if denominator <= 0:
        return FleetValue(figure=figure, numerator=numerator, denominator=denominator, reason=reason)
    return FleetValue(figure=figure, value=100 * numerator / denominator, numerator=numerator, denominator=denominator)


def _placed(value: FleetValue, dimension: str, note: str | None) -> FleetValue:
    """The figure under a dimension, with a note beside the one it has."""
    notes = [one for one in (note, value.note) if one]
    return FleetValue(
        figure=value.figure,
        dimension=dimension,
        value=value.value,
        numerator=value.numerator,
        denominator=value.denominator,
        n=value.n,
        reason=value.reason,
        note="; ".join(notes) or None,
    )
