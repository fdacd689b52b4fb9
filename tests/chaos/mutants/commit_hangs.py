"""Everything of a transaction is sent and acknowledged, and then its commit never comes."""

import logging
import threading
from typing import Any

from streams.transactions import Producer
from tests.chaos.mutants import put

logger = logging.getLogger(__name__)

_real_init = Producer.__init__


class _Stuck:
    """A client that flushes and never commits."""

    def __init__(self, producer: Any) -> None:
        self._producer = producer

    def __getattr__(self, name: str) -> Any:
        return getattr(self._producer, name)

    def commit_transaction(self, timeout_s: float) -> None:
        """Wait for ever."""
        self._producer.flush(timeout_s)
        logger.error("a commit hangs")
        threading.Event().wait()


def break_it() -> None:
    """Give the tasks' producers a client that hangs."""

    def init(producer: Producer, *arguments: Any) -> None:
        _real_init(producer, *arguments)
        put(producer, "_producer", _Stuck(producer._producer))

    put(Producer, "__init__", init)
