"""The command `cspulse`."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from streams.commands import (
    broker,
    cutover,
    definitions,
    demo,
    dlq,
    doctor,
    erase,
    inspect,
    live,
    maturity,
    publish,
    replay,
    simulate,
    sink,
    tail,
    topics,
    validate,
    worker,
)
from streams.commands.given import Given
from streams.commands.group import CommandGroup
from streams.commands.help import help_of

app = typer.Typer(
    name="cspulse",
    cls=CommandGroup,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
    epilog="Exit codes: 0 done, 1 failed, 2 usage, settings or definitions are wrong, 3 not found, 4 done in part, "
    "75 start me again, 130 interrupted.",
)


def _register(*commands: Callable[..., None]) -> None:
    for command in commands:
        app.command(help=help_of(command))(command)


_register(demo.demo, worker.worker)
app.add_typer(sink.app, name="sink")
app.add_typer(topics.app, name="topics")
_register(broker.broker, publish.publish, validate.validate)
app.add_typer(definitions.app, name="definitions")
app.add_typer(dlq.app, name="dlq")
_register(cutover.cutover, erase.erase, doctor.doctor, simulate.simulate, live.live, replay.replay)
_register(tail.tail, inspect.inspect, maturity.maturity)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"cspulse {version('cspulse')}")
        raise typer.Exit


def cspulse(
    context: typer.Context,
    config: Annotated[Path | None, typer.Option(metavar="FILE", help="A TOML file with settings.")] = None,
    bootstrap_servers: Annotated[
        str | None, typer.Option(metavar="HOST:PORT,...", help="Brokers to ask first (127.0.0.1:9092 unless set).")
    ] = None,
    app_id: Annotated[str | None, typer.Option(metavar="NAME", help="Name of the consumer group (cspulse unless set).")] = None,
    partitions: Annotated[int | None, typer.Option(metavar="N", help="Partitions of the input topics (4 unless set).")] = None,
    definitions: Annotated[Path | None, typer.Option(metavar="FILE", help="The business file.")] = None,
    schema_registry_url: Annotated[str | None, typer.Option(metavar="URL", help="A Confluent schema registry.")] = None,
    value_encoding: Annotated[str | None, typer.Option(metavar="NAME", help="avro, confluent or json.")] = None,
    security_protocol: Annotated[
        str | None, typer.Option(metavar="NAME", help="PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL.")
    ] = None,
    log_level: Annotated[str | None, typer.Option(metavar="NAME", help="debug, info, warning or error.")] = None,
    log_format: Annotated[str | None, typer.Option(metavar="NAME", help="text or json.")] = None,
    version: Annotated[  # noqa: ARG001 - its callback does the work
        bool, typer.Option("--version", help="Show the version and end.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Live, explained customer health and churn alerts from tickets, usage and survey answers.

    These options may stand before or behind the command. Every setting can also be given by environment
    (CSPULSE_BOOTSTRAP_SERVERS, ...) or in a TOML file; passwords only there.
    """
    context.obj = Given(
        config=config,
        options={
            "bootstrap_servers": bootstrap_servers,
            "app_id": app_id,
            "partitions": partitions,
            "definitions": definitions,
            "schema_registry_url": schema_registry_url,
            "value_encoding": value_encoding,
            "security_protocol": security_protocol,
            "log_level": log_level,
            "log_format": log_format,
        },
    )


app.callback(help=help_of(cspulse))(cspulse)


def main() -> None:
    """Run the command line and end the process with its exit code."""
    app(prog_name="cspulse")
