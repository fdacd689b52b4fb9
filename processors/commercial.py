"""What an account means commercially: what it contributes to the fleet's churn, retention, renewals and revenue by month.

`rows` says for one account what it contributes to each month, from the course of its life and its revenue, and only where
something happens. An event changes the course; the difference of the rows after it and before it is what the fleet's flows take
in. So what comes late, or takes something back, corrects the months that it belongs to, and a month's level is the level of now
without all that happened since.

A month begins with its first millisecond: what a customer was *at the start* is what it was right before. Amounts are cents of
monthly recurring revenue, in the account's newest currency, from those who are customers at the time.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from msgspec import Struct, field

from processors import accounts, registers
from processors.accounts import AccountState
from processors.life_course import (
    FOREVER,
    Span,
    is_customer,
    keep_newest,
    renewals,
    spans,
    step_of,
    take_step,
    without_repetitions,
)
from processors.months import month_start, months_later
from processors.names import Names
from processors.totals import Totals
from processors.windows import D90, DAY_MS, Days
from schemas.events import AccountEvent

MAX_STEPS: Final = 32
MAX_SOLD: Final = 16
MAX_CURRENCIES: Final = 4
TRAILING_MONTHS: Final = 12
BY_REVENUE: Final = -1
"""The amount of a cross-sale that says its worth by the revenue it leads to."""

BY_MONTH, BY_YEAR, RENEWALS = "commercial_by_month", "commercial_by_trailing_year", "renewals_by_day"
PAYMENTS, REFERRALS = "payments_by_month", "referrals_by_month"
CUSTOMERS_NOW, PAID = "active_customers", "payments_received"

MONTH_PLACES: Final = (
    *("entered", "acquired", "acquired_by_referral", "reactivated", "losses", "lost_of_start", "erased"),
    *("entered_mrr", "acquired_mrr", "reactivated_mrr", "expansion_mrr", "contraction_mrr", "churned_mrr", "erased_mrr"),
    "cross_sold_mrr",
)
YEAR_PLACES: Final = ("lost_of_start", "expansion_mrr", "contraction_mrr", "churned_mrr")
RENEWAL_PLACES: Final = ("due", "renewed", "cancelled", "lapsed", "due_mrr", "renewed_mrr", "cancelled_mrr", "lapsed_mrr")
PAYMENT_PLACES: Final = ("paid", "late", "failed", "paid_cents", "late_cents", "failed_cents")
_FAILURES: Final = ("late", "failed")
_REFERRED_KINDS: Final = ("lead", "trial_started", "contracted", "known")

Rows = dict[tuple[str, int], dict[str, int]]
"""By (figure, start of the bucket), what is counted at each place; the dimension is the account's currency."""


class CommercialState(Struct, array_like=True, gc=False):
    """The course of an account's life and what it has paid, relative to the account's `base_ms`.

    `steps` are those of `processors.life_course`. `sold` holds cross-sales as (occurred_at - base_ms, cents a month).
    `referred_by` is who brought the customer, as (occurred_at - base_ms, customer id): the first event that says so counts.
    `paid_cents` adds up the payments by the currency that they name; `failures` counts late and failed payments by day. `cut`
    counts what was dropped beyond a bound.
    """

    steps: list[int] = field(default_factory=list)
    sold: list[tuple[int, int]] = field(default_factory=list)
    referred_by: tuple[int, str] | None = None
    paid_cents: dict[str, int] = field(default_factory=dict)
    failures: Days | None = None
    cut: int = 0


class _Standing(NamedTuple):
    """What the account is right before a time: the span it is a customer in, and its revenue then (0 when it is none)."""

    span: Span | None
    mrr_cents: int


def fold(
    state: CommercialState, account: AccountState, event: AccountEvent, clock_ms: int, definitions: Names, totals: Totals
) -> None:
    """Fold an event into the account and its course, and count what it changes for the fleet."""
    before = rows(state, account) if _matters(event, account) else None
    currency = account.currency or ""
    referred_before = account.referred.get(event.referred_customer_id or "")
    accounts.fold(account, event, clock_ms, definitions, totals)
    assert account.base_ms is not None, "the first event sets the base"
    if event.kind == "payment":
        _pay(state, event, totals)
    elif event.kind == "referred":
        _refer(event, referred_before, totals)
    if before is None:
        return
    _take(state, event, event.occurred_at - account.base_ms)
    _add_rows(totals, currency, before, -1)
    _add_rows(totals, account.currency or "", rows(state, account), 1)
    _keep_newest(state, event.occurred_at, totals)


def erase(state: CommercialState, account: AccountState, at_ms: int, totals: Totals) -> None:
    """Take a customer out of the levels who is erased: it is no loss, and what it contributed to the past stays.

    Renewals that were still to come are none any more.
    """
    ahead = {(figure, start_ms): row for (figure, start_ms), row in rows(state, account).items() if figure == RENEWALS}
    _add_rows(totals, account.currency or "", {key: row for key, row in ahead.items() if key[1] + DAY_MS > at_ms}, -1)
    now = standing(state, account, FOREVER)
    if now.span is not None:
        row = {"erased": 1, "erased_mrr": now.mrr_cents}
        _add_rows(totals, account.currency or "", {(BY_MONTH, month_start(at_ms)): row}, 1)


def prune(state: CommercialState, account: AccountState, as_of_ms: int) -> None:
    """Drop the steps that repeat what was so already, and the payments that failed long ago. No figure changes by it."""
    if account.base_ms is None:
        return
    state.steps = without_repetitions(state.steps, as_of_ms - accounts.SETTLED_MS - account.base_ms)
    if state.failures is not None:
        state.failures.prune(as_of_ms, D90)
        if state.failures.empty:
            state.failures = None


def gauges(state: CommercialState, account: AccountState) -> Iterator[tuple[tuple[str, str], tuple[int, ...]]]:
    """What one account contributes to the fleet's gauges: that it is a customer, its revenue, and what it has paid so far."""
    if is_customer(state.steps):
        mrr_cents = account.mrr_cents or 0
        yield (CUSTOMERS_NOW, account.currency or ""), (1, mrr_cents, int(mrr_cents > 0))
    for paid_in, cents in state.paid_cents.items():
        if cents:
            yield (PAID, paid_in), (cents,)


def course(state: CommercialState, account: AccountState) -> list[Span]:
    """The times for which the account was a customer."""
    return spans(state.steps, account.base_ms) if account.base_ms is not None else []


def standing(state: CommercialState, account: AccountState, at_ms: int) -> _Standing:
    """What the account is right before a time."""
    return _standing(course(state, account), account, at_ms)


def mrr_at(account: AccountState, at_ms: int) -> int | None:
    """The revenue that was in force right before a time, of whoever; None when none was known."""
    return None if account.base_ms is None else registers.value_before(account.mrr_history, at_ms - account.base_ms)


def moved_at(state: CommercialState, account: AccountState) -> int:
    """When what moves the commercial figures of the customer happened last: its newest revenue, or a payment that failed."""
    revenue_at = account.time_of(account.mrr_history[-1][0]) if account.mrr_history else 0
    return revenue_at if state.failures is None else max(revenue_at, state.failures.newest * DAY_MS)


def rows(state: CommercialState, account: AccountState) -> Rows:
    """What the account contributes to the fleet's months, trailing years and days of renewal.

    Months ahead are told as if nothing further happened, so a later event corrects them.
    """
    found: Rows = defaultdict(lambda: defaultdict(int))
    base_ms = account.base_ms
    if base_ms is None or not state.steps:
        return found
    life = spans(state.steps, base_ms)
    months = _eventful_months(life, account)
    for month in months:
        _add_month(found[BY_MONTH, month], life, account, month, is_referred=state.referred_by is not None)
    for month in _eventful_years(life, months):
        _add_year(found[BY_YEAR, month], life, account, month)
    dates = [(account.time_of(version), base_ms + date) for version, date in account.renewal_history]
    for renewal in renewals(life, state.steps, dates, base_ms):
        mrr_cents = _standing(life, account, min(renewal.due_ms, renewal.decided_ms)).mrr_cents
        row = found[RENEWALS, renewal.due_ms - renewal.due_ms % DAY_MS]
        for name in ("due",) if renewal.outcome == "open" else ("due", renewal.outcome):
            row[name] += 1
            row[f"{name}_mrr"] += mrr_cents
    for after_ms, cents in state.sold:
        _add_sale(found, life, account, base_ms + after_ms, cents)
    return found


def _matters(event: AccountEvent, account: AccountState) -> bool:
    """Whether an event can change what `rows` says, or the currency that it is counted in."""
    if event.mrr_cents is not None or event.renewal_at is not None or event.currency not in (None, account.currency):
        return True
    return step_of(event, 0) is not None or event.kind == "cross_sold" or _referrer(event) is not None


def _referrer(event: AccountEvent) -> str | None:
    """Who brought the customer: on the events with which one comes in, the field names the other side of the referral."""
    return event.referred_customer_id if event.kind in _REFERRED_KINDS else None


def _take(state: CommercialState, event: AccountEvent, after_ms: int) -> None:
    """Put an event into the course."""
    step = step_of(event, after_ms)
    if step is not None:
        take_step(state.steps, step)
    if event.kind == "cross_sold" and (event.mrr_cents is not None or event.amount_cents):
        state.sold.append((after_ms, BY_REVENUE if event.mrr_cents is not None else event.amount_cents or 0))
        state.sold.sort()
    referrer = _referrer(event)
    if referrer is not None:
        state.referred_by = min(state.referred_by or (after_ms, referrer), (after_ms, referrer))


def _keep_newest(state: CommercialState, at_ms: int, totals: Totals) -> None:
    """Drop the oldest beyond the bounds; what they have contributed stays counted."""
    dropped = keep_newest(state.steps, MAX_STEPS) + max(0, len(state.sold) - MAX_SOLD)
    if dropped:
        del state.sold[: max(0, len(state.sold) - MAX_SOLD)]
        state.cut += dropped
        totals.oddity("cut_account_history", at_ms)


def _pay(state: CommercialState, event: AccountEvent, totals: Totals) -> None:
    """Count a payment; only one that was paid is value realised."""
    assert event.amount_cents is not None, "a payment without an amount is refused by the checks"
    assert event.status is not None, "a payment without a status is refused by the checks"
    currency = event.currency or ""
    if event.status == "paid":
        if currency not in state.paid_cents and len(state.paid_cents) >= MAX_CURRENCIES:
            state.cut += 1
            totals.oddity("cut_account_history", event.occurred_at)
        else:
            state.paid_cents[currency] = state.paid_cents.get(currency, 0) + event.amount_cents
    else:
        if state.failures is None:
            state.failures = Days(len(_FAILURES))
        state.failures.add(event.occurred_at, _FAILURES.index(event.status))
    row = {event.status: 1, f"{event.status}_cents": event.amount_cents}
    counts = tuple(row.get(place, 0) for place in PAYMENT_PLACES)
    totals.add_to_bucket(PAYMENTS, currency, month_start(event.occurred_at), counts)


def _refer(event: AccountEvent, first_before_ms: int | None, totals: Totals) -> None:
    """Count a customer who was referred in the month of the first event that says so."""
    if first_before_ms is not None:
        if first_before_ms <= event.occurred_at:
            return
        totals.add_to_bucket(REFERRALS, "", month_start(first_before_ms), (-1,))
    totals.add_to_bucket(REFERRALS, "", month_start(event.occurred_at), (1,))


def _add_rows(totals: Totals, currency: str, found: Mapping[tuple[str, int], Mapping[str, int]], sign: int) -> None:
    for (figure, start_ms), row in found.items():
        counts = tuple(sign * row.get(place, 0) for place in PLACES[figure])
        if any(counts):
            totals.add_to_bucket(figure, currency, start_ms, counts)


def _standing(life: list[Span], account: AccountState, at_ms: int) -> _Standing:
    span = next((span for span in life if span.covers(at_ms)), None)
    if span is None:
        return _Standing(None, 0)
    cents = mrr_at(account, at_ms)
    if cents is None and span.how == "entered" and at_ms <= span.start_ms + DAY_MS:
        cents = account.mrr_history[0][1] if account.mrr_history else None  # it was there before we heard of it, with its revenue
    return _Standing(span, cents or 0)


def _eventful_months(life: list[Span], account: AccountState) -> list[int]:
    """The months in which the account came, went, or paid another revenue than before."""
    times = [span.start_ms for span in life] + [span.end_ms for span in life if span.end_ms != FOREVER]
    for at, (version, cents) in enumerate(account.mrr_history):
        if at == 0 or cents != account.mrr_history[at - 1][1]:
            times.append(account.time_of(version))
    return sorted({month_start(at_ms) for at_ms in times})


def _eventful_years(life: list[Span], months: list[int]) -> list[int]:
    """The last months of the years in which something happened, but for those that began before the account was a customer."""
    if not life:
        return []
    first = months_later(life[0].start_ms, TRAILING_MONTHS)
    ends = {months_later(month, later) for month in months for later in range(TRAILING_MONTHS)}
    return sorted(month for month in ends if month >= first)


def _add_month(row: dict[str, int], life: list[Span], account: AccountState, month: int, *, is_referred: bool) -> None:
    """What a month did to the account."""
    next_month = months_later(month, 1)
    start, end = _standing(life, account, month), _standing(life, account, next_month)
    for span in life:
        if month <= span.start_ms < next_month:
            row[span.how] += 1
            row["acquired_by_referral"] += int(is_referred and span.how == "acquired")
        row["losses"] += int(month <= span.end_ms < next_month)
    if start.span is not None:
        _add_kept(row, start, end)
    begun = next((span for span in life if month <= span.start_ms < next_month), None)
    if begun is not None:
        row[f"{begun.how}_mrr"] += end.mrr_cents


def _add_year(row: dict[str, int], life: list[Span], account: AccountState, last_month: int) -> None:
    """What the year that ends with a month did to one who was a customer at its start."""
    start = _standing(life, account, months_later(last_month, 1 - TRAILING_MONTHS))
    if start.span is not None:
        _add_kept(row, start, _standing(life, account, months_later(last_month, 1)))


def _add_kept(row: dict[str, int], start: _Standing, end: _Standing) -> None:
    """A customer at the start is kept without interruption, with more or less revenue, or lost; who comes back is lost first."""
    if end.span != start.span:
        row["lost_of_start"] += 1
        row["churned_mrr"] += start.mrr_cents
    else:
        row["expansion_mrr"] += max(0, end.mrr_cents - start.mrr_cents)
        row["contraction_mrr"] += max(0, start.mrr_cents - end.mrr_cents)


def _add_sale(found: Rows, life: list[Span], account: AccountState, at_ms: int, cents: int) -> None:
    """The revenue that a cross-sale brought a customer: its price, or by how much the revenue rose with it."""
    after = _standing(life, account, at_ms + 1)
    if after.span is not None:
        gained = after.mrr_cents - _standing(life, account, at_ms).mrr_cents if cents == BY_REVENUE else cents
        found[BY_MONTH, month_start(at_ms)]["cross_sold_mrr"] += max(0, gained)


PLACES: Final[dict[str, tuple[str, ...]]] = {
    BY_MONTH: MONTH_PLACES,
    BY_YEAR: YEAR_PLACES,
    RENEWALS: RENEWAL_PLACES,
}
"""What the places of the flows mean that `rows` speaks of."""
