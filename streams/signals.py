"""Interrupts, noticed between two turns.

An exception out of a signal handler would strike in the middle of a call into the Kafka client, which cannot cope with that.
"""

import signal
from types import FrameType, TracebackType
from typing import Final, NoReturn, Self

TERMINATED: Final = 128 + signal.SIGTERM


class Signals:
    """Notes SIGINT and SIGTERM while it is entered, which must be in the main thread. A second one strikes at once."""

    def __init__(self) -> None:
        self._noted: int | None = None
        self._previous = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def __enter__(self) -> Self:
        for number in self._previous:
            signal.signal(number, self._note)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def check(self) -> None:
        """Raises KeyboardInterrupt or SystemExit when there was a signal since the last call."""
        number, self._noted = self._noted, None
        if number is not None:
            _strike(number)

    def _note(self, number: int, _frame: FrameType | None) -> None:
        if self._noted is not None:
            _strike(number)
        self._noted = number


def _strike(number: int) -> NoReturn:
    if number == signal.SIGINT:
        raise KeyboardInterrupt
    raise SystemExit(TERMINATED)
