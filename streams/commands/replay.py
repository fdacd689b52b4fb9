"""`cspulse replay`: the whole topology in one process, without a broker."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from streams.commands.failures import IN_PART
from streams.commands.files import read_text, seekable, writing
from streams.commands.given import settings_of
from streams.commands.output import note

if TYPE_CHECKING:
    from streams.replay import OutputLine

_S_IN_MS = 1_000


def replay(
    context: typer.Context,
    events: Annotated[str, typer.Option(metavar="FILE", help="Events as JSON lines; - is standard input.")],
    out: Annotated[
        str, typer.Option(metavar="FILE", help="Where every output record goes, as JSON lines; - is standard output.")
    ],
    definitions: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The definitions to judge by; else the settings' or the built-in ones.")
    ] = None,
    partitions: Annotated[int | None, typer.Option(help="Partitions of the inputs (4 unless set).", min=1, max=10_000)] = None,
    until: Annotated[
        str | None, typer.Option(metavar="TIME", help="Leave out what is later, and let time go on until then.")
    ] = None,
    tick_interval: Annotated[
        float,
        typer.Option(metavar="SECONDS", help="Between two ticks, in the records' time; ticks in the file go before.", min=0.1),
    ] = 60.0,
) -> None:
    """Run events through the whole topology without a broker: the same input gives the same output, byte for byte.

    Ends with 4 when bad lines were left out.
    """
    from streams.commands.lines import BadLines
    from streams.commands.times import time_of
    from streams.replay import replay as replayed
    from streams.sources.jsonl import read_jsonl

    settings = settings_of(context, partitions=partitions, definitions=definitions)
    text = None if settings.definitions is None else read_text(str(settings.definitions))
    until_ms = None if until is None else time_of(until, "--until")
    count = 0
    bad = BadLines()
    with seekable(events) as path, writing(out) as target:
        results = replayed(
            bad.left_out(read_jsonl(path)),
            partitions=settings.partitions,
            until_ms=until_ms,
            tick_interval_ms=round(tick_interval * _S_IN_MS),
            definitions_text=text,
        )
        for count, line in enumerate(results, 1):  # noqa: B007 - the last number is the count
            target.write(f"{_text(line)}\n")
    note(f"{count} output records" + (f"; {bad.count} bad lines were left out" if bad.count else ""))
    if bad.count:
        raise typer.Exit(IN_PART)


def _text(line: "OutputLine") -> str:
    from schemas.jsonlines import format_line

    return format_line(
        line.topic,
        line.value,
        timestamp_ms=line.timestamp_ms,
        key=line.key,
        partition=line.partition,
        offset=line.offset,
    )
