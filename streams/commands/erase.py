"""`cspulse erase`: a customer's data out of the state, the snapshots and the read model."""

import time
import uuid
from typing import TYPE_CHECKING, Annotated

import typer

from streams.commands.failures import FAILED, IN_PART, WRONG, CommandError
from streams.commands.given import settings_of
from streams.commands.output import at_terminal, note, table
from streams.commands.there import newest_of

if TYPE_CHECKING:
    from schemas.codec import Codec
    from streams.cluster import Cluster

_ACCOUNTS = "cs.accounts"
_LOOK_EVERY_S = 0.5
_S_IN_MS = 1_000


def erase(
    context: typer.Context,
    customer: Annotated[str, typer.Argument(metavar="CUSTOMER", help="The customer's id.")],
    author: Annotated[str | None, typer.Option(help="Who answers for it; it is kept with the event.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    wait_s: Annotated[float, typer.Option(help="How long a worker is waited for; 0: not at all.", min=0)] = 30.0,
) -> None:
    """Erase a customer: state, snapshot, open alerts and read model go, the anonymous sums of the past stay.

    It is an event like any other (`erased` on cs.accounts), so it holds in every rebuild too. What occurs after it makes a new
    customer of the same name. Says what is still in the log, and until when. Ends with 4 when no worker has taken it yet.
    """
    from streams.cluster import client_config, reach
    from streams.codecs import codec_of

    settings = settings_of(context)
    cluster = reach(client_config(settings))
    codec = codec_of(settings)
    if _erased_until(cluster, customer) is None:
        note(f"no worker has said anything of a customer {customer!r} so far")
    _ask(customer, yes=yes)
    at_ms = int(time.time() * _S_IN_MS)
    _send(cluster, codec, customer, author, at_ms)
    done = _wait(cluster, customer, at_ms, wait_s)
    _tell_remains(settings.app_id, settings.partitions, at_ms)
    if not done:
        note("no worker has taken the erasure yet: it is in the log, and holds as soon as one does")
        raise typer.Exit(IN_PART)
    note(f"customer {customer!r} is erased; `cspulse sink redis` takes it out of the read model when it reads so")


def _ask(customer: str, *, yes: bool) -> None:
    """Raises `CommandError` when nobody has agreed."""
    if yes:
        return
    if not at_terminal():
        raise CommandError("an erasure cannot be taken back", WRONG, "say --yes if it is meant")
    if typer.prompt("this cannot be taken back; type the customer's id to go on") != customer:
        raise CommandError("that is not the id: nothing was done")


def _send(cluster: "Cluster", codec: "Codec", customer: str, author: str | None, at_ms: int) -> None:
    """Put the event into the log. Raises `PublishError`, and `CommandError` when the brokers did not take it."""
    from schemas.events import AccountEvent
    from schemas.jsonlines import Line
    from streams.publish import publish

    event = AccountEvent(
        event_id=f"erase-{uuid.uuid4().hex}", customer_id=customer, occurred_at=at_ms, kind="erased", author=author
    )
    line = Line(topic=_ACCOUNTS, value=event, timestamp_ms=at_ms, key=customer.encode())
    report = publish([line], connection=cluster.config, codec=codec, now_ms=at_ms)
    if not report.is_complete:
        raise CommandError(next(iter(report.examples.values())), FAILED)


def _wait(cluster: "Cluster", customer: str, at_ms: int, wait_s: float) -> bool:
    """Whether a worker takes the erasure within a time."""
    from streams.signals import Signals

    deadline_s = time.monotonic() + wait_s
    with Signals() as signals:
        while (_erased_until(cluster, customer) or 0) < at_ms:
            signals.check()
            if time.monotonic() >= deadline_s:
                return False
            time.sleep(_LOOK_EVERY_S)
    return True


def _erased_until(cluster: "Cluster", customer: str) -> int | None:
    """The time of the newest record about a customer if that is a tombstone, 0 if it is a snapshot, None if there is none.

    Raises `CommandError` when the topic is missing.
    """
    found = newest_of(cluster, customer)
    if found is None:
        return None
    return int(found.timestamp()[1]) if found.value() is None else 0


def _tell_remains(app_id: str, partitions: int, at_ms: int) -> None:
    from schemas.times import format_time
    from streams.remains import remainders

    note("what the log still holds of the customer, and by when it is gone:")
    rows = remainders(app_id, partitions, at_ms)
    table(("topic", "gone by", "what"), [("plain", (row.topic, format_time(row.gone_by_ms)[:10], row.what)) for row in rows])
    note("whoever was sent alerts (webhooks, chat) keeps what was sent")
