"""`cspulse broker`: the embedded broker by itself."""

import signal
import threading

import typer

from streams.commands.given import settings_of
from streams.commands.output import note, say


def broker(context: typer.Context) -> None:
    """Run the embedded broker with all topics until interrupted; the first line of output is its address.

    For trying things out, never for data that matters: everything is in memory and ends with the process, a partition keeps about
    5 MiB, committed and aborted records look the same. It listens on a free port of 127.0.0.1 that cannot be chosen: the
    simulator inside librdkafka offers none to choose.
    """
    from streams.embedded import PARTITION_BATCHES_MAX, PARTITION_BYTES_MAX, EmbeddedBroker
    from streams.topics import specs

    settings = settings_of(context)
    stop = threading.Event()
    interrupted = threading.Event()

    def end(number: int, _frame: object) -> None:
        if number == signal.SIGINT:
            interrupted.set()
        stop.set()

    with EmbeddedBroker() as running:
        topics = specs(settings.app_id, settings.partitions)
        for spec in topics:
            running.create_topic(spec.name, spec.partitions)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, end)
        say(running.bootstrap_servers)
        note(f"{len(topics)} topics of application {settings.app_id}, inputs with {settings.partitions} partitions")
        note(
            f"everything is in memory and gone at the end; a partition keeps {PARTITION_BYTES_MAX // 2**20} MiB or "
            f"{PARTITION_BATCHES_MAX} batches and then drops its oldest records silently; nothing is isolated or durable"
        )
        note(f"for other commands: export CSPULSE_BOOTSTRAP_SERVERS={running.bootstrap_servers}")
        stop.wait()
    if interrupted.is_set():
        raise KeyboardInterrupt
