"""Several worker processes under one parent: started, watched, started again with back-off, stopped together.

A worker that ends with 2 (settings or definitions are wrong) would end so again: all are stopped, and the supervisor ends with 2.
One that ends with 0 is done. Any other end is a failure, or a worker's own request to be started again (75), and is answered by a
new start: at once the first time, then after a pause that doubles, and from the beginning once a worker has lived a while.
"""

import ctypes
import logging
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import FrameType
from typing import Final

from msgspec import Struct

logger = logging.getLogger(__name__)

DONE: Final = 0
FAILED: Final = 1
WRONG_SETTINGS: Final = 2
INTERRUPTED: Final = 130


class BackOff(Struct, frozen=True):
    """The pause before the next start, in seconds: `first_s`, doubling to `longest_s`; who lived for `reset_s` begins anew."""

    first_s: float = 0.5
    longest_s: float = 30.0
    reset_s: float = 60.0

    def pause_s(self, failures: int) -> float:
        """The pause after this many failures in a row: none after the first."""
        return 0.0 if failures <= 1 else min(self.longest_s, self.first_s * 2 ** min(failures - 2, 30))


@dataclass(slots=True)
class _Worker:
    """One place for a process; `start_at_s` is when the next process is due, None while one runs or none shall."""

    number: int
    command: Sequence[str]
    environment: Mapping[str, str]
    process: subprocess.Popen[bytes] | None = None
    started_s: float = 0.0
    start_at_s: float | None = 0.0
    failures: int = 0


class Supervisor:
    """Runs one process for each of `environments`, all with the same command. Use it in the main thread, once."""

    def __init__(
        self,
        command: Sequence[str],
        environments: Sequence[Mapping[str, str]],
        back_off: BackOff | None = None,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._workers = [_Worker(number, command, environment) for number, environment in enumerate(environments, 1)]
        self._back_off = back_off or BackOff()
        self._now_s = now_s
        self._signals: list[int] = []
        self._stop_signal: int | None = None
        self._code = DONE

    def run(self) -> int:
        """Work until all processes are done or a signal has stopped them; returns the exit code.

        The first SIGTERM or SIGINT goes on to every worker, the second kills them at once.
        """
        reading, writing = os.pipe()
        for end in (reading, writing):
            os.set_blocking(end, False)
        old_wakeup = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
        old = {number: signal.signal(number, self._note) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD)}
        try:
            while self._step():
                select.select([reading], [], [], self._wait_s())
                _drain(reading)
        finally:
            self._kill_all()
            signal.set_wakeup_fd(old_wakeup)
            for number, handler in old.items():
                signal.signal(number, handler)
            os.close(reading)
            os.close(writing)
        return self._code

    def _note(self, number: int, _frame: FrameType | None) -> None:
        if number != signal.SIGCHLD:
            self._signals.append(number)

    def _step(self) -> bool:
        """Take in what has happened, start what is due; whether there is still something to wait for."""
        while self._signals:
            self._signalled(self._signals.pop(0))
        for worker in self._workers:
            self._reap(worker)
        for worker in self._workers:
            if worker.start_at_s is not None and worker.start_at_s <= self._now_s():
                self._start(worker)
        return any(worker.process is not None or worker.start_at_s is not None for worker in self._workers)

    def _wait_s(self) -> float | None:
        due = [worker.start_at_s for worker in self._workers if worker.start_at_s is not None]
        return max(0.0, min(due) - self._now_s()) if due else None

    def _start(self, worker: _Worker) -> None:
        worker.start_at_s = None
        worker.started_s = self._now_s()
        try:
            worker.process = subprocess.Popen(  # noqa: S603 - our own command, made by the caller
                worker.command,
                env=dict(worker.environment),
                stdin=subprocess.DEVNULL,
                process_group=0,  # an interrupt at the terminal comes to us alone: a worker shall not see it twice
                preexec_fn=_end_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509 - this process has one thread
            )
        except OSError as error:
            logger.error("worker %d could not be started: %s", worker.number, error)  # noqa: TRY400 - the reason is one line
            self._give_up(FAILED)
            return
        logger.info("worker %d started as process %d", worker.number, worker.process.pid)

    def _reap(self, worker: _Worker) -> None:
        code = None if worker.process is None else worker.process.poll()
        if worker.process is None or code is None:
            return
        pid, worker.process = worker.process.pid, None
        ended = f"with {code}" if code >= 0 else f"by signal {-code}"
        if self._stop_signal is not None:
            logger.info("worker %d (process %d) ended %s", worker.number, pid, ended)
            if code not in (DONE, -self._stop_signal, 128 + self._stop_signal) and self._code == DONE:
                self._code = FAILED
        elif code == DONE:
            logger.info("worker %d (process %d) is done", worker.number, pid)
        elif code == WRONG_SETTINGS:
            logger.error(
                "worker %d (process %d) ended with 2: what it was told is wrong, so none is started again", worker.number, pid
            )
            self._give_up(WRONG_SETTINGS)
        else:
            self._restart(worker, pid, ended)

    def _restart(self, worker: _Worker, pid: int, ended: str) -> None:
        lived_s = self._now_s() - worker.started_s
        worker.failures = 1 if lived_s >= self._back_off.reset_s else worker.failures + 1
        pause_s = self._back_off.pause_s(worker.failures)
        worker.start_at_s = self._now_s() + pause_s
        logger.warning(
            "worker %d (process %d) ended %s after %.1f s; started again in %.1f s", worker.number, pid, ended, lived_s, pause_s
        )

    def _give_up(self, code: int) -> None:
        """Stop everything because of a failure that a restart would repeat."""
        if self._stop_signal is None:
            self._code = code
            self._stop(signal.SIGTERM)

    def _signalled(self, number: int) -> None:
        name = signal.Signals(number).name
        if self._stop_signal is None:
            logger.info("%s: stopping all workers (a second one kills them)", name)
            self._code = INTERRUPTED if number == signal.SIGINT else DONE
            self._stop(number)
        else:
            logger.warning("%s: killing all workers", name)
            self._code = self._code or FAILED
            self._kill_all()

    def _stop(self, number: int) -> None:
        self._stop_signal = number
        for worker in self._workers:
            worker.start_at_s = None
            if worker.process is not None:
                worker.process.send_signal(number)

    def _kill_all(self) -> None:
        for worker in self._workers:
            if worker.process is not None and worker.process.poll() is None:
                worker.process.kill()
                worker.process.wait()


def _drain(reading: int) -> None:
    try:
        while os.read(reading, 4096):
            pass
    except BlockingIOError:
        return


def _end_with_parent() -> None:
    """Let the kernel ask the worker to stop when its supervisor is killed and cannot do it (Linux)."""
    set_parent_death_signal = 1
    ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGTERM)
