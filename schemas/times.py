"""Times as text: RFC 3339 in, RFC 3339 in UTC with milliseconds out. Inside, a time is epoch milliseconds."""

import re
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
# RFC 3339, section 5.6; a fraction may be of any length, and what is below a millisecond is cut off.
_RFC3339 = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]([0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.([0-9]+))?([Zz]|[+-][0-9]{2}:[0-9]{2})")


def parse_time(text: str) -> int:
    """Epoch milliseconds of an RFC 3339 time. Raises `ValueError` when it is none; a leap second is none either."""
    match = _RFC3339.fullmatch(text)
    if match is None:
        raise ValueError("a time like 2026-01-02T03:04:05.678Z is needed")
    day, clock, fraction, offset = match.groups()
    whole = datetime.fromisoformat(f"{day}T{clock}{'+00:00' if offset in 'Zz' else offset}")
    milliseconds = int((fraction or "0")[:3].ljust(3, "0"))
    return (whole - _EPOCH) // _MILLISECOND + milliseconds


def format_time(at_ms: int) -> str:
    """RFC 3339 in UTC with milliseconds. Raises `OverflowError` outside the years 1 to 9999."""
    return (_EPOCH + at_ms * _MILLISECOND).isoformat(timespec="milliseconds").replace("+00:00", "Z")
