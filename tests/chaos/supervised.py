"""Workers under a supervisor: what ends without having been told to is started again, and noted."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.support.waiting import TookTooLong, wait_until
from tests.support.worker import Worker

LOOK_EVERY_S: Final = 0.1
READY_LIMIT_S: Final = 60.0
DEATH_LIMIT_S: Final = 20.0
DEATH_TRIES: Final = 4
LEAVE_LIMIT_S: Final = 20.0
TOLD_ENDS: Final = 3
"""How many ends without a hit are believed for each hit: a worker may give up while brokers are away."""

SOME_ENDS: Final = 40


class CannotFinish(Exception):
    """The workers do not get through the log."""


@dataclass
class Supervised:
    """The workers of a storm."""

    workers: Sequence[Worker]

    def __post_init__(self) -> None:
        self.ended: list[int | None] = []
        self.hits = 0
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "Supervised":
        for worker in self.workers:
            worker.start()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def kill(self, number: int) -> None:
        """End a worker at once, and start it again."""
        self._again(number, self.workers[number].kill)

    def stop(self, number: int) -> None:
        """Tell a worker to end in good order, and start it again."""
        self._again(number, lambda: _let_go(self.workers[number]))

    def kill_all_during(self, meanwhile: Callable[[], None]) -> None:
        """End all workers at once, do something, and start them again."""
        with self._lock:
            for worker in self.workers:
                if worker.is_alive:
                    worker.kill()
                self.ended.append(worker.exit_code)
            meanwhile()
            for worker in self.workers:
                worker.start()

    def die_at(self, number: int, armed: Path) -> None:
        """Let the first worker that comes to a place of its code die there; a worker has to leave so that all places are met.

        `armed` is the file that tells the place; who dies there removes it. Who is told to leave in the middle of a rebalance
        has nothing to close, and passes no place: then it has to leave again. Raises CannotFinish.
        """
        armed.touch()
        for _ in range(DEATH_TRIES):
            self.wait_until_it_reads(number)
            self._again(number, lambda: _let_go(self.workers[number]))
            if _comes_true(lambda: not armed.exists(), DEATH_LIMIT_S):
                return
        raise CannotFinish(f"{DEATH_TRIES} workers left and none died at {armed.name}")

    def _again(self, number: int, end: Callable[[], object]) -> None:
        worker = self.workers[number]
        with self._lock:
            if worker.is_alive:
                end()
            self.ended.append(worker.exit_code)
            worker.start()

    def wait_until_it_reads(self, number: int) -> None:
        """Wait until a worker has a partition: who is hit before does no harm. Raises CannotFinish."""
        worker = self.workers[number]
        try:
            wait_until(lambda: ": running" in worker.said(), READY_LIMIT_S, f"{worker.log.name} to read a partition")
        except TookTooLong as error:
            raise CannotFinish(f"{error}; its log ends with\n{worker.tail()}") from error

    def raise_if_hopeless(self) -> None:
        """Raises CannotFinish when workers end again and again, or one says that starting again would not help."""
        if 2 in self.ended or len(self.ended) > SOME_ENDS + TOLD_ENDS * self.hits:
            raise CannotFinish(f"workers ended with {self.ended}")

    def _watch(self) -> None:
        while not self._over.wait(LOOK_EVERY_S):
            with self._lock:
                for worker in self.workers:
                    if not worker.is_alive:
                        self.ended.append(worker.exit_code)
                        worker.start()


def _comes_true(condition: Callable[[], object], limit_s: float) -> bool:
    try:
        wait_until(condition, limit_s, "")
    except TookTooLong:
        return False
    return True


def _let_go(worker: Worker) -> None:
    """Tell a worker to leave; one that is at odds with its brokers may have to be made to."""
    worker.terminate()
    try:
        worker.wait(LEAVE_LIMIT_S)
    except TookTooLong:
        worker.kill()
