"""`cspulse sink`: what carries results out of Kafka, one command a destination."""

from typing import Annotated

import typer

from streams.commands.delivery import delivery
from streams.commands.failures import WRONG, CommandError
from streams.commands.given import settings_of
from streams.commands.help import help_of

app = typer.Typer(no_args_is_help=True, help="Carry results out of Kafka, to where people and systems look for them.")


def redis(
    context: typer.Context,
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="Read everything anew and remove what the topics do not hold; then go on.")
    ] = False,
    until_end: Annotated[bool, typer.Option("--until-end", help="End when all that is in the topics now has arrived.")] = False,
) -> None:
    """Keep the read model in Redis (CSPULSE_REDIS_URL): how each customer, the fleet and each owner's list stand now.

    Any number of these may run; they share the partitions. While Redis is away they wait, and nothing is lost. The model stays
    readable during --rebuild, which every other one of them joins. Ends with 2 when settings, topics or Redis are wrong, 75 when
    it asks to be started again.
    """
    from sinks.redis_sink import RedisSink
    from streams import sinking
    from streams.redis_target import redis_target

    settings = settings_of(context)
    target = redis_target(settings)
    if target is None:
        raise CommandError("no Redis is configured", WRONG, "set CSPULSE_REDIS_URL, for example to redis://127.0.0.1:6379")
    start = sinking.rebuild if rebuild else sinking.run
    raise typer.Exit(start(settings, RedisSink(target), until_end=until_end))


app.command(help=help_of(redis))(redis)
app.command(help=help_of(delivery))(delivery)
