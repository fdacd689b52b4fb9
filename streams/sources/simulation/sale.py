"""The way of a newcomer from the first visit to the end of its onboarding: the talks that each step brings along."""

from random import Random
from typing import NamedTuple

from streams.sources.simulation.chance import DAY_MS, HOUR_MS
from streams.sources.simulation.profiles import Arrival


class Talk(NamedTuple):
    """A visit, demo, talk or lesson that ends at a time."""

    at_ms: int
    touchpoint: str


def talks(arrival: Arrival, rng: Random) -> list[Talk]:
    """What happens on the way in, in order of time. The parts before the sale come to everybody, those after only to buyers."""

    def between(from_ms: int, until_ms: int) -> int:
        return from_ms + int(rng.random() * max(1, until_ms - from_ms))

    decided_at = arrival.contracted_at if arrival.contracted_at is not None else arrival.trial_at + 10 * DAY_MS
    found = [
        Talk(arrival.lead_at + int(rng.uniform(0.1, 3.0) * HOUR_MS), "marketing"),
        Talk(between(arrival.lead_at + 3 * HOUR_MS, arrival.trial_at), "sales"),
        Talk(between(arrival.trial_at, decided_at), "trial"),
        Talk(between(arrival.trial_at, decided_at), "sales"),
    ]
    if rng.random() < 0.5:
        found.append(Talk(between(arrival.trial_at, decided_at), "trial"))
    if arrival.contracted_at is not None:
        lessons = rng.choice((1, 2, 2, 3))
        found += [Talk(between(arrival.handed_over_at, arrival.onboarded_at), "onboarding") for _ in range(lessons)]
    return sorted(found)
