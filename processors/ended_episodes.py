"""Episodes that are over, for the digest of the day they opened on: beyond an owner's budget they count like the open ones.

An episode is told of when it ends, by the fold itself, so that one which opens and ends between two ticks of its partition is
told of as well. Like the gauge of an open episode it is one record of its own; its bucket is the day of its opening.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from processors.episode_gauges import OpenEpisode, counts, dimension, read
from processors.episodes import Episode
from processors.fleet_view import FleetView
from processors.totals import Totals
from processors.windows import DAY_MS

if TYPE_CHECKING:
    from processors.state import CustomerState

ENDED: Final = "episodes_ended_by_day"
KEPT_DAYS: Final = 3
"""A day's digest goes out when the slowest partition is past the day's end: so many days are there for that."""


def tell(state: "CustomerState", rule: str, episode: Episode, sequence: int, as_of_ms: int, totals: Totals) -> None:
    """Tell of an episode that ends; of one whose day was told of long ago nobody asks any more."""
    if as_of_ms // DAY_MS - episode.opened_at // DAY_MS <= KEPT_DAYS:
        totals.add("ended_episodes", dimension(state, rule, episode, sequence), episode.opened_at, counts(state, episode))


def of_days(view: FleetView, days: range) -> Iterator[OpenEpisode]:
    """The episodes that opened on these UTC days, counted from 1970, and are over: each as it was at its end."""
    for name in view.dimensions(ENDED):
        for start_ms, found in view.buckets(ENDED, name).items():
            episode = read(name, found) if start_ms // DAY_MS in days else None
            if episode is not None:
                yield replace(episode, ended=True)
