"""Times on the command line."""

from schemas.times import parse_time
from streams.commands.failures import WRONG, CommandError

_LATEST_MS = 7_258_118_400_000  # the year 2200: later numbers are microseconds by mistake


def time_of(text: str, option: str) -> int:
    """Epoch milliseconds of an RFC 3339 time, or of a number that is some already. Raises `CommandError`."""
    if text.isdecimal() and int(text) < _LATEST_MS:
        return int(text)
    try:
        return parse_time(text)
    except ValueError:
        expected = "a time like 2026-01-02T03:04:05.678Z, or epoch milliseconds"
        raise CommandError(f"{option}: {text!r} is no time (expected: {expected})", WRONG) from None
