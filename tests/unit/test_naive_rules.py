"""The rules that the default ones are held against, and the report on all of them."""

from benchmarks.alert_quality import Year, report
from benchmarks.naive import LATEST_BAD, USAGE_HALVED, episodes
from schemas.events import AccountEvent, CustomerEvent, SurveyEvent, UsageEvent
from schemas.jsonlines import Line
from streams.sources.lines import line_of
from streams.whatif.quality import ALL_RULES, Quality
from streams.whatif.stays import NEVER, stays_of

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


def quality(rule: str, judged: int, hits: int) -> Quality:
    return Quality(
        rule=rule,
        episodes=judged,
        judged=judged,
        hits=hits,
        precision_share=hits / judged,
        chance_share=0.02,
        lift=hits / judged / 0.02,
        departures=10,
        foreseen=4,
        recall_share=0.4,
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
        rules=[quality("silence", 50, hits), quality(ALL_RULES, 50, hits)],
        baselines=[quality(LATEST_BAD, 50, 1)],
        departures=10,
        departures_with_signs=7,
        foreseen_with_signs=4,
        misses=6,
        silent_misses=3,
        green=5,
        green_without_sign=2,
        largest_single=("usage_30d", 0.68),
        together=0.75,
    )


def test_the_report_adds_the_seeds_up_and_tells_the_range_of_the_lift() -> None:
    text = "\n".join(report([year(1, 5), year(2, 10)], "0" * 64))
    assert "| silence | 100 | 15.0 % | 2.0 % | 7.50 (5.0-10.0) | 40.0 % | 20.0 % | 20 days | 0.100 |" in text
    assert "| naive: latest CSAT answer bad | 100 | 2.0 % |" in text
    assert "Of 20 departures 6 gave no sign at all" in text
    assert "| no alert foresaw it | 12, 6 of them without a sign |" in text
    assert "| 1 | 100 | 60.0 % | 33.3 % | usage_30d, 0.68 | 0.75 |" in text
    assert all(len(line) <= 130 for line in text.splitlines())
