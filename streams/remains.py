"""What is left of an erased customer in the log, and until when: the erasure empties what is kept by key, time does the rest."""

from typing import Final

from msgspec import Struct

from streams.topics import COMPACTED_WITHIN_MS, TopicSpec, specs

_WITHOUT_CUSTOMERS: Final = frozenset(
    {
        "cs.ticks",
        "cs.fleet-partials",
        "cs.fleet-snapshots",
        "cs.fleet-alerts",
        "cs.touchpoint-maps",
        "cs.maturity",
        "cs.definitions",
    }
)
"""Topics that speak of no single customer."""


class Remainder(Struct, frozen=True):
    """What a topic still holds of a customer that was erased, and the time by which it is gone, in epoch milliseconds."""

    topic: str
    what: str
    gone_by_ms: int


def remainders(app_id: str, partitions: int, erased_at_ms: int) -> list[Remainder]:
    """By the settings that `cspulse topics apply` gives; the broker drops whole segments, which may take some days more."""
    found = [
        Remainder(spec.name, spec.purpose, erased_at_ms + _kept_ms(spec))
        for spec in specs(app_id, partitions)
        if spec.name not in _WITHOUT_CUSTOMERS and not spec.name.endswith("-totals-changelog")
    ]
    return sorted(found, key=lambda remainder: remainder.gone_by_ms)


def _kept_ms(spec: TopicSpec) -> int:
    return COMPACTED_WITHIN_MS if spec.retention_ms is None else spec.retention_ms
