"""Intervals of confidence at 95 %."""

import math
from typing import Final, NamedTuple

Z_95: Final = 1.959963984540054
"""The two-sided 95 % quantile of the standard normal distribution."""


class Interval(NamedTuple):
    """Bounds in the unit of the estimate they belong to."""

    low: float
    high: float


def wilson(successes: int, n: int) -> Interval | None:
    """The Wilson score interval of the share `successes / n`, 0 to 1; None when n is 0.

    Source: E. B. Wilson, Probable inference, the law of succession, and statistical inference, JASA 22 (1927).
    """
    if n == 0:
        return None
    share = successes / n
    z2 = Z_95 * Z_95
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = Z_95 / (1 + z2 / n) * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    # At 0 and n the bound is 0 and 1 exactly; the formula misses them by a rounding error.
    low = 0.0 if successes == 0 else max(0.0, centre - half)
    high = 1.0 if successes == n else min(1.0, centre + half)
    return Interval(low, high)


def adjusted_wald_nps(promoters: int, passives: int, detractors: int) -> Interval | None:
    """The adjusted Wald interval of a Net Promoter Score, in points from -100 to 100; None without answers.

    3 answers are added, 3/4 of one each to promoters and detractors; the result is clipped to the scale and widened to hold the
    estimate itself, which it would not at n = 1.
    Source: J. Sauro and J. R. Lewis, Quantifying the User Experience, 2nd ed. (2016), adjusted-Wald interval for the NPS.
    """
    n = promoters + passives + detractors
    if n == 0:
        return None
    share_up = (promoters + 0.75) / (n + 3)
    share_down = (detractors + 0.75) / (n + 3)
    centre = share_up - share_down
    half = Z_95 * math.sqrt((share_up + share_down - centre * centre) / (n + 3))
    estimate = 100 * (promoters - detractors) / n
    low = min(max(-100.0, 100 * (centre - half)), estimate)
    high = max(min(100.0, 100 * (centre + half)), estimate)
    return Interval(low, high)


def newcombe(successes: int, n: int, successes_before: int, n_before: int) -> Interval | None:
    """Newcombe's interval of the difference of two independent shares, `now - before`, -1 to 1; None when either has no cases.

    It is made of the Wilson intervals of both shares, and never leaves -1 to 1.
    Source: R. G. Newcombe, Interval estimation for the difference between independent proportions: comparison of eleven methods,
    Statistics in Medicine 17 (1998), method 10 (hybrid score interval without continuity correction).
    """
    now, before = wilson(successes, n), wilson(successes_before, n_before)
    if now is None or before is None:
        return None
    share, share_before = successes / n, successes_before / n_before
    difference = share - share_before
    down = math.hypot(share - now.low, before.high - share_before)
    up = math.hypot(now.high - share, share_before - before.low)
    return Interval(difference - down, difference + up)
