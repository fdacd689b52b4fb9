"""`cspulse publish`: events from a file into the topics."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from streams.commands.failures import FAILED, IN_PART
from streams.commands.files import seekable
from streams.commands.given import settings_of
from streams.commands.output import note, say

if TYPE_CHECKING:
    from schemas.jsonlines import Line
    from streams.publish import OnProgress, Report
    from streams.sources.bad_line import BadLine

    OpenLines = Callable[[], "Iterator[Line | BadLine]"]

_S_IN_MS = 1_000


class Source(StrEnum):
    """What kind of file the events come from."""

    SERVICENOW = "servicenow"
    JSONL = "jsonl"


def publish(
    context: typer.Context,
    file: Annotated[str, typer.Argument(metavar="FILE", help="The file with the events; - is standard input.")],
    source: Annotated[
        Source, typer.Option("--from", help="What it is: a ServiceNow incident log (CSV), or JSON lines.")
    ] = Source.JSONL,
    shift_to_now: Annotated[
        bool, typer.Option("--shift-to-now", help="Move all times by the same amount, so that the newest event is now.")
    ] = False,
    touchpoint: Annotated[str, typer.Option(help="The touchpoint of a ServiceNow log's tickets.")] = "support",
) -> None:
    """Put events into the topics: sorted by time, keyed by customer, on the right partition.

    A bad line is reported with its number and the rest goes on. Ends with 0 when everything is in the topics, 4 when a part is, 1
    when nothing is.
    """
    from streams.cluster import client_config, reach
    from streams.codecs import codec_of
    from streams.commands.lines import BadLines
    from streams.publish import publish as send
    from streams.shift import shift_to_now as shifted

    settings = settings_of(context)
    now_ms = int(time.time() * _S_IN_MS)
    config = client_config(settings)
    bad = BadLines()
    with seekable(file) as path:
        open_lines, total = _lines_of(path, source, touchpoint)
        reach(config)
        newest_tick_ms = _newest_tick(config)
        with _progress() as on_progress:
            report = send(
                _looked_at(shifted(open_lines, now_ms) if shift_to_now else open_lines(), newest_tick_ms),
                connection=config,
                codec=codec_of(settings),
                now_ms=now_ms,
                total=total,
                on_progress=on_progress,
                on_bad_line=bad.tell,
            )
    _tell(report)
    if not report.is_complete:
        raise typer.Exit(IN_PART if report.sent else FAILED)


def _newest_tick(config: Mapping[str, Any]) -> int | None:
    """Up to when a worker has told the time: the timestamp of the newest tick of partition 0."""
    from streams.cluster import newest_record, reading_consumer
    from streams.ticks import TICKS_TOPIC

    consumer = reading_consumer(config)
    try:
        found = newest_record(consumer, TICKS_TOPIC, 0)
    finally:
        consumer.close()
    return None if found is None else found.timestamp()[1]


def _looked_at(lines: "Iterator[Line | BadLine]", newest_tick_ms: int | None) -> "Iterator[Line | BadLine]":
    """The lines as they are; history that comes after a worker's ticks is told to be that, before it is sent."""
    from processors.seen import GRACE_MS
    from schemas.jsonlines import Line
    from schemas.times import format_time

    told = newest_tick_ms is None
    for line in lines:
        if not told and newest_tick_ms is not None and isinstance(line, Line):
            told = True
            if line.timestamp_ms < newest_tick_ms - GRACE_MS:
                note(
                    f"workers have told the time up to {format_time(newest_tick_ms)}: events from "
                    f"{format_time(line.timestamp_ms)} on count, but are judged as of now, and repetitions among them cannot "
                    "be told. Publish history before the workers start, or into a new application id"
                )
        yield line


def _lines_of(path: Path, source: Source, touchpoint: str) -> "tuple[OpenLines, int]":
    """How to open the lines (twice, if need be), and how many there are."""
    from streams.sources.bad_line import BadLine
    from streams.sources.jsonl import raw_lines, read_jsonl
    from streams.sources.lines import line_of
    from streams.sources.servicenow import read_servicenow

    if source is Source.JSONL:
        return lambda: read_jsonl(path), sum(1 for _ in raw_lines(path))
    # Sorting needs the whole log in memory anyway, so it is read once.
    events = list(read_servicenow(path, touchpoint=touchpoint))
    return lambda: (one if isinstance(one, BadLine) else line_of(one) for one in events), len(events)


@contextmanager
def _progress() -> "Iterator[OnProgress]":
    """A bar on standard error while it is a terminal, else nothing."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[megabytes]:.1f} MB"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as progress:
        task = progress.add_task("publishing", total=None, megabytes=0.0)

        def show(count: int, total: int | None, sent_bytes: int) -> None:
            progress.update(task, completed=count, total=total, megabytes=sent_bytes / 1e6)

        yield show


def _tell(report: "Report") -> None:
    for topic, count in sorted(report.by_topic.items()):
        say(f"{topic}: {count}")
    for reason, count in sorted(report.refused.items()):
        note(f"{count} refused ({reason}), such as: {report.examples[reason]}")
    if report.failed:
        note(f"{report.failed} failed, such as: {report.examples['failed']}")
    if report.bad_lines:
        note(f"{report.bad_lines} bad lines were left out")
    note(f"{report.sent} events published, {report.sent_bytes / 1e6:.1f} MB")
