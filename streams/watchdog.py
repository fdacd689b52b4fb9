"""Ends a worker that is stuck, so that a supervisor starts it again: with where it stood in the log, and exit code 75.

The event loop is watched from a thread, the tasks from the loop. Whoever was stopped with everything else (a suspended process,
a machine that slept) is not stuck: who looks and finds that it has not looked itself for long, begins to count anew.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from streams.ending import end_at_once, tell
from streams.exit_codes import EXIT_AGAIN
from streams.life import Life
from streams.places import place_of_thread
from streams.runtime import Runtime, Stuck

logger = logging.getLogger(__name__)

LOOK_EVERY_S: Final = 0.5
ASLEEP_S: Final = 5.0
"""Who has not looked for so long was asleep."""


def _end() -> None:
    """End at once: what is stuck cannot be asked to."""
    end_at_once(EXIT_AGAIN)


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
                tell(self._say)
                self._end()
                return

    def _say(self) -> None:
        place = place_of_thread(self._loop_thread)
        logger.error("the event loop has not moved for %.0f s, the worker ends; at: %s", self._limit_s, place)


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
        if stuck:
            tell(partial(_say, stuck, runtime.calls(), limit_s))
            end()
            return
        await asyncio.sleep(LOOK_EVERY_S)


def _say(stuck: list[Stuck], calls: Mapping[str, str], limit_s: float) -> None:
    for task in stuck:
        logger.error("%s has not moved for %.0f s, the worker ends; at: %s", task.name, limit_s, task.place)
    for thread, place in calls.items():
        logger.error("thread %s is in a call; at: %s", thread, place)
