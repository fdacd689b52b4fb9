"""How the definitions file declares the commercial side: the currency sums are told in, its rates, margin and limits."""

from msgspec import Struct

from processors.toml_tables import Table, is_number
from processors.windows import DAY_MS
from schemas.currencies import FORM, is_currency

_MAX_RATES = 64
_HIGHEST_RATE = 1e9


class Commercial(Struct, frozen=True):
    """What commercial figures are made with.

    `rates` give the worth of one unit of another currency in units of `base_currency`; amounts in a currency without a rate stand
    for themselves, and are never added to others. `renewal_grace_ms`: a renewal neither made nor cancelled that long after it was
    due has lapsed; one signed that long after a lapse undoes it. `clv_cap_months` bounds how long a customer is taken to stay.
    """

    base_currency: str
    rates: dict[str, float]
    gross_margin_share: float
    renewal_grace_ms: int
    clv_cap_months: int

    def rate(self, currency: str) -> float | None:
        """What a unit of a currency is worth in the base currency; one that is not named is the base; None without a rate."""
        return 1.0 if currency in ("", self.base_currency) else self.rates.get(currency)

    def worth(self, cents: float, currency: str | None) -> float:
        """Cents in the base currency, by which amounts are compared; in a currency without a rate they stand for themselves."""
        rate = self.rate(currency or "")
        return cents if rate is None else cents * rate

    def ratio(self, before: str, after: str) -> float | None:
        """How many units of one currency a unit of another is worth: 1 for the same; None where a rate is missing."""
        if before == after:
            return 1.0
        rate, rate_after = self.rate(before), self.rate(after)
        return None if rate is None or rate_after is None else rate / rate_after


def read(top: Table) -> Commercial:
    """The section `[commercial]`; mistakes are noted at their place."""
    table = top.table("commercial")
    base_currency = table.text("base_currency", "EUR")
    if not is_currency(base_currency):
        table.note("base_currency", f"{base_currency!r} is no currency", FORM)
    commercial = Commercial(
        base_currency=base_currency,
        rates=_rates(table, base_currency),
        gross_margin_share=table.number("gross_margin_pct", 80, least=0, most=100) / 100,
        renewal_grace_ms=table.integer("renewal_grace_days", 30, least=0, most=365) * DAY_MS,
        clv_cap_months=table.integer("clv_cap_months", 60, least=1, most=600),
    )
    table.finish()
    return commercial


def _rates(table: Table, base_currency: str) -> dict[str, float]:
    values = table.any("rates")
    if values is None:
        return {}
    if not isinstance(values, dict):
        table.note("rates", f"{values!r} is not what belongs here", "a table, for example { USD = 0.92 }")
        return {}
    if len(values) > _MAX_RATES:
        table.note("rates", f"there are {len(values)} of them", f"at most {_MAX_RATES}")
    rates = {}
    for currency, rate in values.items():
        if not is_number(rate) or not 0 < rate <= _HIGHEST_RATE:
            table.note(f"rates.{currency}", f"{rate!r} is not a rate", f"how many {base_currency} one {currency} is worth")
        elif currency == base_currency:
            table.note(f"rates.{currency}", "is the base currency itself", "only other currencies")
        elif not is_currency(currency):
            table.note(f"rates.{currency}", f"{currency!r} is no currency", FORM)
        else:
            rates[currency] = float(rate)
    return rates
