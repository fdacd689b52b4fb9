from random import Random

import pytest

from streams.sources.simulation.chance import DAY_MS, HOUR_MS
from streams.sources.simulation.desk import SUPPORT, Desk, after_working, is_working_day

MONDAY_MS = 20_458 * DAY_MS  # 5 January 2026
FRIDAY_MS = MONDAY_MS + 4 * DAY_MS


@pytest.mark.parametrize(
    ("from_ms", "work_ms", "expected_ms"),
    [
        (MONDAY_MS + 8 * HOUR_MS, 2 * HOUR_MS, MONDAY_MS + 10 * HOUR_MS),
        (MONDAY_MS + 3 * HOUR_MS, 2 * HOUR_MS, MONDAY_MS + 9 * HOUR_MS),
        (MONDAY_MS + 16 * HOUR_MS, 2 * HOUR_MS, MONDAY_MS + DAY_MS + 8 * HOUR_MS),
        (MONDAY_MS + 20 * HOUR_MS, HOUR_MS, MONDAY_MS + DAY_MS + 8 * HOUR_MS),
        (FRIDAY_MS + 16 * HOUR_MS, 2 * HOUR_MS, FRIDAY_MS + 3 * DAY_MS + 8 * HOUR_MS),
        (MONDAY_MS + 7 * HOUR_MS, 25 * HOUR_MS, MONDAY_MS + 2 * DAY_MS + 12 * HOUR_MS),
    ],
)
def test_work_is_done_in_working_hours_only(from_ms: int, work_ms: int, expected_ms: int) -> None:
    assert is_working_day(MONDAY_MS)
    assert not is_working_day(FRIDAY_MS + DAY_MS)
    assert after_working(from_ms, work_ms) == expected_ms


def test_busy_weeks_are_busy_for_everybody_and_make_answers_late() -> None:
    desk = Desk(7)
    weeks = sorted(range(52), key=lambda week: desk.load(MONDAY_MS + week * 7 * DAY_MS))
    assert Desk(7).load(MONDAY_MS) == desk.load(MONDAY_MS)

    def mean_delay(week: int) -> float:
        asked_at = MONDAY_MS + week * 7 * DAY_MS + 8 * HOUR_MS
        rng = Random(1)
        return sum(desk.answered_at(rng, SUPPORT[0], "normal", asked_at, 1.0) - asked_at for _ in range(200)) / 200

    assert mean_delay(weeks[-1]) > 1.3 * mean_delay(weeks[0])


def test_what_is_urgent_does_not_wait_for_monday() -> None:
    rng, saturday = Random(2), FRIDAY_MS + DAY_MS + 9 * HOUR_MS
    urgent = [Desk(1).answered_at(rng, SUPPORT[0], "urgent", saturday, 1.0) for _ in range(100)]
    assert sum(at < saturday + DAY_MS for at in urgent) > 60
    assert all(Desk(1).answered_at(rng, SUPPORT[0], "low", saturday, 1.0) > FRIDAY_MS + 3 * DAY_MS for _ in range(100))
