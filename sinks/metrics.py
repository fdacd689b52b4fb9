"""Every metric of a worker: what it is, in one table, and where its values come from.

`METRICS` is all that a worker offers beside prometheus-client's own metrics of the process; docs/metrics.md is written from it.
Those of the pipeline are kept here, taken once a commit or once a second, never by event; those of the fleet come from
`sinks.fleet_metrics`.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Final

from schemas.outcome import Reason
from sinks.fleet_metrics import FLEET_METRICS, Standing, fleet_series
from sinks.metric import Metric, counter, gauge, histogram
from sinks.offered import OfferedMetrics
from sinks.samples import Committed, TaskSample

COMMIT_BUCKETS_S: Final = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
LATENCY_BUCKETS_S: Final = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 3_600.0, 86_400.0)
PHASES: Final = ("assigned", "fencing", "restoring", "running", "closing")

PIPELINE_METRICS: Final[tuple[Metric, ...]] = (
    gauge("cspulse_build_info", "1", "The worker and its version; always 1.", "version"),
    gauge("cspulse_partitions", "partitions", "Partitions of the input topics, as the worker is set."),
    counter("cspulse_rebalances_total", "assignments", "Times that the group gave this worker its partitions."),
    gauge("cspulse_task_phase", "1", "1 for the phase in which the partition's task is, 0 for the others.", "partition", "phase"),
    # ---- rate ----
    counter(
        "cspulse_records_consumed_total",
        "records",
        "Input records consumed and committed, ticks and bad ones included.",
        "partition",
    ),
    counter("cspulse_events_accepted_total", "events", "Events that count, committed.", "partition", "family"),
    counter("cspulse_outputs_committed_total", "records", "Output records committed.", "partition", "topic"),
    counter("cspulse_changelog_bytes_total", "bytes", "Bytes of values committed to the changelogs.", "partition", "table"),
    # ---- errors ----
    counter(
        "cspulse_dead_letters_total",
        "records",
        "Records that could not be processed, `late` and `future` ones included.",
        "partition",
        "reason",
    ),
    counter(
        "cspulse_oddities_total",
        "times",
        "What was out of the ordinary and was dealt with; `duplicate` counts the repetitions that were dropped.",
        "partition",
        "oddity",
    ),
    counter(
        "cspulse_redelivered_records_total",
        "records",
        "Records that were read again after a change of owner, and dropped.",
        "partition",
    ),
    # ---- duration ----
    histogram(
        "cspulse_commit_duration_seconds",
        "seconds",
        "From the beginning of a transaction to the broker's answer that it is committed.",
        COMMIT_BUCKETS_S,
        "partition",
    ),
    histogram(
        "cspulse_end_to_end_latency_seconds",
        "seconds",
        "From an input record's own timestamp to the commit that made what came of it visible; one observation a record.",
        LATENCY_BUCKETS_S,
        "partition",
    ),
    # ---- lag ----
    gauge("cspulse_lag_records", "records", "Records in the log that are not folded yet.", "partition", "topic"),
    gauge(
        "cspulse_lag_seconds",
        "seconds",
        "Event time that is not caught up with: now - the partition's clock while records are waiting, else 0.",
        "partition",
    ),
    gauge(
        "cspulse_clock_timestamp_seconds",
        "seconds since 1970",
        "The partition's clock: the highest record timestamp consumed.",
        "partition",
    ),
    gauge("cspulse_queue_records", "records", "Records read and waiting to be merged.", "partition", "topic"),
    gauge("cspulse_queue_limit_records", "records", "Records waiting in one queue at which its topic is paused."),
    gauge("cspulse_hand_overs_queued", "batches", "Hand-overs of the reader that wait for Faust."),
    gauge(
        "cspulse_due_customers",
        "customers",
        "Customers whose due evaluation has come and is not done; above some thousands not counted on.",
        "partition",
    ),
    gauge(
        "cspulse_rejudge_customers", "customers", "Customers still to be judged by definitions that came into force.", "partition"
    ),
    # ---- state and restore ----
    gauge(
        "cspulse_state_records", "records", "Customers of the partition; of the fleet's task, the parts it adds up.", "partition"
    ),
    gauge(
        "cspulse_state_bytes", "bytes", "Encoded states of the partition's customers, as they are kept in memory.", "partition"
    ),
    gauge("cspulse_definitions_version", "version", "Version of the definitions in force.", "partition"),
    gauge(
        "cspulse_restore_records",
        "records",
        "Changelog records read by the restore under way or the last one.",
        "partition",
        "topic",
    ),
    gauge(
        "cspulse_restore_records_at_most",
        "records",
        "Changelog records that this restore has to read, at most.",
        "partition",
        "topic",
    ),
    gauge("cspulse_restore_duration_seconds", "seconds", "From the assignment to reading, the last time.", "partition"),
)
"""What the pipeline tells of itself."""

METRICS: Final[tuple[Metric, ...]] = (*PIPELINE_METRICS, *FLEET_METRICS)
"""Everything that a worker offers."""

_FLEET_NAMES: Final = tuple(metric.name for metric in FLEET_METRICS)
_SAMPLED: Final = (
    "cspulse_task_phase",
    "cspulse_lag_records",
    "cspulse_lag_seconds",
    "cspulse_clock_timestamp_seconds",
    "cspulse_queue_records",
    "cspulse_due_customers",
    "cspulse_rejudge_customers",
    "cspulse_state_records",
    "cspulse_state_bytes",
    "cspulse_definitions_version",
)
FLEET_LABEL: Final = "fleet"


class WorkerMetrics(OfferedMetrics):
    """The metrics of one worker. Thread-safe. What belongs to a partition goes when the partition does."""

    def __init__(self) -> None:
        super().__init__(METRICS)

    # ---- the worker ----

    def describe(self, version: str, partitions: int, queue_limit_records: int) -> None:
        """What does not change while the worker runs."""
        self._series.stand("cspulse_build_info", 1, version)
        self._series.stand("cspulse_partitions", partitions)
        self._series.stand("cspulse_queue_limit_records", queue_limit_records)
        self._series.add("cspulse_rebalances_total", 0)

    def assigned(self) -> None:
        """The group has given this worker its partitions."""
        self._series.add("cspulse_rebalances_total", 1)

    def sampled(self, tasks: Iterable[TaskSample], hand_overs: int) -> None:
        """How all tasks of the worker stand now. Whatever belongs to a partition that is not among them goes."""
        found: dict[str, dict[tuple[str, ...], float]] = {name: {} for name in _SAMPLED}
        here = set()
        for task in tasks:
            here.add(task.label)
            _gather(task, found)
        self._series.replace(found)
        self._series.keep("partition", here)
        self._series.stand("cspulse_hand_overs_queued", hand_overs)
        if FLEET_LABEL not in here:
            self._series.replace({name: {} for name in _FLEET_NAMES})

    # ---- a task ----

    def restoring(self, partition: str, topic: str, records: int, of: int) -> None:
        """A restore has read so many records, of at most `of`."""
        self._series.stand("cspulse_restore_records", records, partition, topic)
        self._series.stand("cspulse_restore_records_at_most", of, partition, topic)

    def running(self, partition: str, took_s: float) -> None:
        """A partition is restored and runs. Its counters begin at 0, so that the first of a kind is seen as an increase."""
        self._series.stand("cspulse_restore_duration_seconds", took_s, partition)
        self._series.add("cspulse_records_consumed_total", 0, partition)
        self._series.add("cspulse_redelivered_records_total", 0, partition)
        for reason in Reason:
            self._series.add("cspulse_dead_letters_total", 0, partition, reason.value)
        self._series.observe("cspulse_commit_duration_seconds", (), partition)
        self._series.observe("cspulse_end_to_end_latency_seconds", (), partition)

    def redelivered(self, partition: str, records: int) -> None:
        """Records came that had been taken before."""
        self._series.add("cspulse_redelivered_records_total", records, partition)

    def committed(self, partition: str, commit: Committed) -> None:
        """A transaction is visible."""
        series = self._series
        series.add("cspulse_records_consumed_total", commit.records, partition)
        for topic, count in Counter(commit.output_topics).items():
            series.add("cspulse_outputs_committed_total", count, partition, topic)
        for table, size_bytes in commit.changelog_bytes.items():
            series.add("cspulse_changelog_bytes_total", size_bytes, partition, table)
        for reason in commit.dead_letter_reasons:
            series.add("cspulse_dead_letters_total", 1, partition, reason)
        for family, count in commit.events.items():
            series.add("cspulse_events_accepted_total", count, partition, family)
        for oddity, count in commit.oddities.items():
            series.add("cspulse_oddities_total", count, partition, oddity)
        series.observe("cspulse_commit_duration_seconds", (commit.took_s,), partition)
        series.observe("cspulse_end_to_end_latency_seconds", commit.latencies_s, partition)

    # ---- the fleet ----

    def fleet_stands(self, standing: Standing) -> None:
        """How the whole fleet stands: replaces what was known of it."""
        found: dict[str, dict[tuple[str, ...], float]] = {name: {} for name in _FLEET_NAMES}
        for name, labels, value in fleet_series(standing):
            found[name][labels] = value
        self._series.replace(found)


def _gather(task: TaskSample, found: dict[str, dict[tuple[str, ...], float]]) -> None:
    label = task.label
    for phase in PHASES:
        found["cspulse_task_phase"][label, phase] = float(phase == task.phase)
    for topic, count in task.queued.items():
        found["cspulse_queue_records"][label, topic] = count
    running = task.running
    if running is None:
        return
    for topic, count in running.lag_records.items():
        found["cspulse_lag_records"][label, topic] = count
    for name, value in (
        ("cspulse_lag_seconds", running.lag_s),
        ("cspulse_clock_timestamp_seconds", running.clock_ms / 1000),
        ("cspulse_due_customers", running.due),
        ("cspulse_rejudge_customers", running.to_rejudge),
        ("cspulse_state_records", running.state_records),
        ("cspulse_state_bytes", running.state_bytes),
        ("cspulse_definitions_version", running.config_version),
    ):
        found[name][(label,)] = value
