"""What a source says about a line of a file that it cannot use."""

from msgspec import Struct


class BadLine(Struct, frozen=True, kw_only=True, gc=False):
    """A line that was left out: its number in the file (the first line is 1) and what is wrong with it."""

    line_number: int
    message: str

    def __str__(self) -> str:
        return f"line {self.line_number}: {self.message}"


class SourceUnreadableError(Exception):
    """A file that cannot be read at all: it is absent, unreadable, or not what it should be. The text names it and says why."""
