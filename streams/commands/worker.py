"""`cspulse worker`: one worker, or several under a supervisor."""

import os
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from streams.commands.given import settings_of

if TYPE_CHECKING:
    from streams.settings import Settings


def worker(
    context: typer.Context,
    processes: Annotated[
        int, typer.Option(help="How many processes; what dies is started again with back-off.", min=1, max=256)
    ] = 1,
) -> None:
    """Run a worker until interrupted: events in, explained health changes and alerts out, exactly once.

    With --processes N a supervisor starts N workers with the same settings (process k offers metrics and probes at port + k - 1).
    The first SIGTERM or interrupt lets the workers finish, a second one kills them. Ends with 2 when settings or topics are
    wrong, 75 when it asks to be started again.
    """
    settings = settings_of(context)
    if processes == 1:
        from streams.worker import run

        raise typer.Exit(run(settings))
    from streams.supervisor import Supervisor

    command = [sys.executable, "-P", "-m", "streams", "worker"]
    environments = [environment_of(settings, os.environ, number) for number in range(processes)]
    raise typer.Exit(Supervisor(command, environments).run())


def environment_of(settings: "Settings", inherited: Mapping[str, str], number: int) -> dict[str, str]:
    """The environment of worker `number`, counted from 0, that gives it these settings and no others."""
    from pydantic import SecretStr

    from streams.settings import ENVIRONMENT_PREFIX

    environment = {name: value for name, value in inherited.items() if not name.startswith(ENVIRONMENT_PREFIX)}
    for name, value in settings:
        if value is None:
            continue
        text = value.get_secret_value() if isinstance(value, SecretStr) else str(value)
        environment[f"{ENVIRONMENT_PREFIX}{name.upper()}"] = text
    if settings.metrics_port:
        environment[f"{ENVIRONMENT_PREFIX}METRICS_PORT"] = str(settings.metrics_port + number)
    if settings.probe_port:
        environment[f"{ENVIRONMENT_PREFIX}PROBE_PORT"] = str(settings.probe_port + number)
    if settings.group_instance_id:
        environment[f"{ENVIRONMENT_PREFIX}GROUP_INSTANCE_ID"] = f"{settings.group_instance_id}-{number + 1}"
    return environment
