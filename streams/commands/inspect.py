"""`cspulse inspect`: what is known of a customer, and why the score is what it is."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from streams.commands.failures import NOT_FOUND, CommandError
from streams.commands.given import settings_of
from streams.commands.output import Tone, say, table
from streams.commands.there import SNAPSHOTS, newest_of

if TYPE_CHECKING:
    from schemas.records import CustomerSnapshot, Figure, HealthNow

_TONES: dict[str | None, Tone] = {"red": "bad", "yellow": "doubtful", "green": "good"}


def inspect(
    context: typer.Context,
    customer: Annotated[str, typer.Argument(metavar="CUSTOMER", help="The customer's id.")],
    as_json: Annotated[bool, typer.Option("--json", help="The newest snapshot as a JSON line.")] = False,
) -> None:
    """Show what is known of a customer now: its newest snapshot, and why the score is what it is.

    Ends with 3 when nothing is known of the customer.
    """
    from schemas.records import CustomerSnapshot
    from streams.cluster import client_config, reach
    from streams.codecs import codec_of
    from streams.commands.records import RecordView

    settings = settings_of(context)
    cluster = reach(client_config(settings))
    found = newest_of(cluster, customer)
    value = None if found is None else found.value()
    if found is None or value is None:
        raise CommandError(*_unknown(customer, erased=found is not None))
    codec = codec_of(settings)
    snapshot = codec.decode(SNAPSHOTS, value)
    if not isinstance(snapshot, CustomerSnapshot):
        raise CommandError(f"the snapshot of {customer!r} cannot be read: {snapshot}")
    if as_json:
        say(str(RecordView(SNAPSHOTS, settings.app_id, codec).json(found)))
    else:
        _show(snapshot)


def _unknown(customer: str, *, erased: bool) -> tuple[str, int, str]:
    if erased:
        return f"customer {customer!r} was erased", NOT_FOUND, ""
    hint = (
        "A snapshot appears with the first published change, at the latest some time after the first event; "
        f"`cspulse tail cs.tickets --from-beginning --until-end --customer {customer}` shows whether events are there, "
        "`cspulse doctor` whether a worker runs."
    )
    return f"nothing is known of customer {customer!r}", NOT_FOUND, hint


def _show(snapshot: "CustomerSnapshot") -> None:
    for line in _account(snapshot):
        say(line)
    say("newer events show at the latest one snapshot interval (15 minutes by default) after they were counted")
    for health in snapshot.health:
        say("")
        _show_health(health)
    say("")
    _show_alerts(snapshot)
    say("")
    table(("figure", "of", "window", "value", "95 % interval", "n"), [("plain", _figure_row(one)) for one in snapshot.figures])


def _account(snapshot: "CustomerSnapshot") -> Iterator[str]:
    from schemas.times import format_time

    yield f"{snapshot.customer_id}, as of {format_time(snapshot.as_of)}"
    since = "" if snapshot.stage_since is None else f" since {format_time(snapshot.stage_since)}"
    yield f"stage: {snapshot.stage}{since}"
    money = None if snapshot.mrr_cents is None else f"{snapshot.mrr_cents / 100:.2f} {snapshot.currency or ''} a month".strip()
    renewal = None if snapshot.renewal_at is None else f"renews {format_time(snapshot.renewal_at)}"
    seats = None if snapshot.seats is None else f"{snapshot.seats} seats"
    owner = None if snapshot.owner is None else f"owner {snapshot.owner}"
    parts = (snapshot.plan, snapshot.segment, seats, money, renewal, owner)
    yield "account: " + (", ".join(part for part in parts if part) or "nothing known")
    last_seen = "never" if snapshot.last_seen_at is None else format_time(snapshot.last_seen_at)
    yield f"last sign of life: {last_seen}; {snapshot.events_accepted} events; definitions version {snapshot.config_version}"
    if snapshot.flags:
        yield "flags: " + ", ".join(snapshot.flags)


def _show_health(health: "HealthNow") -> None:
    """The score as a sum: the contributions add up to it."""
    from streams.commands.readable import number

    band = health.band or "no band"
    coverage = f"{health.measures_present} of {health.measures_total} measures"
    say(f"{health.purpose} by scorecard {health.scorecard}: {number(health.displayed)} of 100, {band} ({coverage})")
    rows: list[tuple[Tone, list[str]]] = [
        (
            "plain",
            [
                measure.measure,
                measure.figure,
                number(measure.new_figure, 2),
                number(measure.new_value),
                number(measure.new_weight),
                number(measure.new_contribution, 2),
            ],
        )
        for measure in sorted(health.measures, key=lambda one: -one.new_contribution)
    ]
    weights = sum(measure.new_weight for measure in health.measures)
    rows.append((_TONES.get(health.band, "plain"), ["together", "", "", "", number(weights), number(health.score, 2)]))
    table(("measure", "figure", "is", "worth (0-100)", "weight", "contribution"), rows)


def _show_alerts(snapshot: "CustomerSnapshot") -> None:
    from schemas.times import format_time

    if not snapshot.open_alerts:
        say("no open alerts")
    for alert in snapshot.open_alerts:
        taken = f", acknowledged by {alert.acknowledged_by}" if alert.acknowledged_by else ""
        say(f"alert {alert.rule} ({alert.severity}) since {format_time(alert.opened_at)}{taken}: {alert.explanation}")
        say(f"  -> {alert.action}")


def _figure_row(figure: "Figure") -> list[str]:
    from streams.commands.readable import number

    window = "" if figure.window_days is None else f"{figure.window_days} days"
    value = (figure.reason or "-") if figure.value is None else number(figure.value, 2)
    interval = "" if figure.low is None or figure.high is None else f"{number(figure.low)} to {number(figure.high)}"
    return [figure.name, figure.dimension, window, value, interval, "" if figure.n is None else str(figure.n)]
