"""Not broken: the brokers are asked for little at once, so that a topic with few records is read long before one with many."""

from typing import Any

from streams.reader import Reader
from tests.chaos.mutants import put

PIECE_BYTES = 2_000

_real_init = Reader.__init__


def break_it() -> None:
    """Ask for little."""

    def init(reader: Reader, config: dict[str, Any], *arguments: Any, **named: Any) -> None:
        _real_init(reader, {**config, "fetch.message.max.bytes": PIECE_BYTES}, *arguments, **named)

    put(Reader, "__init__", init)
