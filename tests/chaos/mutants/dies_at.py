"""Not broken: dies as by `kill -9` at a place of its code when a file of that name lies in the folder given after the name.

Who dies removes the file first, so that one dies, and only once.
"""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from streams.kafka_state import KafkaState
from streams.task import PartitionTask
from streams.transactions import Producer
from tests.chaos.mutants import put


def _pass(point: str) -> None:
    try:
        (Path(sys.argv[2]) / point).unlink()
    except FileNotFoundError:
        return
    os.kill(os.getpid(), signal.SIGKILL)


def _around(owner: type, name: str, *, before: str = "", after: str = "") -> None:
    real: Callable[..., Any] = getattr(owner, name)

    def watched(*arguments: Any) -> Any:
        if before:
            _pass(before)
        found = real(*arguments)
        if after:
            _pass(after)
        return found

    put(owner, name, watched)


class _Watched:
    """A client that passes the places of a transaction."""

    def __init__(self, producer: Any) -> None:
        self._producer = producer

    def __getattr__(self, name: str) -> Any:
        return getattr(self._producer, name)

    def begin_transaction(self) -> None:
        """Begin, and perhaps come no further."""
        self._producer.begin_transaction()
        _pass("transaction begun")

    def send_offsets_to_transaction(self, *arguments: Any) -> None:
        """Everything of the transaction reaches the broker before the offsets do."""
        self._producer.flush(arguments[-1])
        _pass("records sent")
        self._producer.send_offsets_to_transaction(*arguments)
        _pass("offsets sent")

    def commit_transaction(self, timeout_s: float) -> None:
        """Commit, and perhaps never hear of it."""
        self._producer.commit_transaction(timeout_s)
        _pass("committed")


def break_it() -> None:
    """Watch the places."""
    _around(KafkaState, "fence", before="fence begins", after="fenced")
    _around(KafkaState, "read_state", after="restored")
    _around(PartitionTask, "_start_reading", after="reading")
    _around(PartitionTask, "stop", after="closing")
    real_init = Producer.__init__

    def init(producer: Producer, *arguments: Any) -> None:
        real_init(producer, *arguments)
        put(producer, "_producer", _Watched(producer._producer))

    put(Producer, "__init__", init)
