"""What commercial figures are reckoned with: the terms of the definitions, months, and shares in percent."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from tests.support.oracle.acceptance import Event


class Terms(NamedTuple):
    """What the definitions say."""

    base: str
    rates: Mapping[str, float]
    margin: float
    grace_days: int
    cap_months: int


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


def payments_of(events: Iterable[Event]) -> list[Event]:
    return [event for event in events if event["kind"] == "payment"]


def worth_of(cents: int, currency: str, terms: Terms) -> int:
    return round(cents * terms.rates.get(currency, 1.0))


def pct(numerator: float, denominator: float) -> float | None:
    return 100 * numerator / denominator if denominator else None


def month_of(at: int) -> int:
    date = datetime.fromtimestamp(at / 1000, UTC)
    return int(datetime(date.year, date.month, 1, tzinfo=UTC).timestamp()) * 1000


def later(month: int, months: int) -> int:
    date = datetime.fromtimestamp(month / 1000, UTC)
    number = date.year * 12 + date.month - 1 + months
    return int(datetime(number // 12, number % 12 + 1, 1, tzinfo=UTC).timestamp()) * 1000
