"""The rules that the default ones are held against, and the report on all of them."""

import tomllib

from benchmarks.judged_year import Year, at_least, switched_on
from benchmarks.naive import LATEST_BAD, USAGE_HALVED, episodes
from benchmarks.quality_report import report
from processors.definitions import parse
from schemas.events import AccountEvent, CustomerEvent, SurveyEvent, UsageEvent
from schemas.jsonlines import Line
from schemas.records import Severity
from streams.catalogue import default_text
from streams.sources.lines import line_of
from streams.whatif.quality import ALL_RULES, Quality
from streams.whatif.stays import NEVER, stays_of
from streams.whatif.told import Episode

DAY_MS = 86_400_000
START_MS = 20_000 * DAY_MS


def known() -> AccountEvent:
    return AccountEvent(event_id="k", customer_id="c", occurred_at=START_MS, kind="known")


def answer(on_day: float, score: int) -> SurveyEvent:
    at_ms = START_MS + int(on_day * DAY_MS)
    return SurveyEvent(
        event_id=f"a{on_day}", customer_id="c", occurred_at=at_ms, kind="answered", survey="csat", score=score, scale="1_5"
    )


def used(on_day: int) -> UsageEvent:
    return UsageEvent(event_id=f"u{on_day}", customer_id="c", occurred_at=START_MS + on_day * DAY_MS, kind="session")


def found(*events: CustomerEvent) -> list[tuple[str, float, float | None]]:
    lines: list[Line] = [line_of(event) for event in (known(), *events)]
    return [
        (one.rule, (one.opened_ms - START_MS) / DAY_MS, None if one.ended_ms == NEVER else (one.ended_ms - START_MS) / DAY_MS)
        for one in episodes(lines, stays_of(lines))
    ]


def test_a_bad_answer_opens_and_the_next_good_one_ends_it() -> None:
    assert found(answer(3, 2), answer(5, 1), answer(9, 4), answer(12, 3)) == [(LATEST_BAD, 3, 9), (LATEST_BAD, 12, None)]


def test_usage_of_half_opens_when_there_are_sixty_days_to_compare_and_ends_at_three_quarters() -> None:
    daily = [used(day) for day in range(60)]
    opened = [one for one in found(*daily, used(140)) if one[0] == USAGE_HALVED]
    assert opened[0][1] == 75  # at the end of day 74 there are 15 days of use left of the last 30, and 30 before
    assert found(*[used(day) for day in range(140)]) == []


def test_usage_that_falls_further_opens_the_stricter_versions_later() -> None:
    opened = found(*[used(day) for day in range(60)], used(140))
    assert [(rule, on_day) for rule, on_day, _ in opened[:3]] == [
        (USAGE_HALVED, 75),
        ("naive: usage down to a quarter", 83),
        ("naive: usage down to a tenth", 87),
    ]


def test_the_alerts_that_were_severe_when_they_opened_are_those_of_that_severity_or_more() -> None:
    severities: list[Severity] = ["info", "warning", "high", "critical"]
    episodes = [
        Episode(customer_id="c", rule="r", opened_ms=day, ended_ms=NEVER, severity=one) for day, one in enumerate(severities)
    ]
    assert [one.severity for one in at_least("high", episodes)] == ["high", "critical"]
    assert [one.severity for one in at_least("critical", episodes)] == ["critical"]


def quality(rule: str, judged: int, hits: int, foreseen: int = 4) -> Quality:
    return Quality(
        rule=rule,
        episodes=judged,
        reopened=judged // 10,
        judged=judged,
        hits=hits,
        precision_share=hits / judged,
        chance_share=0.02,
        lift=hits / judged / 0.02,
        departures=10,
        foreseen=foreseen,
        recall_share=foreseen / 10,
        recall_by_chance_share=0.2,
        median_lead_days=20.0,
        alerts_a_customer_month=0.1,
    )


def year(seed: int, hits: int) -> Year:
    return Year(
        seed=seed,
        events=1000,
        customers=10,
        churners=6,
        without_sign=2,
        rules=[quality("backlog", 10, 0), quality("silence", 50, hits), quality(ALL_RULES, 50, hits)],
        idle=["became_churner", "renewal"] if seed == 1 else ["became_churner"],
        narrowed=[quality("of these: high or critical when opened", 10, hits, 2)],
        off=[quality("became_vip_support", 20, 1)],
        baselines=[quality(LATEST_BAD, 50, 1), quality(USAGE_HALVED, 50, 1, 9), quality("naive: usage less", 50, 1, 2)],
        departures=10,
        departures_with_signs=7,
        foreseen_with_signs=4,
        misses=6,
        silent_misses=3,
        green=5,
        green_without_sign=2,
        leak_customers=1500,
        largest_single=("usage_30d", 0.68),
        together=0.75,
    )


def told() -> str:
    return "\n".join(report([year(1, 5), year(2, 10)], "0" * 64))


def test_the_report_adds_the_seeds_up_and_tells_the_range_of_the_lift() -> None:
    text = told()
    assert "| silence | 100 | 10.0 % | 15.0 % (9.3-23.3) | 2.0 % | 7.50 (5.0-10.0) | 40.0 % | 20.0 % | 20 days | 0.100 |" in text
    assert "| naive: latest CSAT answer bad | 100 | 10.0 % | 2.0 % (0.6-7.0) |" in text
    assert "Of 20 departures 6 gave no sign at all" in text
    assert "| no alert foresaw it | 12, 6 of them without a sign |" in text
    assert "| 1 | 100 | 60.0 % | 33.3 % | usage_30d, 0.68 | 0.75 |" in text
    assert all(len(line) <= 130 for line in text.splitlines() if not line.startswith("|"))


def test_the_report_names_the_rules_that_may_be_chance_and_those_that_open_too_seldom_to_tell() -> None:
    text = told()
    assert (
        "Of 2 of these 3 lines the whole interval of the precision lies above chance. Not of: backlog (0 of 20 alerts)." in text
    )
    assert "Of `became_churner` the simulator tells too little (0 judged alerts): few simulated customers" in text
    assert "`renewal`" not in text
    few = "\n".join(report([year(1, 5)], "0" * 64))
    assert "Of `backlog` the simulator tells too little (10 judged alerts)." in few


def test_a_rule_that_is_off_is_judged_by_itself() -> None:
    text = told()
    off = text[text.index("Off in the default") : text.index("## What anybody")]
    assert "| became_vip_support | 40 | 10.0 % | 5.0 % (1.4-16.5) | 2.0 % | 2.50 (2.5-2.5) |" in off
    assert "became_vip_support" not in text.replace(off, "")


def test_all_rules_of_the_default_definitions_can_be_switched_on_and_nothing_else_is() -> None:
    text = default_text()
    assert [name for name, rule in parse(text).rules.items() if not rule.enabled]
    assert all(rule.enabled for rule in parse(switched_on(text)).rules.values())
    before, after = tomllib.loads(text), tomllib.loads(switched_on(text))
    assert {**before, "rules": []} == {**after, "rules": []}


def test_a_naive_rule_is_held_against_the_most_precise_of_the_default_ones_that_finds_as_many() -> None:
    text = told()
    assert "| latest CSAT answer bad | 40.0 % | 2.0 % | all together | 40.0 % | 15.0 % |" in text
    assert "| usage halved | 90.0 % | 2.0 % | none | - | - |" in text
    assert "| usage less | 20.0 % | 2.0 % | of these: high or critical when opened | 20.0 % | 75.0 % |" in text
