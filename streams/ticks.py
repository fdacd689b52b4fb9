"""When a task writes a tick, and what is in it.

Silence makes no event, so time itself has to be in the log: a running task writes a tick into its own partition of `cs.ticks` and
reads it back like any other record.
"""

from schemas.events import FleetFigure, Tick

TICKS_TOPIC = "cs.ticks"


class Ticker:
    """Decides for one partition when the next tick is due. Times are epoch milliseconds of the wall clock."""

    def __init__(self, partition: int, interval_ms: int) -> None:
        self._partition = partition
        self._interval_ms = interval_ms
        self._newest_ms = 0

    def seen(self, timestamp_ms: int) -> None:
        """A tick of this partition was read, or written."""
        self._newest_ms = max(self._newest_ms, timestamp_ms)

    def due_at(self) -> int | None:
        """When the next tick is due; None when this worker writes none."""
        return self._newest_ms + self._interval_ms if self._interval_ms else None

    def write(self, now_ms: int, config_version: int, fleet: list[FleetFigure]) -> Tick:
        """The tick for now, which counts as written; `fleet` is what is known of the whole fleet."""
        self.seen(now_ms)
        return Tick(occurred_at=now_ms, partition=self._partition, config_version=config_version, fleet=fleet)
