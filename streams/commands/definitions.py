"""`cspulse definitions`: the business file, checked and put into the log."""

import getpass
import json
import time
from pathlib import Path
from typing import Annotated

import typer

from streams.commands.failures import NOT_FOUND, CommandError
from streams.commands.files import read_text
from streams.commands.given import settings_of
from streams.commands.help import help_of
from streams.commands.output import note, say

app = typer.Typer(no_args_is_help=True, help="The definitions file: touchpoints, goals, scorecards and rules.")

_File = Annotated[str, typer.Argument(metavar="FILE", help="The definitions file (TOML); - is standard input.")]


def check(file: _File) -> None:
    """Say every mistake in a definitions file at once, each with its place and what would be right."""
    from processors.definitions import parse

    definitions = parse(read_text(file))
    scorecards = sum(len(cards) for cards in definitions.scorecards.values())
    say(
        f"{file} is right: {len(definitions.touchpoints)} touchpoints, {len(definitions.goals)} goals, "
        f"{scorecards} scorecards, {len(definitions.rules)} rules"
    )


def show(
    context: typer.Context,
    version: Annotated[
        int | None,
        typer.Argument(metavar="[VERSION]", help="A version of the log, 0 is the built-in one; else the newest.", min=0),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="What is read from the file, as JSON, instead of its text.")] = False,
) -> None:
    """Print the definitions in force: the newest version in the log, the built-in one if there is none; or a version asked for.

    For version 0, the built-in file, no broker is asked. Who applied the version and when is said on standard error.
    """
    text = _text_of(context, version)
    say(_as_json(text) if as_json else text.rstrip("\n"))


def _text_of(context: typer.Context, version: int | None) -> str:
    """The file of a version, None is the newest. Raises `CommandError` when it is not there."""
    from schemas.times import format_time
    from streams.catalogue import default_text
    from streams.cluster import client_config, reach
    from streams.codecs import codec_of
    from streams.definitions_log import read_versions

    if version == 0:
        return default_text()
    settings = settings_of(context)
    config = client_config(settings)
    reach(config)
    versions = {one.version: one for one in read_versions(config, codec_of(settings))}
    if version is None and not versions:
        note("no version was applied yet: the built-in one is in force")
        return default_text()
    wanted = max(versions) if version is None else version
    if wanted not in versions:
        there = ", ".join(map(str, versions)) or "none"
        raise CommandError(f"there is no version {wanted} in the log", NOT_FOUND, f"these are there: {there}")
    found = versions[wanted]
    note(f"version {found.version}, applied {format_time(found.applied_at)} by {found.author}, sha256 {found.sha256}")
    return found.text


def _as_json(text: str) -> str:
    """The values that are read from a file, with everything that it leaves out filled in."""
    import msgspec

    from processors.definitions import parse

    return json.dumps(msgspec.to_builtins(parse(text), str_keys=True), indent=2, ensure_ascii=False)


def apply_command(
    context: typer.Context,
    file: _File,
    author: Annotated[str | None, typer.Option(help="Who answers for it; else the user's name on this machine.")] = None,
) -> None:
    """Check a definitions file and put it into the log as the next version; each partition takes it up at its next tick."""
    from schemas.times import format_time
    from streams.cluster import client_config, reach
    from streams.codecs import codec_of
    from streams.definitions_log import apply

    text = read_text(file)
    settings = settings_of(context)
    config = client_config(settings)
    reach(config)
    applied = apply(config, codec_of(settings), text, author or _user(), int(time.time() * 1_000))
    version = applied.version
    if applied.written:
        say(f"version {version.version} is in the log, sha256 {version.sha256}")
    else:
        say(
            f"nothing to do: version {version.version}, applied {format_time(version.applied_at)} by {version.author}, "
            "is the same file"
        )


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"user of {Path.home()}"


app.command("check", help=help_of(check))(check)
app.command("show", help=help_of(show))(show)
app.command("apply", help=help_of(apply_command))(apply_command)
