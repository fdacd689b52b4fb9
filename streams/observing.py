"""What a worker's tasks do, told to the log and to the metrics."""

import asyncio
import logging
import time
from collections.abc import Iterable

from schemas.records import DeadLetter
from sinks.fleet_metrics import Standing
from sinks.metrics import WorkerMetrics
from sinks.samples import Committed
from streams.duty import Duty
from streams.records import Transaction
from streams.runtime import Runtime
from streams.task import TaskObserver

logger = logging.getLogger(__name__)

SAMPLE_EVERY_S = 1.0
TELL_EVERY_S = 5.0


class LoggingObserver(TaskObserver):
    """Tells the log and the metrics what the tasks do."""

    def __init__(self, metrics: WorkerMetrics) -> None:
        self._metrics = metrics
        self._told_restoring: dict[str, float] = {}
        self._assigned_s: dict[str, float] = {}

    def assigned(self, labels: list[str]) -> None:
        """The group has spoken."""
        self._metrics.assigned()
        now_s = time.monotonic()
        self._assigned_s = {label: self._assigned_s.get(label, now_s) for label in labels}

    def restoring(self, duty: Duty, topic: str, records: int, of: int) -> None:
        """Log every few seconds, not every chunk."""
        self._metrics.restoring(duty.label, topic, records, of)
        now, place = time.monotonic(), f"{duty.name}: {topic}"
        if now - self._told_restoring.get(place, -10.0) >= TELL_EVERY_S:
            self._told_restoring[place] = now
            logger.info("%s: restoring %s, %d of at most %d records", duty.name, topic, records, of)

    def running(self, duty: Duty, size: int) -> None:
        """The task reads."""
        logger.info("%s: running with %d %s", duty.name, size, "parts" if duty.is_fleet else "customers")
        now_s = time.monotonic()
        self._metrics.running(duty.label, now_s - self._assigned_s.pop(duty.label, now_s))

    def dropped(self, duty: Duty, records: int) -> None:
        """Delivered again after a change of owner."""
        logger.debug("%s: %d records were delivered that had been taken before", duty.name, records)
        self._metrics.redelivered(duty.label, records)

    def committed(self, duty: Duty, transaction: Transaction, took_ms: float, times_ms: list[int]) -> None:
        """A transaction is visible."""
        now_ms = self.wall_clock_ms()
        self._metrics.committed(
            duty.label,
            Committed(
                records=transaction.records,
                output_topics=[output.topic for output in transaction.outputs],
                changelog_bytes=_bytes_by_table(transaction.changelog),
                dead_letter_reasons=[
                    output.record.reason for output in transaction.outputs if isinstance(output.record, DeadLetter)
                ],
                events=_tallied(transaction, "events_by_day"),
                oddities=_tallied(transaction, "oddities_by_day"),
                took_s=took_ms / 1000,
                latencies_s=[max(0, now_ms - at_ms) / 1000 for at_ms in times_ms],
            ),
        )

    def fleet_stands(self, standing: Standing) -> None:
        """The fleet's figures were made."""
        self._metrics.fleet_stands(standing)

    async def sample(self, runtime: Runtime) -> None:
        """Look at all tasks once a second, until cancelled."""
        while True:
            try:
                self._metrics.sampled(runtime.samples(), runtime.hand_overs.qsize())
            except Exception:  # whatever is raised is our bug, and metrics must not end the worker
                logger.exception("the tasks could not be looked at")
            await asyncio.sleep(SAMPLE_EVERY_S)


def _bytes_by_table(changelog: Iterable[tuple[str, bytes, bytes | None]]) -> dict[str, int]:
    found: dict[str, int] = {}
    for table, _, value in changelog:
        found[table] = found.get(table, 0) + len(value or b"")
    return found


def _tallied(transaction: Transaction, flow: str) -> dict[str, int]:
    return {dimension: count for (figure, dimension), count in transaction.tally.items() if figure == flow}
