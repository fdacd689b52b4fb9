"""The parts of the fleet's figures: the newest of each partition counts, and the sums are exact whatever came in which order."""

from random import Random

import pytest

from processors.fleet import FIGURES
from processors.fleet_state import FleetState
from processors.windows import D7, D30, DAY_MS, HOUR_MS
from schemas.records import FleetPartial
from tests.support.happenings import NOON

DAY = NOON - NOON % DAY_MS


def partial(
    partition: int,
    sequence: int,
    figure: str,
    counts: list[int],
    dimension: str = "",
    bucket: int | None = None,
    incarnation: str = "app",
    config_version: int = 1,
) -> FleetPartial:
    return FleetPartial(
        partition=partition,
        incarnation=incarnation,
        sequence=sequence,
        as_of=NOON,
        emitted_at=None,
        config_version=config_version,
        figure=figure,
        dimension=dimension,
        bucket=bucket,
        counts=counts,
    )


def state_of(*partials: FleetPartial, partitions: int = 2) -> FleetState:
    state = FleetState(partitions, "app")
    for one in partials:
        if state.is_news(one):
            state.take(one)
    return state


def test_a_gauge_is_the_sum_of_the_newest_part_of_each_partition() -> None:
    state = state_of(
        partial(0, 1, "customers", [3], "trial"),
        partial(1, 1, "customers", [4], "trial"),
        partial(0, 2, "customers", [5], "trial"),
    )
    assert state.total("customers", "trial", None, NOON) == (9,)


def test_a_partial_that_comes_twice_or_late_changes_nothing() -> None:
    old, new = partial(0, 1, "customers", [3], "trial"), partial(0, 2, "customers", [5], "trial")
    state = state_of(old, new, new, old)
    assert state.total("customers", "trial", None, NOON) == (5,)


@pytest.mark.parametrize(
    "stranger",
    [
        partial(0, 9, "customers", [3], "trial", incarnation="another"),
        partial(7, 9, "customers", [3], "trial"),
        partial(0, 9, "not_counted_here", [3]),
        partial(0, 9, "customers", [3, 4], "trial"),
    ],
    ids=["of another incarnation", "of a partition that is not", "of an unknown figure", "of another shape"],
)
def test_what_does_not_belong_to_this_fleet_is_left_out(stranger: FleetPartial) -> None:
    state = state_of(stranger)
    assert (list(state.counted()), state.marks) == ([], {})


def test_a_part_that_is_removed_counts_no_longer_and_its_dimension_goes_with_the_last() -> None:
    state = state_of(partial(0, 1, "customers", [3], "trial"), partial(1, 1, "customers", [4], "trial"))
    state.put(("customers", "trial", None), 0, None)
    left = state.total("customers", "trial", None, NOON), state.dimensions("customers")
    state.put(("customers", "trial", None), 1, None)
    assert left == ((4,), ["trial"])
    assert (state.total("customers", "trial", None, NOON), state.dimensions("customers")) == ((0,), [])


def test_a_flow_is_summed_over_the_window_s_buckets_the_current_one_whole_and_none_ahead() -> None:
    days = {DAY + DAY_MS: 1, DAY: 10, DAY - 29 * DAY_MS: 100, DAY - 30 * DAY_MS: 1000}
    state = state_of(*(partial(0, place, "events_by_day", [n], "usage", at) for place, (at, n) in enumerate(days.items(), 1)))
    assert state.total("events_by_day", "usage", D30, NOON) == (110,)


def test_seven_days_of_a_flow_by_hour_are_this_hour_and_the_167_before() -> None:
    hours = {NOON: 1, NOON - 167 * HOUR_MS: 10, NOON - 168 * HOUR_MS: 100}
    state = state_of(
        *(partial(0, place, "csat_by_hour", [n, n], "support", at) for place, (at, n) in enumerate(hours.items(), 1))
    )
    assert state.total("csat_by_hour", "support", D7, NOON) == (11, 11)


def test_a_window_that_was_asked_for_before_follows_its_parts_and_moves_on_with_time() -> None:
    state = FleetState(2, "app")
    state.put(("events_by_day", "usage", DAY), 0, (1,))
    found = [state.total("events_by_day", "usage", D30, NOON)]
    state.put(("events_by_day", "usage", DAY), 1, (2,))
    state.put(("events_by_day", "usage", DAY - 40 * DAY_MS), 1, (50,))
    found.append(state.total("events_by_day", "usage", D30, NOON))
    state.put(("events_by_day", "usage", DAY), 0, None)
    found.append(state.total("events_by_day", "usage", D30, NOON))
    found.append(state.total("events_by_day", "usage", D30, NOON + 30 * DAY_MS))
    found.append(state.total("events_by_day", "usage", D30, NOON))
    assert found == [(1,), (3,), (2,), (0,), (2,)]


def test_the_fleet_is_complete_up_to_where_the_slowest_partition_is() -> None:
    state = state_of(partial(0, 1, "as_of", [NOON]), partial(0, 2, "as_of", [NOON + 60_000], config_version=2))
    first = state.as_of_ms, state.fresh(60_000), state.is_complete
    state.take(partial(1, 1, "as_of", [NOON + 1]))
    assert first == (NOON + 60_000, 1, False)
    assert (state.as_of_ms, state.fresh(60_000), state.is_complete) == (NOON + 1, 2, True)
    assert state.config_version == 1, "the definitions that all partitions judge by"


def test_a_partition_that_stands_still_is_stale_when_others_have_gone_on_for_long_enough_whatever_their_ticks() -> None:
    state, found = FleetState(3, "app"), []
    hours = [(0, 0), (1, 0), (2, 0), (0, 1), (1, 1), (0, 2), (2, 2), (1, 2), (1, 3)]
    for number, (partition, hour) in enumerate(hours, 1):
        state.take(partial(partition, number, "as_of", [NOON + hour * HOUR_MS]))
        found.append(state.stale(15 * 60_000))
    assert found == [{}, {}, {}, {}, {}, {2: 2 * HOUR_MS}, {}, {}, {}]
    state.take(partial(1, 10, "as_of", [NOON + 4 * HOUR_MS]))
    assert (state.stale(15 * 60_000), state.fresh(15 * 60_000)) == ({0: 2 * HOUR_MS, 2: 2 * HOUR_MS}, 1)
    assert state.as_of_ms == NOON + 2 * HOUR_MS, "nothing is complete beyond the slowest"


def test_buckets_that_nobody_sees_any_more_go() -> None:
    keep_days = FIGURES["events_by_day"].keep_days
    assert keep_days is not None
    seen, unseen = DAY - keep_days * DAY_MS, DAY - (keep_days + 2) * DAY_MS
    state = state_of(
        partial(0, 1, "events_by_day", [1], "usage", seen),
        partial(0, 2, "events_by_day", [1], "usage", unseen),
        partial(0, 3, "customers", [1], "trial"),
        partial(0, 4, "as_of", [NOON]),
    )
    assert state.expire() == [(("events_by_day", "usage", unseen), 0)]
    assert set(state.counted()) == {("events_by_day", "usage", seen), ("customers", "trial", None)}
    assert state.expire() == []


@pytest.mark.parametrize("seed", range(5))
def test_the_sums_kept_as_parts_come_equal_those_added_up_anew(seed: int) -> None:
    random = Random(seed)
    state, plain = FleetState(3, "app"), dict[tuple[str, int, int], int]()
    for _ in range(600):
        place = (random.choice(["usage", "tickets"]), random.randrange(40), random.randrange(3))
        counts = random.choice([None, random.randrange(1, 50)])
        key = ("events_by_day", place[0], DAY - place[1] * DAY_MS)
        state.put(key, place[2], None if counts is None else (counts,))
        plain.pop(place, None)
        if counts is not None:
            plain[place] = counts
        for family in ("usage", "tickets"):
            expected = sum(n for (name, days, _), n in plain.items() if name == family and days < 30)
            assert state.total("events_by_day", family, D30, NOON) == (expected,)
    assert state.dimensions("events_by_day") == sorted({name for name, _, _ in plain})
