import pytest

from processors.windows import D7, D30, D90, D180, DAY_MS, HOUR_MS, Buckets, Days, Window, day_of, hour_of
from tests.support.happenings import NOON


def buckets_with(*times: int) -> Buckets:
    buckets = Buckets(1)
    for at in times:
        buckets.add(at, 0)
    return buckets


def test_hours_and_days_begin_at_full_utc_hours_and_days() -> None:
    assert hour_of(HOUR_MS - 1) == 0
    assert hour_of(HOUR_MS) == 1
    assert day_of(DAY_MS - 1) == 0
    assert day_of(DAY_MS) == 1


def test_seven_days_are_the_current_hour_and_the_167_before_it() -> None:
    first = NOON - 167 * HOUR_MS
    assert buckets_with(first).total(D7, NOON) == [1]
    assert buckets_with(first - 1).total(D7, NOON) == [0]
    assert buckets_with(first).total(D7, NOON + HOUR_MS - 1) == [1]
    assert buckets_with(first).total(D7, NOON + HOUR_MS) == [0]


@pytest.mark.parametrize("window", [D30, D90, D180], ids=lambda window: window.name)
def test_longer_windows_are_the_current_day_and_the_days_before_it(window: Window) -> None:
    midnight = NOON - DAY_MS // 2
    first = midnight - (window.days - 1) * DAY_MS
    assert buckets_with(first).total(window, NOON) == [1]
    assert buckets_with(first - 1).total(window, NOON) == [0]
    assert buckets_with(first).total(window, midnight + DAY_MS - 1) == [1]
    assert buckets_with(first).total(window, midnight + DAY_MS) == [0]


def test_the_current_bucket_counts_whole() -> None:
    later = NOON + HOUR_MS - 1
    assert buckets_with(later).total(D7, NOON) == [1]
    assert buckets_with(later).total(D30, NOON) == [1]


def test_a_bucket_ahead_of_the_clock_is_out_until_the_clock_reaches_it() -> None:
    ahead = NOON + HOUR_MS
    assert buckets_with(ahead).total(D7, NOON) == [0]
    assert buckets_with(ahead).total(D7, ahead) == [1]
    tomorrow = NOON + DAY_MS
    assert buckets_with(tomorrow).total(D30, NOON) == [0]


def test_places_are_counted_beside_each_other() -> None:
    buckets = Buckets(3)
    buckets.add(NOON, 0, 2)
    buckets.add(NOON, 2, 5)
    buckets.add(NOON - DAY_MS, 1)
    assert buckets.total(D7, NOON) == [2, 1, 5]
    assert buckets.total(D30, NOON) == [2, 1, 5]


def test_what_is_taken_back_leaves_no_trace() -> None:
    buckets = buckets_with(NOON)
    buckets.add(NOON, 0, -1)
    assert buckets.empty
    assert buckets == Buckets(1)


def test_pruning_keeps_what_a_window_can_still_see_and_nothing_else() -> None:
    midnight = NOON - DAY_MS // 2
    buckets = buckets_with(NOON - 167 * HOUR_MS, NOON - 168 * HOUR_MS, midnight - 89 * DAY_MS, midnight - 89 * DAY_MS - 1)
    buckets.prune(NOON, D90)
    assert buckets.total(D7, NOON) == [1]
    assert buckets.total(D90, NOON) == [3]
    assert buckets.total(D180, NOON) == [3]
    assert buckets.hours is not None
    assert len(buckets.hours) == 1


def test_counts_by_day_alone_answer_for_no_7_days() -> None:
    with pytest.raises(AssertionError, match="by the hour"):
        Days(1).total(D7, NOON)
