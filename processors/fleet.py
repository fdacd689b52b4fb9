"""The figures of the whole fleet: what each counts, and what one customer contributes to the gauges.

Flows are sums of what happened in a bucket of time; gauges are how many there are now. Both are counts, so the parts of all
partitions can be added, and ratios are made only from the sums.
"""

from functools import lru_cache
from typing import TYPE_CHECKING, Final, Literal

from msgspec import Struct

from processors import commercial, commercial_rows, ended_episodes, episode_gauges, promises, tickets, time_to_act
from processors.names import is_customer
from processors.sketch import bin_of
from processors.windows import DAY_MS, HOUR_MS

if TYPE_CHECKING:
    from processors.state import CustomerState


_KEEP_MONTHLY_DAYS: Final = 1_160
_EPISODE: Final = "owner, customer, rule, episode and currency, with U+001F between them"


OWNED: Final = "accounts_by_owner"
"""The figure of the accounts that somebody looks after and that have not left, with their revenue."""


class FigureSpec(Struct, frozen=True, kw_only=True, gc=False):
    """What a fleet figure is; a clock is not added up: the lowest of all partitions counts.

    `places` names what each place of its counts means; `dimension` what it is cut by; `bucket_ms` is the length of a flow's
    bucket, None for a gauge and for a flow by calendar month; `keep_days` is how long a flow's buckets are kept, None for a
    gauge. `most_names` bounds how many dimensions a bucket has, where they come from the events and not from the definitions;
    what is beyond it is counted as `other`.
    """

    kind: Literal["flow", "gauge", "clock"]
    places: tuple[str, ...]
    dimension: str
    bucket_ms: int | None = None
    keep_days: int | None = None
    most_names: int | None = None


def _flow(places: tuple[str, ...], dimension: str, bucket_ms: int, keep_days: int) -> FigureSpec:
    return FigureSpec(kind="flow", places=places, dimension=dimension, bucket_ms=bucket_ms, keep_days=keep_days)


def _monthly(places: tuple[str, ...], dimension: str) -> FigureSpec:
    """A flow by UTC calendar month: kept for the 24 months that rows show, with the 12 before the first of them."""
    return FigureSpec(kind="flow", places=places, dimension=dimension, keep_days=_KEEP_MONTHLY_DAYS)


def _gauge(places: tuple[str, ...], dimension: str) -> FigureSpec:
    return FigureSpec(kind="gauge", places=places, dimension=dimension)


FIGURES: Final[dict[str, FigureSpec]] = {
    "csat_by_hour": _flow(("good", "n"), "touchpoint", HOUR_MS, 8),
    "csat_by_day": _flow(("good", "n"), "touchpoint", DAY_MS, 180),
    "csat_scales_by_hour": _flow(("n",), "scale", HOUR_MS, 8),
    "csat_scales_by_day": _flow(("n",), "scale", DAY_MS, 180),
    "nps_by_day": _flow(("promoters", "passives", "detractors"), "scale", DAY_MS, 180),
    "ces_by_day": _flow(("1", "2", "3", "4", "5", "6", "7"), "scale", DAY_MS, 180),
    "product_by_day": _flow(("good", "n"), "scale", DAY_MS, 180),
    "answers_by_day": _flow(("n", "with_comment", "with_touchpoint"), "survey", DAY_MS, 180),
    "comment_lengths_by_day": _flow(("comments",), "bin of the length in characters", DAY_MS, 90),
    "requests_by_day": _flow(("sent", "answered"), "survey/touchpoint", DAY_MS, 180),
    "survey_requests_by_day": _flow(("n",), "survey/what became of it", DAY_MS, 180),
    "tickets_by_day": _flow(("opened", "solved", "reopened", "unknown_solved", "early_replies"), "touchpoint", DAY_MS, 180),
    "first_responses_by_day": _flow(("clock", "business"), "touchpoint/bin of processors.sketch, in ms", DAY_MS, 90),
    "resolutions_by_day": _flow(("clock", "business"), "touchpoint/bin of processors.sketch, in ms", DAY_MS, 90),
    "agent_responses_by_day": FigureSpec(
        kind="flow",
        places=("clock", "business"),
        dimension="agent/bin of processors.sketch, in ms",
        bucket_ms=DAY_MS,
        keep_days=90,
        most_names=5000,
    ),
    "agent_load_by_day": FigureSpec(
        kind="flow",
        places=("first_responses", "resolved"),
        dimension="agent",
        bucket_ms=DAY_MS,
        keep_days=90,
        most_names=500,
    ),
    "goals_by_hour": _flow(("completed", "failed"), "goal", HOUR_MS, 8),
    "goals_by_day": _flow(("completed", "failed"), "goal", DAY_MS, 180),
    "goal_durations_by_day": _flow(("completed",), "goal/bin of processors.sketch, in ms", DAY_MS, 90),
    "promises_by_day": _flow(("promised", "valued"), "", DAY_MS, 180),
    "first_values_by_day": _flow(("n",), "bin of the days from the promise", DAY_MS, 180),
    "steps_by_day": _flow(("reached", "went_on"), "step", DAY_MS, 180),
    "step_days_by_day": _flow(("n",), "step:bin of the days to the next", DAY_MS, 180),
    "episodes_by_day": _flow(("opened", "acted", "proactive", "complained_first"), "rule", DAY_MS, 180),
    time_to_act.ACTIONS: FigureSpec(
        kind="flow",
        places=("n",),
        dimension="owner/bin of processors.sketch, in ms",
        bucket_ms=DAY_MS,
        keep_days=90,
        most_names=5000,
    ),
    ended_episodes.ENDED: _flow(episode_gauges.PLACES, _EPISODE, DAY_MS, ended_episodes.KEPT_DAYS),
    "outcomes_by_day": _flow(
        ("judged_30d", "recovered_30d", "judged_90d", "gone_90d"), "rule, step of the score, acted or unacted", DAY_MS, 180
    ),
    "interactions_by_day": _flow(("ended",), "touchpoint", DAY_MS, 90),
    "events_by_day": _flow(("accepted",), "family", DAY_MS, 180),
    "oddities_by_day": _flow(("n",), "oddity", DAY_MS, 180),
    commercial_rows.BY_MONTH: _monthly(commercial_rows.MONTH_PLACES, "currency"),
    commercial_rows.BY_YEAR: _monthly(commercial_rows.YEAR_PLACES, "currency"),
    commercial_rows.MOVED_BY_MONTH: _monthly(commercial_rows.MOVED_PLACES, "currency before > currency after"),
    commercial_rows.MOVED_BY_YEAR: _monthly(commercial_rows.MOVED_PLACES, "currency before > currency after"),
    commercial_rows.PAYMENTS: _monthly(commercial_rows.PAYMENT_PLACES, "currency"),
    commercial_rows.REFERRALS: _monthly(("referrals",), ""),
    commercial_rows.RENEWALS: _flow(commercial_rows.RENEWAL_PLACES, "currency", DAY_MS, 800),
    commercial_rows.DEPARTURES: _flow(("left",), "reason", DAY_MS, 400),
    commercial_rows.CUSTOMERS_NOW: _gauge(("customers", "mrr_cents", "with_mrr"), "currency"),
    commercial_rows.PAID: _gauge(("paid_cents",), "currency"),
    "customers": _gauge(("customers",), "stage"),
    OWNED: _gauge(("accounts", "mrr_cents", "with_mrr"), "owner and currency, with U+001F between them"),
    "customers_by_mrr": _gauge(("customers",), "currency|bin of the monthly revenue in cents"),
    "open_tickets_by_priority": _gauge(("tickets",), "priority"),
    "open_tickets_by_touchpoint": _gauge(("tickets",), "touchpoint"),
    "open_tickets_by_opening_day": _gauge(("tickets",), "UTC day, counted from 1970"),
    "health_band": _gauge(("customers",), "band"),
    "quadrant": _gauge(("customers",), "quadrant"),
    "alerts_open": _gauge(("episodes",), "rule"),
    "alerts_open_by_severity": _gauge(("episodes",), "severity"),
    episode_gauges.OPEN: _gauge(episode_gauges.PLACES, _EPISODE),
    promises.GAUGE: _gauge(("kept", "valued", "promised"), ""),
    "customers_by_last_use": _gauge(("customers",), "UTC day, counted from 1970"),
    "as_of": FigureSpec(kind="clock", places=("epoch_ms",), dimension=""),
    "quiet_feeds": FigureSpec(kind="clock", places=("epoch_ms",), dimension="feed"),
    "turn": FigureSpec(kind="clock", places=("from_ms", "until_ms"), dimension=""),
}

TURN: Final = "turn"
"""The figure of when a partition's outputs are published, from and until when; absent while there is only one application."""

QUIET_FEEDS: Final = "quiet_feeds"
"""The figure of the feeds that have gone quiet in a partition, with the time of their newest event; absent while they flow."""

SEPARATOR: Final = "\x1f"

UNFOLLOWED: Final = "unfollowed"
"""The dimension of open tickets beyond the bound, of which nothing but the number is known."""

Gauges = dict[tuple[str, str], tuple[int, ...]]


def gauges(state: "CustomerState") -> Gauges:
    """What one customer contributes to each gauge, by (figure, dimension); nothing once it was erased, until it comes back."""
    if state.erased_at and not state.events_accepted:
        return {}
    found: Gauges = {("customers", state.account.stage): (1,)}
    _ticket_gauges(state.tickets, found)
    found.update(commercial.gauges(state.commercial, state.account))
    if not state.account.is_gone:
        found.update(promises.gauges(state.promises))
        if is_customer(state.account.stage) and not state.usage.active.empty:
            found["customers_by_last_use", str(state.usage.active.newest_day)] = (1,)
        if state.account.owner:
            found[OWNED, _owner(state.account.owner, state.account.currency)] = _owned(state.account.mrr_cents)
    risk = state.health.get("risk")
    if risk is not None and risk.band is not None and is_customer(state.account.stage):
        found["health_band", risk.band] = (1,)
    if state.loyalty.quadrant != "unknown" and is_customer(state.account.stage):
        found["quadrant", state.loyalty.quadrant] = (1,)
    found.update(episode_gauges.gauges(state))
    if state.account.mrr_cents and is_customer(state.account.stage):
        found["customers_by_mrr", _mrr_bin(state.account.currency, state.account.mrr_cents)] = (1,)
    return found


@lru_cache(maxsize=4096)
def _owner(owner: str, currency: str | None) -> str:
    return SEPARATOR.join((owner.replace(SEPARATOR, " "), currency or ""))


def _owned(mrr_cents: int | None) -> tuple[int, int, int]:
    return 1, mrr_cents or 0, int(mrr_cents is not None)


@lru_cache(maxsize=4096)
def _mrr_bin(currency: str | None, mrr_cents: int) -> str:
    return f"{currency or ''}|{bin_of(mrr_cents)}"


def _ticket_gauges(state: tickets.TicketsState, found: Gauges) -> None:
    """The open tickets, by priority, touchpoint and day of opening."""
    if state.open:
        for priority, n in tickets.open_by_priority(state).items():
            if n:
                found["open_tickets_by_priority", priority] = (n,)
        for touchpoint, n in tickets.open_by_touchpoint(state).items():
            found["open_tickets_by_touchpoint", touchpoint] = (n,)
        for day, n in tickets.opened_day_counts(state).items():
            found["open_tickets_by_opening_day", str(day)] = (n,)
    if state.overflow_open:
        for figure in ("open_tickets_by_priority", "open_tickets_by_touchpoint", "open_tickets_by_opening_day"):
            found[figure, UNFOLLOWED] = (state.overflow_open,)
