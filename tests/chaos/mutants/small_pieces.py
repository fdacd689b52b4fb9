"""Not broken: the brokers are asked for little at once, and what one topic holds comes seconds after what the others do."""

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Any

from streams.merge import Merge
from streams.reader import Reader
from streams.records import InputRecord
from tests.chaos.mutants import put

PIECE_BYTES = 2_000
SLOW_TOPIC = "cs.surveys"
SLOW_BY_S = 4.0

_real_init = Reader.__init__
_real_deliver = Merge.deliver


def break_it() -> None:
    """Ask for little, and hold a topic up."""

    def init(reader: Reader, config: dict[str, Any], *arguments: Any, **named: Any) -> None:
        _real_init(reader, {**config, "fetch.message.max.bytes": PIECE_BYTES}, *arguments, **named)

    held: dict[Merge, deque[tuple[Sequence[InputRecord], bool]]] = {}

    def deliver(merge: Merge, topic: str, records: Sequence[InputRecord], *, at_end: bool) -> None:
        if topic != SLOW_TOPIC:
            _real_deliver(merge, topic, records, at_end=at_end)
            return
        queue = held.setdefault(merge, deque())
        queue.append((records, at_end))
        asyncio.get_running_loop().call_later(SLOW_BY_S, lambda: _oldest(merge, queue))

    put(Reader, "__init__", init)
    put(Merge, "deliver", deliver)


def _oldest(merge: Merge, queue: deque[tuple[Sequence[InputRecord], bool]]) -> None:
    records, at_end = queue.popleft()
    _real_deliver(merge, SLOW_TOPIC, records, at_end=at_end)
