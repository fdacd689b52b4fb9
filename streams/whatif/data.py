"""A comparison as data: plain values, with times as RFC 3339 text and None for what has not ended."""

from typing import Any

import msgspec

from schemas.times import format_time
from streams.whatif.run import WhatIf
from streams.whatif.stays import NEVER

_TIMES = {"start_ms": "start_at", "end_ms": "end_at", "opened_ms": "opened_at", "ended_ms": "ended_at", "left_ms": "left_at"}


def plain(found: WhatIf) -> dict[str, Any]:
    """Everything that was found, under the names of its fields; times end in `_at`."""
    data = _plain(msgspec.to_builtins(found))
    assert isinstance(data, dict)
    return data


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {_TIMES.get(name, name): _time(one) if name in _TIMES else _plain(one) for name, one in value.items()}


def _time(at_ms: int) -> str | None:
    return None if at_ms == NEVER else format_time(at_ms)
