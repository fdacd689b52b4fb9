"""The reader's thread stops for good at the first records, and the tasks wait for more."""

import logging
import threading
from typing import Any

from streams.reader import Reader
from tests.chaos.mutants import put

logger = logging.getLogger(__name__)


def break_it() -> None:
    """Stop it."""

    def hang(_reader: Reader, *_: Any) -> None:
        logger.error("the reader hangs")
        threading.Event().wait()

    put(Reader, "_hand_over", hang)
