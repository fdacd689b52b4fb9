"""How often a task commits.

A transaction costs milliseconds whatever it carries: tiny ones back to back saturate a machine, rare ones cost latency. So a
lone record after a pause is committed at once, light load every `min_ms`, and the interval doubles up to `max_ms` while records
keep waiting at the end of a commit.
"""

IDLE_MS = 200  # no commit for this long counts as a pause


class Pace:
    """The commit interval of one task. Times are those of one monotonic clock, in milliseconds."""

    def __init__(self, min_ms: int, max_ms: int) -> None:
        self._min_ms = min_ms
        self._max_ms = max_ms
        self.interval_ms = min_ms
        self._last_start_ms = -float("inf")

    def due_at(self, now_ms: float) -> float:
        """When the next commit may start, given that there is something to commit."""
        if now_ms - self._last_start_ms >= max(IDLE_MS, self.interval_ms):
            return now_ms
        return self._last_start_ms + self.interval_ms

    def started(self, now_ms: float) -> None:
        """A commit starts."""
        self._last_start_ms = now_ms

    def finished(self, *, waiting: bool, took_ms: float) -> None:
        """A commit ended after `took_ms`; `waiting`: more records than one interval brings were queued meanwhile.

        The interval also never falls below twice what a commit takes, so that a slow broker is not asked more often than it
        can answer.
        """
        wanted = self.interval_ms * 2 if waiting else self.interval_ms / 2
        self.interval_ms = round(min(self._max_ms, max(self._min_ms, wanted, min(self._max_ms, took_ms * 2))))
