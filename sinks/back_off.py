"""When a destination that did not take a message is called again: later each time, and not all at the same moment."""

import random
from collections.abc import Callable
from typing import Final

from msgspec import Struct

FIRST_MS: Final = 1_000
LONGEST_MS: Final = 300_000


class BackOff(Struct):
    """Pauses that double from `first_ms` to `longest_ms`, each shortened at random by up to half (`chance` gives 0 to 1)."""

    first_ms: int = FIRST_MS
    longest_ms: int = LONGEST_MS
    chance: Callable[[], float] = random.random
    failures: int = 0
    not_before_ms: int = 0

    def failed(self, now_ms: int, least_ms: int = 0) -> int:
        """A call failed; the pause until the next, in ms: at least what the destination asked for."""
        self.failures += 1
        longest = min(self.longest_ms, self.first_ms * 2 ** min(self.failures - 1, 30))
        pause_ms = max(least_ms, int(longest * (1 - self.chance() / 2)))
        self.not_before_ms = now_ms + pause_ms
        return pause_ms

    def passed(self) -> None:
        """The destination answered."""
        self.failures = 0
        self.not_before_ms = 0

    def is_over(self, now_ms: int) -> bool:
        """Whether the destination may be called."""
        return now_ms >= self.not_before_ms
