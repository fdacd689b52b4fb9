"""The fleet's section of the definitions file: how often its figures go out, and when a feed counts as quiet."""

from msgspec import Struct

from processors.toml_tables import Table
from processors.windows import HOUR_MS

_MINUTE_MS = 60_000


class FleetPlan(Struct, frozen=True):
    """How the whole fleet is looked at.

    Figures are published at most once in `interval_ms` of the log's time. A feed is quiet in a partition after `quiet_after_ms`
    without an event, if it had at least `quiet_least_events` in the week before. Owners get their morning list at
    `morning_hour`, a UTC hour of the day.
    """

    interval_ms: int
    quiet_after_ms: int
    quiet_least_events: int
    morning_hour: int


def read(top: Table) -> FleetPlan:
    """The section `[fleet]`; mistakes are noted at their place."""
    table = top.table("fleet")
    plan = FleetPlan(
        interval_ms=table.integer("interval_minutes", 5, least=1, most=24 * 60) * _MINUTE_MS,
        quiet_after_ms=table.integer("quiet_after_hours", 24, least=1, most=30 * 24) * HOUR_MS,
        quiet_least_events=table.integer("quiet_least_events", 100, least=1, most=1_000_000),
        morning_hour=table.integer("morning_hour", 6, least=0, most=23),
    )
    table.finish()
    return plan
