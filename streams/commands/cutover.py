"""`cspulse cutover`: let another application id publish from a time on."""

import time
from typing import TYPE_CHECKING, Annotated, Final

import typer

from streams.commands.failures import FAILED, IN_PART, CommandError
from streams.commands.given import settings_of
from streams.commands.output import note

if TYPE_CHECKING:
    from streams.cluster import Cluster
    from streams.cutover import Marker
    from streams.signals import Signals

_LOOK_EVERY_S: Final = 0.5
_S_IN_MS: Final = 1_000


def cutover(
    context: typer.Context,
    to: Annotated[str, typer.Argument(metavar="APP_ID", help="The application id that speaks from then on.")],
    in_s: Annotated[
        float, typer.Option("--in", metavar="SECONDS", help="How long until then: longer than a worker lags.", min=3, max=540)
    ] = 30.0,
    wait_s: Annotated[
        float,
        typer.Option(metavar="SECONDS", help="How long APP_ID is waited for: while it is behind, and when it reads late.", min=0),
    ] = 60.0,
) -> None:
    """Give the word to another application id: from a time on it publishes, and every other one is silent.

    For a rebuild: start workers with a new id and CSPULSE_SHADOW=true, and cut over when they have caught up. Keep the old
    workers until it is done; to go back, cut over to the old id while its workers run. Nothing is told twice or left out.
    """
    from schemas.times import format_time
    from streams.cluster import client_config, reach
    from streams.codecs import codec_of
    from streams.cutover import CannotCutOver, write_marker
    from streams.signals import Signals

    settings = settings_of(context)
    cluster = reach(client_config(settings))
    if cluster.embedded:
        raise CommandError("the embedded broker keeps no offsets of groups: a cutover needs Apache Kafka")
    with Signals() as signals:
        try:
            _make_ready(cluster, to, in_s, wait_s, signals)
        except CannotCutOver as error:
            raise CommandError(str(error), FAILED) from error
        marker = write_marker(cluster, codec_of(settings), to, int(time.time() * _S_IN_MS), in_s)
        note(f"{to} publishes from {format_time(marker.from_ms)} on, and every other application is silent")
        _see_it_heeded(cluster, marker, wait_s, signals)
    partitions = len(marker.offsets)
    note(f"{to} has read it in all {partitions} partitions; the old workers may stop after that time, or stay to go back to")


def _see_it_heeded(cluster: "Cluster", marker: "Marker", wait_s: float, signals: "Signals") -> None:
    """Wait until the application has read the marker everywhere, at most `wait_s` after its time. Raises typer.Exit(4) then."""
    from streams.cutover import heeded

    late = False
    while not heeded(cluster, marker):
        signals.check()
        late_s = time.time() - marker.from_ms / _S_IN_MS
        if late_s > 0 and not late:
            late = True
            note(f"{marker.app_id} has not read the marker in every partition yet: nothing is published of those until it does")
        if late_s > wait_s:
            raise typer.Exit(IN_PART)
        time.sleep(_LOOK_EVERY_S)


def _make_ready(cluster: "Cluster", to: str, in_s: float, wait_s: float, signals: "Signals") -> None:
    """Wait for the application, and for whoever speaks now, so that the one goes on where the other ends."""
    from streams.cutover import CannotCutOver, behind_now, has_members, others_of, wait_until_caught_up

    if not has_members(cluster, to):
        raise CannotCutOver(f"no worker of {to} runs: after the cutover nobody would publish anything")
    wait_until_caught_up(cluster, to, in_s, wait_s, signals.check)
    for other, members in others_of(cluster, to).items():
        if members:
            wait_until_caught_up(cluster, other, in_s, wait_s, signals.check)
            continue
        behind = behind_now(cluster, other)
        if behind:
            note(f"{other} does not run and is {behind} records behind: if it is its turn, they are told when it runs again")
