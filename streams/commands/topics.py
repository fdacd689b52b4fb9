"""`cspulse topics`: what topics there should be, what there is, and making what is missing."""

from typing import TYPE_CHECKING, Annotated

import typer

from streams.commands.failures import FAILED, IN_PART, NOT_FOUND
from streams.commands.given import settings_of
from streams.commands.help import help_of
from streams.commands.output import Tone, note, say, table
from streams.roles import Role

if TYPE_CHECKING:
    from streams.topic_admin import Outcome, TopicState

app = typer.Typer(no_args_is_help=True, help="Topics of the cluster: make what is missing, show what is there.")

_COLUMNS = ("topic", "partitions", "replicas", "state", "what differs")


def apply_command(
    context: typer.Context,
    replication_factor: Annotated[
        int, typer.Option(help="Copies of each new topic; -1: the broker's default.", min=-1, max=32767)
    ] = -1,
) -> None:
    """Create every topic that is missing, and say what differs. Nothing is ever altered, shrunk or deleted.

    Ends with 0 when all is as it should be, 1 when a topic could not be created, 4 when topics differ (it says in what;
    partitions never change under an application id, settings are altered with the tools of your cluster).
    """
    from streams.cluster import client_config, reach
    from streams.topic_admin import apply
    from streams.topics import specs

    settings = settings_of(context)
    outcomes = apply(reach(client_config(settings)), specs(settings.app_id, settings.partitions), replication_factor)
    table(_COLUMNS, [_outcome_row(outcome) for outcome in outcomes])
    created = sum(outcome.action == "created" for outcome in outcomes)
    failed = sum(outcome.action == "failed" for outcome in outcomes)
    differing = sum(bool(outcome.state.differences) for outcome in outcomes)
    note(f"{created} created, {failed} failed, {differing} differ, of {len(outcomes)} topics")
    if failed:
        raise typer.Exit(FAILED)
    if differing:
        raise typer.Exit(IN_PART)


def show(context: typer.Context) -> None:
    """Show every topic as it is beside what it should be.

    Ends with 0 when all is as it should be, 3 when topics are missing, 4 when some differ.
    """
    from streams.cluster import client_config, reach
    from streams.topic_admin import survey
    from streams.topics import specs

    settings = settings_of(context)
    states = survey(reach(client_config(settings)), specs(settings.app_id, settings.partitions))
    table(_COLUMNS, [_row(state, *_condition(state)) for state in states])
    missing = sum(not state.exists for state in states)
    differing = sum(bool(state.differences) for state in states)
    if missing:
        note(f"{missing} of {len(states)} topics are missing: `cspulse topics apply` creates them")
        raise typer.Exit(NOT_FOUND)
    if differing:
        raise typer.Exit(IN_PART)


def asyncapi_command() -> None:
    """Print the topics with their settings and schemas as an AsyncAPI 3 document (JSON); needs no cluster."""
    from streams.asyncapi import as_json, asyncapi

    say(as_json(asyncapi()).rstrip())


def rights_command(
    context: typer.Context,
    role: Annotated[Role, typer.Argument(help="Whose rights: `producer` is a product system, `publish` a command.")],
    principal: Annotated[
        str | None, typer.Option(metavar="TYPE:NAME", help="Print arguments of kafka-acls that give them to a principal.")
    ] = None,
) -> None:
    """Print the least rights (ACLs) that a program needs at brokers with an authorizer; needs no cluster."""
    from streams.rights import rights

    found = rights(role, settings_of(context).app_id)
    if principal is None:
        rows = [(right.resource, f"{right.name}{'*' if right.prefixed else ''}", right.operation) for right in found]
        table(("resource", "name", "operation"), [("plain", row) for row in rows])
        return
    for right in found:
        pattern = " --resource-pattern-type prefixed" if right.prefixed else ""
        say(f"--add --allow-principal {principal} --operation {right.operation} --{right.resource} {right.name}{pattern}")


def _outcome_row(outcome: "Outcome") -> tuple[Tone, list[str]]:
    if outcome.action == "failed":
        return _row(outcome.state, "bad", "failed", outcome.message)
    if outcome.action == "created":
        return _row(outcome.state, "good", "created", _differences(outcome.state))
    return _row(outcome.state, *_condition(outcome.state))


def _condition(state: "TopicState") -> tuple[Tone, str, str]:
    if not state.exists:
        return "bad", "missing", state.spec.purpose
    if state.differences:
        return "doubtful", "differs", _differences(state)
    return "plain", "right" if state.unread is None else "there", state.unread or ""


def _row(state: "TopicState", tone: Tone, condition: str, detail: str) -> tuple[Tone, list[str]]:
    partitions = str(state.partitions or state.spec.partitions)
    return tone, [state.spec.name, partitions, str(state.replicas or "-"), condition, detail]


def _differences(state: "TopicState") -> str:
    return "; ".join(str(difference) for difference in state.differences)


app.command("apply", help=help_of(apply_command))(apply_command)
app.command("show", help=help_of(show))(show)
app.command("rights", help=help_of(rights_command))(rights_command)
app.command("asyncapi", help=help_of(asyncapi_command))(asyncapi_command)
