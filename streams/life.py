"""Whether a worker lives and is ready, as its event loop told last. May be asked from any thread."""

import time
from collections.abc import Mapping
from typing import Final

from msgspec import Struct

SILENT_LIMIT_S: Final = 15.0
"""An event loop that has not moved for so long does nothing any more, whatever keeps it."""


class Stand(Struct, frozen=True):
    """The phase of a task, and the time of the wall clock at which it began, in epoch milliseconds."""

    phase: str
    since_ms: int


class Standing(Struct, frozen=True):
    """What the loop told: whether the group has assigned anything yet, and how each task stands by its label."""

    is_assigned: bool
    tasks: Mapping[str, Stand]


class Verdict(Struct, frozen=True):
    """An answer to a probe, and why."""

    is_well: bool
    reason: str
    tasks: Mapping[str, Stand] = {}


class Life:
    """The last sign of life of the loop. `beat` and `stands` belong to the loop, everything else to anybody."""

    def __init__(self) -> None:
        self._beat_at_s = time.monotonic()
        self._standing = Standing(is_assigned=False, tasks={})

    def beat(self) -> None:
        """The loop moves."""
        self._beat_at_s = time.monotonic()

    def stands(self, standing: Standing) -> None:
        """This is how the tasks stand."""
        self._standing = standing

    def silent_s(self) -> float:
        """For how long the loop has not moved."""
        return time.monotonic() - self._beat_at_s

    def live(self) -> Verdict:
        """Whether the loop moves."""
        silent_s = self.silent_s()
        if silent_s > SILENT_LIMIT_S:
            return Verdict(is_well=False, reason=f"the event loop has not moved for {silent_s:.0f} s")
        return Verdict(is_well=True, reason="the event loop moves")

    def ready(self) -> Verdict:
        """Whether the group has said what is this worker's, and all of it is restored and read."""
        live, standing = self.live(), self._standing
        if not live.is_well:
            return live
        if not standing.is_assigned:
            return Verdict(is_well=False, reason="the group has not assigned anything yet", tasks=standing.tasks)
        waiting = sorted(label for label, stand in standing.tasks.items() if stand.phase != "running")
        if waiting:
            return Verdict(is_well=False, reason=f"not running yet: {', '.join(waiting)}", tasks=standing.tasks)
        return Verdict(is_well=True, reason="all that was assigned runs", tasks=standing.tasks)
