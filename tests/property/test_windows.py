from hypothesis import given
from hypothesis import strategies as st

from processors.windows import D7, D30, D90, D180, DAY_MS, HOUR_MS, Buckets, Window
from tests.support.happenings import NOON
from tests.support.strategies import times

COUNTED = st.lists(st.tuples(times(200), st.integers(0, 2), st.integers(1, 9)), max_size=60)


def batch_answer(counted: list[tuple[int, int, int]], window: Window, as_of_ms: int) -> list[int]:
    """The sums over the window, by the times of its ends."""
    unit = HOUR_MS if window.days == 7 else DAY_MS
    end = as_of_ms - as_of_ms % unit + unit
    begin = end - window.days * DAY_MS
    return [sum(count for at, place, count in counted if begin <= at < end and place == wanted) for wanted in range(3)]


def buckets_of(counted: list[tuple[int, int, int]]) -> Buckets:
    buckets = Buckets(3)
    for at, place, count in counted:
        buckets.add(at, place, count)
    return buckets


@given(COUNTED, st.integers(0, 200 * 24), st.sampled_from([D7, D30, D90, D180]))
def test_a_rolling_total_is_the_batch_answer(counted: list[tuple[int, int, int]], hours: int, window: Window) -> None:
    as_of = NOON - hours * HOUR_MS
    assert buckets_of(counted).total(window, as_of) == batch_answer(counted, window, as_of)


@given(COUNTED.flatmap(lambda counted: st.tuples(st.just(counted), st.permutations(counted))))
def test_the_order_changes_nothing(orders: tuple[list[tuple[int, int, int]], list[tuple[int, int, int]]]) -> None:
    assert buckets_of(orders[0]) == buckets_of(orders[1])


@given(COUNTED, st.integers(0, 200 * 24), st.integers(0, 100 * 24), st.sampled_from([D7, D30, D90]))
def test_pruning_changes_no_total_then_or_later(
    counted: list[tuple[int, int, int]], hours: int, hours_later: int, window: Window
) -> None:
    as_of = NOON - hours * HOUR_MS
    buckets = buckets_of(counted)
    buckets.prune(as_of, D90)
    later = as_of + hours_later * HOUR_MS
    assert buckets.total(window, later) == batch_answer(counted, window, later)


@given(COUNTED)
def test_taking_everything_back_leaves_nothing(counted: list[tuple[int, int, int]]) -> None:
    buckets = buckets_of(counted)
    for at, place, count in reversed(counted):
        buckets.add(at, place, -count)
    assert buckets.empty
