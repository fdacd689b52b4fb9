"""When something can change by time alone."""

import math
from functools import lru_cache
from hashlib import blake2b

from processors.windows import DAY_MS

NEVER = 2**62
_ROUNDING_MS = 0.01  # what days as a float may miss of a whole millisecond


@lru_cache(maxsize=65_536)
def _offset_ms(customer_id: str) -> int:
    """The customer's own time of day, spread evenly by a hash of its id."""
    digest = blake2b(customer_id.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") % DAY_MS


def daily_slot(customer_id: str, as_of_ms: int) -> int:
    """The customer's next daily evaluation, strictly after `as_of_ms`: windows move on by a day, not everybody's at once."""
    offset = _offset_ms(customer_id)
    slot = as_of_ms - as_of_ms % DAY_MS + offset
    return slot if slot > as_of_ms else slot + DAY_MS


def is_daily_slot(customer_id: str, at_ms: int) -> bool:
    """Whether this is the customer's time of day."""
    return at_ms % DAY_MS == _offset_ms(customer_id)


def crossing(value: float | None, bound: float, per_day: int, as_of_ms: int) -> int:
    """When a figure that moves by `per_day` (+1 or -1 a day, or 0) reaches or passes a bound; NEVER when it has or will not."""
    if value is None or not per_day:
        return NEVER
    days = (bound - value) * per_day
    return NEVER if days < 0 else as_of_ms + max(1, math.ceil(days * DAY_MS - _ROUNDING_MS))
