"""One Redis server on a free port of the loopback interface, started by the tests from what the machine has installed."""

import shutil
import socket
import subprocess
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import redis

from tests.support.ending import end
from tests.support.kafka.jars import PartMissingError
from tests.support.ports import free_port
from tests.support.waiting import wait_until

START_LIMIT_S: Final = 20
STOP_LIMIT_S: Final = 20
LOG_TAIL_CHARACTERS: Final = 3_000


class RedisServer:
    """A server that the tests may stop, kill, pause and start again; its port and its folder stay the same.

    Nothing is saved unless `options` say so: they are the server's own, such as `{"requirepass": "..."}`. With `tls_port` true it
    speaks only TLS, with the certificates that the options name.

    Raises PartMissingError when there is no `redis-server` on this machine.
    """

    def __init__(self, folder: Path, options: Mapping[str, str] | None = None, *, tls: bool = False) -> None:
        found = shutil.which("redis-server")
        if found is None:
            raise PartMissingError("redis-server is needed (on Debian or Ubuntu: apt-get install redis-server)")
        self._command = [*_ended_with_parent(), found]
        self._folder = folder
        self.port: Final = free_port()
        self._options = {
            "bind": "127.0.0.1",
            "port": "0" if tls else str(self.port),
            "dir": str(folder),
            "save": "",
            "appendonly": "no",
            "daemonize": "no",
            **({"tls-port": str(self.port), "tls-auth-clients": "no"} if tls else {}),
            **(options or {}),
        }
        self._tls = tls
        self._process: subprocess.Popen[bytes] | None = None
        self.log: Final = folder / "redis.log"

    def start(self) -> None:
        """Start the server and wait until it answers."""
        self._folder.mkdir(parents=True, exist_ok=True)
        arguments = [part for name, value in self._options.items() for part in (f"--{name}", value)]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*self._command, *arguments],
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        wait_until(self._listens, START_LIMIT_S, f"the Redis server to listen; its log ends with {self.log_tail()}")

    def stop(self) -> None:
        """Ask the server to end, and wait for it."""
        if self._process is None:
            return
        end(self._process, STOP_LIMIT_S)
        self._process = None

    def kill(self) -> None:
        """End the server at once: what it had in memory is gone."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        self._process = None

    def client(self, **options: Any) -> "redis.Redis":
        """A client of the tests' own."""
        return redis.Redis(host="127.0.0.1", port=self.port, **options)

    def empty(self) -> None:
        """Remove every key."""
        with self.client() as client:
            client.flushall()

    def log_tail(self) -> str:
        """The end of the server's log."""
        return self.log.read_text(errors="replace")[-LOG_TAIL_CHARACTERS:] if self.log.exists() else ""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def _listens(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, f"the Redis server ended:\n{self.log_tail()}"
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1) as connection:
                if self._tls:
                    return True
                connection.sendall(b"PING\r\n")
                answer = connection.recv(64)
                return answer.startswith((b"+PONG", b"-NOAUTH"))
        except OSError:
            return False


def _ended_with_parent() -> list[str]:
    """What lets the kernel end the server when the tests are killed and cannot do it themselves, where there is such a command.

    Nothing of ours may run between fork and exec: other threads of the tests hold locks.
    """
    found = shutil.which("setpriv")
    return [] if found is None else [found, "--pdeathsig", "TERM"]
