"""A file of JSON lines as records in order of time, with memory for a number or two a line, not for the lines."""

from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from msgspec import Struct

from schemas.jsonlines import Line, parse_line
from schemas.outcome import Malformed, Reason, malformed
from streams.sources.bad_line import BadLine, SourceUnreadableError

LINE_BYTES_MAX = 4 * 1024 * 1024
"""A longer line cannot be an event, whose value has at most 64 kB; it is reported without being read whole."""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class RawLine(Struct, frozen=True, gc=False):
    """A line that is not blank: its number (from 1), where it begins in the file, and its bytes; None when it is too long."""

    number: int
    offset: int
    content: bytes | None


def read_jsonl(path: Path) -> Iterator[Line | BadLine]:
    """The bad lines of the file as they are found, then the others in order of `timestamp_ms`, ties as they stand in the file.

    The file is read twice: once for the times (16 bytes of memory a line, and as much again while they are sorted, so 2 million
    lines need some 150 MB), once in their order. Raises `SourceUnreadableError`.
    """
    times, offsets = array("q"), array("q")
    for raw in raw_lines(path):
        line = read_line(raw)
        if isinstance(line, Malformed):
            yield BadLine(line_number=raw.number, message=f"{line.reason}: {line.message}")
        else:
            times.append(line.timestamp_ms)
            offsets.append(raw.offset)
    with _opened(path) as file:
        for place in sorted(range(len(times)), key=times.__getitem__):
            file.seek(offsets[place])
            line = parse_line(file.readline(LINE_BYTES_MAX))
            if isinstance(line, Malformed):
                raise SourceUnreadableError(f"{path}: the file was changed while it was read")
            yield line


def raw_lines(path: Path) -> Iterator[RawLine]:
    """The lines of a file that are not blank, in its order. Raises `SourceUnreadableError`."""
    with _opened(path) as file:
        offset = len(_BYTE_ORDER_MARK) if file.read(len(_BYTE_ORDER_MARK)) == _BYTE_ORDER_MARK else 0
        file.seek(offset)
        number = 0
        while content := file.readline(LINE_BYTES_MAX):
            number += 1
            fits = content.endswith(b"\n") or len(content) < LINE_BYTES_MAX
            if not fits:
                _skip_line(file)
            if not fits or content.strip():
                yield RawLine(number, offset, content if fits else None)
            offset = file.tell()


def read_line(raw: RawLine) -> Line | Malformed:
    """The record of a line, or why there is none."""
    if raw.content is None:
        return malformed(Reason.TOO_LARGE, f"the line has more than {LINE_BYTES_MAX} bytes")
    return parse_line(raw.content)


def _skip_line(file: BinaryIO) -> None:
    while (rest := file.readline(LINE_BYTES_MAX)) and not rest.endswith(b"\n"):
        pass


def _opened(path: Path) -> BinaryIO:
    try:
        file = path.open("rb")
    except OSError as error:
        raise SourceUnreadableError(f"{path}: {error.strerror or error}") from error
    if not file.seekable():
        file.close()
        raise SourceUnreadableError(f"{path}: a file is needed, since its lines are sorted by time before they are used")
    return file
