"""When a destination is called again."""

from sinks.back_off import BackOff


def test_pauses_double_up_to_the_longest_and_begin_anew_after_an_answer() -> None:
    pause = BackOff(first_ms=1_000, longest_ms=6_000, chance=lambda: 0.0)
    assert [pause.failed(0) for _ in range(5)] == [1_000, 2_000, 4_000, 6_000, 6_000]
    pause.passed()
    assert pause.is_over(0)
    assert pause.failed(10) == 1_000
    assert not pause.is_over(1_009)
    assert pause.is_over(1_010)


def test_chance_shortens_a_pause_by_up_to_half() -> None:
    chances = iter((0.0, 0.5, 1.0))
    pause = BackOff(first_ms=1_000, longest_ms=1_000, chance=lambda: next(chances))
    assert [pause.failed(0) for _ in range(3)] == [1_000, 750, 500]


def test_a_destination_that_asks_for_more_time_gets_it() -> None:
    assert BackOff(first_ms=1_000, chance=lambda: 0.0).failed(0, least_ms=30_000) == 30_000
    assert BackOff(first_ms=1_000, chance=lambda: 0.0).failed(0, least_ms=10) == 1_000
