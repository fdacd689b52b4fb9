"""How records arrive: a little after what they tell of, some much later, some twice, a few too late."""

from random import Random

from msgspec import Struct

from streams.sources.simulation.chance import DAY_MS, HOUR_MS, MINUTE_MS

_USUAL_LAG_MS = 4_000


class Disorder(Struct, frozen=True, kw_only=True):
    """Shares of all records.

    `delayed_share` come between ten minutes and twenty hours after the event (and so overtake each other), `late_share` after
    more than the pipeline's grace of 48 hours, `duplicate_share` a second time within two hours. `usual_lag_ms` is the mean delay
    of all others.
    """

    delayed_share: float = 0.03
    late_share: float = 0.001
    duplicate_share: float = 0.004
    usual_lag_ms: int = _USUAL_LAG_MS

    def lag_ms(self, rng: Random, *, may_be_late: bool) -> int:
        """How long after its event a record is written."""
        draw = rng.random()
        if draw < self.late_share:
            return int(rng.uniform(2.1, 6.0) * DAY_MS) if may_be_late else 0
        if draw < self.late_share + self.delayed_share:
            return int(rng.uniform(10 * MINUTE_MS, 20 * HOUR_MS))
        return int(rng.expovariate(1 / self.usual_lag_ms)) if self.usual_lag_ms else 0

    def repeat_ms(self, rng: Random) -> int | None:
        """How long after the first record a duplicate is written; None for the most, which have none."""
        return int(rng.uniform(1, 2 * HOUR_MS)) if rng.random() < self.duplicate_share else None


TIDY = Disorder(delayed_share=0.0, late_share=0.0, duplicate_share=0.0, usual_lag_ms=0)
"""Every record once, at the time of its event."""
