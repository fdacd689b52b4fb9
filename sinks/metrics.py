"""Every metric of a worker: its name, type, unit and meaning. Offered to Prometheus over HTTP where a port is configured.

Names begin with `cspulse_` and are in base units; no label holds a customer.
"""

from threading import Thread
from wsgiref.simple_server import WSGIServer

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server

COMMIT_BUCKETS_S = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)


class WorkerMetrics:
    """The metrics of one worker. Thread-safe, as prometheus-client's are. The fleet's task counts as a partition `fleet`."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        by_partition = ["partition"]
        self.records = Counter(
            "cspulse_records_consumed", "Input records consumed and committed.", by_partition, registry=self.registry
        )
        self.outputs = Counter("cspulse_outputs_committed", "Output records committed.", by_partition, registry=self.registry)
        self.commits = Histogram(
            "cspulse_commit_duration_seconds",
            "From the beginning of a transaction to the broker's answer that it is committed.",
            by_partition,
            buckets=COMMIT_BUCKETS_S,
            registry=self.registry,
        )
        self.restored = Gauge(
            "cspulse_restore_records",
            "Changelog records read by the restore under way or the last one.",
            ["partition", "topic"],
            registry=self.registry,
        )
        self.to_restore = Gauge(
            "cspulse_restore_records_at_most",
            "Changelog records that the restore under way or the last one had to read, at most.",
            ["partition", "topic"],
            registry=self.registry,
        )
        self.customers = Gauge(
            "cspulse_customers_at_restore",
            "Customers of the partition when it was restored.",
            by_partition,
            registry=self.registry,
        )
        self._server: tuple[WSGIServer, Thread] | None = None

    @classmethod
    def start(cls, host: str, port: int) -> "WorkerMetrics":
        """Metrics that are offered on host and port; port 0: only kept.

        Raises OSError when the port is taken.
        """
        metrics = cls()
        if port:
            metrics._server = start_http_server(port, host, metrics.registry)
        return metrics

    def stop(self) -> None:
        """Offer them no longer."""
        if self._server is not None:
            server, thread = self._server
            server.shutdown()
            thread.join()
            self._server = None

    def restoring(self, partition: str, topic: str, records: int, of: int) -> None:
        """A restore has read so many records, of at most `of`."""
        self.restored.labels(partition, topic).set(records)
        self.to_restore.labels(partition, topic).set(of)

    def running(self, partition: str, customers: int) -> None:
        """A partition is restored and runs."""
        self.customers.labels(partition).set(customers)

    def committed(self, partition: str, records: int, outputs: int, took_ms: float) -> None:
        """A transaction is visible."""
        self.records.labels(partition).inc(records)
        self.outputs.labels(partition).inc(outputs)
        self.commits.labels(partition).observe(took_ms / 1000)
