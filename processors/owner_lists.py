"""What the owner of accounts is to look at: the morning list of open episodes, and the digest of alerts beyond the budget.

Episodes are ranked by monthly revenue at risk x urgency, where urgency is that of the severity times that of the days to the
renewal. Revenue is compared in the base currency; in a currency without a rate it is taken as the number it is. An unknown
revenue ranks last, among its like by urgency. Muted episodes are open silently: they stand in neither list. A digest lists what
ended on the day of its opening as well, since it was beyond the day's budget all the same.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from processors.account_state import OVERDUE_DAYS
from processors.alert_file import AlertSettings
from processors.commercial_file import Commercial
from processors.episode_gauges import OpenEpisode
from processors.rule_file import SEVERITIES
from processors.windows import DAY_MS
from schemas.records import OwnerEntry


class Listed(NamedTuple):
    """Entries in their order, and how many more there would have been."""

    entries: list[OwnerEntry]
    left_out: int


def urgency(episode: OpenEpisode, settings: AlertSettings, as_of_ms: int) -> float:
    """How urgent an episode is: the factor of its severity times that of the days to the renewal.

    The latter is 1 without a renewal, and with one that is more than 30 days past.
    """
    factor = settings.urgency[episode.severity]
    if episode.renewal_at is None or as_of_ms > episode.renewal_at + OVERDUE_DAYS * DAY_MS:
        return factor
    return factor * settings.renewal_urgency.at((episode.renewal_at - as_of_ms) / DAY_MS)


def morning_list(episodes: Iterable[OpenEpisode], settings: AlertSettings, as_of_ms: int, terms: Commercial) -> Listed:
    """An owner's open episodes, those first where most revenue is at risk and most urgently."""
    return _listed((episode for episode in episodes if not episode.muted), settings, as_of_ms, terms)


def digest(episodes: Iterable[OpenEpisode], settings: AlertSettings, as_of_ms: int, terms: Commercial) -> Listed:
    """Of the episodes that opened for an owner in a day, those beyond the budget: the least severe, then those of least weight.

    Those that have ended since count like the others. The most severe come first. Empty when the budget was enough.
    """
    heard = [episode for episode in episodes if not episode.muted]
    heard.sort(key=lambda episode: (-SEVERITIES.index(episode.severity), *_order(episode, settings, as_of_ms, terms)))
    return _cut(heard[settings.owner_budget_per_day :], settings, as_of_ms)


def by_owner(episodes: Iterable[OpenEpisode]) -> dict[str, list[OpenEpisode]]:
    """The episodes of each owner, by name; those of accounts that nobody owns under the empty name."""
    found: dict[str, list[OpenEpisode]] = {}
    for episode in episodes:
        found.setdefault(episode.owner, []).append(episode)
    return dict(sorted(found.items()))


def _listed(episodes: Iterable[OpenEpisode], settings: AlertSettings, as_of_ms: int, terms: Commercial) -> Listed:
    return _cut(sorted(episodes, key=lambda episode: _order(episode, settings, as_of_ms, terms)), settings, as_of_ms)


def _cut(ordered: Sequence[OpenEpisode], settings: AlertSettings, as_of_ms: int) -> Listed:
    most = settings.most_listed
    return Listed([_entry(episode, settings, as_of_ms) for episode in ordered[:most]], max(0, len(ordered) - most))


def _order(episode: OpenEpisode, settings: AlertSettings, as_of_ms: int, terms: Commercial) -> tuple[float, float, int, str]:
    """Most weight first, then most urgency, then the oldest."""
    factor = urgency(episode, settings, as_of_ms)
    return -terms.worth(episode.mrr_cents or 0, episode.currency) * factor, -factor, episode.opened_at, episode.episode_id


def _entry(episode: OpenEpisode, settings: AlertSettings, as_of_ms: int) -> OwnerEntry:
    return OwnerEntry(
        episode_id=episode.episode_id,
        customer_id=episode.customer_id,
        rule=episode.rule,
        severity=episode.severity,
        opened_at=episode.opened_at,
        mrr_cents=episode.mrr_cents,
        currency=episode.currency,
        renewal_at=episode.renewal_at,
        urgency=urgency(episode, settings, as_of_ms),
        acknowledged=episode.acknowledged,
        acted=episode.acted,
        ended=episode.ended,
    )
