"""The help desk: who answers, how fast, and when nobody is there.

It works from Monday to Friday, 7 to 17 o'clock UTC; somebody is on duty for what is urgent at all times. Some weeks are busier
than others, for all customers alike.
"""

from functools import lru_cache
from math import exp
from random import Random

from msgspec import Struct

from schemas.events import Priority
from streams.sources.simulation.chance import DAY_MS, HOUR_MS, MINUTE_MS, around

_OPENS_HOUR, _CLOSES_HOUR = 7, 17
_WORKING_DAYS = 5
_EPOCH_WEEKDAY = 3  # 1 January 1970 was a Thursday; Monday is 0
_WEEK_MS = 7 * DAY_MS
_LOAD_SIGMA = 0.35
_MINUTES_TO_ANSWER: dict[Priority, float] = {"urgent": 25, "high": 60, "normal": 110, "low": 200}
_WORKING_HOURS_TO_SOLVE: dict[Priority, float] = {"urgent": 3.5, "high": 8, "normal": 14, "low": 24}


class Agent(Struct, frozen=True):
    """Who answers tickets: `pace` is how long everything takes, compared with the others."""

    name: str
    pace: float


SUPPORT: tuple[Agent, ...] = (
    Agent("linh.tran", 0.7),
    Agent("marta.novak", 0.8),
    Agent("sam.okafor", 0.9),
    Agent("yusuf.demir", 1.0),
    Agent("ines.costa", 1.0),
    Agent("peter.lang", 1.1),
    Agent("quang.le", 1.2),
    Agent("ruth.meyer", 1.6),
)
PRODUCT: tuple[Agent, ...] = (Agent("noor.haddad", 1.1), Agent("olga.petrova", 1.3), Agent("tuan.pham", 1.5))
SUCCESS: tuple[Agent, ...] = (Agent("elif.kaya", 0.9), Agent("vera.lindt", 1.1))
TEAMS: dict[str, tuple[Agent, ...]] = {"support": SUPPORT, "product": PRODUCT, "onboarding": SUCCESS}
"""Who answers at each touchpoint."""


class Desk:
    """The help desk as all customers of one seed meet it."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def load(self, at_ms: int) -> float:
        """How much there is to do in the week of this time, compared with usual."""
        return _load(self._seed, at_ms // _WEEK_MS)

    def answered_at(self, rng: Random, agent: Agent, priority: Priority, asked_at: int, delays: float) -> int:
        """When the agent replies; `delays` is how much slower than usual this customer is served."""
        minutes = around(rng, _MINUTES_TO_ANSWER[priority] * agent.pace * self.load(asked_at) * delays, 0.8)
        return self._done_at(rng, asked_at, int(minutes * MINUTE_MS), priority)

    def solved_at(self, rng: Random, agent: Agent, priority: Priority, begun_at: int, delays: float) -> int:
        """When the agent is done with a ticket."""
        hours = around(rng, _WORKING_HOURS_TO_SOLVE[priority] * agent.pace * self.load(begun_at) * delays, 0.9)
        return self._done_at(rng, begun_at, int(hours * HOUR_MS), priority)

    def _done_at(self, rng: Random, from_ms: int, work_ms: int, priority: Priority) -> int:
        if priority == "urgent" and rng.random() < 0.8:
            return from_ms + int(work_ms * 1.5)  # whoever is on duty is alone
        return after_working(from_ms, work_ms)


def after_working(from_ms: int, work_ms: int) -> int:
    """The time at which so much working time has passed."""
    at_ms = from_ms
    while True:
        day_ms = at_ms - at_ms % DAY_MS
        opens_ms, closes_ms = day_ms + _OPENS_HOUR * HOUR_MS, day_ms + _CLOSES_HOUR * HOUR_MS
        begins_ms = max(at_ms, opens_ms)
        if is_working_day(day_ms) and begins_ms < closes_ms:
            if begins_ms + work_ms <= closes_ms:
                return begins_ms + work_ms
            work_ms -= closes_ms - begins_ms
        at_ms = day_ms + DAY_MS


def is_working_day(day_ms: int) -> bool:
    """Whether it is one from Monday to Friday."""
    return (day_ms // DAY_MS + _EPOCH_WEEKDAY) % 7 < _WORKING_DAYS


@lru_cache(maxsize=4096)
def _load(seed: int, week: int) -> float:
    return exp(Random(f"{seed}/desk/{week}").gauss(0.0, _LOAD_SIGMA))
