"""`cspulse` under test: within the test's process where that is enough, as a process of its own where exit and signals matter."""

import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from typer.testing import CliRunner, Result

from streams.cli import app

COMMAND: Final = (sys.executable, "-P", "-m", "streams")
PREFIX: Final = "CSPULSE_"
LIMIT_S: Final = 60.0


def run(*arguments: str, given: bytes | str | None = None) -> Result:
    """Run a command within this process, with no settings but those on its line."""
    variables: dict[str, str | None] = {name: None for name in os.environ if name.startswith(PREFIX)}
    with _logging_restored():
        return CliRunner().invoke(app, list(arguments), input=given, env=variables)


def start(*arguments: str) -> "subprocess.Popen[bytes]":
    """Start a command as a process, with no settings but those on its line."""
    return subprocess.Popen([*COMMAND, *arguments], env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def environment() -> dict[str, str]:
    """This process's environment without settings."""
    return {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}


@contextmanager
def _logging_restored() -> Iterator[None]:
    """A command sets logging up for its process; here the process is the tests'."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    levels = {name: logging.getLogger(name).level for name in list(root.manager.loggerDict)}
    try:
        yield
    finally:
        logging.captureWarnings(capture=False)
        root.handlers[:] = handlers
        root.setLevel(level)
        for name in list(root.manager.loggerDict):
            logging.getLogger(name).setLevel(levels.get(name, logging.NOTSET))
