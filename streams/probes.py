"""Liveness and readiness over HTTP: `GET /live` and `GET /ready` answer 200 or 503, with a JSON object that says why.

Answered by a thread of its own, so that a loop that is stuck is told of as well.
"""

import json
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Final

from schemas.times import format_time
from streams.life import Life, Verdict

REQUEST_LIMIT_S: Final = 5.0


class Probes:
    """The address at which a worker is asked how it is."""

    def __init__(self, life: Life, host: str, port: int) -> None:
        """Listen; raises OSError when the port is taken."""
        answers = {"/live": life.live, "/ready": life.ready}

        class Handler(BaseHTTPRequestHandler):
            timeout = REQUEST_LIMIT_S

            def do_GET(self) -> None:
                answer = answers.get(self.path)
                if answer is None:
                    self.send_error(HTTPStatus.NOT_FOUND)
                    return
                verdict = answer()
                body = _body(verdict)
                self.send_response(HTTPStatus.OK if verdict.is_well else HTTPStatus.SERVICE_UNAVAILABLE)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Whoever probes asks every few seconds: nobody wants to read of it."""

        self._server = ThreadingHTTPServer((host, port), Handler)
        self._server.daemon_threads = True
        self.port: Final[int] = self._server.server_address[1]
        self._thread = Thread(target=self._server.serve_forever, name="probes", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Answer no longer."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _body(verdict: Verdict) -> bytes:
    tasks = {
        label: {"phase": stand.phase, "since": format_time(stand.since_ms)} for label, stand in sorted(verdict.tasks.items())
    }
    told = {"ok": verdict.is_well, "reason": verdict.reason, "tasks": tasks}
    return json.dumps(told).encode() + b"\n"
