"""The rows of a ServiceNow incident audit log: from a file in any usual encoding and delimiter to typed values."""

import csv
from codecs import BOM_UTF16_BE, BOM_UTF16_LE, getincrementaldecoder
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from msgspec import Struct

from streams.sources.bad_line import BadLine, SourceUnreadableError

STATES = ("New", "Active", "Awaiting", "Resolved", "Closed")
REQUIRED_COLUMNS = ("number", "incident_state", "caller_id", "opened_at", "sys_updated_at", "priority")
_MISSING = ("", "?")
_PRIORITIES = ("1", "2", "3", "4")
# Day first, as the log writes it (dashes or slashes), or ISO, as ServiceNow itself exports.
_DATE_FORMATS = (
    "%d-%m-%Y %H:%M",
    "%d/%m/%Y %H:%M",
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%d %H:%M",
    "%d-%m-%Y %H:%M:%S",
    "%d/%m/%Y %H:%M:%S",
)
_EARLIEST_YEAR, _LATEST_YEAR = 1970, 2200
_CHUNK_BYTES = 1 << 20
_ID_CHARACTERS_MAX = 200  # leaves room for what an event id adds, below the 256 characters that an id may have


class Row(Struct, frozen=True, gc=False):
    """The state of an incident after a change. Times are epoch milliseconds; None is what the log writes as `?`."""

    line_number: int
    number: str
    state: str
    caller: str | None
    opened_at: int | None
    updated_at: int
    priority: str
    channel: str | None
    agent: str | None


class _BadFieldError(ValueError):
    """A field of a row cannot be understood; the text says which and what would be right."""


def rows_of(path: Path) -> Iterator[Row | BadLine]:
    """The rows of the file in its order, with a `BadLine` in the place of each that cannot be understood.

    Raises `SourceUnreadableError` without the columns that are needed, and `OSError` when the file cannot be read.
    """
    with path.open(encoding=_encoding_of(path), errors="replace", newline="") as file:
        header_text = file.readline()
        delimiter = max(",;\t|", key=header_text.count)
        header = [name.strip().lower() for name in next(csv.reader([header_text], delimiter=delimiter), [])]
        absent = [name for name in REQUIRED_COLUMNS if name not in header]
        if absent:
            raise SourceUnreadableError(
                f"{path}, line 1: no column {', '.join(absent)}. A ServiceNow incident log begins with a line of column names, "
                f"among them {', '.join(REQUIRED_COLUMNS)}."
            )
        yield from _rows(file, delimiter, header)


def _rows(file: TextIO, delimiter: str, header: list[str]) -> Iterator[Row | BadLine]:
    """The rows after the header. The number of a row is that of its first line, since a quoted field may span several."""
    reader = csv.reader(file, delimiter=delimiter)
    while True:
        line_number = reader.line_num + 2
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield BadLine(line_number=line_number, message=f"not a CSV row ({error}); is a quote never closed?")
            continue
        if not any(field.strip() for field in fields):
            continue
        if len(fields) != len(header):
            yield BadLine(line_number=line_number, message=f"{len(fields)} fields where the header has {len(header)}")
            continue
        try:
            yield _row(line_number, {name: value.strip() for name, value in zip(header, fields, strict=True)})
        except _BadFieldError as error:
            yield BadLine(line_number=line_number, message=str(error))


def _row(line_number: int, fields: dict[str, str]) -> Row:
    number = _text(fields, "number")
    if number is None:
        raise _BadFieldError("number is missing: a row needs its incident")
    updated_at = _time(fields, "sys_updated_at")
    if updated_at is None:
        raise _BadFieldError("sys_updated_at is missing: a row needs its time")
    return Row(
        line_number=line_number,
        number=number,
        state=_one_of(fields, "incident_state", STATES),
        caller=_text(fields, "caller_id"),
        opened_at=_time(fields, "opened_at"),
        updated_at=updated_at,
        priority=_one_of(fields, "priority", _PRIORITIES),
        channel=_text(fields, "contact_type"),
        agent=_text(fields, "assigned_to") or _text(fields, "sys_updated_by"),
    )


def _text(fields: dict[str, str], column: str) -> str | None:
    value = fields.get(column, "?")
    if value in _MISSING:
        return None
    if len(value) > _ID_CHARACTERS_MAX:
        raise _BadFieldError(f"{column} has {len(value)} characters; {_ID_CHARACTERS_MAX} are the most")
    return value


def _one_of(fields: dict[str, str], column: str, known: tuple[str, ...]) -> str:
    """The known word that the field begins with: `Awaiting User Info` is Awaiting, `3 - Moderate` is 3."""
    words = fields[column].split()
    for word in known:
        if words and words[0].casefold() == word.casefold():
            return word
    raise _BadFieldError(f"{column} is {fields[column]!r}; it should begin with one of {', '.join(known)}")


def _time(fields: dict[str, str], column: str) -> int | None:
    text = fields[column]
    if text in _MISSING:
        return None
    for date_format in _DATE_FORMATS:
        try:
            moment = datetime.strptime(text, date_format).replace(tzinfo=UTC)
        except ValueError:
            continue
        if _EARLIEST_YEAR <= moment.year <= _LATEST_YEAR:
            return int(moment.timestamp()) * 1000
        break
    raise _BadFieldError(
        f"{column} is {text!r}; it should be a day-month-year hour:minute between 1970 and 2200, such as 29-02-2016 01:16"
    )


def _encoding_of(path: Path) -> str:
    """UTF-16 by its mark, UTF-8 when the whole file is UTF-8, else Windows-1252, which older exports are written in."""
    decoder = getincrementaldecoder("utf-8")()
    with path.open("rb") as file:
        chunk = file.read(_CHUNK_BYTES)
        if chunk.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
            return "utf-16"
        try:
            while chunk:
                decoder.decode(chunk)
                chunk = file.read(_CHUNK_BYTES)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return "cp1252"
    return "utf-8-sig"
