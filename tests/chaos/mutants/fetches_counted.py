"""Not broken: says in a file, given after the name, how many fetch requests aiokafka has sent when the worker ends."""

import atexit
import sys
from pathlib import Path
from typing import Any

from aiokafka.consumer.fetcher import Fetcher

from tests.chaos.mutants import put

_real = Fetcher._proc_fetch_request


def break_it() -> None:
    """Count."""
    sent: list[object] = []

    async def counted(fetcher: Any, *arguments: Any) -> Any:
        sent.append(arguments)
        return await _real(fetcher, *arguments)

    put(Fetcher, "_proc_fetch_request", counted)
    atexit.register(lambda: Path(sys.argv[2]).write_text(str(len(sent)), encoding="utf-8"))
