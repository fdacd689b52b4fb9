"""Not broken: a restore that takes long, and gets on."""

import threading
from typing import Any

from streams import restore
from tests.chaos.mutants import put

CHUNK_RECORDS = 16
PAUSE_S = 2.0

_real_feed = restore._feed


def break_it() -> None:
    """Read a few records a second."""

    def feed(messages: list[Any], sink: Any) -> int | None:
        threading.Event().wait(PAUSE_S)
        return _real_feed(messages, sink)

    put(restore, "CHUNK_RECORDS", CHUNK_RECORDS)
    put(restore, "_feed", feed)
