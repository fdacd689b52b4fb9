"""`cspulse sink delivery`: alerts to the people and systems that the definitions name."""

import os
from typing import Annotated

import typer

from streams.commands.given import settings_of
from streams.commands.output import note, say


def delivery(
    context: typer.Context,
    destination: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Only to this destination; may be given several times.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be sent now, and where; call nobody.")] = False,
    metrics_port: Annotated[int | None, typer.Option(metavar="PORT", help="Port of the metrics; 0: none.")] = None,
) -> None:
    """Tell the destinations of the definitions of alerts, each in its order, until interrupted.

    With --dry-run (and --definitions FILE before the command, to try a file) what is waiting is shown, one message a line. Ends
    with 2 when the definitions name variables that are missing or wrong, 75 when it asks to be started again.
    """
    settings = settings_of(context, metrics_port=metrics_port)
    only = destination or []
    if dry_run:
        from streams.delivery_dry_run import dry_run as show_all

        count = show_all(settings, os.environ, only, lambda name, message: say(f"{name}\t{message.body.decode()}"))
        note(f"{count} messages would be sent now")
        return
    from streams.delivery import run

    raise typer.Exit(run(settings, os.environ, only))
