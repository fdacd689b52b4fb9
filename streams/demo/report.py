"""The report at the end of a showing: every number with where it comes from."""

from typing import Final

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from streams.demo import words
from streams.demo.foresight import WINDOW_DAYS, Foresight
from streams.demo.proofs import Proof
from streams.demo.ranking import AtRisk, Standing
from streams.demo.summary import Summary

BAND_STYLES: Final[dict[str, str]] = {"red": "red", "yellow": "yellow", "green": "green"}
SEVERITY_STYLES: Final[dict[str, str]] = {"info": "cyan", "warning": "yellow", "high": "red", "critical": "bold red"}


def report(summary: Summary) -> RenderableType:
    """Everything that is told at the end, but for the customers most at risk."""
    return Group(
        _what(summary),
        _flow(summary),
        _outcome(summary),
        _rules(summary),
        _foresight(summary.foresight),
        _headed("Proofs, from the outputs alone", *(_proof(proof) for proof in summary.proofs)),
    )


def at_risk_lines(found: list[AtRisk]) -> RenderableType:
    """The customers most at risk, a line each, where no dashboard shows them."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    for one in found:
        score = f"{one.score:.1f} {one.band}"
        costs = ", ".join(words.cost(cost) for cost in one.costs)
        table.add_row(one.customer_id, score, f"MRR {words.money(one.mrr_cents, one.currency)}", costs)
    return _headed("Most at risk now, and what costs each of them most, in points", table)


def _headed(title: str, *lines: RenderableType) -> RenderableType:
    return Group(Text(""), Text(title, style="bold cyan"), *lines)


def _what(summary: Summary) -> RenderableType:
    lines = [Text(note) for note in summary.notes]
    lines.append(
        Text(
            f"{words.day(summary.from_ms)} to {words.day(summary.until_ms)} in {summary.processing_s:.1f} s, "
            f"{summary.events_per_s:,.0f} events/s; {summary.took_s:.1f} s with set-up and end"
        )
    )
    if summary.cut_short is not None:
        lines.append(Text(f"ended early: {summary.cut_short}", style="yellow"))
    lines.append(
        Text(
            f"the embedded broker's fullest partition: {summary.fullest_place}, about {summary.fullest_share:.0%} of its bound",
            style="dim",
        )
    )
    return _headed("What was played", *lines)


def _table(*columns: str) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1), header_style="dim", show_edge=False)
    table.add_column(columns[0], no_wrap=True)
    for column in columns[1:]:
        table.add_column(column, justify="right", no_wrap=True)
    return table


def _flow(summary: Summary) -> RenderableType:
    flow = summary.flow
    table = _table("topic", "published", "= accepted", "+ duplicates", "+ dead letters", "by reason")
    for topic, one in flow.topics.items():
        reasons = ", ".join(f"{reason} {count}" for reason, count in one.dead_letters.items())
        letters = sum(one.dead_letters.values())
        table.add_row(topic, f"{one.published:,}", f"{one.accepted:,}", f"{one.duplicates:,}", f"{letters:,}", reasons)
    table.add_section()
    table.add_row(
        "all events", f"{flow.published:,}", f"{flow.accepted:,}", f"{flow.duplicates_counted:,}", f"{flow.dead_letters:,}",
        "balances" if not flow.unaccounted else f"{flow.unaccounted:,} unaccounted for",
        style="bold" if not flow.unaccounted else "bold red",
    )  # fmt: skip
    table.add_row("cs.ticks", f"{summary.ticks:,}", f"{summary.ticks_consumed:,}", "", "", "")
    return _headed("Every event is accounted for", table)


def _outcome(summary: Summary) -> RenderableType:
    outputs = Text("  ".join(f"{topic} {count:,}" for topic, count in summary.outputs.items()))
    return _headed("What came of them", outputs, standing_line(summary.standing))


def standing_line(standing: Standing) -> Text:
    """Where the customers stand, in one line."""
    line = Text("customers: ")
    for count, band in ((standing.red, "red"), (standing.yellow, "yellow"), (standing.green, "green")):
        line.append("● ", BAND_STYLES[band]).append(f"{count} {band}   ")
    return line.append(
        f"{standing.without_band} with too little known   {standing.prospects} leads and trials   {standing.gone} have left",
        "dim",
    )


def _rules(summary: Summary) -> RenderableType:
    table = _table("rule", "opened", "- resolved", "= open", "updated")
    for rule, counts in summary.rules.items():
        table.add_row(rule, f"{counts.opened:,}", f"{counts.resolved:,}", f"{counts.open:,}", f"{counts.updated:,}")
    return _headed("Alerts", table)


def _foresight(ahead: Foresight) -> RenderableType:
    stayed = f"{ahead.stayed} stayed: {ahead.stayed_alerted} of them had an alert at some time, {ahead.stayed_alerts:,} in all"
    title = "Did the alerts see it coming? (the simulator knows who left)"
    if not ahead.left:
        return _headed(title, Text("nobody left in this time"), Text(stayed))
    found = Text(f"{ahead.left} left: {ahead.alerted} of them ({ahead.alerted / ahead.left:.0%}) with an alert open in the ")
    found.append(f"{WINDOW_DAYS} days before")
    if ahead.lead_days is not None:
        low, middle, high = ahead.lead_days
        found.append(f", raised {middle:.0f} days ahead (median; quartiles {low:.0f} and {high:.0f})")
    missed = (
        f"{ahead.missed} were missed; {ahead.missed_without_signs} of them left out of the blue, with nothing to be seen before"
    )
    lines = [found, Text(missed), Text(stayed)]
    if ahead.lift is not None and ahead.by_chance_share is not None:
        luck = f"at the same times {ahead.by_chance_share:.0%} of those who stayed had one open: that much is luck"
        lines.append(Text(f"{luck}, and the alerts do {ahead.lift:.1f} times as well"))
    return _headed(title, *lines)


def _proof(proof: Proof) -> Text:
    if proof.flaws:
        return Text(
            f"✗ {proof.claim}: {proof.flaws:,} of {proof.checked:,} do not hold, such as {proof.example}", style="bold red"
        )
    return Text.assemble(("✓ ", "green"), proof.claim, (f"  ({proof.checked:,} checked)", "dim"))
