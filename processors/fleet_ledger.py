"""The fleet's commercial counts by month, over all customers or in one currency, and its levels at the start of any month."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final

from processors import commercial_rows
from processors.fleet_view import FleetView
from processors.months import month_start
from processors.windows import DAY_MS

Row = Counter[str]
"""Counts and cents by the names of `processors.commercial_rows`; 0 for what was not counted."""

_Day = tuple[int, tuple[int, ...]]
_COUNTED: Final = 4
"""So many places of the renewals are counts, the others cents."""

_NEVER: Final = 2**62
_CAME: Final = ("entered", "acquired", "reactivated")


class Ledger:
    """Counts added up over some currencies, cents in one of them; `note` says what is left out."""

    def __init__(self, view: FleetView, rates: Mapping[str, float], note: str | None = None) -> None:
        self.note = note
        self.months = _rows(view, commercial_rows.BY_MONTH, commercial_rows.MONTH_PLACES, rates)
        self.years = _rows(view, commercial_rows.BY_YEAR, commercial_rows.YEAR_PLACES, rates)
        _add_moves(self.months, view, commercial_rows.MOVED_BY_MONTH, rates)
        _add_moves(self.years, view, commercial_rows.MOVED_BY_YEAR, rates)
        self.payments = _rows(view, commercial_rows.PAYMENTS, commercial_rows.PAYMENT_PLACES, rates)
        self._renewals = _by_month(view, rates)
        self.now = Row()
        for currency, rate in rates.items():
            customers, mrr_cents, with_mrr = view.total(commercial_rows.CUSTOMERS_NOW, currency) or (0, 0, 0)
            (paid_cents,) = view.total(commercial_rows.PAID, currency) or (0,)
            self.now.update({"customers": customers, "with_mrr": with_mrr})
            self.now.update({"mrr_cents": _worth(mrr_cents, rate), "paid_cents": _worth(paid_cents, rate)})
        self._any_referral = any(n for (n,) in view.buckets(commercial_rows.REFERRALS, "").values())
        self._sorted_months = sorted(self.months)
        self._levels = self._levels_at_their_starts()

    @property
    def first_month(self) -> int:
        """The first month in which anything happened."""
        return min((*self.months, *self.payments, *self._renewals), default=_NEVER)

    @property
    def referrers_are_told(self) -> bool:
        """Whether new customers say who referred them, as far as anybody was referred: else their number cannot be known."""
        return not self._any_referral or any(row["acquired_by_referral"] for row in self.months.values())

    def level(self, month: int) -> Row:
        """The customers and their revenue right before a month: those of now, without all that happened since."""
        return self._levels[bisect_left(self._sorted_months, month)]

    def _levels_at_their_starts(self) -> list[Row]:
        """The level at the start of each month in which something happened, and at last that of now."""
        levels = [Row({"customers": self.now["customers"], "mrr_cents": self.now["mrr_cents"]})]
        for month in reversed(self._sorted_months):
            row, after = self.months[month], levels[-1]
            came = sum(row[how] for how in _CAME) - row["losses"] - row["erased"]
            gained = sum(row[f"{how}_mrr"] for how in _CAME) + row["expansion_mrr"] + row["moved_in_mrr"]
            gone = row["contraction_mrr"] + row["churned_mrr"] + row["erased_mrr"] + row["moved_out_mrr"]
            levels.append(Row({"customers": after["customers"] - came, "mrr_cents": after["mrr_cents"] - gained + gone}))
        return levels[::-1]

    def within(self, start_ms: int, until_ms: int) -> Row:
        """What happened in the months from one on to before another."""
        total = Row()
        for month in self._sorted_months:
            if start_ms <= month < until_ms:
                total.update(self.months[month])
        return total

    def renewals(self, start_ms: int, until_ms: int, as_of_ms: int, grace_ms: int) -> Row:
        """The renewals that came due in a period, up to the day of `as_of_ms`, and what has come of them.

        Who has neither renewed nor cancelled when the grace is over has lapsed, as has whoever was said to.
        """
        due = [
            one for month, days in self._renewals.items() if start_ms <= month < until_ms for one in days if one[0] <= as_of_ms
        ]
        found = _summed(counts for _, counts in due)
        over = _open(_summed(counts for day, counts in due if day + DAY_MS + grace_ms <= as_of_ms))
        found["within_grace"] = _open(found)["lapsed"] - over["lapsed"]
        found.update(over)
        return found

    def overdue(self, as_of_ms: int, grace_ms: int) -> Row:
        """The renewals of any time that are neither made nor cancelled nor said to have lapsed though the grace is over."""
        days = (one for days in self._renewals.values() for one in days)
        return _open(_summed(counts for day, counts in days if day + DAY_MS + grace_ms <= as_of_ms))


def ledgers(view: FleetView) -> tuple[Ledger, dict[str, Ledger]]:
    """The customers of all currencies together, and the money: what has a rate in the base, and each other currency for itself.

    The keys of the second are what the dimension of such a figure ends with.
    """
    terms = view.definitions.commercial
    figures = (
        commercial_rows.BY_MONTH,
        commercial_rows.PAYMENTS,
        commercial_rows.RENEWALS,
        commercial_rows.CUSTOMERS_NOW,
        commercial_rows.PAID,
    )
    counted = {currency for figure in figures for currency in view.dimensions(figure)}
    for figure in (commercial_rows.MOVED_BY_MONTH, commercial_rows.MOVED_BY_YEAR):
        counted.update(currency for dimension in view.dimensions(figure) for currency in commercial_rows.moved(dimension))
    currencies = sorted(counted)
    rates = {currency: rate for currency in currencies if (rate := terms.rate(currency)) is not None}
    alone = [currency for currency in currencies if currency not in rates]
    note = f"in {terms.base_currency}" + (f"; without {', '.join(alone)}, for which there is no rate" if alone else "")
    moneys = {"": Ledger(view, rates, note)}
    moneys.update({f"/{currency}": Ledger(view, {currency: 1.0}, f"in {currency}") for currency in alone})
    return Ledger(view, dict.fromkeys(currencies, 1.0)), moneys


def _rows(view: FleetView, figure: str, places: tuple[str, ...], rates: Mapping[str, float]) -> dict[int, Row]:
    """A flow by the start of its buckets, added up over currencies."""
    found: dict[int, Row] = {}
    for currency, rate in rates.items():
        for start_ms, counts in view.buckets(figure, currency).items():
            worth = _row(places, counts, rate)
            other = found.get(start_ms)
            found[start_ms] = worth if other is None else Row({place: other[place] + worth[place] for place in places})
    return found


@lru_cache(maxsize=4096)
def _row(places: tuple[str, ...], counts: tuple[int, ...], rate: float) -> Row:
    """Counts by their names, money in the base; the past hardly changes, so the same rows are asked for at every publication."""
    money = ("_mrr", "_cents")
    named = zip(places, counts, strict=True)
    return Row({place: _worth(count, rate) if place.endswith(money) else count for place, count in named})


def _add_moves(into: dict[int, Row], view: FleetView, figure: str, rates: Mapping[str, float]) -> None:
    """Add the revenue of customers whose currency changed: what it is more or less where both have a rate, else that it moved.

    All that moved between the same two currencies in the same period is compared as one sum.
    """
    for dimension in view.dimensions(figure):
        before, after = (rates.get(currency) for currency in commercial_rows.moved(dimension))
        for start_ms, (_, from_cents, to_cents) in view.buckets(figure, dimension).items():
            row = into[start_ms] = Row(into.get(start_ms, Row()))  # a row of its own: those of `_row` are shared
            if before is not None and after is not None:
                gained = _worth(to_cents, after) - _worth(from_cents, before)
                row["expansion_mrr"] += max(0, gained)
                row["contraction_mrr"] += max(0, -gained)
            elif before is not None:
                row["moved_out_mrr"] += _worth(from_cents, before)
            elif after is not None:
                row["moved_in_mrr"] += _worth(to_cents, after)


def _by_month(view: FleetView, rates: Mapping[str, float]) -> dict[int, list[_Day]]:
    """The days on which renewals are due, by their month; one of several currencies is there several times."""
    found: dict[int, list[_Day]] = {}
    for currency, rate in rates.items():
        for day, counts in view.buckets(commercial_rows.RENEWALS, currency).items():
            worth = counts if rate == 1.0 else (*counts[:_COUNTED], *(_worth(cents, rate) for cents in counts[_COUNTED:]))
            found.setdefault(month_start(day), []).append((day, worth))
    return found


def _summed(renewals: Iterable[tuple[int, ...]]) -> Row:
    return Row(dict(zip(commercial_rows.RENEWAL_PLACES, map(sum, zip(*renewals, strict=True)), strict=False)))


def _open(renewals: Row) -> Row:
    """Those that are neither made nor cancelled nor said to have lapsed, as the lapsed ones that they are after the grace."""
    decided = ("renewed", "cancelled", "lapsed")
    return Row(
        lapsed=renewals["due"] - sum(renewals[place] for place in decided),
        lapsed_mrr=renewals["due_mrr"] - sum(renewals[f"{place}_mrr"] for place in decided),
    )


def _worth(cents: int, rate: float) -> int:
    """Cents of another currency in the base, to the cent."""
    return cents if rate == 1.0 else round(cents * rate)
