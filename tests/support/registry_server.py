"""A schema registry that answers over HTTP, with the schemas of one in memory."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

from tests.support.registries import MemoryRegistry

PATH: Final = "/schemas/ids/"
NOT_FOUND: Final = {"error_code": 40403, "message": "Schema not found"}


@contextmanager
def served(registry: MemoryRegistry) -> Iterator[str]:
    """The address under which the registry's schemas can be asked for by their ids, as Confluent's protocol has it."""

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            text = registry.schema_by_id(int(path.removeprefix(PATH))) if path.startswith(PATH) else None
            self.send_response(404 if text is None else 200)
            self.end_headers()
            self.wfile.write(json.dumps(NOT_FOUND if text is None else {"schema": text, "schemaType": "AVRO"}).encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that the base class gives
            """Keep the test's output clean."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
