"""Output: tables at a terminal, plain lines everywhere else; data on standard output, words about it on standard error."""

import sys
from collections.abc import Iterable, Sequence
from typing import Literal

import typer

Tone = Literal["good", "doubtful", "bad", "plain"]

_STYLES: dict[Tone, str] = {"good": "green", "doubtful": "yellow", "bad": "bold red", "plain": ""}


def say(text: str) -> None:
    """A line of data."""
    typer.echo(text)


def note(text: str) -> None:
    """A line about what is done, on standard error."""
    typer.echo(text, err=True)


def at_terminal() -> bool:
    """Whether standard output is a terminal."""
    return sys.stdout.isatty()


def table(columns: Sequence[str], rows: Iterable[tuple[Tone, Sequence[str]]]) -> None:
    """A table: drawn and coloured at a terminal, else a line a row with columns of even width."""
    if at_terminal():
        _draw(columns, rows)
        return
    lines = [list(columns), *(list(cells) for _, cells in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(columns))]
    for line in lines:
        say("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def _draw(columns: Sequence[str], rows: Iterable[tuple[Tone, Sequence[str]]]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        drawn.add_column(column, overflow="fold")
    for tone, cells in rows:
        drawn.add_row(*(Text(cell) for cell in cells), style=_STYLES[tone])
    Console().print(drawn)
