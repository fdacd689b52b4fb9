"""What the demo proves from the outputs: each proof must fail when it should."""

from collections import Counter

import pytest
from msgspec import structs

from schemas.records import EpisodeState, HealthChange
from streams.demo.fleet import FleetCounts
from streams.demo.progress import Progress
from streams.demo.proofs import Proofs
from streams.demo.shelf import read_back, read_model_of
from streams.demo.summary import checks_of, flow_of, rule_counts
from tests.support.demo_records import alert, change, measure, partial
from tests.support.read_model_records import snapshot


def test_a_chain_of_changes_that_begins_with_nothing_and_follows_on_holds() -> None:
    proofs = Proofs()
    proofs.take_change(change("a", 1, None, 80.0, measure("goals", 1, 1, 80.0, 80.0)))
    proofs.take_change(change("a", 2, 80.0, 60.0, measure("goals", 1, 1, 60.0, -20.0)))
    proofs.take_change(change("b", 1, None, 10.0, measure("goals", 1, 1, 10.0, 10.0)))
    assert (proofs.chained.checked, proofs.chained.flaws, proofs.explained.flaws) == (3, 0, 0)


def test_two_scores_of_a_customer_are_numbered_together_and_chained_apart() -> None:
    proofs = Proofs()
    proofs.take_change(change("a", 1, None, 80.0))
    proofs.take_change(structs.replace(change("a", 2, None, 30.0), purpose="advocacy"))
    proofs.take_change(change("a", 3, 80.0, 60.0))
    assert (proofs.chained.checked, proofs.chained.flaws) == (3, 0)


@pytest.mark.parametrize(
    "second",
    [change("a", 3, 80.0, 60.0), change("a", 2, 79.0, 60.0), change("a", 2, 80.0, 60.0, old_band="red")],
    ids=["a sequence is missing", "another score", "another band"],
)
def test_a_chain_that_does_not_follow_on_is_a_flaw_with_its_place(second: HealthChange) -> None:
    proofs = Proofs()
    proofs.take_change(change("a", 1, None, 80.0))
    proofs.take_change(second)
    assert proofs.chained.flaws == 1
    assert (proofs.chained.example or "").startswith("a, change")


def test_a_chain_whose_beginning_was_missed_is_a_flaw() -> None:
    proofs = Proofs()
    proofs.take_change(change("a", 2, 70.0, 80.0))
    assert proofs.chained.flaws == 1


def test_parts_that_do_not_add_up_to_the_change_are_a_flaw() -> None:
    proofs = Proofs()
    proofs.take_change(change("a", 1, None, 80.0, measure("goals", 1, 1, 80.0, 79.999)))
    assert proofs.explained.flaws == 1


def test_an_id_seen_twice_is_a_flaw() -> None:
    proofs = Proofs()
    for record_id in ("00ff", "00fe", "00ff"):
        proofs.take_id(record_id)
    assert (proofs.distinct.checked, proofs.distinct.flaws, proofs.distinct.example) == (3, 1, "00ff")


def test_episodes_that_open_update_and_end_in_turn_hold() -> None:
    proofs = Proofs()
    turns: list[tuple[EpisodeState, int, int]] = [("opened", 1, 1), ("updated", 1, 2), ("resolved", 1, 3), ("opened", 2, 4)]
    for state, number, at in turns:
        proofs.take_alert(alert("a", "silence", number, state, 1, at))
    assert (proofs.episodes.checked, proofs.episodes.flaws) == (4, 0)


@pytest.mark.parametrize(
    "states",
    [
        [("opened", 1), ("opened", 1)],
        [("opened", 1), ("opened", 2)],
        [("opened", 1), ("resolved", 1), ("resolved", 1)],
        [("opened", 1), ("resolved", 1), ("opened", 1)],
        [("updated", 1)],
        [("opened", 1), ("resolved", 2)],
    ],
)
def test_episodes_out_of_turn_are_a_flaw(states: list[tuple[EpisodeState, int]]) -> None:
    proofs = Proofs()
    for state, number in states:
        proofs.take_alert(alert("a", "silence", number, state, 1, 1))
    assert proofs.episodes.flaws == 1


def test_the_flow_balances_when_every_event_is_accepted_a_duplicate_or_a_dead_letter() -> None:
    flow = flow_of(
        {"cs.tickets": 10, "cs.usage": 20, "cs.ticks": 4},
        {"tickets": 8, "usage": 19},
        Counter({("cs.tickets", "late"): 1, ("cs.usage", "future"): 1}),
        1,
    )
    assert (flow.published, flow.accepted, flow.dead_letters, flow.unaccounted) == (30, 27, 2, 0)
    assert flow.topics["cs.tickets"].duplicates == 1
    checks = checks_of(flow, 4, 4, {}, {"red": 2}, Counter({"red": 2}))
    assert not any(check.flaws for check in checks)


def test_each_balance_fails_by_itself() -> None:
    lost = flow_of({"cs.tickets": 10}, {"tickets": 8}, Counter(), 1)
    sound = flow_of({"cs.tickets": 10}, {"tickets": 10}, Counter(), 0)
    rules = rule_counts({("silence", "opened"): 3, ("silence", "resolved"): 1}, {"silence": 1})
    assert lost.unaccounted == 1
    assert [check.flaws for check in checks_of(lost, 4, 4, {}, {}, Counter())] == [1, 0, 0]
    assert [check.flaws for check in checks_of(sound, 4, 3, {}, {}, Counter())] == [1, 0, 0]
    assert [check.flaws for check in checks_of(sound, 4, 4, rules, {}, Counter())] == [0, 1, 0]
    assert [check.flaws for check in checks_of(sound, 4, 4, {}, {"red": 1}, Counter({"green": 1}))] == [0, 0, 2]


def test_partials_are_absolute_and_a_gauge_that_came_to_zero_is_taken_off_while_an_expired_bucket_stays() -> None:
    fleet = FleetCounts(2)
    fleet.take(b"red|0", partial(0, 1, "health_band", "red", [2]))
    fleet.take(b"red|0", partial(0, 3, "health_band", "red", [5]))
    fleet.take(b"red|0", partial(0, 2, "health_band", "red", [4]))
    fleet.take(b"red|1", partial(1, 1, "health_band", "red", [1]))
    fleet.take(b"day|0", partial(0, 4, "events_by_day", "usage", [7], bucket=0))
    assert (fleet.count("health_band", "red"), fleet.count("events_by_day", "usage")) == (6, 7)
    fleet.take_tombstone(b"red|0")
    fleet.take_tombstone(b"day|0")
    fleet.take_tombstone(b"never seen")
    assert (fleet.count("health_band", "red"), fleet.by_dimension("events_by_day")) == (1, {"usage": 7})


def test_the_clock_of_the_fleet_is_that_of_the_partition_that_is_furthest_behind() -> None:
    fleet = FleetCounts(2)
    fleet.take(b"0", partial(0, 1, "as_of", "", [50]))
    assert fleet.as_of_ms == 0
    fleet.take(b"1", partial(1, 1, "as_of", "", [40]))
    assert (fleet.as_of_ms, fleet.ticks) == (40, 2)


def test_what_was_published_before_a_tick_is_processed_when_the_work_of_the_tick_is_done() -> None:
    progress = Progress()
    progress.sent(100)
    progress.ticked(1_000)
    progress.sent(50)
    progress.ticked(2_000)
    progress.reached(0, 0.0)
    assert progress.may_wait(1.0, 80, 250) == 250
    assert (progress.processed, progress.waiting, progress.rate_per_s) == (0, 150, 0.0)
    progress.reached(1_500, 2.0)
    assert (progress.processed, progress.waiting, progress.rate_per_s) == (100, 50, 50.0)
    assert [progress.may_wait(seconds, 80, 250) for seconds in (1.0, 3.0, 9.0)] == [80, 150, 250]
    progress.reached(2_000, 3.0)
    assert (progress.processed, progress.waiting) == (150, 0)


def test_the_read_model_of_the_demo_gives_back_every_snapshot_and_lists_who_is_at_risk() -> None:
    snapshots = {name: snapshot(name, 1) for name in ("a", "b", "c")}
    proof = read_back(snapshots)
    assert (proof.checked, proof.flaws) == (4, 0)
    assert read_model_of(snapshots).customers() == 3
    assert read_back({"a": snapshot("b", 1)}).flaws == 1
