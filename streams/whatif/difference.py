"""What two replays of one log say differently: whose band, and which alerts."""

from collections import defaultdict
from collections.abc import Sequence

from msgspec import Struct

from schemas.records import Band
from streams.whatif.stays import DAY_MS
from streams.whatif.told import Episode, Told


class BandDifference(Struct, frozen=True, kw_only=True):
    """A customer whose band is or was another one. The bands are those at the end of the log; days are counted at their ends."""

    customer_id: str
    old_band: Band | None
    new_band: Band | None
    days_differing: int


class BandsCompared(Struct, frozen=True, kw_only=True):
    """All bands of both, customer by customer and day by day.

    `differing` holds those who differ at any time, the ones who differ at the end first, then by days.
    """

    customers: int
    changed_at_end: int
    customer_days: int
    customer_days_differing: int
    differing: list[BandDifference]


class RuleDifference(Struct, frozen=True, kw_only=True):
    """How many episodes of a rule both have opened, and those that only one has.

    `earlier` and `later` are those of both that the new definitions opened at another time.
    """

    rule: str
    both: int
    earlier: int
    later: int
    only_old: list[Episode]
    only_new: list[Episode]


def compare_bands(old: Told, new: Told, start_ms: int, end_ms: int) -> BandsCompared:
    """Hold the bands of every customer against each other, at the end of each day and at the end."""
    ends = list(range(start_ms - start_ms % DAY_MS + DAY_MS, end_ms, DAY_MS))
    differing = []
    days = 0
    customers = sorted(old.bands.keys() | new.bands.keys())
    for customer_id in customers:
        before, after = old.bands_of(customer_id), new.bands_of(customer_id)
        there = [at_ms for at_ms in ends if before.at(at_ms) is not None or after.at(at_ms) is not None]
        days += len(there)
        others = sum(before.at(at_ms) != after.at(at_ms) for at_ms in there)
        if others or before.at(end_ms) != after.at(end_ms):
            differing.append(
                BandDifference(
                    customer_id=customer_id, old_band=before.at(end_ms), new_band=after.at(end_ms), days_differing=others
                )
            )
    differing.sort(key=lambda one: (one.old_band == one.new_band, -one.days_differing, one.customer_id))
    return BandsCompared(
        customers=len(customers),
        changed_at_end=sum(one.old_band != one.new_band for one in differing),
        customer_days=days,
        customer_days_differing=sum(one.days_differing for one in differing),
        differing=differing,
    )


def compare_alerts(old: Told, new: Told, match_ms: int) -> list[RuleDifference]:
    """For each rule the episodes of one that the other has, too: same customer, open at the same time or opened `match_ms` apart.

    Each episode stands for one of the other at most; the pairs are taken in order of time.
    """
    olds, news = _by_rule(old.episodes), _by_rule(new.episodes)
    found = []
    for rule in sorted(olds.keys() | news.keys()):
        only_old: list[Episode] = []
        only_new: list[Episode] = []
        pairs: list[tuple[Episode, Episode]] = []
        for customer_id in sorted(olds[rule].keys() | news[rule].keys()):
            matched, left_old, left_new = _matched(olds[rule][customer_id], news[rule][customer_id], match_ms)
            pairs += matched
            only_old += left_old
            only_new += left_new
        only_old.sort(key=lambda episode: episode.opened_ms)
        only_new.sort(key=lambda episode: episode.opened_ms)
        found.append(
            RuleDifference(
                rule=rule,
                both=len(pairs),
                earlier=sum(now.opened_ms < before.opened_ms for before, now in pairs),
                later=sum(now.opened_ms > before.opened_ms for before, now in pairs),
                only_old=only_old,
                only_new=only_new,
            )
        )
    return found


def _by_rule(episodes: Sequence[Episode]) -> defaultdict[str, defaultdict[str, list[Episode]]]:
    found: defaultdict[str, defaultdict[str, list[Episode]]] = defaultdict(lambda: defaultdict(list))
    for episode in episodes:
        found[episode.rule][episode.customer_id].append(episode)
    return found


def _matched(
    old: Sequence[Episode], new: Sequence[Episode], match_ms: int
) -> tuple[list[tuple[Episode, Episode]], list[Episode], list[Episode]]:
    """Pairs of two lists in order of time, and what is left of each."""
    pairs, only_old, only_new = [], [], []
    place = 0
    for episode in old:
        while place < len(new) and new[place].opened_ms < episode.opened_ms and not _is_same(episode, new[place], match_ms):
            only_new.append(new[place])
            place += 1
        if place < len(new) and _is_same(episode, new[place], match_ms):
            pairs.append((episode, new[place]))
            place += 1
        else:
            only_old.append(episode)
    return pairs, only_old, [*only_new, *new[place:]]


def _is_same(one: Episode, other: Episode, match_ms: int) -> bool:
    """Whether both tell of the same: they were open at the same time, or opened nearly then."""
    stood_together = one.opened_ms <= other.ended_ms and other.opened_ms <= one.ended_ms
    return stood_together or abs(one.opened_ms - other.opened_ms) <= match_ms
