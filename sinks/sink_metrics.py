"""Every metric of the sinks: what each is, in one table, and the series of one process.

Offered by `cspulse sink redis` and `cspulse sink delivery`; a destination of alerts is named as in the definitions.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from sinks.metric import Metric, counter, gauge, histogram
from sinks.offered import OfferedMetrics

WRITE_BUCKETS_S: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
CALL_BUCKETS_S: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
DELAY_BUCKETS_S: Final = (1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1_800.0, 7_200.0, 28_800.0, 86_400.0)

SINK_METRICS: Final[tuple[Metric, ...]] = (
    counter("cspulse_sink_records_total", "records", "Records that the destination has, or needs not have.", "sink", "topic"),
    histogram(
        "cspulse_sink_write_duration_seconds",
        "seconds",
        "From giving some batches to the sink to their being settled.",
        WRITE_BUCKETS_S,
        "sink",
    ),
    histogram(
        "cspulse_sink_delay_seconds",
        "seconds",
        "From a record's own timestamp to its being settled; one observation a batch, of its newest record.",
        DELAY_BUCKETS_S,
        "sink",
    ),
    gauge(
        "cspulse_sink_failed_attempts_in_a_row",
        "attempts",
        "Attempts since the destination last took something of what it was given; 0 when all is well.",
        "sink",
    ),
    counter(
        "cspulse_delivery_notices_total",
        "notices",
        "States of episodes and lists that are settled, by what became of them.",
        "destination",
        "fate",
    ),
    counter("cspulse_delivery_calls_total", "calls", "Calls of a destination, by its answer.", "destination", "answer"),
    histogram(
        "cspulse_delivery_call_duration_seconds",
        "seconds",
        "From a call of a destination to its answer, or to the end of the wait for one.",
        CALL_BUCKETS_S,
        "destination",
    ),
    histogram(
        "cspulse_delivery_delay_seconds",
        "seconds",
        "From the publication of a record to the answer of the destination that took it.",
        DELAY_BUCKETS_S,
        "destination",
    ),
    gauge(
        "cspulse_delivery_failed_calls_in_a_row",
        "calls",
        "Calls of a destination since it last answered for good; 0 when all is well.",
        "destination",
    ),
)
"""What the sinks tell of themselves."""


FATES: Final = ("delivered", "refused", "expired", "muted", "held", "digest", "history")
"""What can become of a notice; `sinks.metric.LABELS` says what each means."""


class SinkMetrics(OfferedMetrics):
    """The metrics of one process of sinks. Thread-safe."""

    def __init__(self) -> None:
        super().__init__(SINK_METRICS)

    # ---- every sink ----

    def wrote(self, sink: str, records: Mapping[str, int], took_s: float, delays_s: Sequence[float]) -> None:
        """Batches were settled: how many records of each topic, and how old the newest of each batch was."""
        for topic, count in records.items():
            self._series.add("cspulse_sink_records_total", count, sink, topic)
        self._series.observe("cspulse_sink_write_duration_seconds", [took_s], sink)
        self._series.observe("cspulse_sink_delay_seconds", delays_s, sink)

    def attempts(self, sink: str, failed: int) -> None:
        """So many attempts in a row have failed."""
        self._series.stand("cspulse_sink_failed_attempts_in_a_row", failed, sink)

    # ---- alert delivery ----

    def serving(self, destination: str) -> None:
        """A destination is served. What may become of a notice begins at 0, so that the first given up is seen as an increase."""
        for fate in FATES:
            self._series.add("cspulse_delivery_notices_total", 0, destination, fate)

    def settled(self, destination: str, fate: str) -> None:
        """What became of a notice: one of `FATES`."""
        assert fate in FATES, fate
        self._series.add("cspulse_delivery_notices_total", 1, destination, fate)

    def taken(self, destination: str, delay_s: float) -> None:
        """A destination took a message."""
        self._series.observe("cspulse_delivery_delay_seconds", [delay_s], destination)

    def called(self, destination: str, answer: str, took_s: float) -> None:
        """A destination was called."""
        self._series.add("cspulse_delivery_calls_total", 1, destination, answer)
        self._series.observe("cspulse_delivery_call_duration_seconds", [took_s], destination)

    def calls_failed(self, destination: str, in_a_row: int) -> None:
        """So many calls in a row were not taken."""
        self._series.stand("cspulse_delivery_failed_calls_in_a_row", in_a_row, destination)
