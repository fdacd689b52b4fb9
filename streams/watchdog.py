"""Ends a worker that is stuck, so that a supervisor starts it again: with where it stood in the log, and exit code 75.

The event loop is watched from a thread, the tasks from the loop. Whoever was stopped with everything else (a suspended process,
a machine that slept) is not stuck: who looks and finds that it has not looked itself for long, begins to count anew.
"""

import asyncio
import logging
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable
from typing import Final

from streams.life import Life
from streams.runtime import Runtime

logger = logging.getLogger(__name__)

LOOK_EVERY_S: Final = 0.5
ASLEEP_S: Final = 5.0
"""Who has not looked for so long was asleep."""

EXIT_AGAIN: Final = 75


def _end() -> None:
    """End at once: what is stuck cannot be asked to."""
    logging.shutdown()
    os._exit(EXIT_AGAIN)


class LoopWatch:
    """A thread that ends the process when the loop has not moved for `limit_s`."""

    def __init__(self, life: Life, limit_s: float, end: Callable[[], None] = _end) -> None:
        self._life = life
        self._limit_s = limit_s
        self._end = end
        self._loop_thread = threading.get_ident()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Watch no longer."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        awake_since_s = looked_at_s = time.monotonic()
        while not self._stopping.wait(LOOK_EVERY_S):
            now_s = time.monotonic()
            if now_s - looked_at_s > ASLEEP_S:
                awake_since_s = now_s
            looked_at_s = now_s
            if min(self._life.silent_s(), now_s - awake_since_s) > self._limit_s:
                logger.error("the event loop has not moved for %.0f s, the worker ends; at:\n%s", self._limit_s, self._place())
                self._end()
                return

    def _place(self) -> str:
        frame = sys._current_frames().get(self._loop_thread)  # noqa: SLF001 - there is no other way to another thread's stack
        return "".join(traceback.format_stack(frame)) if frame is not None else "a place that is not known"


async def beat(life: Life) -> None:
    """Give the loop's signs of life, until cancelled."""
    while True:
        life.beat()
        await asyncio.sleep(LOOK_EVERY_S)


async def watch_tasks(runtime: Runtime, life: Life, limit_s: float, end: Callable[[], None] = _end) -> None:
    """Tell how the tasks stand, and end the process when one has not moved for `limit_s`; until cancelled."""
    looked_at_s = time.monotonic()
    while True:
        now_s = time.monotonic()
        if now_s - looked_at_s > ASLEEP_S:
            runtime.woke_up()
        looked_at_s = now_s
        life.stands(runtime.standing())
        stuck = runtime.stuck(limit_s)
        for task in stuck:
            logger.error("%s has not moved for %.0f s, the worker ends; at:\n%s", task.name, limit_s, task.stack)
        if stuck:
            end()
            return
        await asyncio.sleep(LOOK_EVERY_S)
