"""What a customer does with the product, and the talks and lessons it takes part in."""

from random import Random

from schemas.events import UsageKind
from streams.sources.simulation import characters
from streams.sources.simulation.chance import DAY_MS, HOUR_MS, MINUTE_MS, around, pick, poisson
from streams.sources.simulation.journal import Journal
from streams.sources.simulation.mood import Mood
from streams.sources.simulation.profiles import Profile
from streams.sources.simulation.sale import talks
from streams.sources.simulation.surveys import Surveys

_WEEKDAY_FACTORS = (1.0, 1.1, 1.1, 1.05, 0.9, 0.18, 0.15)  # Monday first
_EPOCH_WEEKDAY = 3  # 1 January 1970 was a Thursday
_TOUCHPOINTS = {"marketing": 3, "product": 4, "onboarding": 2, "renewal": 1, "sales": 1}
_ON_TRIAL_ABILITY = 0.5
_TRIAL_TOUCHPOINTS = {"trial": 2, "sales": 1}
_NEWCOMERS_TOUCHPOINTS = {"onboarding": 3, "product": 1}
_USERS_MAX = 8


def moment_of_day(rng: Random, day_ms: int, utc_offset_hours: int) -> int:
    """A time within the day, in working hours more often than not."""
    hour = (rng.gauss(13.0, 3.0) - utc_offset_hours) % 24.0
    return day_ms + int(hour * HOUR_MS)


def weekday_factor(day_ms: int) -> float:
    """How busy this day of the week is."""
    return _WEEKDAY_FACTORS[(day_ms // DAY_MS + _EPOCH_WEEKDAY) % 7]


class Usage:
    """Sessions, features, goals and interactions of one customer."""

    def __init__(self, profile: Profile, rng: Random, journal: Journal, surveys: Surveys) -> None:
        self._profile = profile
        self._rng = rng
        self._journal = journal
        self._surveys = surveys
        users = min(_USERS_MAX, max(2, profile.seats // 3))
        self._users = [f"u{number}" for number in range(1, users + 1)]
        self._habits = [around(rng, 1 / number, 0.5) for number in range(1, users + 1)]
        self._talks = [] if profile.arrival is None else talks(profile.arrival, rng)

    def day(self, day_ms: int, mood: Mood, ability: float) -> None:
        """Plan a day. `ability` (0-1) is how far the customer has come on its way in: a trial does less."""
        rng = self._rng
        if rng.random() < min(0.95, self._profile.activity * mood.engagement * ability * weekday_factor(day_ms)):
            for _ in range(1 + poisson(rng, 0.2)):
                self._session(moment_of_day(rng, day_ms, self._profile.utc_offset_hours), mood, ability)
        chance = (
            characters.INTERACTIONS_A_DAY * weekday_factor(day_ms) * min(1.2, mood.engagement) * (2.0 if ability < 1.0 else 1.0)
        )
        if rng.random() < chance:
            newcomers = _NEWCOMERS_TOUCHPOINTS if ability > _ON_TRIAL_ABILITY else _TRIAL_TOUCHPOINTS
            touchpoint = pick(rng, newcomers if ability < 1.0 else _TOUCHPOINTS)
            self.interaction(moment_of_day(rng, day_ms, self._profile.utc_offset_hours), touchpoint, mood)

    def on_the_way_in(self, day_ms: int, mood: Mood) -> None:
        """Plan the visits, talks and lessons of a newcomer on a day, from the first look at the product on."""
        while self._talks and self._talks[0].at_ms < day_ms + DAY_MS:
            talk = self._talks.pop(0)
            self.interaction(talk.at_ms, talk.touchpoint, mood)

    def interaction(self, at_ms: int, touchpoint: str, mood: Mood) -> None:
        """Plan the end of a talk, demo or lesson, and perhaps the question how it was."""
        interaction_id = self._journal.new_id("talk")
        respondent = self._rng.choice(self._profile.respondents)
        duration_ms = int(around(self._rng, 30, 0.5) * MINUTE_MS)
        self._journal.usage(
            at_ms,
            "interaction_ended",
            touchpoint=touchpoint,
            interaction_id=interaction_id,
            user_id=respondent.name,
            duration_ms=duration_ms,
        )
        if self._rng.random() < 0.7:
            self._surveys.ask_csat(at_ms, touchpoint, respondent, mood, interaction_id=interaction_id)

    def _session(self, at_ms: int, mood: Mood, ability: float) -> None:
        rng, journal = self._rng, self._journal
        user_id = rng.choices(self._users, self._habits)[0]
        duration_ms = int(around(rng, 18, 0.7) * MINUTE_MS)
        journal.usage(at_ms, "session", user_id=user_id, duration_ms=duration_ms, quantity=1)
        for _ in range(poisson(rng, 0.85)):
            feature = rng.choices(characters.FEATURES, self._profile.favourites)[0]
            used_at = at_ms + int(rng.random() * duration_ms)
            journal.usage(used_at, "feature_used", feature=feature, user_id=user_id, quantity=1 + poisson(rng, 1.5))
        for _ in range(poisson(rng, 0.6 * ability)):
            goal = pick(rng, characters.GOALS)
            failed = rng.random() < 0.04 + 0.15 * (1.0 - mood.satisfaction)
            tried_at = at_ms + int(rng.random() * duration_ms)
            quantity = None if failed else 1 + poisson(rng, 0.4)
            took_ms = None if failed else tried_at - at_ms
            kind: UsageKind = "goal_failed" if failed else "goal_completed"
            journal.usage(tried_at, kind, goal=goal, user_id=user_id, quantity=quantity, duration_ms=took_ms)
