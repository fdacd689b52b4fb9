"""The report on the alerts of some simulated years: what `python -m benchmarks.alert_quality` writes."""

from collections.abc import Iterator, Sequence
from statistics import median
from textwrap import wrap
from typing import Final, NamedTuple

from benchmarks.judged_year import Year
from processors.intervals import wilson
from streams.whatif.quality import AHEAD_DAYS, ALL_RULES, GREEN_FROM_DAYS, HORIZON_DAYS, REOPENED_DAYS, Quality

WIDTH: Final = 130
HARDLY_SIMULATED: Final = {
    "became_vip_support": "few simulated customers recommend what serves them badly",
    "became_churner": "few simulated customers answer both questions while they are angry",
}
"""Why the simulator seldom opens a rule, where that is known."""
_FEW_JUDGED: Final = 20
_COMPARABLE_SHARE: Final = 0.02
"""A recall that is so little lower than another is comparable with it."""


class Summed(NamedTuple):
    """A rule over the seeds: counts are added up, shares are of the sums; the rates are the mean of the seeds' ones."""

    rule: str
    episodes: int
    reopened: int
    judged: int
    hits: int
    chance: float | None
    lifts: list[float]
    recall: float | None
    recall_by_chance: float | None
    lead_days: float | None
    a_customer_month: float

    @property
    def precision(self) -> float | None:
        """The share of the judged alerts that were right."""
        return self.hits / self.judged if self.judged else None

    @property
    def lift(self) -> float | None:
        """Precision over chance."""
        return self.precision / self.chance if self.precision is not None and self.chance else None

    @property
    def is_surely_better(self) -> bool:
        """Whether even the lower end of the precision's interval lies above chance."""
        interval = wilson(self.hits, self.judged)
        return interval is not None and self.chance is not None and interval.low > self.chance


def report(years: Sequence[Year], sha: str) -> Iterator[str]:
    """The lines of the report."""
    first = years[0]
    rules = _summed([year.rules for year in years])
    narrowed = _summed([year.narrowed for year in years])
    baselines = _summed([year.baselines for year in years])
    yield "# How good the alerts are"
    yield ""
    yield "Made by `python -m benchmarks.alert_quality`; the same code gives the same text. Nothing here is edited by hand."
    yield ""
    yield from wrap(
        f"{len(years)} seeds of the simulator ({', '.join(str(year.seed) for year in years)}), each a year of {first.customers} "
        f"customers ({sum(year.events for year in years):,} events in all), replayed with a tick every six hours under the "
        f"default definitions (sha256 {sha[:12]} of scorecards, rules and loyalty). What could be tuned in them was tuned on the "
        "seeds 11 to 13.",
        WIDTH,
    )
    yield ""
    yield from _how()
    yield ""
    yield "## The default rules"
    yield ""
    yield from _table([*rules, *narrowed])
    yield ""
    yield from _doubts(rules, sorted({name for year in years for name in year.idle}), years)
    yield ""
    yield from _off(_summed([year.off for year in years]))
    yield "## What anybody would think of first"
    yield ""
    yield from wrap(
        "The same figures for two naive rules on the same events: the latest CSAT answer was bad (until the next good one); "
        "usage of the last 30 days at most half of the 30 before, from at least 4 uses (until it is three quarters of them), "
        "also in two stricter versions, since whoever alerts seldom is more often right.",
        WIDTH,
    )
    yield ""
    yield from _table(baselines)
    yield ""
    yield from _compared([one for one in rules if one.rule == ALL_RULES] + narrowed, baselines)
    yield ""
    yield from _missed(years, sum(year.departures for year in years))
    yield ""
    yield from _truth(years)


def _how() -> Iterator[str]:
    yield from _item(
        f"An alert was right when its customer left within {HORIZON_DAYS} days after it opened; *precision* is the share of "
        "alerts that were, with its 95 % interval (Wilson; as if each alert stood for itself, so that it is rather too narrow)."
    )
    yield from _item(
        "*By chance* is what a rule finds that draws customers at random at the same times; *lift* is precision over that. A "
        "lift of 1 is no better than drawing lots. The range is over the seeds."
    )
    yield from _item(
        f"*Recall* is the share of departures with an alert that opened at least {AHEAD_DAYS} days before and stood open at some "
        f"time in the {HORIZON_DAYS} days before; *by chance* beside it is the share of customers who stayed of "
        "whom the same is true."
    )
    yield from _item("*Lead* is from the opening to the departure, the median of the medians of the seeds.")
    yield from _item(
        f"*Reopened* are the alerts that opened within {REOPENED_DAYS} days after one of the same customer and rule had ended."
    )
    yield from _item(
        f"Departures in the first {HORIZON_DAYS} days are left out, as are alerts whose {HORIZON_DAYS} days go beyond the end."
    )


def _item(text: str) -> Iterator[str]:
    yield from wrap(text, WIDTH, initial_indent="- ", subsequent_indent="  ")


def _summed(by_year: Sequence[Sequence[Quality]]) -> list[Summed]:
    names = list(dict.fromkeys(one.rule for year in by_year for one in year if one.rule != ALL_RULES))
    names += [ALL_RULES] if any(one.rule == ALL_RULES for year in by_year for one in year) else []
    return [_sum(name, [one for year in by_year for one in year if one.rule == name]) for name in names]


def _sum(name: str, found: Sequence[Quality]) -> Summed:
    judged, departures = sum(one.judged for one in found), sum(one.departures for one in found)
    by_chance = [one.recall_by_chance_share for one in found if one.recall_by_chance_share is not None]
    leads = [one.median_lead_days for one in found if one.median_lead_days is not None]
    rates = [one.alerts_a_customer_month or 0.0 for one in found]
    return Summed(
        rule=name,
        episodes=sum(one.episodes for one in found),
        reopened=sum(one.reopened for one in found),
        judged=judged,
        hits=sum(one.hits for one in found),
        chance=sum((one.chance_share or 0) * one.judged for one in found) / judged if judged else None,
        lifts=[one.lift for one in found if one.lift is not None],
        recall=sum(one.foreseen for one in found) / departures if departures else None,
        recall_by_chance=sum(by_chance) / len(by_chance) if by_chance else None,
        lead_days=median(leads) if leads else None,
        a_customer_month=sum(rates) / len(rates),
    )


def _table(rows: Sequence[Summed]) -> Iterator[str]:
    yield (
        "| rule | alerts | reopened | precision | by chance | lift (range) | recall | by chance | lead "
        "| alerts a customer and month |"
    )
    yield "|---|---|---|---|---|---|---|---|---|---|"
    for row in rows:
        yield "| " + " | ".join(_cells(row)) + " |"


def _cells(row: Summed) -> Iterator[str]:
    interval = wilson(row.hits, row.judged)
    yield row.rule
    yield f"{row.episodes:,}"
    yield _percent(row.reopened / row.episodes if row.episodes else None)
    yield _percent(row.precision) + ("" if interval is None else f" ({100 * interval.low:.1f}-{100 * interval.high:.1f})")
    yield _percent(row.chance)
    yield "-" if row.lift is None else f"{row.lift:.2f} ({min(row.lifts):.1f}-{max(row.lifts):.1f})"
    yield _percent(row.recall)
    yield _percent(row.recall_by_chance)
    yield "-" if row.lead_days is None else f"{row.lead_days:.0f} days"
    yield f"{row.a_customer_month:.3f}"


def _doubts(rules: Sequence[Summed], idle: Sequence[str], years: Sequence[Year]) -> Iterator[str]:
    """Which rules are not surely better than chance, and of which nothing can be said."""
    weak = [one for one in rules if not one.is_surely_better]
    sure = len(rules) - len(weak)
    yield from wrap(
        f"Of {sure} of these {len(rules)} lines the whole interval of the precision lies above chance."
        + (f" Not of: {', '.join(f'{one.rule} ({one.hits} of {one.judged} alerts)' for one in weak)}." if weak else ""),
        WIDTH,
    )
    seldom = {one.rule: one.judged for one in rules if one.judged < _FEW_JUDGED}
    seldom |= {name: 0 for name in idle if name not in seldom and all(name in year.idle for year in years)}
    for name, judged in sorted(seldom.items()):
        why = f": {HARDLY_SIMULATED[name]}" if name in HARDLY_SIMULATED else ""
        yield ""
        yield from wrap(f"Of `{name}` the simulator tells too little ({judged} judged alerts){why}.", WIDTH)


def _off(rules: Sequence[Summed]) -> Iterator[str]:
    """What the rules would have done that are off, which is why they are."""
    if rules:
        yield "Off in the default definitions, and in none of the lines above; what would have come of it:"
        yield ""
        yield from _table(rules)
        yield ""


def _compared(ours: Sequence[Summed], baselines: Sequence[Summed]) -> Iterator[str]:
    """Each naive rule beside the most precise of ours that finds as many of those who leave."""
    yield "Each of them beside the default rules at a recall that is as high, or less than 2 points lower:"
    yield ""
    yield "| naive rule | its recall | its precision | default rules | recall | precision |"
    yield "|---|---|---|---|---|---|"
    for naive in baselines:
        fit = [
            one
            for one in ours
            if one.recall is not None and naive.recall is not None and one.recall > naive.recall - _COMPARABLE_SHARE
        ]
        best = max(fit, key=lambda one: one.precision or 0.0, default=None)
        told = "none | - | -" if best is None else f"{best.rule} | {_percent(best.recall)} | {_percent(best.precision)}"
        yield f"| {naive.rule.removeprefix('naive: ')} | {_percent(naive.recall)} | {_percent(naive.precision)} | {told} |"


def _missed(years: Sequence[Year], departures: int) -> Iterator[str]:
    with_signs = sum(year.departures_with_signs for year in years)
    foreseen = sum(year.foreseen_with_signs for year in years)
    misses, silent = sum(year.misses for year in years), sum(year.silent_misses for year in years)
    green, green_silent = sum(year.green for year in years), sum(year.green_without_sign for year in years)
    yield "## What is missed"
    yield ""
    yield from wrap(
        f"Of {departures} departures {departures - with_signs} gave no sign at all: "
        f"{_percent(with_signs / max(1, departures))} is the most that anybody can foresee otherwise than by luck.",
        WIDTH,
    )
    yield ""
    yield "| | customers |"
    yield "|---|---|"
    yield f"| gave signs, and an alert foresaw it | {foreseen} of {with_signs} |"
    yield f"| no alert foresaw it | {misses}, {silent} of them without a sign |"
    yield f"| green {AHEAD_DAYS} days before, then churned | {green}, {green_silent} of them without a sign |"
    yield ""
    yield from wrap(
        "`cspulse replay --against` lists the green ones by name, with the worst band shown from "
        f"{GREEN_FROM_DAYS} to {AHEAD_DAYS} days before.",
        WIDTH,
    )


def _truth(years: Sequence[Year]) -> Iterator[str]:
    yield "## How much the simulator gives away"
    yield ""
    yield from wrap(
        "Figures of each customer three days before it leaves against customers who stay, at the same times: the area under the "
        "ROC curve of the figure that tells most, of some forty, and of all of them in a logistic regression, cross-validated. "
        f"Of {years[0].leak_customers:,} customers of each seed, since of few departures chance makes some figure look good.",
        WIDTH,
    )
    yield ""
    yield "| seed | events a customer | left in the year | without a sign | best single figure | all together |"
    yield "|---|---|---|---|---|---|"
    for year in years:
        name, area = year.largest_single
        together = "-" if year.together is None else f"{year.together:.2f}"
        yield (
            f"| {year.seed} | {year.events / year.customers:.0f} | {_percent(year.churners / year.customers)} "
            f"| {_percent(year.without_sign / max(1, year.churners))} | {name}, {area:.2f} | {together} |"
        )


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f} %"
