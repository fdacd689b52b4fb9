"""The difference of two replays, for people: tables on standard output."""

from collections.abc import Sequence
from typing import Final

from schemas.times import format_time
from streams.commands.output import Tone, note, say, table
from streams.commands.readable import number
from streams.whatif.difference import BandsCompared, RuleDifference
from streams.whatif.quality import GREEN_FROM_DAYS, Judged, Quality, Surprise
from streams.whatif.run import WhatIf

MAX_ROWS: Final = 40
"""Rows of a list that are shown; the others are counted. `--json` holds them all."""


def show(found: WhatIf) -> None:
    """Print everything that is different, and how the alerts of both did."""
    say(f"{found.events} events from {format_time(found.start_ms)} to {format_time(found.end_ms)}")
    _show_bands(found.bands)
    _show_alerts(found.alerts)
    if found.old is None or found.new is None:
        note(f"nobody left later than {found.horizon_days} days after the beginning: the alerts cannot be judged")
        return
    _show_quality("old", found.old, found)
    _show_quality("new", found.new, found)


def _show_bands(bands: BandsCompared) -> None:
    say("")
    say(
        f"Bands: {bands.changed_at_end} of {bands.customers} customers end in another one; "
        f"{bands.customer_days_differing} of {bands.customer_days} customer-days differ"
    )
    if not bands.differing:
        return
    rows: list[tuple[Tone, Sequence[str]]] = [
        (
            "plain" if one.old_band == one.new_band else "doubtful",
            (one.customer_id, one.old_band or "-", one.new_band or "-", str(one.days_differing)),
        )
        for one in bands.differing[:MAX_ROWS]
    ]
    table(("customer", "old band", "new band", "days differing"), rows)
    _say_rest(len(bands.differing))


def _show_alerts(rules: Sequence[RuleDifference]) -> None:
    say("")
    say("Alerts that would have opened")
    rows: list[tuple[Tone, Sequence[str]]] = [
        (
            "doubtful" if one.only_old or one.only_new else "plain",
            (one.rule, str(one.both), str(one.earlier), str(one.later), str(len(one.only_old)), str(len(one.only_new))),
        )
        for one in rules
    ]
    table(("rule", "both", "new earlier", "new later", "only old", "only new"), rows)
    episodes = [("only old", one) for rule in rules for one in rule.only_old]
    episodes += [("only new", one) for rule in rules for one in rule.only_new]
    if episodes:
        say("")
        episodes.sort(key=lambda found: (-found[1].opened_ms, found[1].customer_id))
        table(
            ("opened (the newest first)", "customer", "rule", "severity", "by"),
            [
                ("plain", (format_time(one.opened_ms), one.customer_id, one.rule, one.severity, side))
                for side, one in episodes[:MAX_ROWS]
            ],
        )
        _say_rest(len(episodes))


def _show_quality(side: str, judged: Judged, found: WhatIf) -> None:
    say("")
    say(
        f"Alerts of the {side} definitions against {found.departures} departure{'' if found.departures == 1 else 's'} "
        f"(horizon {found.horizon_days} days, at least {found.ahead_days} days ahead)"
    )
    table(
        ("rule", "alerts", "reopened", "precision", "by chance", "lift", "recall", "by chance", "lead", "a customer and month"),
        [(_tone(one), _row(one)) for one in judged.rules],
    )
    say("")
    say(f"Green, then churned: {len(judged.green_then_churned)}")
    if judged.green_then_churned:
        table(
            ("left", "customer", "how", f"worst band {found.ahead_days}-{GREEN_FROM_DAYS} days before", "alerts then"),
            [("plain", _surprise(one)) for one in judged.green_then_churned[:MAX_ROWS]],
        )
        _say_rest(len(judged.green_then_churned))


def _row(one: Quality) -> Sequence[str]:
    lead = "-" if one.median_lead_days is None else f"{number(one.median_lead_days)} days"
    return (
        one.rule,
        str(one.episodes),
        str(one.reopened),
        share(one.precision_share),
        share(one.chance_share),
        number(one.lift, 2),
        share(one.recall_share),
        share(one.recall_by_chance_share),
        lead,
        number(one.alerts_a_customer_month, 3),
    )


def share(value: float | None) -> str:
    """A share as a percentage, - when it is not known."""
    return "-" if value is None else f"{100 * value:.1f} %"


def _tone(one: Quality) -> Tone:
    if one.lift is None:
        return "plain"
    return "good" if one.lift >= 2 else "doubtful" if one.lift > 1 else "bad"


def _surprise(one: Surprise) -> Sequence[str]:
    return (format_time(one.left_ms), one.customer_id, one.ending, one.worst_band or "-", ", ".join(one.alerts) or "-")


def _say_rest(count: int) -> None:
    if count > MAX_ROWS:
        say(f"... and {count - MAX_ROWS} more")
