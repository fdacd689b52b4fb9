"""Logging, set up once a process: lines for people or one JSON object a line, on standard error.

Nothing that a customer wrote is ever given to a logger: messages hold names of topics, partitions, offsets, counts and ids. What
could still slip in by way of an exception's text is held in check here: a message is one line, cut to a bound, and the secrets
of the settings are blanked wherever they appear.
"""

import json
import logging
import sys
from collections.abc import Iterable
from typing import Final, Literal, TextIO

from schemas.times import format_time
from streams.settings import Settings

MAX_MESSAGE_CHARACTERS: Final = 2_000
BLANK: Final = "***"
_S_IN_MS: Final = 1_000
_QUIETER: Final = ("streams.shell", "faust", "aiokafka", "mode", "kafka", "asyncio", "httpx2", "httpcore2")
"""Libraries (and the shell around one, under whose name it logs) whose words matter only to who looks for a fault."""


class _Formatter(logging.Formatter):
    """What both forms share: blanking, cutting, times."""

    def __init__(self, secrets: Iterable[str]) -> None:
        super().__init__()
        self._secrets = sorted({secret for secret in secrets if secret}, key=len, reverse=True)

    def _clean(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, BLANK)
        return text

    def _message(self, record: logging.LogRecord) -> str:
        message = self._clean(record.getMessage())
        cut = message if len(message) <= MAX_MESSAGE_CHARACTERS else f"{message[: MAX_MESSAGE_CHARACTERS - 1]}…"
        return cut.replace("\r", "\\r").replace("\n", "\\n")

    def _trace(self, record: logging.LogRecord) -> str:
        return self._clean(self.formatException(record.exc_info)) if record.exc_info else ""


class TextFormatter(_Formatter):
    """`2026-01-02T03:04:05.678Z INFO streams.task: message`."""

    def format(self, record: logging.LogRecord) -> str:
        """One line, and the trace of an exception below it."""
        line = f"{_at(record)} {record.levelname} {record.name}: {self._message(record)}"
        trace = self._trace(record)
        return f"{line}\n{trace}" if trace else line


class JsonFormatter(_Formatter):
    """One JSON object a line: `at`, `level`, `logger`, `message`, `process`, and `trace` with an exception."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        line: dict[str, object] = {
            "at": _at(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": self._message(record),
            "process": record.process,
        }
        trace = self._trace(record)
        if trace:
            line["trace"] = trace
        return json.dumps(line, ensure_ascii=False)


def _at(record: logging.LogRecord) -> str:
    return format_time(int(record.created * _S_IN_MS))


def configure(level: str, form: Literal["text", "json"], secrets: Iterable[str] = (), stream: TextIO | None = None) -> None:
    """Send all logging of the process to `stream` (standard error unless given), from `level` on.

    A second call replaces the first.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter(secrets) if form == "json" else TextFormatter(secrets))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in _QUIETER:
        logging.getLogger(name).setLevel(logging.DEBUG if level == "debug" else logging.WARNING)
    logging.captureWarnings(capture=True)


def configure_from(settings: Settings, secrets: Iterable[str] = ()) -> None:
    """Set logging up as the settings say, blanking every secret that they hold, and these beside."""
    values = (settings.sasl_password, settings.ssl_key_password, settings.schema_registry_password, settings.redis_password)
    own = [value.get_secret_value() for value in values if value is not None]
    configure(settings.log_level, settings.log_format, [*own, *secrets])
