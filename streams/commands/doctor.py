"""`cspulse doctor`: what is right, what is not, what to do."""

import json
import os
from typing import TYPE_CHECKING, Annotated

import typer

from streams.commands.failures import FAILED
from streams.commands.given import Given, settings_of
from streams.commands.output import Tone, note, say, table

if TYPE_CHECKING:
    from streams.doctor import Check

_TONES: dict[str, Tone] = {"ok": "good", "warning": "doubtful", "wrong": "bad", "skipped": "plain"}


def doctor(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="The findings as one JSON document.")] = False,
) -> None:
    """Look at settings, security, broker, topics, partitions, clock, ticks, definitions, destinations and the consumer group.

    Each is ok, a warning or wrong, with what to do. Ends with 0 when nothing is wrong, 1 when something is.
    """
    checks = _examine(context)
    if as_json:
        found = [{"check": one.name, "state": one.state, "found": one.found, "advice": one.advice} for one in checks]
        say(json.dumps({"checks": found}, ensure_ascii=False, indent=2))
    else:
        table(("check", "state", "found", "what to do"), [(_TONES[one.state], _row(one)) for one in checks])
    wrong = sum(one.state == "wrong" for one in checks)
    warnings = sum(one.state == "warning" for one in checks)
    note(f"{wrong} wrong, {warnings} warnings")
    if wrong:
        raise typer.Exit(FAILED)


def _examine(context: typer.Context) -> "list[Check]":
    from streams.doctor import Check, examine
    from streams.settings import SettingsError

    given = context.find_object(Given) or Given()
    try:
        settings = settings_of(context)
    except SettingsError as error:
        advice = "nothing else can be looked at before"
        return [Check("settings", "wrong", str(mistake), advice) for mistake in error.mistakes]
    return list(examine(settings, given.config, os.environ))


def _row(check: "Check") -> list[str]:
    return [check.name, check.state, check.found, check.advice]
