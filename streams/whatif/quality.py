"""How good alerts were, judged by who left.

A rule that fires often finds many churners by luck, so everything is held against customers drawn at random at the same times.

- Judged are the episodes that opened while the customer was one, early enough that the log knows what followed (`horizon` before
  its end). Each counts, also the second of a customer: each took somebody's time.
- *Precision*: the share of them whose customer left within the horizon after the opening.
- *Chance*: the mean, over the same openings, of the share of all customers of that day who left within the horizon. *Lift* =
  precision / chance: 1 is no better than drawing lots.
- *Recall*: of the departures, the share with an episode that opened at least `ahead` before and was not over when the horizon
  before the departure began: somebody could have acted. *Recall by chance* asks the same of customers who were there at the same
  time and did not leave within the horizon.
- *Lead*: from the opening of the earliest such episode to the departure; the median over the departures that were foreseen.
- *Alerts a customer and month*: all openings by the days that customers were there (a month is 365.25 / 12 days).
- *Reopened*: of these the openings at most `REOPENED_DAYS` after an alert of the same customer and rule had ended. A rule of
  which there are many flickers: somebody was told that it is over, and it was not.

Departures in the first `horizon` of a log are left out, for nothing could be known of them. Muted episodes count: nobody was
shown them, but the rule is what is judged.
"""

from collections.abc import Iterable, Sequence
from statistics import median
from typing import Final

from msgspec import Struct

from schemas.records import Band
from streams.whatif.stays import DAY_MS, Chances, Departure, Stays
from streams.whatif.told import Episode, Told

HORIZON_DAYS: Final = 60
AHEAD_DAYS: Final = 7
GREEN_FROM_DAYS: Final = 30
REOPENED_DAYS: Final = 7
MONTH_DAYS: Final = 365.25 / 12
ALL_RULES: Final = "all together"


class Quality(Struct, frozen=True, kw_only=True):
    """How a rule, or all together, did. What has no cases is None, never 0."""

    rule: str
    episodes: int
    reopened: int
    judged: int
    hits: int
    precision_share: float | None
    chance_share: float | None
    lift: float | None
    departures: int
    foreseen: int
    recall_share: float | None
    recall_by_chance_share: float | None
    median_lead_days: float | None
    alerts_a_customer_month: float | None


class Surprise(Struct, frozen=True, kw_only=True):
    """Somebody who was green and left: the miss that hurts.

    The band 7 days before was green; `worst_band` is the lowest one shown from 30 to 7 days before, and `alerts` are the rules of
    the episodes that stood open at some time in it.
    """

    customer_id: str
    left_ms: int
    ending: str
    worst_band: Band | None
    alerts: list[str]


class Judged(Struct, frozen=True, kw_only=True):
    """How all that a replay has told did: each rule by name, all together last; and who left green."""

    rules: list[Quality]
    green_then_churned: list[Surprise]


class Judge:
    """Judges episodes by the departures of one log."""

    def __init__(self, stays: Stays, horizon_days: int = HORIZON_DAYS, ahead_days: int = AHEAD_DAYS) -> None:
        self._stays = stays
        self._horizon_ms = horizon_days * DAY_MS
        self._ahead_ms = ahead_days * DAY_MS
        self._chances = Chances(stays, self._horizon_ms)
        self._stayed: list[list[str]] | None = None
        first_ms = stays.start_ms + self._horizon_ms
        self.departures = [departure for departure in stays.departures if departure.at_ms >= first_ms]

    def judged(self, told: Told) -> Judged:
        """How a replay did."""
        return Judged(rules=self.qualities(told.episodes), green_then_churned=self.surprises(told))

    def qualities(self, episodes: Sequence[Episode]) -> list[Quality]:
        """Each rule by name, and all together last."""
        rules = sorted({episode.rule for episode in episodes})
        found = [self.quality(rule, [episode for episode in episodes if episode.rule == rule]) for rule in rules]
        return [*found, self.quality(ALL_RULES, episodes)]

    def quality(self, rule: str, episodes: Sequence[Episode]) -> Quality:
        """How these episodes did."""
        stays, horizon_ms = self._stays, self._horizon_ms
        mine = [episode for episode in episodes if stays.is_customer(episode.customer_id, episode.opened_ms)]
        judged = [episode for episode in mine if episode.opened_ms <= stays.end_ms - horizon_ms]
        hits = sum(stays.left_within(episode.customer_id, episode.opened_ms, horizon_ms) for episode in judged)
        precision = hits / len(judged) if judged else None
        chance = _mean(self._chances.share_at(episode.opened_ms) for episode in judged)
        leads = self._leads(mine)
        return Quality(
            rule=rule,
            episodes=len(mine),
            reopened=_reopened(mine),
            judged=len(judged),
            hits=hits,
            precision_share=precision,
            chance_share=chance,
            lift=precision / chance if precision is not None and chance else None,
            departures=len(self.departures),
            foreseen=len(leads),
            recall_share=len(leads) / len(self.departures) if self.departures else None,
            recall_by_chance_share=self._recall_by_chance(mine),
            median_lead_days=median(leads) / DAY_MS if leads else None,
            alerts_a_customer_month=len(mine) / stays.customer_days * MONTH_DAYS if stays.customer_days else None,
        )

    def surprises(self, told: Told) -> list[Surprise]:
        """The departures of customers who were green, in order of time."""
        found = []
        standing = _by_customer(told.episodes)
        for departure in self.departures:
            bands = told.bands_of(departure.customer_id)
            if bands.at(departure.at_ms - self._ahead_ms) == "green":
                found.append(self._surprise(departure, told, standing.get(departure.customer_id, [])))
        return found

    def _surprise(self, departure: Departure, told: Told, episodes: Sequence[Episode]) -> Surprise:
        from_ms, until_ms = departure.at_ms - GREEN_FROM_DAYS * DAY_MS, departure.at_ms - self._ahead_ms
        shown = set(told.bands_of(departure.customer_id).between(from_ms, until_ms))
        worst: Band = "red" if "red" in shown else "yellow" if "yellow" in shown else "green"
        alerts = {episode.rule for episode in episodes if episode.opened_ms <= until_ms and episode.ended_ms >= from_ms}
        return Surprise(
            customer_id=departure.customer_id,
            left_ms=departure.at_ms,
            ending=departure.ending,
            worst_band=worst,
            alerts=sorted(alerts),
        )

    def foreseen(self, episodes: Sequence[Episode]) -> list[Departure]:
        """The departures that at least one of the episodes warned of in time."""
        standing = _by_customer(episodes)
        return [one for one in self.departures if self._warned_at(standing.get(one.customer_id, ()), one.at_ms) is not None]

    def _leads(self, episodes: Sequence[Episode]) -> list[int]:
        """How long before each departure that was foreseen the earliest of its episodes had opened."""
        standing = _by_customer(episodes)
        warned = [self._warned_at(standing.get(one.customer_id, ()), one.at_ms) for one in self.departures]
        return [one.at_ms - at_ms for one, at_ms in zip(self.departures, warned, strict=True) if at_ms is not None]

    def _warned_at(self, episodes: Iterable[Episode], left_ms: int) -> int | None:
        from_ms, until_ms = left_ms - self._horizon_ms, left_ms - self._ahead_ms
        return min((one.opened_ms for one in episodes if one.opened_ms <= until_ms and one.ended_ms >= from_ms), default=None)

    def _recall_by_chance(self, episodes: Sequence[Episode]) -> float | None:
        """The share that would be 'foreseen' of those who did not leave, at the times of the departures."""
        if self._stayed is None:
            self._stayed = [self._who_stayed(departure.at_ms) for departure in self.departures]
        standing = _by_customer(episodes)
        shares = []
        for departure, others in zip(self.departures, self._stayed, strict=True):
            warned = sum(self._warned_at(standing.get(customer_id, ()), departure.at_ms) is not None for customer_id in others)
            if others:
                shares.append(warned / len(others))
        return _mean(shares)

    def _who_stayed(self, at_ms: int) -> list[str]:
        """Who was a customer then, and long enough before to be warned of, and did not leave within the horizon."""
        return [
            customer_id
            for customer_id in self._stays.customers_at(at_ms)
            if not self._stays.left_within(customer_id, at_ms, self._horizon_ms)
            and self._stays.is_customer(customer_id, at_ms - self._ahead_ms)
        ]


def _reopened(episodes: Iterable[Episode]) -> int:
    """How many opened shortly after the one before them, of the same customer and rule, had ended."""
    ended: dict[tuple[str, str], int] = {}
    count = 0
    for episode in sorted(episodes, key=lambda episode: episode.opened_ms):
        place = (episode.customer_id, episode.rule)
        ended_ms = ended.get(place)
        count += ended_ms is not None and episode.opened_ms - ended_ms <= REOPENED_DAYS * DAY_MS
        ended[place] = episode.ended_ms
    return count


def _by_customer(episodes: Iterable[Episode]) -> dict[str, list[Episode]]:
    found: dict[str, list[Episode]] = {}
    for episode in episodes:
        found.setdefault(episode.customer_id, []).append(episode)
    return found


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
