"""Somebody who is called over HTTP, with faults: a real server on loopback that keeps what it got."""

import json
import ssl
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.support.ports import free_port

Script = Callable[["Received"], "Reply"]


@dataclass(frozen=True)
class Reply:
    """What is answered. `cut`: the body was read, and the connection ends without an answer; `wait` is waited for first."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b"ok"
    cut: bool = False
    delay_s: float = 0.0


@dataclass(frozen=True)
class Received:
    """One call; header names are in small letters."""

    path: str
    headers: dict[str, str]
    body: bytes
    reply: Reply = field(default_factory=Reply)

    @property
    def json(self) -> Any:
        """The body."""
        return json.loads(self.body)

    @property
    def id(self) -> str:
        """The `webhook-id`."""
        return self.headers["webhook-id"]


class Receiver:
    """The server. `script` says what is answered; `calls` are all that came in whole, also what was refused."""

    def __init__(self, script: Script | None = None, tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls
        self.script: Script = script or (lambda _call: Reply())
        self.calls: list[Received] = []
        self._lock = threading.Lock()
        self._port = free_port()
        self._server: ThreadingHTTPServer | None = None
        self._thread: threading.Thread | None = None
        self._open: set[Any] = set()
        self.start()

    @property
    def url(self) -> str:
        """Where it is called; the path stands for a token."""
        scheme = "http" if self._tls is None else "https"
        return f"{scheme}://127.0.0.1:{self._port}/hook/token-1"

    def start(self) -> None:
        """Listen, on the same port as before."""
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def setup(self) -> None:
                super().setup()
                receiver._open.add(self.connection)

            def finish(self) -> None:
                receiver._open.discard(self.connection)
                super().finish()

            def do_POST(self) -> None:
                receiver._answer(self)

            def log_message(self, *_: object) -> None:
                """Nothing is logged."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_: object) -> None:
                """A caller that is gone is no error of the test."""

        self._server = Server(("127.0.0.1", self._port), Handler)
        if self._tls is not None:
            self._server.socket = self._tls.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Listen no longer, and let go of every connection."""
        if self._server is None or self._thread is None:
            return
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        for connection in list(self._open):
            with _ignored(OSError):
                connection.shutdown(2)
        self._server = None

    def taken(self) -> list[Received]:
        """The calls whose message the receiver has: those that it answered with 2xx or could not answer any more; ids once."""
        found: dict[str, Received] = {}
        for call in list(self.calls):
            if call.reply.cut or 200 <= call.reply.status < 300:
                found.setdefault(call.headers.get("webhook-id") or call.body.hex(), call)
        return list(found.values())

    @contextmanager
    def down(self) -> Iterator[None]:
        """Nobody listens."""
        self.stop()
        try:
            yield
        finally:
            self.start()

    @contextmanager
    def answering(self, script: Script) -> Iterator[None]:
        """Answer otherwise for a while."""
        before, self.script = self.script, script
        try:
            yield
        finally:
            self.script = before

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        length = int(handler.headers["content-length"])
        body = handler.rfile.read(length)
        if len(body) < length:  # the caller was killed while it spoke: nothing came in whole
            handler.close_connection = True
            return
        call = Received(handler.path, {name.lower(): value for name, value in handler.headers.items()}, body)
        with self._lock:
            reply = self.script(call)
            self.calls.append(Received(call.path, call.headers, call.body, reply))
        if reply.delay_s:
            threading.Event().wait(reply.delay_s)
        if reply.cut:
            handler.close_connection = True
            handler.connection.shutdown(2)
            return
        handler.send_response(reply.status)
        for name, value in reply.headers.items():
            handler.send_header(name, value)
        handler.send_header("content-length", str(len(reply.body)))
        handler.end_headers()
        handler.wfile.write(reply.body)


def one_after_the_other(*replies: Reply) -> Script:
    """These replies, then 200 for good."""
    left = deque(replies)
    return lambda _call: left.popleft() if left else Reply()


@contextmanager
def _ignored(kind: type[Exception]) -> Iterator[None]:
    try:
        yield
    except kind:
        return
