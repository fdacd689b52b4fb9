"""How a showing is seen: live on a terminal, as plain lines elsewhere, or not at all until its summary comes as JSON."""

import json
import sys
import time
from types import TracebackType
from typing import Final, Protocol, Self

import typer
from rich.console import Console

from streams.demo import words
from streams.demo.ledger import Ledger
from streams.demo.live import Dashboard, LiveView
from streams.demo.options import DemoOptions
from streams.demo.play import Player
from streams.demo.ranking import standing
from streams.demo.report import at_risk_lines, report
from streams.demo.story import Story
from streams.demo.summary import Summary, to_json

_PLAIN_EVERY_S: Final = 2.0
_PLAIN_ALERTS: Final = 3
_PLAIN_COLUMNS: Final = 150


class View(Protocol):
    """What a showing tells while it runs; a context manager around the play."""

    def __enter__(self) -> Self:
        """The play begins."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """The play is over, or broken off."""

    def update(self, player: Player, ledger: Ledger) -> None:
        """Something may have changed; called many times a second."""

    def tell(self, summary: Summary) -> None:
        """The end."""


class _Quiet:
    """A view that needs nothing at its beginning and end."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        return


class JsonView(_Quiet):
    """Nothing but the summary, on standard output."""

    def update(self, player: Player, ledger: Ledger) -> None:
        """Nothing is shown on the way."""

    def tell(self, summary: Summary) -> None:
        """The summary."""
        typer.echo(json.dumps(to_json(summary), ensure_ascii=False, indent=2))


class PlainView(_Quiet):
    """A line every two seconds with the newest alerts below it, for logs and pipes."""

    def __init__(self, story: Story) -> None:
        self._shown_s = 0.0
        self._alerts = 0
        self._story = story

    def __enter__(self) -> Self:
        for note in self._story.notes:
            typer.echo(note)
        return self

    def update(self, player: Player, ledger: Ledger) -> None:
        """Show how far it is, now and then."""
        now_s = time.monotonic()
        if now_s - self._shown_s < _PLAIN_EVERY_S:
            return
        self._shown_s = now_s
        progress, now = player.progress, standing(ledger.health, ledger.snapshots)
        typer.echo(
            f"{words.day(player.clock_ms)}  published {progress.published:,}  processed {progress.processed:,}  "
            f"{progress.rate_per_s:,.0f}/s  customers: {now.red} red, {now.yellow} yellow, {now.green} green, {now.gone} gone  "
            f"alert records: {len(ledger.alerts):,}"
        )
        fresh, self._alerts = ledger.alerts[self._alerts :], len(ledger.alerts)
        for alert in fresh[-_PLAIN_ALERTS:]:
            typer.echo(f"  {words.alert_line(alert)}")

    def tell(self, summary: Summary) -> None:
        """The whole report, without colours."""
        console = Console(file=sys.stdout, width=_PLAIN_COLUMNS, color_system=None, force_terminal=False)
        console.print(report(summary), at_risk_lines(summary.at_risk))


def view_for(options: DemoOptions, story: Story) -> View:
    """The view that fits the options and standard output."""
    if options.as_json:
        return JsonView()
    if options.picture is None and not sys.stdout.isatty():
        return PlainView(story)
    return LiveView(Dashboard(story), options.picture)
