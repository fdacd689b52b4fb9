"""How good the default rules are: `python -m benchmarks.alert_quality` simulates years, judges the alerts and writes the report.

Everything is seeded: the same options and the same code give the same report. Seeds are replayed side by side, a process each.
"""

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from hashlib import sha256
from pathlib import Path
from statistics import median
from textwrap import wrap
from typing import Final

from msgspec import Struct

from benchmarks import leaks, naive
from benchmarks.ground import REPOSITORY
from streams.catalogue import default_text
from streams.replay import replay
from streams.sources.simulator import Simulation, simulate, truths
from streams.whatif.quality import AHEAD_DAYS, ALL_RULES, GREEN_FROM_DAYS, HORIZON_DAYS, Judge, Quality
from streams.whatif.stays import stays_of
from streams.whatif.told import TOPICS, listen

CUSTOMERS: Final = 600
DAYS: Final = 365
SEEDS: Final = (1, 2, 3)
TICK_MS: Final = 6 * 3_600_000  # what is due is judged as of its own time, so that more ticks change next to nothing
END_MS: Final = leaks.END_MS
PARTITIONS: Final = 1
WIDTH: Final = 130


class Year(Struct, frozen=True, kw_only=True):
    """One simulated year, judged.

    `misses` counts the departures that no alert foresaw, `silent_misses` those of them without a sign; `largest_single` is the
    figure that tells most about who leaves, `together` what all tell.
    """

    seed: int
    events: int
    customers: int
    churners: int
    without_sign: int
    rules: list[Quality]
    baselines: list[Quality]
    departures: int
    departures_with_signs: int
    foreseen_with_signs: int
    misses: int
    silent_misses: int
    green: int
    green_without_sign: int
    largest_single: tuple[str, float]
    together: float | None


def judge_year(seed: int, customers: int = CUSTOMERS, days: int = DAYS) -> Year:
    """Simulate a year, replay it under the default definitions and judge the alerts."""
    simulation = Simulation(customers=customers, days=days, seed=seed, end_ms=END_MS)
    lines = list(simulate(simulation))
    known = {one.customer_id: one for one in truths(simulation)}
    told = listen(replay(lines, partitions=PARTITIONS, tick_interval_ms=TICK_MS, definitions_text=default_text(), topics=TOPICS))
    stays = stays_of(lines)
    judge = Judge(stays)
    judged = judge.judged(told)
    foreseen = {departure.customer_id for departure in judge.foreseen(told.episodes)}
    gone = {departure.customer_id for departure in judge.departures}
    with_signs = {one for one in gone if known[one].signs}
    churners = [one for one in known.values() if one.churned_at is not None]
    found = leaks.measured(lines, simulation)
    return Year(
        seed=seed,
        events=len(lines),
        customers=customers,
        churners=len(churners),
        without_sign=sum(not one.signs for one in churners),
        rules=judged.rules,
        baselines=[one for one in judge.qualities(naive.episodes(lines, stays)) if one.rule != ALL_RULES],
        departures=len(judge.departures),
        departures_with_signs=len(with_signs),
        foreseen_with_signs=len(with_signs & foreseen),
        misses=len(gone - foreseen),
        silent_misses=len(gone - foreseen - with_signs),
        green=len(judged.green_then_churned),
        green_without_sign=sum(not known[one.customer_id].signs for one in judged.green_then_churned),
        largest_single=next(iter(found.singles.items())),
        together=found.together,
    )


def report(years: Sequence[Year], default_sha: str) -> Iterator[str]:
    """The lines of the report."""
    first = years[0]
    departures = sum(year.departures for year in years)
    yield "# How good the alerts are"
    yield ""
    yield "Made by `python -m benchmarks.alert_quality`; the same code gives the same text. Nothing here is edited by hand."
    yield ""
    yield from wrap(
        f"{len(years)} seeds of the simulator, each a year of {first.customers} customers "
        f"({sum(year.events for year in years):,} events in all), replayed with a tick every six hours under the default "
        f"definitions (sha256 {default_sha[:12]}).",
        WIDTH,
    )
    yield ""
    yield from _how()
    yield ""
    yield "## The default rules"
    yield ""
    yield from _table([year.rules for year in years])
    yield ""
    yield "## What anybody would think of first"
    yield ""
    yield from wrap(
        "The same figures for two naive rules on the same events: the latest CSAT answer was bad (until the next good one); "
        "usage of the last 30 days at most half of the 30 before, from at least 4 uses (until it is three quarters of them).",
        WIDTH,
    )
    yield ""
    yield from _table([year.baselines for year in years])
    yield ""
    yield from _missed(years, departures)
    yield ""
    yield from _truth(years)


def _how() -> Iterator[str]:
    yield from _item(
        f"An alert was right when its customer left within {HORIZON_DAYS} days after it opened; *precision* is the share of "
        "alerts that were."
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
        f"Departures in the first {HORIZON_DAYS} days are left out, as are alerts whose {HORIZON_DAYS} days go beyond the end."
    )


def _item(text: str) -> Iterator[str]:
    yield from wrap(text, WIDTH, initial_indent="- ", subsequent_indent="  ")


def _table(by_year: Sequence[Sequence[Quality]]) -> Iterator[str]:
    yield "| rule | alerts | precision | by chance | lift (range) | recall | by chance | lead | alerts a customer and month |"
    yield "|---|---|---|---|---|---|---|---|---|"
    names = list(dict.fromkeys(one.rule for year in by_year for one in year if one.rule != ALL_RULES))
    names += [ALL_RULES] if any(one.rule == ALL_RULES for year in by_year for one in year) else []
    for name in names:
        yield "| " + " | ".join(_cells(name, [one for year in by_year for one in year if one.rule == name])) + " |"


def _cells(name: str, found: Sequence[Quality]) -> Iterator[str]:
    """One rule over the seeds: counts are added up, shares are of the sums."""
    judged = sum(one.judged for one in found)
    hits = sum(one.hits for one in found)
    chance = sum((one.chance_share or 0) * one.judged for one in found) / judged if judged else None
    lifts = [one.lift for one in found if one.lift is not None]
    departures = sum(one.departures for one in found)
    by_chance = [one.recall_by_chance_share for one in found if one.recall_by_chance_share is not None]
    leads = [one.median_lead_days for one in found if one.median_lead_days is not None]
    rates = [one.alerts_a_customer_month or 0.0 for one in found]
    yield name
    yield f"{sum(one.episodes for one in found):,}"
    yield _percent(hits / judged if judged else None)
    yield _percent(chance)
    yield f"{hits / judged / chance:.2f} ({min(lifts):.1f}-{max(lifts):.1f})" if lifts and judged and chance else "-"
    yield _percent(sum(one.foreseen for one in found) / departures if departures else None)
    yield _percent(sum(by_chance) / len(by_chance) if by_chance else None)
    yield f"{median(leads):.0f} days" if leads else "-"
    yield f"{sum(rates) / len(rates):.3f}"


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
        "ROC curve of the figure that tells most, of some forty, and of all of them in a logistic regression, cross-validated.",
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


def main() -> int:
    """Simulate, judge, write; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.alert_quality", description="Judge the default rules.")
    parser.add_argument("--customers", type=int, default=CUSTOMERS, help=f"customers of each seed ({CUSTOMERS})")
    parser.add_argument("--seeds", type=int, nargs="+", default=list(SEEDS), help="seeds of the simulator (1 2 3)")
    parser.add_argument("--jobs", type=int, default=2, help="seeds at once (2)")
    parser.add_argument("--out", type=Path, default=REPOSITORY / "docs" / "alert-quality.md", help="where the report goes")
    options = parser.parse_args()
    started = time.monotonic()
    with ProcessPoolExecutor(options.jobs) as pool:
        years = list(pool.map(judge_year, options.seeds, [options.customers] * len(options.seeds)))
    text = "\n".join(report(years, sha256(default_text().encode()).hexdigest()))
    options.out.write_text(text + "\n", encoding="utf-8")
    print(text)
    print(f"{options.out}: {time.monotonic() - started:.0f} s", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
