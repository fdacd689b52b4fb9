"""What two definitions say differently over one log, and how good alerts are, at cases small enough to count by hand."""

import pytest

from processors.definitions import DefinitionsError
from schemas.events import AccountEvent, UsageEvent
from schemas.jsonlines import Line
from schemas.records import Band
from streams.whatif.difference import compare_alerts, compare_bands
from streams.whatif.quality import ALL_RULES, Judge
from streams.whatif.run import Options, what_if
from streams.whatif.stays import NEVER, Chances, Stay, Stays, stays_of
from streams.whatif.told import Bands, Episode, Told

DAY_MS = 86_400_000
START_MS = 20_000 * DAY_MS


def day(number: float) -> int:
    return START_MS + int(number * DAY_MS)


def account(customer_id: str, kind: str, on_day: float) -> Line:
    at_ms = day(on_day)
    event = AccountEvent(event_id=f"{customer_id}-{kind}-{on_day}", customer_id=customer_id, occurred_at=at_ms, kind=kind)  # type: ignore[arg-type]  # kinds are spelt out below
    return Line(topic="cs.accounts", timestamp_ms=at_ms, key=customer_id.encode(), value=event)


def used(customer_id: str, on_day: float) -> Line:
    event = UsageEvent(event_id=f"{customer_id}-{on_day}", customer_id=customer_id, occurred_at=day(on_day), kind="session")
    return Line(topic="cs.usage", timestamp_ms=day(on_day), key=customer_id.encode(), value=event)


def episode(customer_id: str, opened_on: float, ended_on: float | None = None, rule: str = "silence") -> Episode:
    ended_ms = NEVER if ended_on is None else day(ended_on)
    return Episode(customer_id=customer_id, rule=rule, opened_ms=day(opened_on), ended_ms=ended_ms, severity="warning")


def told(*episodes: Episode, **bands: list[tuple[float, Band | None]]) -> Told:
    mine = {name: Bands(tuple(day(at) for at, _ in found), tuple(band for _, band in found)) for name, found in bands.items()}
    return Told(episodes, mine)


def test_a_stay_begins_when_the_account_is_known_or_contracted_and_ends_with_the_cancellation_or_lapse() -> None:
    found = stays_of(
        [
            *(account("a", "known", 0), account("a", "cancelled", 40)),
            *(
                account("b", "lead", 1),
                account("b", "trial_started", 3),
                account("b", "contracted", 9),
                account("b", "lapsed", 70),
            ),
            *(account("c", "known", 2), used("c", 90)),
        ]
    )
    assert found.by_customer == {"a": [Stay(day(0), day(40))], "b": [Stay(day(9), day(70))], "c": [Stay(day(2), NEVER)]}
    assert [(one.customer_id, one.at_ms, one.ending) for one in found.departures] == [
        ("a", day(40), "cancelled"),
        ("b", day(70), "lapsed"),
    ]
    assert (found.start_ms, found.end_ms) == (day(0), day(90))
    assert found.customer_days == pytest.approx(40 + 61 + 88)


def test_who_comes_back_stays_a_second_time_and_can_leave_again() -> None:
    found = stays_of(
        [account("a", "known", 0), account("a", "cancelled", 10), account("a", "reactivated", 30), account("a", "lapsed", 50)]
    )
    assert found.by_customer["a"] == [Stay(day(0), day(10)), Stay(day(30), day(50))]
    assert len(found.departures) == 2


def test_a_lead_that_buys_nothing_is_no_customer_and_nobody_loses_it() -> None:
    found = stays_of([account("a", "lead", 0), account("a", "trial_started", 3), account("a", "cancelled", 9)])
    assert found.by_customer == {}
    assert found.departures == []


def test_who_is_there_without_a_word_of_a_beginning_is_a_customer_from_the_first_event_on() -> None:
    found = stays_of([used("a", 5), account("a", "cancelled", 50), used("b", 6), account("b", "reactivated", 20)])
    assert found.by_customer == {"a": [Stay(day(5), day(50))], "b": [Stay(day(20), NEVER)]}


def test_a_cancellation_that_arrives_twice_is_one_departure() -> None:
    lines = [account("a", "known", 0), account("a", "cancelled", 9), account("a", "cancelled", 9), account("a", "lapsed", 12)]
    assert len(stays_of(lines).departures) == 1


def ten_customers(*left: tuple[str, float]) -> Stays:
    """Ten customers from day 0 to day 300, of whom some have left."""
    ends = dict(left)
    lines = [account(name, "known", 0) for name in "abcdefghij"]
    lines += [account(name, "cancelled", at) for name, at in ends.items()]
    return stays_of([*lines, used("j", 300)])


def test_chance_is_the_share_of_the_customers_of_that_day_who_left_within_the_horizon() -> None:
    chances = Chances(ten_customers(("a", 100), ("b", 130)), 60 * DAY_MS)
    assert chances.share_at(day(30)) == 0.0
    assert chances.share_at(day(50)) == 0.1
    assert chances.share_at(day(80)) == 0.2
    assert chances.share_at(day(110)) == pytest.approx(1 / 9)
    assert chances.share_at(day(-5)) is None


def test_precision_and_lift_count_each_alert_whose_customer_left_within_the_horizon() -> None:
    judge = Judge(ten_customers(("a", 100), ("b", 250)))
    episodes = [episode("a", 60, 70), episode("a", 80, 100), episode("b", 80, 90), episode("c", 80, 81)]
    found = judge.quality("silence", episodes)
    assert (found.judged, found.hits) == (4, 2)
    assert found.precision_share == 0.5
    assert found.chance_share == pytest.approx(0.1)
    assert found.lift == pytest.approx(5.0)


def test_an_alert_whose_horizon_goes_beyond_the_log_is_not_judged_but_counted() -> None:
    found = Judge(ten_customers(("a", 100))).quality("silence", [episode("c", 100, 110), episode("c", 260)])
    assert (found.episodes, found.judged) == (2, 1)
    assert found.precision_share == 0.0
    assert found.alerts_a_customer_month == pytest.approx(2 / (9 * 300 + 100) * 365.25 / 12)


def test_an_alert_for_somebody_who_is_no_customer_any_more_does_not_count() -> None:
    assert Judge(ten_customers(("a", 100))).quality("silence", [episode("a", 120)]).episodes == 0


def test_an_alert_that_opens_within_a_week_of_the_end_of_the_one_before_is_reopened() -> None:
    again, a_week_later, more_than_a_week = episode("a", 75, 76), episode("a", 83, 84), episode("a", 91.5)
    episodes = [episode("a", 60, 70), again, a_week_later, more_than_a_week, episode("b", 76), episode("a", 76, rule="backlog")]
    found = Judge(ten_customers()).qualities(episodes)
    assert [(one.rule, one.episodes, one.reopened) for one in found] == [("backlog", 1, 0), ("silence", 5, 2), (ALL_RULES, 6, 2)]


def test_recall_is_of_the_departures_those_with_an_alert_that_opened_seven_days_before_and_was_not_long_over() -> None:
    judge = Judge(ten_customers(("a", 100), ("b", 150), ("c", 200), ("d", 250)))
    in_time, too_late = episode("a", 93, 95), episode("b", 144, 150)
    long_over, standing = episode("c", 100, 130), episode("d", 100)
    found = judge.quality("silence", [in_time, too_late, long_over, standing])
    assert (found.departures, found.foreseen) == (4, 2)
    assert found.recall_share == 0.5
    assert found.median_lead_days == pytest.approx((7 + 150) / 2)
    assert [one.customer_id for one in judge.foreseen([in_time, too_late, long_over, standing])] == ["a", "d"]


def test_recall_by_chance_asks_the_same_of_those_who_stayed() -> None:
    judge = Judge(ten_customers(("a", 100)))
    found = judge.quality("silence", [episode("a", 90), episode("b", 50), episode("c", 95), episode("d", 20, 30)])
    assert found.recall_by_chance_share == pytest.approx(1 / 9)


def test_departures_at_the_beginning_of_the_log_are_left_out_for_nothing_could_be_known_of_them() -> None:
    judge = Judge(ten_customers(("a", 59), ("b", 60)))
    assert [one.customer_id for one in judge.departures] == ["b"]


def test_without_cases_nothing_is_said_and_never_zero() -> None:
    found = Judge(ten_customers()).quality("silence", [])
    assert found.precision_share is None
    assert found.lift is None
    assert found.recall_share is None
    assert found.median_lead_days is None


def test_each_rule_is_judged_by_itself_and_all_together_last() -> None:
    judge = Judge(ten_customers(("a", 100)))
    found = judge.qualities([episode("a", 80), episode("a", 80, rule="backlog"), episode("b", 80, rule="backlog")])
    assert [(one.rule, one.judged, one.hits, one.foreseen) for one in found] == [
        ("backlog", 2, 1, 1),
        ("silence", 1, 1, 1),
        (ALL_RULES, 3, 2, 1),
    ]


def test_green_then_churned_is_who_was_green_seven_days_before_with_the_worst_band_and_the_alerts_of_the_weeks_before() -> None:
    judge = Judge(ten_customers(("a", 100), ("b", 120), ("c", 140)))
    said = told(
        episode("a", 80, 90, rule="backlog"),
        episode("a", 20, 30),
        a=[(0, "green"), (72, "yellow"), (90, "green")],
        b=[(0, "green"), (110, "yellow")],
        c=[(0, "yellow"), (100, "green"), (138, "red")],
    )
    found = judge.surprises(said)
    assert [(one.customer_id, one.worst_band, one.alerts) for one in found] == [("a", "yellow", ["backlog"]), ("c", "green", [])]


def test_bands_are_compared_at_the_end_of_each_day_and_at_the_end() -> None:
    old = told(a=[(0.5, "green"), (5.5, "yellow")], b=[(0.5, "red")], c=[(0.5, "green")])
    new = told(a=[(0.5, "green"), (3.5, "yellow")], b=[(0.5, "yellow")], c=[(0.5, "green")])
    found = compare_bands(old, new, day(0), day(10))
    assert found.customers == 3
    assert found.changed_at_end == 1
    assert found.customer_days == 27
    assert found.customer_days_differing == 11
    assert [(one.customer_id, one.old_band, one.new_band, one.days_differing) for one in found.differing] == [
        ("b", "red", "yellow", 9),
        ("a", "yellow", "yellow", 2),
    ]


def test_alerts_that_opened_within_the_days_allowed_are_the_same_if_customer_and_rule_are() -> None:
    old = told(episode("a", 10, 12), episode("a", 40, 42), episode("b", 10), episode("b", 10, rule="backlog"))
    new = told(episode("a", 13, 14), episode("a", 44, 45), episode("b", 10), episode("c", 10))
    backlog, silence = compare_alerts(old, new, 3 * DAY_MS)
    assert (backlog.rule, backlog.both, len(backlog.only_old), backlog.only_new) == ("backlog", 0, 1, [])
    assert (silence.both, silence.earlier, silence.later) == (2, 0, 1)
    assert silence.only_old == [episode("a", 40, 42)]
    assert silence.only_new == [episode("c", 10), episode("a", 44, 45)]


def test_alerts_that_are_open_at_the_same_time_are_the_same_however_much_earlier_one_of_them_opened() -> None:
    old, new = told(episode("a", 14, 30), episode("b", 20)), told(episode("a", 4, 14), episode("b", 40))
    (silence,) = compare_alerts(old, new, 3 * DAY_MS)
    assert (silence.both, silence.earlier, silence.later, silence.only_old, silence.only_new) == (2, 1, 1, [], [])


def test_one_alert_stands_for_one_of_the_other_side_at_most() -> None:
    old, new = told(episode("a", 10, 11), episode("a", 12, 13)), told(episode("a", 11))
    (silence,) = compare_alerts(old, new, 3 * DAY_MS)
    assert (silence.both, silence.only_old, silence.only_new) == (1, [episode("a", 12, 13)], [])


def test_who_left_after_the_end_of_the_comparison_is_missed_by_nobody() -> None:
    lines = [account("a", "known", 0), account("b", "known", 0), account("a", "cancelled", 100), used("b", 120)]
    whole = what_if(lines, None, None, Options(partitions=1, tick_interval_ms=10 * DAY_MS))
    until = what_if(lines, None, None, Options(partitions=1, tick_interval_ms=10 * DAY_MS, until_ms=day(90)))
    assert (whole.departures, until.departures) == (1, 0)
    assert until.old is None


def test_a_mistake_in_either_of_the_definitions_is_told_before_anything_is_replayed() -> None:
    for new, old in (("nonsense = 1", None), (None, "nonsense = 1")):
        heard: list[str] = []
        with pytest.raises(DefinitionsError):
            what_if([used("a", 1)], new, old, Options(partitions=1, tick_interval_ms=DAY_MS), tell=heard.append)
        assert heard == []
