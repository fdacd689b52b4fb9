"""Not broken: the wall clock of the worker, by which it writes ticks, is an hour ahead of the brokers'."""

from streams.task import TaskObserver
from tests.chaos.mutants import put

AHEAD_MS = 3_600_000

_real = TaskObserver.wall_clock_ms


def break_it() -> None:
    """Put it forward."""
    put(TaskObserver, "wall_clock_ms", lambda observer: _real(observer) + AHEAD_MS)
