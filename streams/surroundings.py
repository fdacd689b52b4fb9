"""What is around the customers of a partition, from what its task keeps beside them: the fleet's figures and the quiet feeds."""

from processors import feeds
from processors.effects import Around
from processors.fleet_file import FleetPlan
from streams.totals import TotalsStore


def around(totals: TotalsStore, plan: FleetPlan, at_ms: int, known: Around) -> Around:
    """What is around the customers at a time: `known`, the same object, for as long as it stays so."""
    meta, quiet = totals.meta, quiet_feeds(totals, plan, at_ms)
    hears_usage = feeds.USAGE in meta.feeds
    same = known.fleet is meta.fleet and known.back is meta.back and known.hears_usage == hears_usage
    if same and known.quiet == quiet and known.turn_ms == meta.turns.begun_ms:
        return known
    return Around(meta.fleet, quiet, meta.back, hears_usage, meta.turns.begun_ms)


def quiet_feeds(totals: TotalsStore, plan: FleetPlan, at_ms: int) -> dict[str, int]:
    """The feeds that are quiet at a time, each with the clock at its newest event."""
    return feeds.quiet(totals.meta.feeds, at_ms, plan, _events_of_day(totals))


def hear(totals: TotalsStore, plan: FleetPlan, feed: str) -> None:
    """Note that an event of a feed came at the clock, and when it is one that had been quiet: silence is counted from there."""
    meta = totals.meta
    newest_ms = meta.feeds.get(feed, meta.clock_ms)
    if meta.clock_ms - newest_ms >= plan.quiet_after_ms and feed in quiet_feeds(totals, plan, meta.clock_ms):
        meta.back = {**meta.back, feed: meta.clock_ms}
    meta.feeds[feed] = meta.clock_ms


def _events_of_day(totals: TotalsStore) -> feeds.CountOfDay:
    return lambda feed, day_ms: totals.counts(("events_by_day", feed, day_ms))[0]
