"""Figures as people read them."""

from datetime import UTC, datetime
from typing import Final

from schemas.records import ChurnAlert
from streams.demo.ranking import Cost

_FIGURES: Final[dict[str, str]] = {
    "csat_90d_pct": "CSAT {:.0f} %",
    "nps_0_10_180d": "NPS {:+.0f}",
    "goals_completed_30d": "goals in 30 days: {:.0f}",
    "goal_attainment_30d_ratio": "{:.0%} of the goals promised",
    "features_used_30d": "features in 30 days: {:.0f}",
    "active_days_30d": "used on {:.0f} days of 30",
    "seats_used_30d_ratio": "{:.0%} of the seats in use",
    "usage_volume_change_30d_ratio": "use {:+.0%} in 30 days",
    "growth_log_90d": "revenue growth {:+.2f} (ln, 90 days)",
    "product_feedback_90d_pct": "product feedback {:.0f} %",
    "first_response_median_business_hours_90d": "first response {:.1f} business hours",
    "first_response_median_hours_90d": "first response {:.1f} h",
    "ticket_inflow_per_seat_change_30d": "tickets per seat {:+.2f}",
    "referrals": "customers referred: {:.0f}",
    "open_tickets": "open tickets: {:.0f}",
    "oldest_open_ticket_days": "oldest open ticket: {:.0f} d",
    "days_since_last_sign": "last sign {:.0f} d ago",
}
"""How the figures of the default scorecards are said; any other is said by its name."""

ALERT_MARKS: Final[dict[str, str]] = {"opened": "▲", "updated": "•", "resolved": "▽", "retracted": "▽"}


def day(at_ms: int) -> str:
    """A day of the calendar, in UTC."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d")


def minute(at_ms: int) -> str:
    """A day and minute, in UTC."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%m-%d %H:%M")


def money(cents: int | None, currency: str | None) -> str:
    """An amount without its cents."""
    return "-" if cents is None else f"{cents / 100:,.0f} {currency or ''}".rstrip()


def cost(cost: Cost) -> str:
    """A measure with the points it costs and the figure behind it."""
    form = _FIGURES.get(cost.figure)
    if cost.figure_value is None:
        figure = "unknown"
    elif form is None:
        figure = f"{cost.figure} {cost.figure_value:g}"
    else:
        figure = form.format(cost.figure_value)
    return f"{cost.measure} -{cost.points:.1f} ({figure})"


def alert_line(alert: ChurnAlert) -> str:
    """One line about a state of an episode."""
    text = alert.resolution if alert.state == "resolved" and alert.resolution else alert.explanation
    head = f"{minute(alert.as_of)}  {ALERT_MARKS[alert.state]} {alert.state} {alert.rule} ({alert.severity})"
    return f"{head}  {alert.customer_id}: {text}"
