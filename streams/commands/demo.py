"""`cspulse demo`: the pipeline at work, on an embedded broker."""

from pathlib import Path
from typing import Annotated

import typer

from streams.commands.files import existing


def demo(
    log: Annotated[
        str | None, typer.Option(metavar="FILE", help="A ServiceNow incident log (CSV), whose tickets are then the customers'.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Only the summary, as JSON.")] = False,
    keep: Annotated[
        bool, typer.Option("--keep", help="Go on until interrupted, or until the embedded broker is nearly full.")
    ] = False,
    customers: Annotated[
        int | None, typer.Option(help="How many customers; 200 unless set, or what fits of a log.", min=1, max=5_000)
    ] = None,
    days: Annotated[
        int | None, typer.Option(help="How many days are replayed; 60 unless set, or what fits of a log.", min=1, max=365)
    ] = None,
    seed: Annotated[int, typer.Option(help="Which customers: the same seed, the same customers.", min=0)] = 1,
    picture: Annotated[Path | None, typer.Option(metavar="FILE", help="Draw the last screen into an SVG file.")] = None,
) -> None:
    """Watch it work: months of customers' events in seconds, health changes and alerts as they come, then a summary."""
    from streams.demo import DemoOptions, run

    options = DemoOptions(
        log=None if log is None else existing(log),
        as_json=as_json,
        keep=keep,
        customers=customers,
        days=days,
        seed=seed,
        picture=picture,
    )
    raise typer.Exit(run(options))
