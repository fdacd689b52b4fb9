"""Waiting for what other processes do: always for a condition, never for a time alone, and never without a limit."""

import time
from collections.abc import Callable
from typing import Final

LOOK_EVERY_S: Final = 0.1


class TookTooLong(AssertionError):
    """A condition did not come true in time."""


def wait_until(condition: Callable[[], object], limit_s: float, what: str) -> None:
    """Look again and again until the condition holds.

    Raises TookTooLong after `limit_s`, with what was waited for.
    """
    deadline = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > deadline:
            raise TookTooLong(f"waited {limit_s:.0f} s in vain for {what}")
        time.sleep(LOOK_EVERY_S)
