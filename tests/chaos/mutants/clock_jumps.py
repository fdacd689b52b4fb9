"""Not broken: the wall clock of the worker, by which it writes ticks, is hours behind, and jumps ahead and back by up to an hour.

Never ahead of the brokers', which would refuse the ticks.
"""

import itertools

from streams.task import TaskObserver
from tests.chaos.mutants import put

MINUTE_MS = 60_000
JUMPS_MS = tuple(-minutes * MINUTE_MS for minutes in (130, 70, 100, 95, 155, 110))
CALLS_A_JUMP = 40

_real = TaskObserver.wall_clock_ms
_calls = itertools.count()


def _wall_clock_ms(observer: TaskObserver) -> int:
    return _real(observer) + JUMPS_MS[next(_calls) // CALLS_A_JUMP % len(JUMPS_MS)]


def break_it() -> None:
    """Let it jump."""
    put(TaskObserver, "wall_clock_ms", _wall_clock_ms)
