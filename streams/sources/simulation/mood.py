"""The latent state behind what a customer does: how satisfied and how engaged it is from day to day."""

from random import Random

from streams.sources.simulation.chance import DAY_MS, clamp
from streams.sources.simulation.profiles import Profile, Spell

_PULL = 0.12  # how much of its distance to the target a mood goes in a day
_SATISFACTION_NOISE = 0.03
_ENGAGEMENT_NOISE = 0.07
_YEAR_MS = 365 * DAY_MS


class Mood:
    """`satisfaction` (0-1), `engagement` (1 is usual), and how often tickets and answers come compared with usual.

    Moods wander around the customer's own level (a mean-reverting walk) and are bent by its spells.
    """

    def __init__(self, profile: Profile, rng: Random, start_ms: int) -> None:
        self._profile = profile
        self._rng = rng
        self._start_ms = start_ms
        self._wander = 0.0
        self.satisfaction = profile.satisfaction
        self.engagement = 1.0
        self.ticket_factor = 1.0
        self.answer_factor = 1.0

    def step(self, day_ms: int) -> None:
        """Move on to this day."""
        rng = self._rng
        target, engagement, tickets, answers = self._profile.satisfaction, 1.0, 1.0, 1.0
        for spell in self._profile.spells:
            depth = _depth(spell, day_ms)
            if depth > 0.0:
                trouble = spell.trouble
                target -= depth * trouble.satisfaction_loss
                engagement *= 1.0 + depth * (trouble.engagement_factor - 1.0)
                tickets *= 1.0 + depth * (trouble.ticket_factor - 1.0)
                answers *= 1.0 + depth * (trouble.answer_factor - 1.0)
        self._wander += -_PULL * self._wander + rng.gauss(0.0, _ENGAGEMENT_NOISE)
        growth = 1.0 + self._profile.character.growth_a_year * (day_ms - self._start_ms) / _YEAR_MS
        self.satisfaction = clamp(self.satisfaction + _PULL * (target - self.satisfaction) + rng.gauss(0.0, _SATISFACTION_NOISE))
        self.engagement = max(0.0, engagement * growth * (1.0 + self._wander))
        self.ticket_factor, self.answer_factor = tickets, answers


def _depth(spell: Spell, at_ms: int) -> float:
    """How much of the spell's full effect holds at a time: it grows over its first part and ends with its end."""
    if not spell.from_ms <= at_ms < spell.until_ms:
        return 0.0
    ramp_ms = (spell.until_ms - spell.from_ms) * spell.trouble.ramp_share
    grown_ms = at_ms - spell.from_ms
    return spell.strength if grown_ms >= ramp_ms else spell.strength * grown_ms / ramp_ms
