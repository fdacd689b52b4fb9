"""A simulated year, replayed and judged by what became of its customers."""

import re
from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from benchmarks import leaks, naive
from processors.definitions import parse
from processors.rule_file import SEVERITIES
from schemas.records import Severity
from streams.replay import replay
from streams.sources.simulator import Simulation, simulate, truths
from streams.whatif.quality import ALL_RULES, Judge, Quality
from streams.whatif.stays import stays_of
from streams.whatif.told import TOPICS, Episode, Told, listen

DAYS: Final = 365
TICK_MS: Final = 6 * 3_600_000  # what is due is judged as of its own time, so that more ticks change next to nothing
PARTITIONS: Final = 1
LEAK_CUSTOMERS: Final = 1500
"""So many customers of the seed are looked at for what the simulator gives away: of few departures chance tells too much."""
_OFF: Final = re.compile(r"^(\[\[rules\]\]\n(?:[^\[\n].*\n)*?)enabled *= *false\n", re.MULTILINE)
NARROWED: Final[tuple[tuple[str, Severity], ...]] = (
    ("of these: high or critical when opened", "high"),
    ("of these: critical when opened", "critical"),
)


class Year(Struct, frozen=True, kw_only=True):
    """One simulated year, judged.

    `idle` are the rules in force that never opened, `narrowed` the alerts of all of them that were severe when they opened, `off`
    what the rules would have done that the definitions switch off.
    `misses` counts the departures that no alert foresaw, `silent_misses` those of them without a sign; `largest_single` is the
    figure that tells most about who leaves, `together` what all tell, of `leak_customers`.
    """

    seed: int
    events: int
    customers: int
    churners: int
    without_sign: int
    rules: list[Quality]
    idle: list[str]
    narrowed: list[Quality]
    off: list[Quality]
    baselines: list[Quality]
    departures: int
    departures_with_signs: int
    foreseen_with_signs: int
    misses: int
    silent_misses: int
    green: int
    green_without_sign: int
    leak_customers: int
    largest_single: tuple[str, float]
    together: float | None


def judge_year(seed: int, customers: int, text: str) -> Year:
    """Simulate a year, replay it under the definitions of the text and judge the alerts."""
    simulation = Simulation(customers=customers, days=DAYS, seed=seed, end_ms=leaks.END_MS)
    lines = list(simulate(simulation))
    known = {one.customer_id: one for one in truths(simulation)}
    all_on = switched_on(text)
    told = listen(replay(lines, partitions=PARTITIONS, tick_interval_ms=TICK_MS, definitions_text=all_on, topics=TOPICS))
    rules = parse(text).rules
    off = [name for name, rule in rules.items() if not rule.enabled]
    told_off = {name: [episode for episode in told.episodes if episode.rule == name] for name in off}
    told = Told([episode for episode in told.episodes if episode.rule not in off], told.bands)
    stays = stays_of(lines)
    judge = Judge(stays)
    judged = judge.judged(told)
    opened = {episode.rule for episode in told.episodes}
    foreseen = {departure.customer_id for departure in judge.foreseen(told.episodes)}
    gone = {departure.customer_id for departure in judge.departures}
    with_signs = {one for one in gone if known[one].signs}
    churners = [one for one in known.values() if one.churned_at is not None]
    found = leaks.measure(Simulation(customers=LEAK_CUSTOMERS, days=DAYS, seed=seed, end_ms=leaks.END_MS))
    return Year(
        seed=seed,
        events=len(lines),
        customers=customers,
        churners=len(churners),
        without_sign=sum(not one.signs for one in churners),
        rules=judged.rules,
        idle=[name for name, rule in rules.items() if rule.enabled and name not in opened],
        narrowed=[judge.quality(words, at_least(severity, told.episodes)) for words, severity in NARROWED],
        off=[judge.quality(name, episodes) for name, episodes in told_off.items()],
        baselines=[one for one in judge.qualities(naive.episodes(lines, stays)) if one.rule != ALL_RULES],
        departures=len(judge.departures),
        departures_with_signs=len(with_signs),
        foreseen_with_signs=len(with_signs & foreseen),
        misses=len(gone - foreseen),
        silent_misses=len(gone - foreseen - with_signs),
        green=len(judged.green_then_churned),
        green_without_sign=sum(not known[one.customer_id].signs for one in judged.green_then_churned),
        leak_customers=found.customers,
        largest_single=next(iter(found.singles.items())),
        together=found.together,
    )


def switched_on(text: str) -> str:
    """The same definitions with all rules in force."""
    return _OFF.sub(r"\1", text)


def at_least(severity: Severity, episodes: Sequence[Episode]) -> list[Episode]:
    """The episodes that were so severe, or more, when they opened."""
    least = SEVERITIES.index(severity)
    return [episode for episode in episodes if SEVERITIES.index(episode.severity) >= least]
