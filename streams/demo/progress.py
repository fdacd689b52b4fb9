"""How far the worker is behind what was published, and how fast it goes."""

from collections import deque
from typing import Final

_RATE_OVER_S: Final = 4.0


class Progress:
    """Counts events by the ticks between them: when a tick's work is done, so is everything that was published before it.

    `now_s` are seconds of a clock that never goes back.
    """

    def __init__(self) -> None:
        self.published = 0
        self.processed = 0
        self._ticks: deque[tuple[int, int]] = deque()
        self._history: deque[tuple[float, int]] = deque()

    def sent(self, events: int) -> None:
        """So many more events were handed over."""
        self.published += events

    def ticked(self, at_ms: int) -> None:
        """Ticks of this time were handed over, after the events so far."""
        self._ticks.append((at_ms, self.published))

    def reached(self, as_of_ms: int, now_s: float) -> None:
        """The work of a tick is done in every partition."""
        while self._ticks and self._ticks[0][0] <= as_of_ms:
            _, self.processed = self._ticks.popleft()
        self._history.append((now_s, self.processed))
        while now_s - self._history[0][0] > _RATE_OVER_S:
            self._history.popleft()

    @property
    def waiting(self) -> int:
        """Events handed over whose work is not known to be done."""
        return self.published - self.processed

    def may_wait(self, seconds: float, least: int, most: int) -> int:
        """How many events may wait: what is processed in `seconds`, within bounds; `most` until the rate is known."""
        rate = self.rate_per_s
        return most if not rate else max(least, min(most, int(rate * seconds)))

    @property
    def rate_per_s(self) -> float:
        """Events processed a second, over the last few seconds; 0 when it cannot be said yet."""
        if len(self._history) < 2:
            return 0.0
        (from_s, before), (to_s, now) = self._history[0], self._history[-1]
        return (now - before) / (to_s - from_s) if to_s > from_s else 0.0
