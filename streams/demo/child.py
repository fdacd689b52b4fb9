"""The worker of the demo: a process of its own, as it would be anywhere else."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from typing import Final

from streams.settings import ENVIRONMENT_PREFIX

APP_ID: Final = "cspulse-demo"
STOP_TIMEOUT_S: Final = 8.0
_TAIL_BYTES: Final = 16 * 1024


class WorkerDied(Exception):
    """The worker ended by itself; `last_lines` are the last that it said."""

    def __init__(self, code: int, last_lines: list[str]) -> None:
        ended = f"with exit code {code}" if code >= 0 else f"by signal {-code}"
        super().__init__(f"the worker ended {ended}")
        self.last_lines = last_lines


class WorkerProcess:
    """A running `cspulse worker`. Its log goes to a file without a name and Faust's folders into one that goes with the demo."""

    def __init__(self, bootstrap_servers: str, partitions: int) -> None:
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process does, and `end` closes it
        self._folder = tempfile.TemporaryDirectory(prefix="cspulse-demo-", ignore_cleanup_errors=True)
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "streams.demo.leash"],
            env={**_environment(bootstrap_servers, partitions, os.environ), "TMPDIR": self._folder.name},
            stdin=subprocess.PIPE,
            stdout=self._log,
            stderr=self._log,
            process_group=0,  # an interrupt at the terminal comes to the demo alone, which then ends the worker
        )

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def check(self) -> None:
        """Raises WorkerDied when it does not run any more."""
        code = self._process.poll()
        if code is not None:
            raise WorkerDied(code, self.last_lines(12))

    def stop(self) -> None:
        """Let it finish its transactions, and wait for that.

        Raises WorkerDied when it ends otherwise than asked, or not in time.
        """
        self.check()
        self._process.terminate()
        try:
            code = self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        if code != 0:
            raise WorkerDied(code, self.last_lines(12))

    def end(self) -> None:
        """Whatever it does, it is over now."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._log.close()
        self._folder.cleanup()

    def last_lines(self, count: int) -> list[str]:
        """The last lines of its log."""
        size = self._log.seek(0, os.SEEK_END)
        self._log.seek(max(0, size - _TAIL_BYTES))
        return self._log.read().decode(errors="replace").splitlines()[-count:]


def _environment(bootstrap_servers: str, partitions: int, inherited: Mapping[str, str]) -> dict[str, str]:
    """The demo's settings and no others: those of the surroundings speak of another cluster."""
    own = {
        "BOOTSTRAP_SERVERS": bootstrap_servers,
        "APP_ID": APP_ID,
        "PARTITIONS": str(partitions),
        "TICK_INTERVAL_MS": "0",  # time moves with the events: the demo writes the ticks
    }
    environment = {name: value for name, value in inherited.items() if not name.startswith(ENVIRONMENT_PREFIX)}
    environment.update({f"{ENVIRONMENT_PREFIX}{name}": value for name, value in own.items()})
    return environment
