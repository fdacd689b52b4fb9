"""Episodes that have ended before the day of their opening was told of: the day's digest lists them beside the open ones.

Only what a partition shows at its ticks is seen: an episode that opens and ends between two ticks is on no list of an owner. It
is on `cs.churn-alerts`, and in the flow of episodes.
"""

from collections import Counter
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from processors.episode_gauges import OpenEpisode, read
from processors.windows import DAY_MS

MOST_A_DAY: Final = 2_000
"""Ended episodes of an owner and a day that are remembered; what is beyond is counted."""

MOST_IN_ALL: Final = 50_000
"""Ended episodes that are remembered, of all owners and days."""

_SEPARATOR: Final = "\x1f"


class Ended(Struct, array_like=True, frozen=True, gc=False):
    """An episode as its gauge last showed it."""

    dimension: str
    counts: tuple[int, ...]


class EndedEpisodes:
    """What is remembered of them; `changed` takes the kind and name of whatever differs from what was written down."""

    def __init__(self, changed: set[tuple[str, str]]) -> None:
        self.known: dict[str, Ended] = {}
        self.beyond: dict[str, int] = {}
        self._changed = changed
        self._of_a_day: Counter[str] = Counter()

    def note(self, dimension: str, counts: tuple[int, ...], first_day: int) -> None:
        """An episode is not open any more; one of a day before `first_day`, counted from 1970, was told of already."""
        episode = read(dimension, counts)
        if episode is None or episode.opened_at // DAY_MS < first_day:
            return
        self.forget(episode.episode_id)
        place = _place(episode)
        if self._of_a_day[place] >= MOST_A_DAY or len(self.known) >= MOST_IN_ALL:
            self.beyond[place] = self.beyond.get(place, 0) + 1
            self._changed.add(("ended_beyond", place))
            return
        self.put(episode.episode_id, Ended(dimension, counts))
        self._changed.add(("ended", episode.episode_id))

    def put(self, episode_id: str, ended: Ended) -> None:
        """Remember one, as it was written down."""
        self.drop(episode_id)
        self.known[episode_id] = ended
        self._of_a_day[_place_of(ended)] += 1

    def forget(self, episode_id: str) -> None:
        """Forget one, if it is known."""
        if self.drop(episode_id):
            self._changed.add(("ended", episode_id))

    def forget_days_before(self, day: int) -> None:
        """Forget those that opened on days that have been told of."""
        for episode_id, ended in list(self.known.items()):
            if _day(_place_of(ended)) < day:
                self.forget(episode_id)
        for place in [place for place in self.beyond if _day(place) < day]:
            del self.beyond[place]
            self._changed.add(("ended_beyond", place))

    def episodes(self) -> list[OpenEpisode]:
        """The episodes, marked as ended, in the order of their ids."""
        found = (read(ended.dimension, ended.counts) for _, ended in sorted(self.known.items()))
        return [replace(episode, ended=True) for episode in found if episode is not None]

    def left_out(self, owner: str, day: int) -> int:
        """How many of an owner and a day ended beyond what is remembered."""
        return self.beyond.get(_SEPARATOR.join((str(day), owner)), 0)

    def drop(self, episode_id: str) -> bool:
        """Forget one without a word; returns whether it was known."""
        ended = self.known.pop(episode_id, None)
        if ended is None:
            return False
        place = _place_of(ended)
        self._of_a_day[place] -= 1
        if not self._of_a_day[place]:
            del self._of_a_day[place]
        return True


def _place_of(ended: Ended) -> str:
    episode = read(ended.dimension, ended.counts)
    assert episode is not None, "only episodes are remembered"
    return _place(episode)


def _place(episode: OpenEpisode) -> str:
    return _SEPARATOR.join((str(episode.opened_at // DAY_MS), episode.owner))


def _day(place: str) -> int:
    return int(place.partition(_SEPARATOR)[0])
