from hypothesis import given
from hypothesis import strategies as st

from processors import registers
from processors.registers import HASH_BITS, History

VERSIONS = st.lists(st.none() | st.integers(0, 3), min_size=5, max_size=5)


@given(VERSIONS)
def test_versions_unpack_to_what_was_packed_and_each_is_kept_once(by_field: list[int | None]) -> None:
    versions, places = registers.packed(by_field)
    assert registers.unpacked(versions, places, 5) == by_field
    assert versions == sorted({version for version in by_field if version is not None})


def test_of_two_events_in_one_millisecond_the_later_hash_has_the_newer_version() -> None:
    one, other = registers.version_of(7, "one"), registers.version_of(7, "two")
    assert one >> HASH_BITS == other >> HASH_BITS == 7
    assert registers.newer(max(one, other), min(one, other))
    assert registers.newer(0, None)


def test_a_history_keeps_its_order_whatever_came_first() -> None:
    history: History = []
    for at, value in ((3, 30), (1, 10), (2, 20)):
        registers.remember(history, at << HASH_BITS, value, 9)
    assert [value for _, value in history] == [10, 20, 30]
    assert [registers.value_before(history, at) for at in (1, 2, 3, 4)] == [None, 10, 20, 30]


def test_beyond_the_bound_repetitions_go_first_then_the_second_value() -> None:
    history: History = [(1, 5), (2, 5), (3, 7)]
    assert registers.remember(history, 4, 8, 3) == 0
    assert history == [(1, 5), (3, 7), (4, 8)]
    assert registers.remember(history, 5, 9, 3) == 1
    assert history == [(1, 5), (4, 8), (5, 9)]


def test_only_repetitions_that_are_old_enough_are_dropped() -> None:
    history: History = [(1, 5), (2, 5), (3, 5), (4, 6), (5, 6)]
    assert registers.without_repetitions(history, 3) == [(1, 5), (3, 5), (4, 6), (5, 6)]
