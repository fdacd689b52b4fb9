"""The names that the folds know, and what happens to a name that nobody configured."""

from base64 import b64encode
from collections.abc import Container, Mapping
from hashlib import blake2b
from typing import Final, Protocol

from processors.calendars import Calendars
from processors.windows import Buckets

OTHER: Final = "other"
"""Where a touchpoint, goal or feature goes that is missing, not configured or beyond a bound."""


MAX_SHORT_ID: Final = 12
"""Characters of the longest id that is kept as it is where it need not be shown."""

_CUSTOMERS: Final = frozenset({"unknown", "known", "contracted", "handed_over", "onboarded", "reactivated"})


class Names(Protocol):
    """The part of the definitions that the folds of figures read."""

    @property
    def touchpoints(self) -> Container[str]:
        """The configured touchpoints."""

    @property
    def goals(self) -> Container[str]:
        """The configured goals."""

    @property
    def max_features(self) -> int:
        """How many features are kept by name for one customer."""

    def is_before_sale(self, touchpoint: str) -> bool:
        """Whether a configured touchpoint lies before the sale."""

    @property
    def renewal_grace_ms(self) -> int:
        """How long after a lapse a renewal still undoes it."""

    @property
    def calendars(self) -> Calendars:
        """The business hours of those who answer."""


def is_customer(stage: str) -> bool:
    """Whether an account at this stage is a customer now: no lead, no trial, and not gone. One of whom only
    usage, tickets or answers are known is taken for a customer: leads and trials are told by account events.

    The figures of churn and revenue (`commercial_rows`) ask for more: when a customer began and ended to be one.
    """
    return stage in _CUSTOMERS


def short_id(name: str) -> str:
    """The name itself if it is short, else 72 bits of its hash: enough to tell it from the others of one customer."""
    if len(name) <= MAX_SHORT_ID:
        return name
    return b64encode(blake2b(name.encode("utf-8", "surrogatepass"), digest_size=MAX_SHORT_ID * 6 // 8).digest()).decode()


def rarest(counted: Mapping[str, Buckets], most: int) -> list[str]:
    """The names beyond the `most` that were counted most often; `other` is none of them."""
    by_count = sorted((sum(buckets.days.values()), name) for name, buckets in counted.items() if name != OTHER)
    return [name for _, name in by_count[: max(0, len(by_count) - most)]]
