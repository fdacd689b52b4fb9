"""What one replay has said of each customer: its bands and its alerts, each with the time for which it stood."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from msgspec import Struct

from schemas.records import Band, ChurnAlert, HealthChange, Severity
from streams.replay import OutputLine
from streams.whatif.stays import NEVER

TOPICS: Final = frozenset({"cs.health-changes", "cs.churn-alerts"})
"""The outputs of a replay that are looked at."""
PURPOSE: Final = "risk"


class Episode(Struct, frozen=True, kw_only=True, gc=False):
    """An alert from its opening to its end; `ended_ms` is NEVER while it is open. `muted` ones nobody was shown.

    `severity` is that of the opening: what it rose to later was not known then.
    """

    customer_id: str
    rule: str
    opened_ms: int
    ended_ms: int
    severity: Severity
    muted: bool = False


class Bands(Struct, frozen=True):
    """The bands of a customer's health as they were shown: of a score that a person has set, else of the computed."""

    times_ms: Sequence[int]
    bands: Sequence[Band | None]

    def at(self, at_ms: int) -> Band | None:
        """The band at a time; None while there is none."""
        place = bisect_right(self.times_ms, at_ms)
        return self.bands[place - 1] if place else None

    def between(self, from_ms: int, until_ms: int) -> list[Band | None]:
        """The bands that stood at some time from one time to another, in their order."""
        first, last = bisect_right(self.times_ms, from_ms), bisect_right(self.times_ms, until_ms)
        return [self.at(from_ms), *self.bands[first:last]]


NO_BANDS: Final = Bands((), ())


class Told(Struct, frozen=True):
    """What a replay said: the episodes in order of their opening, and the bands by customer."""

    episodes: Sequence[Episode]
    bands: Mapping[str, Bands]

    def bands_of(self, customer_id: str) -> Bands:
        """The bands of a customer, who may never have had one."""
        return self.bands.get(customer_id, NO_BANDS)


def listen(outputs: Iterable[OutputLine]) -> Told:
    """Take in the outputs of a replay."""
    episodes: dict[str, Episode] = {}
    changes: dict[str, list[tuple[int, Band | None]]] = {}
    for line in outputs:
        record = line.value
        if isinstance(record, HealthChange) and record.purpose == PURPOSE:
            mine = changes.setdefault(record.customer_id, [])
            if not mine or mine[-1][1] != record.new_band:
                mine.append((record.as_of, record.new_band))
        elif isinstance(record, ChurnAlert):
            episodes[record.episode_id] = _episode(record, episodes.get(record.episode_id))
    ordered = sorted(episodes.values(), key=lambda episode: (episode.opened_ms, episode.customer_id, episode.rule))
    bands = {customer_id: Bands(*map(tuple, zip(*mine, strict=True))) for customer_id, mine in changes.items()}
    return Told(ordered, bands)


def _episode(record: ChurnAlert, before: Episode | None) -> Episode:
    return Episode(
        customer_id=record.customer_id,
        rule=record.rule,
        opened_ms=record.opened_at,
        ended_ms=NEVER if record.state in ("opened", "updated") else record.as_of,
        severity=record.severity if before is None else before.severity,
        muted=record.muted,
    )
