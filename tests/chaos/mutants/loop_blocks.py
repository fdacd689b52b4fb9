"""The event loop stops for good at the first commit."""

import logging
import threading
from typing import Any

from streams.task import PartitionTask
from tests.chaos.mutants import put

logger = logging.getLogger(__name__)


def break_it() -> None:
    """Block it."""

    def block(_task: PartitionTask, *_: Any) -> None:
        logger.error("the loop blocks")
        threading.Event().wait()

    put(PartitionTask, "_start_commit", block)
