"""Files of the command line: `-` is standard input or output, and an output file appears only when it is whole."""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TextIO

from streams.commands.failures import NOT_FOUND, WRONG, CommandError

STANDARD = "-"


@contextmanager
def reading(path: str) -> Iterator[BinaryIO]:
    """A file for reading bytes. Raises `CommandError` when it is not there, and `OSError`."""
    if path == STANDARD:
        yield sys.stdin.buffer
        return
    with existing(path).open("rb") as file:
        yield file


@contextmanager
def seekable(path: str) -> Iterator[Path]:
    """The path of a file that can be read twice; standard input is copied to a temporary one. Raises `CommandError`."""
    if path != STANDARD:
        yield existing(path)
        return
    with tempfile.TemporaryDirectory(prefix="cspulse-") as folder:
        copy = Path(folder) / "standard input"
        with copy.open("wb") as file:
            shutil.copyfileobj(sys.stdin.buffer, file)
        yield copy


def existing(path: str) -> Path:
    """The path of a file that is there. Raises `CommandError`."""
    found = Path(path)
    if found.is_dir():
        raise CommandError(f"{path} is a folder, and a file is needed", NOT_FOUND)
    if not found.exists():
        raise CommandError(f"there is no file {path}", NOT_FOUND)
    return found


def read_text(path: str) -> str:
    """The whole text of a file of definitions. Raises `CommandError` and `OSError`."""
    with reading(path) as file:
        content = file.read()
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise CommandError(f"{path} is not UTF-8, as TOML must be: {error.reason} at byte {error.start}", WRONG) from error


@contextmanager
def writing(path: str) -> Iterator[TextIO]:
    """A file for writing text. It takes its name when the block ends well; until then an older file is untouched.

    What is no ordinary file (a pipe, a device) is written directly.
    """
    target = Path(path)
    if path == STANDARD:
        yield sys.stdout
        sys.stdout.flush()
    elif target.exists() and not target.is_file():
        with target.open("w", encoding="utf-8", newline="\n") as file:
            yield file
    else:
        with _replacing(target) as file:
            yield file


@contextmanager
def _replacing(target: Path) -> Iterator[TextIO]:
    if not target.parent.is_dir():
        raise CommandError(f"there is no folder {target.parent}", NOT_FOUND)
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            yield file
        mask = os.umask(0)
        os.umask(mask)
        Path(name).chmod(0o666 & ~mask)  # a temporary file is private; this one is to be like any other
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
