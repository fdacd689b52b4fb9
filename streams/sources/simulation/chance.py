"""The few random draws that all parts of the simulator share."""

from collections.abc import Mapping
from math import exp
from random import Random
from typing import TypeVar

T = TypeVar("T")

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS


def poisson(rng: Random, mean: float) -> int:
    """A count with this mean (Knuth's method, good for the small means used here)."""
    if mean <= 0:
        return 0
    limit, product, count = exp(-mean), rng.random(), 0
    while product > limit:
        product *= rng.random()
        count += 1
    return count


def around(rng: Random, median: float, sigma: float) -> float:
    """A log-normal draw with this median."""
    return median * exp(rng.gauss(0.0, sigma))


def pick(rng: Random, weights: Mapping[T, float]) -> T:
    """One key, with the chance of its weight."""
    return rng.choices(list(weights), list(weights.values()))[0]


def clamp(value: float, low: float = 0.0, high: float = 1.0) -> float:
    """The nearest value within the bounds."""
    return min(high, max(low, value))
