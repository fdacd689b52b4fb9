"""Owners of a partition do not lock each other out: each has a transactional id of its own."""

from typing import Any
from uuid import uuid4

from streams.transactions import Producer
from tests.chaos.mutants import put

_real_init = Producer.__init__


def break_it() -> None:
    """Make every transactional id a new one, so that nobody ever had it before."""

    def init(producer: Producer, config: Any, transactional_id: str, timeout_ms: int) -> None:
        _real_init(producer, config, f"{transactional_id}-{uuid4().hex}", timeout_ms)

    put(Producer, "__init__", init)
