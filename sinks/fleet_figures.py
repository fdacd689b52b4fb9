"""Which metrics show which figures of the fleet, in one table.

A figure is found by its name and dimension, written `figure | dimension`; the named groups of both patterns are labels. A share
is shown with its interval and with the two numbers it is made of, so that it can be put together with others rightly.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Final, Protocol

from msgspec import Struct

from sinks.metric import Metric, gauge

Series = tuple[str, tuple[str, ...], float]
"""A metric's name, the values of its labels, and its value."""

PERCENT: Final = 0.01
HOUR_S: Final = 3_600.0
_PERIOD: Final = r"(?P<period>month_start|start_of_trailing_12_months)"
_PERIODS: Final = {"month_start": "month", "start_of_trailing_12_months": "trailing_12_months"}
_CURRENCY: Final = r"(?:/(?P<currency>.+))?"
_MONEY: Final = "cents of the currency"
_WHOLE: Final = re.compile("")


class Value(Protocol):
    """A figure of the whole fleet as it is published: its fields are those of `schemas.fleet_records.FleetSnapshot`."""

    @property
    def figure(self) -> str:
        """Its name."""

    @property
    def dimension(self) -> str:
        """What it is cut by; empty for the whole."""

    @property
    def value(self) -> float | None:
        """None when it is not known."""

    @property
    def numerator(self) -> float | None:
        """What a share is of."""

    @property
    def denominator(self) -> float | None:
        """And what it is a share of."""

    @property
    def n(self) -> int | None:
        """How many things it rests on."""

    @property
    def low(self) -> float | None:
        """The lower end of its interval."""

    @property
    def high(self) -> float | None:
        """The upper end of its interval."""


class Shown(Struct, frozen=True, kw_only=True):
    """How a figure is shown: each metric of it, or None where it has none. `factor` brings it to the metric's unit."""

    figure: re.Pattern[str]
    dimension: re.Pattern[str]
    value: Metric
    factor: float = 1.0
    low: Metric | None = None
    high: Metric | None = None
    numerator: Metric | None = None
    denominator: Metric | None = None
    n: Metric | None = None

    def series(self, figure: Value) -> Iterator[Series]:
        """What is shown of a figure of this name; nothing in another dimension. What is not known is not shown."""
        name, dimension = self.figure.fullmatch(figure.figure), self.dimension.fullmatch(figure.dimension)
        if name is None or dimension is None:
            return
        labels = {**name.groupdict(), **dimension.groupdict()}
        for metric, value, factor in (
            (self.value, figure.value, self.factor),
            (self.low, figure.low, self.factor),
            (self.high, figure.high, self.factor),
            (self.numerator, figure.numerator, 1.0),
            (self.denominator, figure.denominator, 1.0),
            (self.n, figure.n, 1.0),
        ):
            if metric is not None and value is not None:
                yield metric.name, _labels(metric, labels), value * factor

    def metrics(self) -> Iterator[Metric]:
        """All metrics of the figure."""
        for metric in (self.value, self.low, self.high, self.numerator, self.denominator, self.n):
            if metric is not None:
                yield metric


def _labels(metric: Metric, found: Mapping[str, str | None]) -> tuple[str, ...]:
    values = [found[label] or "" for label in metric.labels]
    return tuple(_PERIODS.get(value, value) for value in values)


def _count(key: str, name: str, unit: str, meaning: str, *labels: str) -> Shown:
    figure, dimension = _patterns(key)
    return Shown(figure=figure, dimension=dimension, value=gauge(f"cspulse_fleet_{name}", unit, meaning, *labels))


def _patterns(key: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """The patterns of a figure's name and of its dimension, which a bar parts."""
    figure, _, dimension = key.partition(" | ")
    return re.compile(figure), re.compile(dimension)


def _share(
    key: str,
    name: str,
    meaning: str,
    parts: tuple[Metric, Metric],
    *labels: str,
    factor: float = 1.0,
    interval: bool = True,
) -> Shown:
    """A share from 0 to 1, or more where it may be; `parts` are the numbers above and below the line."""
    figure, dimension = _patterns(key)
    return Shown(
        figure=figure,
        dimension=dimension,
        value=gauge(f"cspulse_fleet_{name}_ratio", "ratio", meaning, *labels),
        factor=factor,
        low=_bound(f"{name}_ratio", "lower", "ratio", labels) if interval else None,
        high=_bound(f"{name}_ratio", "upper", "ratio", labels) if interval else None,
        numerator=parts[0],
        denominator=parts[1],
    )


def _bound(name: str, side: str, unit: str, labels: tuple[str, ...]) -> Metric:
    short = {"lower": "low", "upper": "high"}[side]
    return gauge(f"cspulse_fleet_{name}_{short}", unit, f"The {side} end of its 95 % interval.", *labels)


def _part(name: str, unit: str, meaning: str, *labels: str) -> Metric:
    return gauge(f"cspulse_fleet_{name}", unit, meaning, *labels)


_CUSTOMERS: Final = _part("customers", "customers", "Customers: neither leads nor trials, nor those who left.")
_WITH_QUADRANT: Final = _part("customers_with_quadrant", "customers", "Customers who have a loyalty quadrant.")
_WITH_BAND: Final = _part("customers_with_band", "customers", "Customers who have a band of the health score.")
_EPISODES: Final = _part("episodes", "episodes", "Alert episodes opened in the window, without the retracted.", "window")
_AT_START: Final = _part("customers_at_start", "customers", "Customers right before the period.", "period")
_MRR_AT_START: Final = _part("mrr_at_start_cents", _MONEY, "Their revenue a month right before the period.", "period", "currency")
_PROMISES: Final = _part("promises", "promises", "Promises that hold now.")

SAID: Final = (
    _share(
        r"csat_(?P<window>\d+d)_pct",
        "csat",
        "Good answers / all.",
        (
            _part("csat_good_answers", "answers", "Good answers.", "window"),
            _part("csat_answers", "answers", "Answers.", "window"),
        ),
        "window",
        factor=PERCENT,
    ),
    _share(
        r"csat_(?P<window>\d+d)_pct | (?P<touchpoint>.+)",
        "touchpoint_csat",
        "Good answers / all at the touchpoint.",
        (
            _part("touchpoint_csat_good_answers", "answers", "Good answers at the touchpoint.", "touchpoint", "window"),
            _part("touchpoint_csat_answers", "answers", "Answers at the touchpoint.", "touchpoint", "window"),
        ),
        "touchpoint",
        "window",
        factor=PERCENT,
    ),
    _share(
        r"csat_(?P<window>90d)_by_department_pct | (?P<department>.+)",
        "department_csat",
        "Good answers / all at the touchpoints that the department answers for.",
        (
            _part("department_csat_good_answers", "answers", "Good answers there.", "department", "window"),
            _part("department_csat_answers", "answers", "Answers there.", "department", "window"),
        ),
        "department",
        "window",
        factor=PERCENT,
    ),
    Shown(
        figure=re.compile(r"nps_(?P<scale>0_10|1_10)_(?P<window>\d+d)"),
        dimension=_WHOLE,
        value=_part(
            "nps_points", "points from -100 to 100", "Net Promoter Score: % promoters - % detractors.", "scale", "window"
        ),
        low=_bound("nps_points", "lower", "points", ("scale", "window")),
        high=_bound("nps_points", "upper", "points", ("scale", "window")),
        numerator=_part("nps_promoters_less_detractors", "answers", "Promoters - detractors.", "scale", "window"),
        denominator=_part("nps_answers", "answers", "NPS answers.", "scale", "window"),
    ),
    _share(
        r"ces_1_7_easy_pct_(?P<window>90d)",
        "ces_easy",
        "Customer effort: scores 5 to 7 of 1 to 7 / answers.",
        (
            _part("ces_easy_answers", "answers", "Scores 5 to 7.", "window"),
            _part("ces_answers", "answers", "CES answers.", "window"),
        ),
        "window",
        factor=PERCENT,
    ),
    _share(
        r"response_rate_(?P<window>90d)_pct | (?P<survey>[^/|]+)",
        "survey_response",
        "Requests sent in the window that were answered so far / sent.",
        (
            _part("survey_requests_answered", "requests", "Requests answered so far.", "survey", "window"),
            _part("survey_requests_sent", "requests", "Requests sent.", "survey", "window"),
        ),
        "survey",
        "window",
        factor=PERCENT,
    ),
    _count(
        r"survey_requests_(?P<window>90d) | (?P<survey>[^/|]+)/(?P<outcome>[^/|]+)",
        "survey_questions",
        "questions",
        "What became of the questions of the survey plan.",
        "survey",
        "outcome",
        "window",
    ),
)
"""What customers say."""

LOYALTY: Final = (
    _share(
        r"(?P<quadrant>advocate|vip_support|wildcard|churner)_share",
        "quadrant",
        "Customers in the loyalty quadrant / customers with a quadrant.",
        (_part("quadrant_customers", "customers", "Customers in the quadrant.", "quadrant"), _WITH_QUADRANT),
        "quadrant",
    ),
    _share(
        r"quadrant_unknown_share",
        "quadrant_unknown",
        "Customers without a quadrant / customers.",
        (_part("customers_without_quadrant", "customers", "Customers without a quadrant."), _CUSTOMERS),
    ),
    _share(
        r"band_share | (?P<band>red|yellow|green)",
        "band",
        "Customers in the band of the health score / customers with a band; red is at risk.",
        (_part("band_customers", "customers", "Customers in the band.", "band"), _WITH_BAND),
        "band",
    ),
    _share(
        r"band_unknown_share",
        "band_unknown",
        "Customers without a band / customers.",
        (_part("customers_without_band", "customers", "Customers without a band."), _CUSTOMERS),
    ),
    _count(r"customers | (?P<stage>.+)", "stage_customers", "customers", "Accounts at the stage, those who left too.", "stage"),
    _count(r"alerts_open | (?P<rule>.+)", "alerts_open", "episodes", "Open alert episodes of customers.", "rule"),
    _count(
        r"alerts_open_by_severity | (?P<severity>.+)", "alerts_open_by_severity", "episodes", "Open alert episodes.", "severity"
    ),
    *(
        _share(
            rf"{figure}_(?P<window>\d+d)",
            name,
            meaning,
            (_part(f"episodes_{part}", "episodes", told, "window"), _EPISODES),
            "window",
        )
        for figure, name, part, meaning, told in (
            ("proactive_ratio", "proactive", "proactive", "Episodes acted upon before the customer complained / all.", "Those."),
            ("acted_share", "acted", "acted", "Episodes that somebody acted upon / all.", "Episodes acted upon."),
            (
                "complained_first_share",
                "complained_first",
                "complained_first",
                "Episodes whose customer complained first / all.",
                "Those.",
            ),
        )
    ),
)
"""Where customers stand, and the alerts about them."""

SUPPORT: Final = (
    _count(r"open_tickets", "open_tickets", "tickets", "Backlog: tickets open now."),
    *(
        _count(
            rf"open_tickets_by_{label} | (?P<{label}>.+)", f"open_tickets_by_{label}", "tickets", f"Backlog by {label}.", label
        )
        for label in ("priority", "age", "touchpoint", "department")
    ),
    _count(
        r"tickets_(?P<flow>opened|solved|reopened)_(?P<window>\d+d)",
        "tickets",
        "tickets",
        "Tickets opened, solved or reopened in the window.",
        "flow",
        "window",
    ),
    *(
        Shown(
            figure=re.compile(rf"{span}_(?P<percentile>p\d+)_(?P<hours>hours|business_hours)_(?P<window>\d+d)"),
            dimension=_WHOLE,
            value=_part(f"{span}_seconds", "seconds", meaning, "percentile", "hours", "window"),
            factor=HOUR_S,
            n=_part(f"{span}_tickets", "tickets", "Tickets that it is a percentile of.", "hours", "window"),
        )
        for span, meaning in (
            ("first_response", "First agent reply - opening, within 1 %."),
            ("resolution", "The solve that stands - opening, within 1 %."),
        )
    ),
)
"""Support."""

USE: Final = (
    _share(
        r"goals_correct_ratio_(?P<window>\d+d) | (?P<goal>.+)",
        "goal_correct",
        "Goals completed / tried.",
        (
            _part("goal_completions", "completions", "Goals completed.", "goal", "window"),
            _part("goal_tries", "tries", "Goals completed or failed.", "goal", "window"),
        ),
        "goal",
        "window",
    ),
    _share(
        r"active_customers_(?P<window>30d)_ratio",
        "active_customers",
        "Customers who used the product / customers.",
        (_part("active_customers", "customers", "Customers who used the product in the window.", "window"), _CUSTOMERS),
        "window",
    ),
    _share(
        r"promises_kept_ratio",
        "promises_kept",
        "Promises attained in full / promises that hold now.",
        (_part("promises_kept", "promises", "Promises attained in full."), _PROMISES),
    ),
    _share(
        r"promises_valued_ratio",
        "promises_valued",
        "Promises with a first value / promises that hold now.",
        (_part("promises_valued", "promises", "Promises with a first value."), _PROMISES),
    ),
    _share(
        r"step_conversion_(?P<window>\d+d)_ratio | (?P<step>.+)",
        "step_conversion",
        "Of those who reached the step in the window, who went on so far / reached.",
        (
            _part("step_converted", "customers", "Who went on.", "step", "window"),
            _part("step_reached", "customers", "Who reached the step in the window.", "step", "window"),
        ),
        "step",
        "window",
    ),
)
"""Use, promises, and the way to the sale."""

MONEY: Final = (
    _share(
        rf"logo_churn_rate_of_customers_at_{_PERIOD}_pct",
        "logo_churn",
        "Customers at the start who were lost in the period / customers at the start.",
        (_part("customers_at_start_lost", "customers", "Customers at the start who were lost.", "period"), _AT_START),
        "period",
        factor=PERCENT,
        interval=False,
    ),
    _share(
        rf"retention_rate_of_customers_at_{_PERIOD}_pct",
        "retention",
        "Customers active without interruption / customers at the start.",
        (_part("customers_retained", "customers", "Customers active without interruption.", "period"), _AT_START),
        "period",
        factor=PERCENT,
        interval=False,
    ),
    *(
        _share(
            rf"{rate}_of_mrr_at_{_PERIOD}_pct | {_CURRENCY}",
            rate,
            meaning,
            (_part(f"{rate}_mrr_cents", _MONEY, told, "period", "currency"), _MRR_AT_START),
            "period",
            "currency",
            factor=PERCENT,
            interval=False,
        )
        for rate, meaning, told in (
            ("grr", "Gross revenue retention, never above 1.", "The lower of each customer's revenue at the start and the end."),
            ("nrr", "Net revenue retention.", "Revenue at the end of the customers at the start."),
        )
    ),
    *(
        _share(
            rf"renewal_rate_of_(?P<due>{due})_due_in_(?P<period>month|trailing_12_months)_pct | {_CURRENCY}",
            "renewal",
            "Renewed / due so far.",
            (
                _part(renewed, unit, "Renewed in the period.", "period", "currency"),
                _part(all_due, unit, "Due in the period so far.", "period", "currency"),
            ),
            "due",
            "period",
            "currency",
            factor=PERCENT,
            interval=False,
        )
        for due, renewed, all_due, unit in (
            ("renewals", "renewals", "renewals_due", "renewals"),
            ("mrr", "renewed_mrr_cents", "mrr_due_cents", _MONEY),
        )
    ),
    _count(r"customers_now", "paying_customers", "customers", "Accounts from their contract to its end."),
    _count(
        r"customers_(?P<move>acquired|reactivated|lost)_in_(?P<period>month|trailing_12_months)",
        "customers_moved",
        "customers",
        "Customers acquired, back again, or lost in the period.",
        "move",
        "period",
    ),
    _count(rf"mrr_now_cents | {_CURRENCY}", "mrr_cents", _MONEY, "Revenue a month of those who are customers.", "currency"),
    _count(
        rf"mrr_overdue_beyond_grace_cents | {_CURRENCY}",
        "mrr_overdue_cents",
        _MONEY,
        "Revenue whose renewal was neither made nor cancelled when the grace was over.",
        "currency",
    ),
    _count(
        rf"clv_by_monthly_churn_of_trailing_12_months_cents | {_CURRENCY}",
        "clv_cents",
        _MONEY,
        "Customer lifetime value: margin x revenue of an account x months.",
        "currency",
    ),
)
"""Churn, retention and revenue."""

COVERAGE: Final = _share(
    r"coverage_share",
    "coverage",
    "Partitions heard of, without those that stand still / all.",
    (_part("partitions_heard", "partitions", "Partitions heard of."), _part("partitions", "partitions", "All partitions.")),
    interval=False,
)

SHOWN: Final[tuple[Shown, ...]] = (COVERAGE, *SAID, *LOYALTY, *SUPPORT, *USE, *MONEY)
"""Every figure that is shown as a metric."""


@lru_cache(maxsize=4_096)
def _ways(figure: str) -> tuple[Shown, ...]:
    return tuple(shown for shown in SHOWN if shown.figure.fullmatch(figure) is not None)


def series_of(values: Iterable[Value]) -> Iterator[Series]:
    """Every series of these figures; most figures are not shown."""
    for value in values:
        for shown in _ways(value.figure):
            yield from shown.series(value)
