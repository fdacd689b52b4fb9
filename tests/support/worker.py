"""Worker processes under the tests' control: started, stopped, killed, frozen and continued, each with a log of its own."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from tests.support.waiting import TookTooLong, wait_until

REPOSITORY: Final = Path(__file__).parents[2]
WORKER: Final = (sys.executable, "-P", "-m", "streams", "worker")
BROKEN_WORKER: Final = (sys.executable, "-m", "tests.chaos.mutants")
START_LIMIT_S: Final = 60.0
STOP_LIMIT_S: Final = 30.0
TAIL_CHARACTERS: Final = 6_000
PREFIX: Final = "CSPULSE_"
ASKS_TO_BE_STARTED_AGAIN: Final = 75

SETTINGS: Final = {
    "PARTITIONS": "4",
    "SESSION_TIMEOUT_MS": "6000",
    "HEARTBEAT_INTERVAL_MS": "500",
    "TRANSACTION_TIMEOUT_MS": "10000",
    "LOG_LEVEL": "info",
}
"""What the tests want otherwise than the defaults: quick to notice that a worker is gone."""


class Worker:
    """One worker process; it may be started again after it has ended, and its log goes on."""

    def __init__(self, log: Path, settings: Mapping[str, str], command: Sequence[str] = WORKER) -> None:
        self.log: Final = log
        self._command = list(command)
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
        self._environment = {
            **inherited,
            "PYTHONPATH": str(REPOSITORY),
            **{f"{PREFIX}{name.upper()}": value for name, value in {**SETTINGS, **settings}.items()},
        }
        self._process: subprocess.Popen[bytes] | None = None
        self._log_at_start = 0

    def start(self) -> None:
        """Start the process."""
        assert not self.is_alive, "it still runs"
        self._log_at_start = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                cwd=REPOSITORY,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # an interrupt at the terminal is for the tests, which then end the workers
            )

    @property
    def is_alive(self) -> bool:
        """Whether the process runs (a frozen one does)."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._running().pid

    @property
    def exit_code(self) -> int | None:
        """How the process ended; None while it runs."""
        return None if self._process is None else self._process.poll()

    def terminate(self) -> None:
        """Ask the process to end."""
        self._running().send_signal(signal.SIGTERM)

    def interrupt(self) -> None:
        """Ask the process to end."""
        self._running().send_signal(signal.SIGINT)

    def stop(self, limit_s: float = STOP_LIMIT_S) -> int:
        """Ask the process to end, wait for it, and return its exit code."""
        self.terminate()
        return self.wait(limit_s)

    def wait(self, limit_s: float) -> int:
        """Wait for the process to end by itself; returns its exit code."""
        try:
            return self._running().wait(limit_s)
        except subprocess.TimeoutExpired as error:
            raise TookTooLong(f"the worker did not end within {limit_s:.0f} s:\n{self.tail()}") from error

    def kill(self) -> None:
        """End the process at once."""
        process = self._running()
        process.kill()
        process.wait()

    def freeze(self) -> None:
        """Stop the process where it is; its connections stay open."""
        self._running().send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let a frozen process go on."""
        self._running().send_signal(signal.SIGCONT)

    def clean_up(self) -> None:
        """End the process if it still runs."""
        if self.is_alive:
            self.kill()

    def said(self) -> str:
        """The log since the last start."""
        return self._read(self._log_at_start)

    def tail(self) -> str:
        """The end of the log."""
        return self._read(0)[-TAIL_CHARACTERS:]

    def wait_for_line(self, pattern: str, limit_s: float = START_LIMIT_S) -> None:
        """Wait until the log since the last start has a line that matches."""
        found = re.compile(pattern)
        try:
            wait_until(lambda: found.search(self.said()) or not self.is_alive, limit_s, f"{pattern!r} in the worker's log")
        except TookTooLong as error:
            raise TookTooLong(f"{error}; the log ends with:\n{self.tail()}") from error
        assert found.search(self.said()), f"the worker ended with {self.exit_code} without {pattern!r}:\n{self.tail()}"

    def wait_until_running(self, partitions: Sequence[int], limit_s: float = START_LIMIT_S) -> None:
        """Wait until each of these partitions is restored and read."""
        for partition in partitions:
            self.wait_for_line(rf"partition {partition}: running", limit_s)

    def _running(self) -> subprocess.Popen[bytes]:
        assert self._process is not None, "it was never started"
        return self._process

    def _read(self, start: int) -> str:
        if not self.log.exists():
            return ""
        with self.log.open("rb") as log:
            log.seek(start)
            return log.read().decode(errors="replace")


class Workers:
    """Makes the workers of one test, and ends all that still run when it is over."""

    def __init__(self, folder: Path, bootstrap: str, app_id: str) -> None:
        self.app_id: Final = app_id
        self._folder = folder
        self._bootstrap = bootstrap
        self._made: list[Worker] = []

    def new(self, *, command: Sequence[str] = WORKER, app_id: str | None = None, **settings: str) -> Worker:
        """A worker that is not started yet; settings by their names in small letters."""
        base = {"bootstrap_servers": self._bootstrap, "app_id": app_id or self.app_id}
        log = self._folder / f"worker-{len(self._made) + 1}.log"
        worker = Worker(log, {name.upper(): value for name, value in {**base, **settings}.items()}, command)
        self._made.append(worker)
        return worker

    def start(self, *, command: Sequence[str] = WORKER, app_id: str | None = None, **settings: str) -> Worker:
        """A worker that is starting."""
        worker = self.new(command=command, app_id=app_id, **settings)
        worker.start()
        return worker

    def clean_up(self) -> None:
        """End what still runs, and print the ends of the logs: pytest shows them for a test that failed."""
        for worker in self._made:
            worker.clean_up()
        for worker in self._made:
            print(f"---- end of {worker.log.name}, exit code {worker.exit_code}\n{worker.tail()}")


def broken(mutant: str, *arguments: str) -> tuple[str, ...]:
    """The command of a worker with one thing broken; see tests/chaos/mutants."""
    return (*BROKEN_WORKER, mutant, *arguments)


def wait_until_it_reads(worker: Worker) -> None:
    """Wait until a worker has a partition; the simulator now and then refuses a second member, which is started again."""

    def reads() -> bool:
        if not worker.is_alive:
            assert worker.exit_code == ASKS_TO_BE_STARTED_AGAIN, worker.tail()
            worker.start()
        return ": running" in worker.said()

    wait_until(reads, START_LIMIT_S, "a worker to read a partition")
