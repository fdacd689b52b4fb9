"""`cspulse tail`: the records of a topic as they come."""

from typing import TYPE_CHECKING, Annotated

import typer

from streams.commands.failures import IN_PART, NOT_FOUND, CommandError
from streams.commands.given import settings_of
from streams.commands.output import note, say
from streams.commands.there import partitions_of

if TYPE_CHECKING:
    from streams.cluster import Cluster
    from streams.settings import Settings


def tail(
    context: typer.Context,
    topic: Annotated[str, typer.Argument(metavar="TOPIC", help='A topic; the "cs." in front may be left out.')],
    as_json: Annotated[bool, typer.Option("--json", help="JSON lines, as `publish` and `replay` take them.")] = False,
    from_beginning: Annotated[bool, typer.Option("--from-beginning", help="All that is there, not only what is new.")] = False,
    until_end: Annotated[bool, typer.Option("--until-end", help="End when all that is there was shown.")] = False,
    customer: Annotated[str | None, typer.Option(metavar="ID", help="Only the records of one customer.")] = None,
) -> None:
    """Show committed records, decoded: those of one partition in their order.

    The changelogs of the application can be shown too. Ends with 4 when --until-end was reached and records could not be read.
    """
    from schemas.outcome import Malformed
    from streams.cluster import client_config, reach
    from streams.codecs import codec_of
    from streams.commands.records import RecordView
    from streams.signals import Signals
    from streams.tailing import follow

    settings = settings_of(context)
    name = _name_of(topic, settings)
    cluster = reach(client_config(settings))
    view = RecordView(name, settings.app_id, codec_of(settings))
    key = None if customer is None else customer.encode()
    partitions = _partitions(cluster, name, settings, key)
    bad = 0
    with Signals() as signals:
        messages = follow(
            cluster.config, name, partitions, from_beginning=from_beginning, until_end=until_end, check=signals.check
        )
        for message in messages:
            if key is not None and message.key() != key:
                continue
            shown = view.json(message) if as_json else view.text(message)
            if isinstance(shown, Malformed):
                bad += 1
                note(f"{name}[{message.partition()}]@{message.offset()}: {shown.reason}: {shown.message}")
            else:
                say(shown)
    if bad:
        raise typer.Exit(IN_PART)


def _name_of(topic: str, settings: "Settings") -> str:
    from processors.toml_tables import did_you_mean
    from streams.topics import specs

    known = [spec.name for spec in specs(settings.app_id, settings.partitions)]
    for name in (topic, f"cs.{topic}"):
        if name in known:
            return name
    raise CommandError(f"there is no topic {topic!r} in application {settings.app_id}", NOT_FOUND, did_you_mean(topic, known))


def _partitions(cluster: "Cluster", topic: str, settings: "Settings", key: bytes | None) -> list[int]:
    from streams.topics import partition_of, specs

    count = partitions_of(cluster, topic)
    by_customer = any(spec.name == topic and spec.key == "customer_id" for spec in specs(settings.app_id, settings.partitions))
    if key is None or not by_customer:
        return list(range(count))
    return [partition_of(key, count)]
