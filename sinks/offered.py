"""Declared metrics that a process offers over HTTP, beside those of the process itself."""

from collections.abc import Iterable
from threading import Thread
from typing import Self
from wsgiref.simple_server import WSGIServer

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector, start_http_server

from sinks.metric import Metric
from sinks.series import SeriesStore


class OfferedMetrics:
    """The series of some metrics, and the server that shows them."""

    def __init__(self, metrics: Iterable[Metric]) -> None:
        self.registry = CollectorRegistry()
        self._series = SeriesStore(metrics)
        self.registry.register(self._series)
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        self._server: tuple[WSGIServer, Thread] | None = None

    def offer(self, host: str, port: int) -> Self:
        """Offer them on host and port; port 0: they are only kept.

        Raises OSError when the port is taken.
        """
        if port:
            self._server = start_http_server(port, host, self.registry)
        return self

    def stop(self) -> None:
        """Offer them no longer."""
        if self._server is not None:
            server, thread = self._server
            server.shutdown()
            server.server_close()
            thread.join()
            self._server = None
