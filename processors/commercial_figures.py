"""How the commercial figures of one customer are read from a state, and shown."""

from collections.abc import Iterator
from math import log
from typing import TYPE_CHECKING, Final

from processors import commercial, commercial_rows
from processors.health import Reading
from processors.life_course import FOREVER, is_customer
from processors.months import whole_months
from processors.readings import UNKNOWN, Reader, count, known, moving
from processors.windows import D90, DAY_MS, first_day
from schemas.records import Figure

if TYPE_CHECKING:
    from processors.definitions import Definitions
    from processors.state import CustomerState

_NO_CUSTOMER: Final = "not a customer now"
_LATE, _FAILED = 0, 1


def _growth_log(state: "CustomerState", as_of_ms: int, definitions: "Definitions") -> Reading:
    """ln(revenue now / revenue before the first of the 90 days); unknown where either is 0, untold or without a rate."""
    if not is_customer(state.commercial.steps):
        return UNKNOWN
    now = state.account.mrr_cents
    start_ms = first_day(D90, as_of_ms) * DAY_MS
    before = commercial_rows.mrr_at(state.account, start_ms)
    if not now or not before:
        return UNKNOWN
    ratio = definitions.commercial.ratio(state.account.currency_at(start_ms), state.account.currency or "")
    return UNKNOWN if ratio is None else Reading(log(now / (before * ratio)))


def _seats_growth_log(state: "CustomerState", as_of_ms: int, _definitions: "Definitions") -> Reading:
    """ln(seats now / seats before the first of the 90 days); unknown where either is 0 or untold."""
    if not is_customer(state.commercial.steps):
        return UNKNOWN
    now, before = state.account.seats, state.account.seats_at(first_day(D90, as_of_ms) * DAY_MS)
    return Reading(log(now / before)) if now and before else UNKNOWN


def _payments(place: int, state: "CustomerState", as_of_ms: int) -> int:
    failures = state.commercial.failures
    return 0 if failures is None else failures.total(D90, as_of_ms)[place]


def _payments_late(state: "CustomerState", as_of_ms: int, _definitions: "Definitions") -> Reading:
    return known(_payments(_LATE, state, as_of_ms))


def _payments_failed(state: "CustomerState", as_of_ms: int, _definitions: "Definitions") -> Reading:
    return known(_payments(_FAILED, state, as_of_ms))


def _referrals(state: "CustomerState", _as_of_ms: int, _definitions: "Definitions") -> Reading:
    return known(state.account.referrals)


def _months_as_customer(state: "CustomerState", as_of_ms: int, _definitions: "Definitions") -> Reading:
    """The whole months since it became one, or came back; of one who was one before, since we know of it."""
    span = commercial_rows.standing(state.commercial, state.account, FOREVER).span
    return UNKNOWN if span is None else Reading(float(whole_months(span.start_ms, as_of_ms)))


def _value_realised(state: "CustomerState", _as_of_ms: int, definitions: "Definitions") -> Reading:
    """Gross margin x all payments paid, in the account's currency; unknown where one was paid in a currency without a rate."""
    terms = definitions.commercial
    own = state.account.currency or terms.base_currency
    total = 0.0
    for currency, cents in commercial.paid_by_currency(state.commercial, state.account).items():
        paid_in = currency or terms.base_currency
        rate, own_rate = terms.rate(paid_in), terms.rate(own)
        if paid_in == own:
            total += cents
        elif rate is None or own_rate is None:
            return UNKNOWN
        else:
            total += cents * rate / own_rate
    return Reading(terms.gross_margin_share * total)


READERS: Final[dict[str, Reader]] = {
    "growth_log_90d": _growth_log,
    "seats_growth_log_90d": _seats_growth_log,
    "payments_late_90d": _payments_late,
    "payments_failed_90d": _payments_failed,
    "referrals": _referrals,
    "months_as_customer": _months_as_customer,
    "value_realised_cents": _value_realised,
}


def listed(state: "CustomerState", as_of_ms: int, definitions: "Definitions") -> Iterator[Figure]:
    """The commercial figures, for a snapshot."""
    account = state.account
    is_one = is_customer(state.commercial.steps)
    yield count("mrr_cents", account.mrr_cents, reason="no revenue known")
    yield count("seats", account.seats, reason="no seats known")
    growth = _growth_log(state, as_of_ms, definitions).value
    why = (
        "the revenue now or before the 90 days is 0 or unknown, or in another currency without a rate" if is_one else _NO_CUSTOMER
    )
    yield Figure(name="growth_log_90d", window_days=90, value=growth, reason=None if growth is not None else why)
    seats = _seats_growth_log(state, as_of_ms, definitions).value
    why = "the seats now or before the 90 days are 0 or unknown" if is_one else _NO_CUSTOMER
    yield count("seats_growth_log_90d", seats, days=90, reason=why)
    yield count("payments_late_90d", _payments(_LATE, state, as_of_ms), days=90)
    yield count("payments_failed_90d", _payments(_FAILED, state, as_of_ms), days=90)
    yield count("referrals", account.referrals)
    yield moving("months_as_customer", _months_as_customer(state, as_of_ms, definitions).value, _NO_CUSTOMER)
    realised = _value_realised(state, as_of_ms, definitions).value
    yield moving("value_realised_cents", realised, "paid in a currency without a rate")
