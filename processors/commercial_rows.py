"""What one account contributes to the fleet's commercial months, years and days of renewal.

`rows` tells it from the course of the account's life and its revenue, and only where something happens. A month begins with its
first millisecond: what a customer was *at the start* is what it was right before. Amounts are cents of monthly recurring revenue,
in the currency of the account at that time, from those who are customers at the time. What one pays in another currency than
before is no revenue gained or lost: it moves, and whether it is more or less is told where rates are known.
"""

from collections import defaultdict
from itertools import pairwise
from typing import Final, NamedTuple, get_args

from msgspec import Struct, field

from processors import registers
from processors.account_state import AccountState
from processors.life_course import FOREVER, Span, is_customer, renewals, renewed_after_end, spans
from processors.months import month_start, months_later
from processors.windows import DAY_MS, Days
from schemas.events import Reason

TRAILING_MONTHS: Final = 12
BY_REVENUE: Final = -1
"""The amount of a cross-sale that says its worth by the revenue it leads to."""

BY_MONTH, BY_YEAR, RENEWALS = "commercial_by_month", "commercial_by_trailing_year", "renewals_by_day"
MOVED_BY_MONTH, MOVED_BY_YEAR = "currency_moves_by_month", "currency_moves_by_trailing_year"
DEPARTURES: Final = "departures_by_day"
ODDITIES: Final = "oddities_by_day"
LAPSED, UNTOLD = "lapsed", "untold"
"""The reasons of departures that have none: the contract lapsed without a word, or the notice did not say."""

REASONS: Final[tuple[str, ...]] = get_args(Reason)
PAYMENTS, REFERRALS = "payments_by_month", "referrals_by_month"
CUSTOMERS_NOW, PAID = "active_customers", "payments_received"

MONTH_PLACES: Final = (
    *("entered", "acquired", "acquired_by_referral", "reactivated", "losses", "lost_of_start", "erased"),
    *("entered_mrr", "acquired_mrr", "reactivated_mrr", "expansion_mrr", "contraction_mrr", "churned_mrr", "erased_mrr"),
    *("cross_sold_mrr", "returned_mrr"),
)
YEAR_PLACES: Final = ("lost_of_start", "expansion_mrr", "contraction_mrr", "churned_mrr", "returned_mrr")
MOVED_PLACES: Final = ("customers", "from_mrr", "to_mrr")
RENEWAL_PLACES: Final = ("due", "renewed", "cancelled", "lapsed", "due_mrr", "renewed_mrr", "cancelled_mrr", "lapsed_mrr")
PAYMENT_PLACES: Final = ("paid", "late", "failed", "paid_cents", "late_cents", "failed_cents")
STATUSES: Final = PAYMENT_PLACES[:3]
_ARROW: Final = ">"

Rows = dict[tuple[str, str, int], dict[str, int]]
"""By (figure, currency, start of the bucket), what is counted at each place; of moved revenue the currencies are `EUR>JPY`."""


class CommercialState(Struct, array_like=True, gc=False):
    """The course of an account's life and what it has paid, relative to the account's `base_ms`.

    `steps` are those of `processors.life_course`. `sold` holds cross-sales as (occurred_at - base_ms, cents a month).
    `referred_by` is who brought the customer, as (occurred_at - base_ms, customer id): the first event that says so counts.
    `paid_cents` adds up the payments by currency; `failures` counts late and failed payments by day. `cut` counts what was
    dropped beyond a bound. `unnamed` holds the young payments that name no currency, as (occurred_at - base_ms, place in
    `STATUSES`, cents), because that of the account may still become known: they are not in `paid_cents` yet. `reasons` are those
    of the cancellations that say one, as (occurred_at - base_ms, place in `REASONS`).
    """

    steps: list[int] = field(default_factory=list)
    sold: list[tuple[int, int]] = field(default_factory=list)
    referred_by: tuple[int, str] | None = None
    paid_cents: dict[str, int] = field(default_factory=dict)
    failures: Days | None = None
    cut: int = 0
    unnamed: list[tuple[int, int, int]] = field(default_factory=list)
    reasons: list[tuple[int, int]] = field(default_factory=list)


class Standing(NamedTuple):
    """What the account is right before a time: the span it is a customer in, its revenue (0 if it is none), the currency."""

    span: Span | None
    mrr_cents: int
    currency: str


def course(state: CommercialState, account: AccountState) -> list[Span]:
    """The times for which the account was a customer."""
    return spans(state.steps, account.base_ms) if account.base_ms is not None else []


def standing(state: CommercialState, account: AccountState, at_ms: int) -> Standing:
    """What the account is right before a time."""
    return _standing_in(course(state, account), account, at_ms)


def mrr_at(account: AccountState, at_ms: int) -> int | None:
    """The revenue that was in force right before a time, of whoever; None when none was known."""
    return None if account.base_ms is None else registers.value_before(account.mrr_history, at_ms - account.base_ms)


def moved(dimension: str) -> tuple[str, str]:
    """The currencies from which and to which revenue moved."""
    before, _, after = dimension.partition(_ARROW)
    return before, after


def rows(state: CommercialState, account: AccountState) -> Rows:
    """What the account contributes to the fleet's months, trailing years and days of renewal.

    Months ahead are told as if nothing further happened, so a later event corrects them.
    """
    found: Rows = defaultdict(lambda: defaultdict(int))
    base_ms = account.base_ms
    if base_ms is None:
        return found
    _add_unnamed(found, state, account, base_ms)
    if not state.steps:
        return found
    life = spans(state.steps, base_ms)
    months = _eventful_months(life, account)
    for month in months:
        _add_month(found, life, account, month, is_referred=state.referred_by is not None)
    for month in _eventful_years(life, months):
        _add_year(found, life, account, month)
    dates = [(account.time_of(version), base_ms + date) for version, date in account.renewal_history]
    for renewal in renewals(life, state.steps, dates, base_ms):
        then = _standing_in(life, account, min(renewal.due_ms, renewal.decided_ms))
        row = found[RENEWALS, then.currency, renewal.due_ms - renewal.due_ms % DAY_MS]
        for name in ("due",) if renewal.outcome == "open" else ("due", renewal.outcome):
            row[name] += 1
            row[f"{name}_mrr"] += then.mrr_cents
    _add_departures(found, state, life, base_ms)
    for at_ms in renewed_after_end(state.steps, base_ms):
        found[ODDITIES, "renewed_after_end", at_ms - at_ms % DAY_MS]["n"] += 1
    for after_ms, cents in state.sold:
        _add_sale(found, life, account, base_ms + after_ms, cents)
    return found


def is_overdue(state: CommercialState, account: AccountState, as_of_ms: int, grace_ms: int) -> bool:
    """Whether one who is a customer still has neither renewed nor left when the grace after its renewal was over."""
    base_ms, ahead = account.base_ms, account.renewal_at
    if base_ms is None or not is_customer(state.steps) or (ahead is not None and ahead > as_of_ms):
        return False
    dates = [(account.time_of(version), base_ms + date) for version, date in account.renewal_history]
    due = [one.due_ms for one in renewals(spans(state.steps, base_ms), state.steps, dates, base_ms) if one.outcome == "open"]
    return any(at_ms - at_ms % DAY_MS + DAY_MS + grace_ms <= as_of_ms for at_ms in due)


def _add_unnamed(found: Rows, state: CommercialState, account: AccountState, base_ms: int) -> None:
    """The payments that name no currency, in that of the account as of then."""
    for after_ms, status, cents in state.unnamed:
        at_ms = base_ms + after_ms
        row = found[PAYMENTS, account.currency_at(at_ms + 1), month_start(at_ms)]
        row[STATUSES[status]] += 1
        row[f"{STATUSES[status]}_cents"] += cents


def _add_departures(found: Rows, state: CommercialState, life: list[Span], base_ms: int) -> None:
    """Each time the customer left, on the day, by the reason."""
    for number, span in enumerate(life):
        if span.ended_by != "open":
            back_ms = life[number + 1].start_ms if number + 1 < len(life) else FOREVER
            found[DEPARTURES, _reason(state, span, base_ms, back_ms), span.end_ms - span.end_ms % DAY_MS]["left"] += 1


def _reason(state: CommercialState, span: Span, base_ms: int, back_ms: int) -> str:
    """Why a customer left: the first reason that was told from the end on, before it was back."""
    told = (place for after_ms, place in state.reasons if span.end_ms <= base_ms + after_ms < back_ms)
    place = next(told, None)
    if place is not None:
        return REASONS[place]
    return LAPSED if span.ended_by == "lapsed" else UNTOLD


def _standing_in(life: list[Span], account: AccountState, at_ms: int) -> Standing:
    span = next((span for span in life if span.covers(at_ms)), None)
    currency = account.currency_at(at_ms)
    if span is None:
        return Standing(None, 0, currency)
    cents = mrr_at(account, at_ms)
    if cents is None and span.how == "entered" and at_ms <= span.start_ms + DAY_MS:
        cents = account.mrr_history[0][1] if account.mrr_history else None  # it was there before we heard of it, with its revenue
    return Standing(span, cents or 0, currency)


def _eventful_months(life: list[Span], account: AccountState) -> list[int]:
    """The months in which the account came, went, or paid another revenue or in another currency than before."""
    times = [span.start_ms for span in life] + [span.end_ms for span in life if span.end_ms != FOREVER]
    for at, (version, cents) in enumerate(account.mrr_history):
        if at == 0 or cents != account.mrr_history[at - 1][1]:
            times.append(account.time_of(version))
    for before, after in pairwise(account.currency_history):
        if before[1] != after[1]:
            times.append(account.time_of(after[0]))
    return sorted({month_start(at_ms) for at_ms in times})


def _eventful_years(life: list[Span], months: list[int]) -> list[int]:
    """The last months of the years in which something happened, but for those that began before the account was a customer."""
    if not life:
        return []
    first = months_later(life[0].start_ms, TRAILING_MONTHS)
    ends = {months_later(month, later) for month in months for later in range(TRAILING_MONTHS)}
    return sorted(month for month in ends if month >= first)


def _add_month(found: Rows, life: list[Span], account: AccountState, month: int, *, is_referred: bool) -> None:
    """What a month did to the account."""
    next_month = months_later(month, 1)
    start, end = _standing_in(life, account, month), _standing_in(life, account, next_month)
    row = found[BY_MONTH, end.currency, month]
    for span in life:
        if month <= span.start_ms < next_month:
            row[span.how] += 1
            row["acquired_by_referral"] += int(is_referred and span.how == "acquired")
        row["losses"] += int(month <= span.end_ms < next_month)
    if start.span is not None:
        _add_kept(found, (BY_MONTH, MOVED_BY_MONTH), month, start, end)
    begun = next((span for span in life if month <= span.start_ms < next_month), None)
    if begun is not None:
        row[f"{begun.how}_mrr"] += end.mrr_cents


def _add_year(found: Rows, life: list[Span], account: AccountState, last_month: int) -> None:
    """What the year that ends with a month did to one who was a customer at its start."""
    start = _standing_in(life, account, months_later(last_month, 1 - TRAILING_MONTHS))
    if start.span is not None:
        end = _standing_in(life, account, months_later(last_month, 1))
        _add_kept(found, (BY_YEAR, MOVED_BY_YEAR), last_month, start, end)


def _add_kept(found: Rows, figures: tuple[str, str], month: int, start: Standing, end: Standing) -> None:
    """A customer at the start is kept without interruption, with more or less revenue, or lost.

    Who comes back is lost first; of its revenue that which it then has again is told beside it, where the currency is the same.
    """
    row = found[figures[0], start.currency, month]
    if end.span != start.span:
        row["lost_of_start"] += 1
        row["churned_mrr"] += start.mrr_cents
        row["returned_mrr"] += min(start.mrr_cents, end.mrr_cents) if end.currency == start.currency else 0
    elif end.currency != start.currency:
        moves = found[figures[1], f"{start.currency}{_ARROW}{end.currency}", month]
        moves["customers"] += 1
        moves["from_mrr"] += start.mrr_cents
        moves["to_mrr"] += end.mrr_cents
    else:
        row["expansion_mrr"] += max(0, end.mrr_cents - start.mrr_cents)
        row["contraction_mrr"] += max(0, start.mrr_cents - end.mrr_cents)


def _add_sale(found: Rows, life: list[Span], account: AccountState, at_ms: int, cents: int) -> None:
    """The revenue that a cross-sale brought a customer: its price, or by how much the revenue rose with it."""
    after = _standing_in(life, account, at_ms + 1)
    if after.span is not None:
        before = _standing_in(life, account, at_ms)
        risen = after.mrr_cents - before.mrr_cents if after.currency == before.currency else 0
        gained = risen if cents == BY_REVENUE else cents
        found[BY_MONTH, after.currency, month_start(at_ms)]["cross_sold_mrr"] += max(0, gained)


PLACES: Final[dict[str, tuple[str, ...]]] = {
    BY_MONTH: MONTH_PLACES,
    BY_YEAR: YEAR_PLACES,
    MOVED_BY_MONTH: MOVED_PLACES,
    MOVED_BY_YEAR: MOVED_PLACES,
    PAYMENTS: PAYMENT_PLACES,
    DEPARTURES: ("left",),
    ODDITIES: ("n",),
    RENEWALS: RENEWAL_PLACES,
}
"""What the places of the flows mean that `rows` speaks of."""
