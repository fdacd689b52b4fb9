"""`cspulse replay`: the whole topology in one process, without a broker; and what other definitions would have said."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from streams.commands.failures import IN_PART, WRONG, CommandError
from streams.commands.files import read_text, seekable, writing
from streams.commands.given import settings_of
from streams.commands.output import note, say

if TYPE_CHECKING:
    from collections.abc import Iterable

    from schemas.jsonlines import Line
    from streams.replay import OutputLine
    from streams.whatif.run import Options, WhatIf

_S_IN_MS = 1_000
_TICK_INTERVAL_S = 60.0
_TICK_INTERVAL_COMPARED_S = 3_600.0
"""What falls due between two ticks is judged as of its own time: fewer of them make it quick and change next to nothing."""
_BUILT_IN = "default"


def replay(
    context: typer.Context,
    events: Annotated[str, typer.Option(metavar="FILE", help="Events as JSON lines; - is standard input.")],
    out: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Where every output record goes, as JSON lines; - is standard output. May be left out with --against.",
        ),
    ] = None,
    definitions: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The definitions to judge by; else the settings' or the built-in ones.")
    ] = None,
    against: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Other definitions to compare with; 'default' is the built-in ones."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The comparison as JSON.")] = False,
    horizon_days: Annotated[
        int, typer.Option(help="An alert was right when its customer left at most so many days later.", min=1, max=365)
    ] = 60,
    partitions: Annotated[int | None, typer.Option(help="Partitions of the inputs (4 unless set).", min=1, max=10_000)] = None,
    until: Annotated[
        str | None, typer.Option(metavar="TIME", help="Leave out what is later, and let time go on until then.")
    ] = None,
    tick_interval: Annotated[
        float | None,
        typer.Option(
            metavar="SECONDS",
            help="Between two ticks, in the records' time (60; with --against 3600); ticks in the file go before.",
            min=0.1,
        ),
    ] = None,
) -> None:
    """Run events through the whole topology without a broker: the same input gives the same output, byte for byte.

    With --against, the same events are judged by two definitions and the differences are told: whose band is another, which
    alerts would have opened or not, and, where customers left, how good the alerts of both were. Ends with 4 when bad lines were
    left out.
    """
    from streams.collector import tune_collector
    from streams.commands.lines import BadLines
    from streams.commands.times import time_of
    from streams.sources.jsonl import read_jsonl
    from streams.whatif.run import Options

    if out is None and against is None:
        raise CommandError("--out says where the output records go; only a comparison (--against) does without", WRONG)
    if as_json and against is None:
        raise CommandError("--json is the form of a comparison (--against); output records are JSON lines anyway", WRONG)
    if as_json and out == "-":
        raise CommandError("the output records and the comparison cannot both go to standard output", WRONG)
    settings = settings_of(context, partitions=partitions, definitions=definitions)
    text = None if settings.definitions is None else read_text(str(settings.definitions))
    if tick_interval is None:
        tick_interval = _TICK_INTERVAL_S if against is None else _TICK_INTERVAL_COMPARED_S
    options = Options(
        partitions=settings.partitions,
        tick_interval_ms=round(tick_interval * _S_IN_MS),
        until_ms=None if until is None else time_of(until, "--until"),
        horizon_days=horizon_days,
    )
    tune_collector()
    bad = BadLines()
    with seekable(events) as path:
        lines = bad.left_out(read_jsonl(path))
        if against is not None:
            other = None if against == _BUILT_IN else read_text(against)
            _compare(list(lines), text, other, options, out, as_json=as_json)
        elif out is not None:
            _write(lines, text, options, out)
    if bad.count:
        note(f"{bad.count} bad lines were left out")
        raise typer.Exit(IN_PART)


def _write(lines: "Iterable[Line]", text: str | None, options: "Options", out: str) -> None:
    from streams.replay import replay as replayed

    results = replayed(
        lines,
        partitions=options.partitions,
        until_ms=options.until_ms,
        tick_interval_ms=options.tick_interval_ms,
        definitions_text=text,
    )
    count = 0
    with writing(out) as target:
        for count, line in enumerate(results, 1):  # noqa: B007 - the last number is the count
            target.write(f"{_text(line)}\n")
    note(f"{count} output records")


def _compare(
    lines: "list[Line]", text: str | None, other: str | None, options: "Options", out: str | None, *, as_json: bool
) -> None:
    from streams.whatif.run import what_if

    if out is None:
        found = what_if(lines, text, other, options, tell=note)
    else:
        with writing(out) as target:
            found = what_if(lines, text, other, options, lambda line: target.write(f"{_text(line)}\n"), tell=note)
    _show(found, as_json=as_json)


def _show(found: "WhatIf", *, as_json: bool) -> None:
    if as_json:
        from streams.whatif.data import plain

        say(json.dumps(plain(found), indent=2, ensure_ascii=False))
        return
    from streams.commands.whatif import show

    show(found)


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
