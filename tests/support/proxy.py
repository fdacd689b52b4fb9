"""A TCP proxy with faults: it refuses, delays, cuts what is asked, or loses what is answered."""

import random
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Final, Literal, Self

Mode = Literal["pass", "refuse", "delay", "lose_answers", "silent"]

CHUNK_BYTES: Final = 65_536
DELAY_S: Final = 0.01
CUT_AFTER_BYTES_AT_MOST: Final = 60_000
ANSWERS_AT_MOST: Final = 10


class Proxy:
    """Stands between a client and a server on the loopback interface; `seed` decides where what is asked is cut.

    `lose_answers`: half of the connections are cut in the middle of what is asked, the others after some answers. `silent`:
    connections stand, and nothing comes back.
    """

    def __init__(self, to_port: int, seed: int = 0) -> None:
        self._to_port = to_port
        self._random = random.Random(seed)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: Final[int] = self._listener.getsockname()[1]
        self._mode: Mode = "pass"
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()
        self.lost = 0

    @contextmanager
    def fault(self, mode: Mode) -> Iterator[None]:
        """Behave like this meanwhile; connections that stand are cut first and last, but for a mere delay."""
        self._switch(mode)
        try:
            yield
        finally:
            self._switch("pass")

    def close(self) -> None:
        """End."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._cut()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _switch(self, mode: Mode) -> None:
        was, self._mode = self._mode, mode
        if "delay" not in (was, mode):
            self._cut()

    def _cut(self) -> None:
        with self._lock:
            standing = list(self._open)
        for one in standing:
            _end(one)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self._mode == "refuse":
                _end(client)
                client.close()
                continue
            try:
                server = socket.create_connection(("127.0.0.1", self._to_port), 5)
            except OSError:
                client.close()
                continue
            server.settimeout(None)
            for one in (client, server):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self._open |= {client, server}
            cut_after, answers_at_most = None, None
            if self._random.random() < 0.5:
                cut_after = self._random.randint(1, CUT_AFTER_BYTES_AT_MOST)
            else:
                answers_at_most = self._random.randint(0, ANSWERS_AT_MOST)
            done = threading.Barrier(2, action=lambda c=client, s=server: self._forget(c, s))  # type: ignore[misc]  # binds the loop's value
            for function, argument in ((self._ask, cut_after), (self._answer, answers_at_most)):
                threading.Thread(target=function, args=(client, server, argument, done), daemon=True).start()

    def _ask(self, client: socket.socket, server: socket.socket, cut_after: int | None, done: threading.Barrier) -> None:
        """From the client to the server."""
        passed = 0
        with suppress(OSError):
            while chunk := client.recv(CHUNK_BYTES):
                if self._mode == "lose_answers" and cut_after is not None and passed + len(chunk) > cut_after:
                    server.sendall(chunk[: max(0, cut_after - passed)])
                    self.lost += 1
                    break
                server.sendall(chunk)
                passed += len(chunk)
        _end(client)
        _end(server)
        done.wait()

    def _answer(self, client: socket.socket, server: socket.socket, at_most: int | None, done: threading.Barrier) -> None:
        """From the server to the client."""
        answers = 0
        with suppress(OSError):
            while chunk := server.recv(CHUNK_BYTES):
                answers += 1
                if self._mode == "silent":
                    continue
                if self._mode == "delay":
                    threading.Event().wait(DELAY_S)
                if self._mode == "lose_answers" and at_most is not None and answers > at_most:
                    self.lost += 1
                    break
                client.sendall(chunk)
        _end(client)
        _end(server)
        done.wait()

    def _forget(self, client: socket.socket, server: socket.socket) -> None:
        with self._lock:
            self._open -= {client, server}
        client.close()
        server.close()


def _end(one: socket.socket) -> None:
    with suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
