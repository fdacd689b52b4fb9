"""What each panel of the dashboard of the customers must show, worked out from the batch answers. Knows no metric.

A panel's query is known by the panel's title and kind and by its letter. What it shows is written by the labels of its series, in
the order of their names and without the job, as the range in which each value must lie.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, NamedTuple

from tests.support.oracle.fleet import BANDS, QUADRANTS, Due, Found

PERCENT: Final = 0.01
HOUR_S: Final = 3_600
STRENGTHS: Final = {"weak": -1, "neither": 0, "strong": 1}
PERCENTILES: Final = ("p50", "p90", "p95")
SOLD: Final = ("lead", "trial", "contracted", "handed_over")
MOVES: Final = ("acquired", "reactivated", "lost")
WINDOWS: Final = ("7d", "30d", "90d")


Labels = tuple[str, ...]


class Range(NamedTuple):
    """From the lowest to the highest value that is right."""

    low: float
    high: float

    def has(self, value: float) -> bool:
        """Whether a value lies in it, but for rounding."""
        slack = 1e-9 * max(1.0, abs(self.low), abs(self.high))
        return self.low - slack <= value <= self.high + slack


Shown = dict[Labels, Range]


class Answers(NamedTuple):
    """The batch answers as of a time: figures, stations of the map in their order, and between what the kept promises lie."""

    figures: Found
    stations: list[dict[str, Any]]
    kept: Range


Ask = Callable[[Answers], Shown]
PanelKey = tuple[str, str]


def _of(due: Due, part: str, factor: float) -> Range | None:
    """A part of a figure: its value, the ends of its interval, its n, or how many of n it is a share of."""
    value = due.value
    if part == "many":
        value = 0.0 if not due.n else None if value is None else round(value * due.n, 6)
    elif part != "value":
        value = {"low": due.low, "high": due.high, "n": due.n}[part]
    if value is None:
        return None
    away = abs(value) * due.error if part == "value" else 0.0
    return Range((value - away) * factor, (value + away) * factor)


def _series(found: Iterable[tuple[Labels, Range | None]]) -> Shown:
    return {labels: value for labels, value in found if value is not None}


def whole(figure: str, factor: float = 1.0, part: str = "value") -> Ask:
    """A figure of the whole fleet, without labels."""
    return lambda answers: _series([((), _of(answers.figures[figure, ""], part, factor))])


def parts(figure: str, factor: float = 1.0, part: str = "value", only: Callable[[str], bool] = bool) -> Ask:
    """A figure by its dimension."""

    def ask(answers: Answers) -> Shown:
        mine = {name: due for (known, name), due in answers.figures.items() if known == figure and only(name)}
        return _series(((name,), _of(due, part, factor)) for name, due in mine.items())

    return ask


def figures_by(labels: Mapping[Labels, str], factor: float = 1.0, part: str = "value") -> Ask:
    """Figures of the whole fleet that stand side by side, each under its labels."""
    return lambda answers: _series((key, _of(answers.figures[name, ""], part, factor)) for key, name in labels.items())


def station(value: Callable[[dict[str, Any]], float | None], *labels: str) -> Ask:
    """Something of each station of the map."""

    def ask(answers: Answers) -> Shown:
        told = [(tuple(str(one[name]) for name in labels), value(one)) for one in answers.stations]
        return {key: Range(number, number) for key, number in told if number is not None}

    return ask


def _place(one: Mapping[str, Any]) -> float:
    return float(one["order"])


def _points(name: str) -> Callable[[dict[str, Any]], float | None]:
    return lambda one: None if one.get(name) is None else one[name] * PERCENT


NPS: Final[dict[Labels, str]] = {("0_10",): "nps_0_10_90d", ("1_10",): "nps_1_10_90d"}
FIRST_RESPONSE: Final[dict[Labels, str]] = {
    (hours, name): f"first_response_{name}_{hours}_30d" for hours in ("hours", "business_hours") for name in PERCENTILES
}

PANELS: Final[dict[PanelKey, dict[str, Ask]]] = {
    ("Customers", "stat"): {"A": whole("active_customers_30d_ratio", part="n")},
    ("At risk", "stat"): {"A": lambda answers: _many(answers, {(): ("band_share", "red")})},
    ("CSAT, 30 days", "stat"): {"A": whole("csat_30d_pct", PERCENT)},
    ("NPS, 90 days", "stat"): {"A": whole("nps_0_10_90d")},
    ("Open tickets", "stat"): {"A": whole("open_tickets")},
    ("Churn, last month", "stat"): {"A": whole("logo_churn_rate_of_customers_at_month_start_pct", PERCENT)},
    ("Monthly revenue", "stat"): {"A": whole("mrr_now_cents", PERCENT)},
    ("Touchpoint map", "table"): {
        "A": station(_place, "department", "side", "touchpoint"),
        "B": parts("csat_90d_pct", PERCENT),
        "C": parts("csat_90d_pct", PERCENT, "low"),
        "D": parts("csat_90d_pct", PERCENT, "high"),
        "E": parts("csat_90d_pct", part="n"),
        "F": station(lambda one: STRENGTHS.get(one["strength"]), "touchpoint"),
        "G": station(_points("trend_points"), "touchpoint"),
        "H": station(_points("trend_low"), "touchpoint"),
        "I": station(_points("trend_high"), "touchpoint"),
        "J": station(lambda one: one["open_tickets"], "touchpoint"),
        "K": station(lambda one: one["interactions_30d"], "touchpoint"),
    },
    ("CSAT by touchpoint, 30 days", "timeseries"): {"A": parts("csat_30d_pct", PERCENT)},
    ("CSAT, 7, 30 and 90 days", "timeseries"): {
        "A": figures_by({(window,): f"csat_{window}_pct" for window in WINDOWS}, PERCENT),
        "B": whole("csat_30d_pct", PERCENT, "low"),
        "C": whole("csat_30d_pct", PERCENT, "high"),
    },
    ("Conversion before the sale, 180 days", "bargauge"): {"A": parts("step_conversion_180d_ratio", only=SOLD.__contains__)},
    ("NPS, 90 days", "timeseries"): {
        "A": figures_by(NPS),
        "B": figures_by(NPS, part="low"),
        "C": figures_by(NPS, part="high"),
    },
    ("Quadrants", "timeseries"): {
        "A": lambda answers: _many(answers, {(name,): (f"{name}_share", "") for name in QUADRANTS}),
        "B": whole("quadrant_unknown_share", part="many"),
    },
    ("Share of each quadrant", "bargauge"): {"A": figures_by({(name,): f"{name}_share" for name in QUADRANTS})},
    ("Health bands", "timeseries"): {
        "A": lambda answers: _many(answers, {(name,): ("band_share", name) for name in BANDS}),
        "B": whole("band_unknown_share", part="many"),
    },
    ("Open alerts by rule", "bargauge"): {"A": parts("alerts_open")},
    ("Open alerts by severity", "timeseries"): {"A": parts("alerts_open_by_severity")},
    ("Were we first?", "timeseries"): {
        "A": whole("acted_share_90d"),
        "B": whole("proactive_ratio_90d"),
        "C": whole("complained_first_share_90d"),
    },
    ("Backlog by priority", "timeseries"): {"A": parts("open_tickets_by_priority")},
    ("Backlog by age", "bargauge"): {"A": parts("open_tickets_by_age")},
    ("First response, 30 days", "timeseries"): {"A": figures_by(FIRST_RESPONSE, HOUR_S)},
    ("Tickets in 30 days", "timeseries"): {
        "A": figures_by({(flow,): f"tickets_{flow}_30d" for flow in ("opened", "solved", "reopened")})
    },
    ("Goals completed, 30 days", "bargauge"): {"A": parts("goals_completed_30d")},
    ("Goals completed / tried, 30 days", "bargauge"): {"A": parts("goals_correct_ratio_30d")},
    ("Promises", "timeseries"): {"A": lambda answers: {(): answers.kept}, "B": whole("promises_valued_ratio")},
    ("Active customers, 30 days", "timeseries"): {"A": whole("active_customers_30d_ratio")},
    ("Churn and retention, last month", "timeseries"): {
        "A": whole("logo_churn_rate_of_customers_at_month_start_pct", PERCENT),
        "B": whole("retention_rate_of_customers_at_month_start_pct", PERCENT),
    },
    ("Revenue retention, last month", "timeseries"): {
        "A": whole("grr_of_mrr_at_month_start_pct", PERCENT),
        "B": whole("nrr_of_mrr_at_month_start_pct", PERCENT),
    },
    ("Customers, last month", "bargauge"): {"A": figures_by({(move,): f"customers_{move}_in_month" for move in MOVES})},
    ("Answers to questions, 90 days", "bargauge"): {
        "A": parts("response_rate_90d_pct", PERCENT, only=lambda name: bool(name) and "/" not in name)
    },
}
"""Every panel that shows what the batch answers say, and by which of them."""


def _many(answers: Answers, names: Mapping[Labels, tuple[str, str]]) -> Shown:
    return _series((labels, _of(answers.figures[key], "many", 1.0)) for labels, key in names.items())


def wrong(shown: Mapping[Labels, float], right: Shown) -> dict[Labels, tuple[float | None, Range | None]]:
    """Where a query shows something else. A part that is nothing may be left out, what has no parts may not."""
    keys = {*shown, *(labels for labels, value in right.items() if not labels or not value.has(0.0))}
    return {
        labels: (shown.get(labels), right.get(labels))
        for labels in keys
        if labels not in shown or labels not in right or not right[labels].has(shown[labels])
    }
