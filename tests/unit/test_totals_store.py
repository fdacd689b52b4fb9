"""The fleet's counts of one partition."""

from processors.windows import DAY_MS
from streams.totals import META_KEY, PartitionMeta, TotalKey, TotalsStore

SOLD: TotalKey = ("customers", "onboarded", None)
DAY_100: TotalKey = ("csat_by_day", "support", 100 * DAY_MS)


def test_counts_are_added_place_by_place() -> None:
    totals = TotalsStore(PartitionMeta(4))
    totals.add(DAY_100, (1, 2))
    totals.add(DAY_100, (0, 1))
    assert totals.counts(DAY_100) == [1, 3]


def test_everything_comes_back_from_the_changelog() -> None:
    totals = TotalsStore(PartitionMeta(4))
    totals.add(DAY_100, (1, 2))
    totals.add(SOLD, (1,))
    totals.meta.clock_ms = 77
    totals.meta.offsets = {"cs.tickets": 9}
    other = TotalsStore(PartitionMeta(4))
    other.restore(totals.take_changes())
    assert other.values() == totals.values()
    assert other.meta == totals.meta


def test_what_was_not_shown_before_a_restart_is_shown_after_it() -> None:
    totals = TotalsStore(PartitionMeta(4))
    totals.add(SOLD, (1,))
    first = totals.take_changes()
    other = TotalsStore(PartitionMeta(4))
    other.restore(first)
    assert other.take_unshown() == [(SOLD, [1])]
    assert other.take_unshown() == []
    third = TotalsStore(PartitionMeta(4))
    third.restore([*first, *other.take_changes()])
    assert third.take_unshown() == []


def test_a_total_that_came_to_zero_is_shown_as_gone_and_kept_no_longer() -> None:
    totals = TotalsStore(PartitionMeta(4))
    totals.add(SOLD, (1,))
    totals.take_unshown()
    totals.add(SOLD, (-1,))
    assert totals.take_unshown() == [(SOLD, None)]
    assert totals.values() == {}
    assert totals.take_changes()[1][1] is None


def test_a_total_that_was_touched_and_is_what_it_was_is_not_shown_again() -> None:
    totals = TotalsStore(PartitionMeta(4))
    totals.add(SOLD, (1,))
    totals.take_unshown()
    totals.add(SOLD, (1,))
    totals.add(SOLD, (-1,))
    assert totals.take_unshown() == []


def test_a_total_that_was_never_shown_and_is_zero_again_leaves_no_trace() -> None:
    totals = TotalsStore(PartitionMeta(4))
    totals.add(SOLD, (1,))
    totals.add(SOLD, (-1,))
    assert totals.values() == {}
    assert totals.take_unshown() == []


def test_the_meta_record_is_part_of_every_commit() -> None:
    totals = TotalsStore(PartitionMeta(4))
    assert [key for key, _ in totals.take_changes()] == [META_KEY]


def test_a_bucket_that_nobody_looks_at_any_more_is_removed_with_a_tombstone() -> None:
    totals = TotalsStore(PartitionMeta(4))
    totals.add(DAY_100, (1, 1))
    totals.add(SOLD, (1,))
    totals.take_changes()
    totals.take_unshown()
    assert totals.expire(200 * DAY_MS) == []
    assert totals.expire(282 * DAY_MS) == [DAY_100]
    tombstones = [value for key, value in totals.take_changes() if key != META_KEY]
    assert None in tombstones
    assert totals.values() == {SOLD: [1]}


def test_names_beyond_the_bound_of_a_bucket_are_other_and_give_way_to_no_later_one() -> None:
    totals = TotalsStore(PartitionMeta(4))
    day = 100 * DAY_MS
    for number in range(502):
        totals.add(("agent_load_by_day", f"agent-{number:03}", day), (1, 0))
    totals.add(("agent_load_by_day", "agent-000", day), (0, 1))
    totals.add(("agent_load_by_day", "agent-501", day + DAY_MS), (1, 0))
    assert len(totals.values()) == 502
    assert totals.counts(("agent_load_by_day", "other", day)) == [2, 0]
    assert totals.counts(("agent_load_by_day", "agent-000", day)) == [1, 1]
    assert totals.counts(("agent_load_by_day", "agent-501", day + DAY_MS)) == [1, 0]
    again = TotalsStore(PartitionMeta(4))
    again.restore(totals.take_changes())
    again.add(("agent_load_by_day", "agent-501", day), (-1, 0))
    assert again.counts(("agent_load_by_day", "other", day)) == [1, 0]


def test_beyond_the_bound_a_duration_keeps_its_bin() -> None:
    totals = TotalsStore(PartitionMeta(4))
    for number in range(5001):
        totals.add(("agent_responses_by_day", f"{number}/700", 0), (1, 0))
    assert totals.counts(("agent_responses_by_day", "other/700", 0)) == [1, 0]


def test_what_comes_so_late_that_its_bucket_goes_at_once_is_tallied_all_the_same() -> None:
    totals = TotalsStore(PartitionMeta(4))
    long_ago: TotalKey = ("events_by_day", "usage", 100 * DAY_MS)
    totals.add(long_ago, (1,))
    totals.expire(2_000 * DAY_MS)
    totals.add(long_ago, (1,))
    totals.take_changes()
    assert totals.take_tally() == {("events_by_day", "usage"): 2}
    totals.expire(2_000 * DAY_MS)
    totals.take_changes()
    assert not any(totals.take_tally().values())
