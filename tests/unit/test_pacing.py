"""How often a task commits."""

from streams.pacing import IDLE_MS, Pace


def test_after_a_pause_a_record_is_committed_at_once() -> None:
    pace = Pace(50, 1000)
    assert pace.due_at(10_000.0) == 10_000.0
    pace.started(10_000.0)
    assert pace.due_at(10_000.0 + IDLE_MS) == 10_000.0 + IDLE_MS


def test_in_light_load_the_interval_stays_at_its_lowest() -> None:
    pace = Pace(50, 1000)
    pace.started(0.0)
    pace.finished(waiting=False, took_ms=7.0)
    assert pace.due_at(10.0) == 50.0


def test_the_interval_doubles_while_records_wait_and_never_passes_its_highest() -> None:
    pace = Pace(50, 1000)
    seen = []
    for _ in range(8):
        pace.finished(waiting=True, took_ms=7.0)
        seen.append(pace.interval_ms)
    assert seen == [100, 200, 400, 800, 1000, 1000, 1000, 1000]


def test_the_interval_comes_back_when_nothing_waits_any_more() -> None:
    pace = Pace(50, 1000)
    for _ in range(8):
        pace.finished(waiting=True, took_ms=7.0)
    for _ in range(8):
        pace.finished(waiting=False, took_ms=7.0)
    assert pace.interval_ms == 50


def test_a_slow_broker_is_not_asked_more_often_than_it_can_answer() -> None:
    pace = Pace(50, 1000)
    pace.finished(waiting=False, took_ms=150.0)
    assert pace.interval_ms == 300
    pace.finished(waiting=False, took_ms=10_000.0)
    assert pace.interval_ms == 1000


def test_a_pause_is_longer_than_the_interval_in_force() -> None:
    pace = Pace(50, 1000)
    for _ in range(8):
        pace.finished(waiting=True, took_ms=7.0)
    pace.started(0.0)
    assert pace.due_at(float(IDLE_MS)) == 1000.0
