"""Not broken: the wall clock of the worker, by which it writes ticks, jumps ahead and back by up to an hour."""

import itertools

from streams.task import TaskObserver
from tests.chaos.mutants import put

MINUTE_MS = 60_000
JUMPS_MS = (0, 60 * MINUTE_MS, -30 * MINUTE_MS, 5 * MINUTE_MS, -60 * MINUTE_MS, 20 * MINUTE_MS)
CALLS_A_JUMP = 40

_real = TaskObserver.wall_clock_ms
_calls = itertools.count()


def _wall_clock_ms(observer: TaskObserver) -> int:
    return _real(observer) + JUMPS_MS[next(_calls) // CALLS_A_JUMP % len(JUMPS_MS)]


def break_it() -> None:
    """Let it jump."""
    put(TaskObserver, "wall_clock_ms", _wall_clock_ms)
