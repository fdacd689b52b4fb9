"""Lines of JSON in and out, with what is wrong with a line told by its number."""

from collections.abc import Iterable, Iterator

from schemas.jsonlines import Line, format_line
from streams.commands.output import note
from streams.sources.bad_line import BadLine

MAX_TOLD = 50
"""Bad lines told one by one; beyond, they are counted: a file of another kind would be told whole."""


class BadLines:
    """Tells of bad lines and counts them."""

    def __init__(self) -> None:
        self.count = 0

    def tell(self, line: BadLine) -> None:
        """Tell of one line."""
        self.count += 1
        if self.count <= MAX_TOLD:
            note(str(line))
        elif self.count == MAX_TOLD + 1:
            note("further bad lines are only counted")

    def left_out(self, lines: Iterable[Line | BadLine]) -> Iterator[Line]:
        """The lines that are good; tells of the others."""
        for line in lines:
            if isinstance(line, BadLine):
                self.tell(line)
            else:
                yield line


def text_of(line: Line) -> str:
    """The line as it is written to a file, without its end."""
    return format_line(
        line.topic,
        line.value,
        timestamp_ms=line.timestamp_ms,
        key=line.key,
        partition=line.partition,
        offset=line.offset,
        headers=line.headers,
    )
