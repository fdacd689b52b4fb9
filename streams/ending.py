"""Ends the process without waiting for what does not come back: a thread in a call, the event loop, a log that nobody reads.

It is the same to the log as a kill: what was under way is left to the next owner's fence.
"""

import logging
import os
import threading
from collections.abc import Callable
from typing import Final

logger = logging.getLogger(__name__)

STOP_LIMIT_S: Final = 20.0
"""Below the thirty seconds that containers are given as a rule."""

TELL_LIMIT_S: Final = 5.0


def end_at_once(code: int) -> None:
    """End without asking anything that could be stuck; each line of the log is out already."""
    os._exit(code)


def tell(say: Callable[[], None]) -> None:
    """Say something in the log, for `TELL_LIMIT_S` at most: whoever waits for it may be what is stuck."""
    teller = threading.Thread(target=say, name="last words", daemon=True)
    teller.start()
    teller.join(TELL_LIMIT_S)


class Ending:
    """The time that a worker has to end by itself. `end` is called from a thread, with the exit code, when it has passed."""

    def __init__(self, limit_s: float = STOP_LIMIT_S, end: Callable[[int], None] = end_at_once) -> None:
        self._limit_s = limit_s
        self._end = end
        self._code = 0
        self._timer: threading.Timer | None = None

    def begin(self, code: int) -> None:
        """The worker is to end with this code. The time runs from the first call; a later one only changes the code."""
        self._code = code
        if self._timer is None:
            self._timer = threading.Timer(self._limit_s, self._late)
            self._timer.daemon = True
            self._timer.start()

    def _late(self) -> None:
        tell(
            lambda: logger.warning(
                "not done within %.0f s: ending at once, what is under way is left to the next owner's fence", self._limit_s
            )
        )
        self._end(self._code)
