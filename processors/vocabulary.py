"""The names of the figures that definitions may speak of, with what each means.

Only words here: how a figure is read from a customer's state is in `processors.figures`, so that the definitions file can be
checked without any state. A later figure is one more entry here and one reader there.
"""

from typing import Literal

from msgspec import Struct

Unit = Literal["pct", "points", "count", "days", "hours", "ratio", "per_seat", "log", "cents"]
Source = Literal["events", "account", "score"]


class Term(Struct, frozen=True, kw_only=True):
    """What a figure's name stands for.

    `higher_is_better` is the direction a customer-success team wants. `per_day` is how the figure moves when only time passes:
    +1 or -1 a day, or 0 (a windowed figure then changes at the daily slot, any other not at all). `source` is `events` for what
    measures may use, `account` for what the account data say, `score` for what is itself made of measures.
    """

    name: str
    label: str
    unit: Unit
    higher_is_better: bool
    window_days: int | None = None
    per_day: Literal[-1, 0, 1] = 0
    source: Source = "events"


def _windowed(pattern: str, label: str, unit: Unit, *windows: int) -> list[Term]:
    return [
        Term(name=pattern.format(days), label=f"{label} in {days} days", unit=unit, higher_is_better=True, window_days=days)
        for days in windows
    ]


_TERMS = [
    *_windowed("csat_{}d_pct", "CSAT", "pct", 7, 30, 90),
    *_windowed("nps_0_10_{}d", "NPS (0-10)", "points", 90, 180),
    *_windowed("nps_1_10_{}d", "NPS (1-10)", "points", 90, 180),
    *_windowed("ces_1_7_easy_mean_{}d", "CES (1-7, 7 is very easy), mean", "points", 90),
    *_windowed("ces_1_7_easy_pct_{}d", "CES (1-7), share that found it easy", "pct", 90),
    *_windowed("product_feedback_{}d_pct", "good feedback on the product as a whole", "pct", 90),
    *_windowed("response_rate_{}d_pct", "survey requests answered", "pct", 90),
    *_windowed("answers_{}d", "survey answers", "count", 90),
    *_windowed("answers_with_comment_{}d_pct", "survey answers with a comment", "pct", 90),
    *_windowed("answers_with_touchpoint_{}d_pct", "survey answers that name a touchpoint", "pct", 90),
    *_windowed("goals_completed_{}d", "goals completed", "count", 7, 30, 90),
    *_windowed("goals_correct_ratio_{}d", "share of the tries of goals that were completed", "ratio", 30),
    *_windowed("features_used_{}d", "features used", "count", 7, 30, 90),
    *_windowed("active_days_{}d", "days with any use", "count", 30),
    *_windowed("active_users_{}d", "active users", "count", 30),
    *_windowed("stickiness_{}d_ratio", "daily active users / active users", "ratio", 30),
    *_windowed("seats_used_{}d_ratio", "active users / seats paid", "ratio", 30),
    *_windowed("usage_volume_{}d", "volume of usage", "count", 30),
    Term(
        name="usage_volume_change_30d_ratio",
        label="change of the volume of usage against the 30 days before",
        unit="ratio",
        higher_is_better=True,
        window_days=60,  # that long after the last use it still moves
    ),
    *_windowed("goal_attainment_{}d_ratio", "attainment of the goals promised or expected", "ratio", 30),
    Term(name="open_tickets", label="open tickets", unit="count", higher_is_better=False),
    Term(name="open_urgent_tickets", label="open urgent tickets", unit="count", higher_is_better=False),
    Term(name="oldest_open_ticket_days", label="age of the oldest open ticket", unit="days", higher_is_better=False, per_day=1),
    *(
        Term(
            name=f"{span}_median_{hours}_90d",
            label=f"{label}, median of 90 days{by}",
            unit="hours",
            higher_is_better=False,
            window_days=90,
        )
        for span, label in (("first_response", "time to the first response"), ("resolution", "time to the resolution"))
        for hours, by in (("hours", ""), ("business_hours", ", in business hours"))
    ),
    Term(
        name="ticket_inflow_per_seat_change_30d",
        label="tickets opened per seat, 30 days against the 30 before",
        unit="per_seat",
        higher_is_better=False,
        window_days=60,  # that long after the last ticket it still moves
    ),
    Term(name="days_since_last_sign", label="time since the last sign of life", unit="days", higher_is_better=False, per_day=1),
    Term(
        name="growth_log_90d",
        label="growth of revenue, ln of now / 90 days ago",
        unit="log",
        higher_is_better=True,
        window_days=90,
    ),
    Term(
        name="seats_growth_log_90d",
        label="growth of seats, ln of now / 90 days ago",
        unit="log",
        higher_is_better=True,
        window_days=90,
    ),
    Term(name="payments_late_90d", label="late payments in 90 days", unit="count", higher_is_better=False, window_days=90),
    Term(name="payments_failed_90d", label="failed payments in 90 days", unit="count", higher_is_better=False, window_days=90),
    Term(name="referrals", label="customers referred", unit="count", higher_is_better=True),
    Term(name="months_as_customer", label="months as a customer", unit="count", higher_is_better=True, source="account"),
    Term(name="value_realised_cents", label="value realised so far", unit="cents", higher_is_better=True, source="account"),
    Term(name="mrr_cents", label="monthly revenue", unit="cents", higher_is_better=True, source="account"),
    Term(name="seats", label="seats", unit="count", higher_is_better=True, source="account"),
    Term(name="renewal_in_days", label="time to the renewal", unit="days", higher_is_better=True, per_day=-1, source="account"),
    Term(name="health_score", label="health score", unit="points", higher_is_better=True, source="score"),
    Term(name="health_fall_points", label="fall of the health score", unit="points", higher_is_better=False, source="score"),
]

TERMS: dict[str, Term] = {term.name: term for term in _TERMS}
MEASURABLE = tuple(term.name for term in _TERMS if term.source == "events")

_SUFFIX = {"pct": " %", "days": " days", "hours": " hours"}


def shown(name: str, value: float | None) -> str:
    """A figure's value as a person reads it: `41 %`, `6.2 days`, `3`; `unknown` when there is none."""
    if value is None:
        return "unknown"
    unit = TERMS[name].unit if name in TERMS else "points"
    if unit == "cents":
        return f"{value / 100:,.2f}"
    if unit == "ratio":
        return f"{value * 100:.0f} %"
    if unit == "log":
        return f"{value:+.3f}"
    if unit == "per_seat":
        return f"{value:.2f} a seat"
    number = f"{value:.1f}"
    number = number.removesuffix(".0")
    if number == "-0":
        number = "0"
    if number == "1" and unit in ("days", "hours"):
        return "1 day" if unit == "days" else "1 hour"
    return number + _SUFFIX.get(unit, "")
