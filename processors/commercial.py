"""The fold of an account's commercial course, and what it changes for the fleet's churn, retention, renewals and revenue.

An event changes what `processors.commercial_rows` says of the account; the difference of the rows after it and before it is what
the fleet's flows take in. So what comes late, or takes something back, corrects the months that it belongs to, and a month's
level is the level of now without all that happened since.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from processors import account_stage, accounts
from processors.account_state import AccountState
from processors.commercial_rows import (
    BY_MONTH,
    BY_REVENUE,
    CUSTOMERS_NOW,
    PAID,
    PAYMENT_PLACES,
    PAYMENTS,
    PLACES,
    REASONS,
    REFERRALS,
    RENEWALS,
    STATUSES,
    CommercialState,
    rows,
    standing,
)
from processors.life_course import (
    FOREVER,
    came_back_late,
    is_customer,
    keep_newest,
    mark_late_renewals,
    step_of,
    take_step,
    without_repetitions,
)
from processors.months import month_start
from processors.names import Names
from processors.totals import Totals
from processors.windows import D90, DAY_MS, Days
from schemas.events import AccountEvent

MAX_STEPS: Final = 32
MAX_SOLD: Final = 16
MAX_REASONS: Final = 16
MAX_CURRENCIES: Final = 4
MAX_UNNAMED: Final = 16
_PAID_PLACE: Final = STATUSES.index("paid")
_FAILURES: Final = ("late", "failed")
_DECIDE_STAGE: Final = ("contracted", "handed_over", "onboarded", "renewed", "lapsed", "cancelled", "reactivated")
_REFERRED_KINDS: Final = ("lead", "trial_started", "contracted", "known")


def fold(
    state: CommercialState, account: AccountState, event: AccountEvent, clock_ms: int, definitions: Names, totals: Totals
) -> None:
    """Fold an event into the account and its course, and count what it changes for the fleet."""
    before = rows(state, account) if _matters(event, account) else None
    referred_before = account.referred.get(event.referred_customer_id or "")
    accounts.fold(account, event, clock_ms, definitions, totals)
    assert account.base_ms is not None, "the first event sets the base"
    if before is not None:
        _take(state, event, event.occurred_at - account.base_ms, definitions.renewal_grace_ms)
        if event.kind in _DECIDE_STAGE:
            account_stage.come_back_late(account, came_back_late(state.steps))
        _add_rows(totals, before, -1)
        _add_rows(totals, rows(state, account), 1)
        _keep_newest(state, event.occurred_at, totals)
    if event.kind == "payment":
        _pay(state, account, event, totals)
    elif event.kind == "referred":
        _refer(event, referred_before, totals)


def erase(state: CommercialState, account: AccountState, at_ms: int, totals: Totals) -> None:
    """Take a customer out of the levels who is erased: it is no loss, and what it contributed to the past stays.

    Renewals that were still to come are none any more.
    """
    ahead = {key: row for key, row in rows(state, account).items() if key[0] == RENEWALS and key[2] + DAY_MS > at_ms}
    _add_rows(totals, ahead, -1)
    now = standing(state, account, FOREVER)
    if now.span is not None:
        row = {"erased": 1, "erased_mrr": now.mrr_cents}
        _add_rows(totals, {(BY_MONTH, now.currency, month_start(at_ms)): row}, 1)


def prune(state: CommercialState, account: AccountState, as_of_ms: int) -> None:
    """Drop the steps that repeat what was so already, and the payments that failed long ago. No figure changes by it."""
    if account.base_ms is None:
        return
    settled_after_ms = as_of_ms - accounts.SETTLED_MS - account.base_ms
    state.cut += _settle(state, account, sum(after_ms < settled_after_ms for after_ms, _, _ in state.unnamed))
    state.steps = without_repetitions(state.steps, settled_after_ms)
    if state.failures is not None:
        state.failures.prune(as_of_ms, D90)
        if state.failures.empty:
            state.failures = None


def gauges(state: CommercialState, account: AccountState) -> Iterator[tuple[tuple[str, str], tuple[int, ...]]]:
    """What one account contributes to the fleet's gauges: that it is a customer, its revenue, and what it has paid so far."""
    if is_customer(state.steps):
        mrr_cents = account.mrr_cents or 0
        yield (CUSTOMERS_NOW, account.currency or ""), (1, mrr_cents, int(mrr_cents > 0))
    for paid_in, cents in paid_by_currency(state, account).items():
        if cents:
            yield (PAID, paid_in), (cents,)


def paid_by_currency(state: CommercialState, account: AccountState) -> dict[str, int]:
    """All that was paid; a payment that names no currency was paid in that of the account as of then."""
    if not state.unnamed or account.base_ms is None:
        return state.paid_cents
    found = dict(state.paid_cents)
    for after_ms, status, cents in state.unnamed:
        if status == _PAID_PLACE:
            currency = account.currency_at(account.base_ms + after_ms + 1)
            found[currency] = found.get(currency, 0) + cents
    return found


def moved_at(state: CommercialState, account: AccountState) -> int:
    """When what moves the commercial figures of the customer happened last: its newest revenue, other seats, a failed payment."""
    moved = account.time_of(account.mrr_history[-1][0]) if account.mrr_history else 0
    if account.seats_before and (version := account.seats_version) is not None:
        moved = max(moved, account.time_of(version))
    return moved if state.failures is None else max(moved, state.failures.newest * DAY_MS)


def _matters(event: AccountEvent, account: AccountState) -> bool:
    """Whether an event can change what `rows` says, or the currency that it is counted in."""
    if event.mrr_cents is not None or event.renewal_at is not None or _is_another_currency(event, account):
        return True
    return step_of(event, 0) is not None or event.kind == "cross_sold" or _referrer(event) is not None


def _is_another_currency(event: AccountEvent, account: AccountState) -> bool:
    """Whether the event says a currency beside which the account had another one, or the first one."""
    known = account.currency_history
    return event.currency is not None and (not known or any(currency != event.currency for _, currency in known))


def _referrer(event: AccountEvent) -> str | None:
    """Who brought the customer: on the events with which one comes in, the field names the other side of the referral."""
    return event.referred_customer_id if event.kind in _REFERRED_KINDS else None


def _take(state: CommercialState, event: AccountEvent, after_ms: int, grace_ms: int) -> None:
    """Put an event into the course."""
    step = step_of(event, after_ms)
    if step is not None:
        take_step(state.steps, step)
        if event.kind in ("renewed", "lapsed"):
            mark_late_renewals(state.steps, grace_ms)
    if event.kind == "cross_sold" and (event.mrr_cents is not None or event.amount_cents):
        state.sold.append((after_ms, BY_REVENUE if event.mrr_cents is not None else event.amount_cents or 0))
        state.sold.sort()
    if event.kind == "cancelled" and event.reason is not None:
        state.reasons.append((after_ms, REASONS.index(event.reason)))
        state.reasons.sort()
    referrer = _referrer(event)
    if referrer is not None:
        state.referred_by = min(state.referred_by or (after_ms, referrer), (after_ms, referrer))


def _keep_newest(state: CommercialState, at_ms: int, totals: Totals) -> None:
    """Drop the oldest beyond the bounds; what they have contributed stays counted."""
    dropped = keep_newest(state.steps, MAX_STEPS)
    dropped += max(0, len(state.sold) - MAX_SOLD) + max(0, len(state.reasons) - MAX_REASONS)
    if dropped:
        del state.reasons[: max(0, len(state.reasons) - MAX_REASONS)]
        del state.sold[: max(0, len(state.sold) - MAX_SOLD)]
        state.cut += dropped
        totals.oddity("cut_account_history", at_ms)


def _pay(state: CommercialState, account: AccountState, event: AccountEvent, totals: Totals) -> None:
    """Count a payment; only one that was paid is value realised."""
    assert event.amount_cents is not None, "a payment without an amount is refused by the checks"
    assert event.status is not None, "a payment without a status is refused by the checks"
    assert account.base_ms is not None, "the first event sets the base"
    if event.status != "paid":
        if state.failures is None:
            state.failures = Days(len(_FAILURES))
        state.failures.add(event.occurred_at, _FAILURES.index(event.status))
    currency = event.currency or account.currency_at(event.occurred_at + 1)
    row = {event.status: 1, f"{event.status}_cents": event.amount_cents}
    counts = tuple(row.get(place, 0) for place in PAYMENT_PLACES)
    totals.add_to_bucket(PAYMENTS, currency, month_start(event.occurred_at), counts)
    if event.currency is None:
        state.unnamed.append((event.occurred_at - account.base_ms, STATUSES.index(event.status), event.amount_cents))
        state.unnamed.sort()
        cut = _settle(state, account, len(state.unnamed) - MAX_UNNAMED)
    else:
        cut = 0 if event.status != "paid" else _receive(state, currency, event.amount_cents)
    if cut:
        state.cut += cut
        totals.oddity("cut_account_history", event.occurred_at)


def _settle(state: CommercialState, account: AccountState, oldest: int) -> int:
    """Take it as final in which currency the oldest payments were made that name none; how many could not be added up."""
    assert account.base_ms is not None, "the first event sets the base"
    if oldest <= 0:
        return 0
    cut = 0
    for after_ms, status, cents in state.unnamed[:oldest]:
        if status == _PAID_PLACE:
            cut += _receive(state, account.currency_at(account.base_ms + after_ms + 1), cents)
    del state.unnamed[:oldest]
    return cut


def _receive(state: CommercialState, currency: str, cents: int) -> int:
    """Add up what was paid; 1 when there are too many currencies already for another one."""
    if currency not in state.paid_cents and len(state.paid_cents) >= MAX_CURRENCIES:
        return 1
    state.paid_cents[currency] = state.paid_cents.get(currency, 0) + cents
    return 0


def _refer(event: AccountEvent, first_before_ms: int | None, totals: Totals) -> None:
    """Count a customer who was referred in the month of the first event that says so."""
    if first_before_ms is not None:
        if first_before_ms <= event.occurred_at:
            return
        totals.add_to_bucket(REFERRALS, "", month_start(first_before_ms), (-1,))
    totals.add_to_bucket(REFERRALS, "", month_start(event.occurred_at), (1,))


def _add_rows(totals: Totals, found: Mapping[tuple[str, str, int], Mapping[str, int]], sign: int) -> None:
    for (figure, currency, start_ms), row in found.items():
        counts = tuple(sign * row.get(place, 0) for place in PLACES[figure])
        if any(counts):
            totals.add_to_bucket(figure, currency, start_ms, counts)
