"""What a customer is asked and how it answers.

The throttles are those of the default survey plan: CSAT at most once in 7 days for a respondent and touchpoint, NPS every 180
days for each respondent and 3 days after the onboarding.
"""

from random import Random

import msgspec

from schemas.events import Scale, Survey, SurveyEvent
from streams.sources.simulation.chance import DAY_MS, HOUR_MS, MINUTE_MS, around, clamp
from streams.sources.simulation.journal import Journal
from streams.sources.simulation.mood import Mood
from streams.sources.simulation.profiles import Profile, Respondent
from streams.sources.simulation.words import comment

_CSAT_PAUSE_MS = 7 * DAY_MS
_CSAT_LIFE_MS = DAY_MS
_NPS_INTERVAL_MS = 180 * DAY_MS
_NPS_LIFE_MS = 14 * DAY_MS
_NPS_AFTER_ONBOARDING_MS = 3 * DAY_MS
_PRODUCT_SURVEY_A_DAY = 0.006
_COMMENT_SHARE = 0.25
_COMMENT_SHARE_OF_BAD = 0.45


class Surveys:
    """The questions to one customer, and its answers."""

    def __init__(self, profile: Profile, rng: Random, journal: Journal, first_nps_ms: int) -> None:
        self._profile = profile
        self._rng = rng
        self._journal = journal
        self._next_nps_ms = first_nps_ms
        self._csat_free_at: dict[tuple[str, str], int] = {}
        self._willing = clamp(rng.gauss(0.5, 0.15), 0.1, 0.9)

    def day(self, day_ms: int, mood: Mood) -> None:
        """Plan what the calendar asks for: NPS, and now and then the product as a whole."""
        if day_ms <= self._next_nps_ms < day_ms + DAY_MS:
            for respondent in self._profile.respondents:
                self._ask_nps(self._next_nps_ms, respondent, mood)
            self._next_nps_ms += _NPS_INTERVAL_MS
        if self._rng.random() < _PRODUCT_SURVEY_A_DAY:
            respondent = self._rng.choice(self._profile.respondents)
            score = _step(self._feeling(respondent, mood, 0.18), 1, 5)
            self._ask("product", "1_5", day_ms + 12 * HOUR_MS, _CSAT_LIFE_MS, respondent, mood, score, touchpoint="product")

    def ask_csat(
        self,
        ended_at: int,
        touchpoint: str,
        respondent: Respondent,
        mood: Mood,
        *,
        interaction_id: str | None = None,
        ticket_id: str | None = None,
    ) -> None:
        """Plan the question after an interaction or a ticket, unless the respondent was asked about this touchpoint lately."""
        asked_at = ended_at + 5 * MINUTE_MS
        place = (respondent.name, touchpoint)
        if asked_at < self._csat_free_at.get(place, 0):
            return
        self._csat_free_at[place] = asked_at + _CSAT_PAUSE_MS
        feeling = self._feeling(respondent, mood, 0.16)
        if self._profile.csat_scale_is_binary:
            scale: Scale = "good_bad"
            score = int(self._rng.random() < clamp(0.08 + 1.05 * feeling, 0.03, 0.98))
        else:
            scale, score = "1_5", _step(feeling + 0.1, 1, 5)
        self._ask(
            "csat", scale, asked_at, _CSAT_LIFE_MS, respondent, mood, score,
            touchpoint=touchpoint, interaction_id=interaction_id, ticket_id=ticket_id,
        )  # fmt: skip

    def ask_effort(self, ended_at: int, touchpoint: str, respondent: Respondent, mood: Mood, ticket_id: str) -> None:
        """Plan the question how easy it was to get help (7 is very easy)."""
        score = _step(self._feeling(respondent, mood, 0.16), 1, 7)
        self._ask(
            "ces", "1_7", ended_at + HOUR_MS, _CSAT_LIFE_MS, respondent, mood, score, touchpoint=touchpoint, ticket_id=ticket_id
        )

    def _ask_nps(self, at_ms: int, respondent: Respondent, mood: Mood) -> None:
        score = _step(self._feeling(respondent, mood, 0.13) + 0.08, 0, 10)
        self._ask("nps", "0_10", at_ms, _NPS_LIFE_MS, respondent, mood, score)

    def _feeling(self, respondent: Respondent, mood: Mood, noise: float) -> float:
        return mood.satisfaction + respondent.bias + self._rng.gauss(0.0, noise)

    def _ask(
        self,
        survey: Survey,
        scale: Scale,
        sent_at: int,
        life_ms: int,
        respondent: Respondent,
        mood: Mood,
        score: int,
        *,
        touchpoint: str | None = None,
        interaction_id: str | None = None,
        ticket_id: str | None = None,
    ) -> None:
        """Plan a request and its answer, or its end without one. Who has not agreed to be asked is not asked."""
        rng = self._rng
        if not respondent.may_be_asked(sent_at):
            return
        sent = SurveyEvent(
            event_id=self._journal.new_id("sur"),
            customer_id=self._profile.customer_id,
            occurred_at=sent_at,
            kind="sent",
            survey=survey,
            scale=scale,
            touchpoint=touchpoint,
            respondent_id=respondent.name,
            request_id=self._journal.new_id("request"),
            interaction_id=interaction_id,
            ticket_id=ticket_id,
            locale=respondent.locale,
        )
        self._journal.survey(sent)
        answered_at = sent_at + int(around(rng, 0.12 * life_ms, 1.0))
        replaced = {"event_id": self._journal.new_id("sur"), "kind": "expired", "occurred_at": sent_at + life_ms}
        if rng.random() < self._willing * mood.answer_factor and answered_at < sent_at + life_ms:
            replaced |= {
                "kind": "answered",
                "occurred_at": answered_at,
                "score": score,
                "comment": self._comment(respondent, scale, score),
            }
        self._journal.survey(msgspec.structs.replace(sent, **replaced))

    def _comment(self, respondent: Respondent, scale: Scale, score: int) -> str | None:
        """Who is not content writes more often."""
        good = score >= {"good_bad": 1, "1_5": 4, "1_7": 5, "0_10": 7, "1_10": 7}[scale]
        if self._rng.random() > (_COMMENT_SHARE if good else _COMMENT_SHARE_OF_BAD):
            return None
        return comment(self._rng, respondent.locale, good=good)


def first_nps(profile: Profile, rng: Random, start_ms: int) -> int:
    """When the first NPS question goes out: after the onboarding, or somewhere in the rhythm that an older customer is in."""
    arrival = profile.arrival
    if arrival is not None:
        return arrival.onboarded_at + _NPS_AFTER_ONBOARDING_MS
    return start_ms + int(rng.random() * _NPS_INTERVAL_MS)


def _step(feeling: float, low: int, high: int) -> int:
    """A feeling (0-1) as a score on a scale."""
    return min(high, max(low, round(low + feeling * (high - low))))
