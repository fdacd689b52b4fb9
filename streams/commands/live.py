"""`cspulse live`: simulated customers as a source of events."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from streams.commands.given import settings_of
from streams.commands.output import note


def live(
    context: typer.Context,
    customers: Annotated[int, typer.Option(help="How many customers.", min=1, max=1_000_000)] = 300,
    seed: Annotated[int, typer.Option(help="Which customers they are.", min=0)] = 1,
    days: Annotated[int, typer.Option(help="Over how many days they have been there.", min=1, max=390)] = 180,
    follow: Annotated[bool, typer.Option("--follow", help="Go on as time does, until interrupted.")] = False,
) -> None:
    """Let simulated customers publish into the topics: what they did up to now, and with --follow what they do next.

    What was published before is found in the log and gone on with, whatever the options say. Publish the past before the workers
    start, as with any history.
    """
    from streams.cluster import client_config, reach
    from streams.codecs import codec_of
    from streams.live import Clock, Played, find_played, new_course, play
    from streams.publish import PublishError, missing_topics
    from streams.topics import INPUT_TOPICS

    settings = settings_of(context)
    connection = client_config(settings)
    cluster = reach(connection)
    missing = [topic for topic in INPUT_TOPICS if not cluster.partitions(topic)]
    if missing:
        raise PublishError(missing_topics(missing))
    with _until_told() as stopped:  # before a word is said: whoever has read it may tell it to stop
        clock = Clock()
        played = find_played(connection, cluster.partitions("cs.usage"))
        if played is not None and played.course.end_ms > clock.now_ms():
            note(f"going on with the {played.course.customers} customers of seed {played.course.seed} that are in the log")
        else:
            played = Played(course=new_course(customers, seed, days, days, clock.now_ms()))
        codec = codec_of(settings)
        sent = play(played, connection=connection, codec=codec, follow=follow, clock=clock, stopped=stopped)
    note(f"{sent} events of {played.course.customers} customers published")


@contextmanager
def _until_told() -> Iterator[Callable[[], bool]]:
    """Whether an interrupt or SIGTERM has come: then what was sent is still waited for."""
    stop = threading.Event()
    wanted = (signal.SIGTERM, signal.SIGINT)
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in wanted}
    try:
        yield stop.is_set
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
