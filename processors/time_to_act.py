"""How long it takes until somebody acts upon an alert: the response of an account's owner, as first response is that of an agent.

It runs from the opening of an episode to the earliest word that somebody acted, by the clock, and counts for whoever owned the
account when that was first heard, or at the end of an episode that was over by then. A word that comes late or is earlier puts it
right, and a retracted episode is taken back. It counts on the day of the opening, as episodes do.
"""

from typing import TYPE_CHECKING, Final

from processors.sketch import bin_of, dimension_of
from processors.totals import Totals

if TYPE_CHECKING:
    from processors.episodes import Ended, Episode

ACTIONS: Final = "actions_by_day"


def count(episode: "Episode | Ended", before_ms: int | None, totals: Totals) -> None:
    """Count that somebody acted; `before_ms` is when that was, as far as it was known before."""
    if episode.acted_at == before_ms:
        return
    if before_ms is None:
        episode.acted_for = episode.owner
    else:
        _add(episode, before_ms, -1, totals)
    if episode.acted_at is not None:
        _add(episode, episode.acted_at, 1, totals)


def take_back(episode: "Episode", totals: Totals) -> None:
    """Take back what was counted of an episode that should never have been."""
    if episode.acted_at is not None:
        _add(episode, episode.acted_at, -1, totals)


def _add(episode: "Episode | Ended", acted_at: int, number: int, totals: Totals) -> None:
    waited = bin_of(max(0, acted_at - episode.opened_at))
    totals.add("actions", dimension_of(episode.acted_for or "", waited), episode.opened_at, (number,))
