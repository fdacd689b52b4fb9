"""The dashboard: progress, bands, the customers most at risk with their reasons, and alerts as they come."""

import time
from heapq import nlargest
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from rich.box import ROUNDED
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from schemas.records import ChurnAlert
from streams.demo import words
from streams.demo.ledger import Ledger
from streams.demo.picture import draw
from streams.demo.play import Player
from streams.demo.ranking import AtRisk, most_at_risk, standing
from streams.demo.report import BAND_STYLES, SEVERITY_STYLES, report, standing_line
from streams.demo.story import Story
from streams.demo.summary import Summary

_REFRESH_S: Final = 0.25
_FRAME_ROWS: Final = 11
"""Rows that the dashboard needs beside its customers and alerts."""
_SCORE_CELLS: Final = 10
_LEAST_ROWS, _MOST_ROWS = 3, 12
_PICTURE_COLUMNS: Final = 128
_PICTURE_ROWS: Final = 30


class Dashboard:
    """Draws a moment of the showing."""

    def __init__(self, story: Story) -> None:
        self._story = story

    def draw(self, player: Player, ledger: Ledger, rows: int) -> RenderableType:
        """Everything, in about `rows` rows."""
        half = max(_LEAST_ROWS, min(_MOST_ROWS, (rows - _FRAME_ROWS - len(self._story.notes)) // 2))
        return Group(
            self._progress(player, ledger),
            _frame(_customers(most_at_risk(ledger.health, ledger.snapshots, half)), title="most at risk"),
            _frame(_alerts(nlargest(half, ledger.alerts, key=lambda alert: alert.as_of), half), title="alerts, the newest first"),
        )

    def _progress(self, player: Player, ledger: Ledger) -> Panel:
        story, progress = self._story, player.progress
        whole = max(1, story.now_ms - story.start_ms)
        line = Table.grid(padding=(0, 2), expand=True)
        line.add_column(no_wrap=True)
        line.add_column(ratio=1)
        line.add_column(no_wrap=True, justify="right")
        done = min(whole, player.clock_ms - story.start_ms)
        bar = ProgressBar(total=whole, completed=done, complete_style="cyan", finished_style="cyan")
        line.add_row(
            Text(words.day(player.clock_ms), style="bold"),
bar,
            Text.assemble(
                ("published ", "dim"), f"{progress.published:,}", ("   processed ", "dim"), f"{progress.processed:,}",
                ("   ", ""), (f"{progress.rate_per_s:,.0f}", "bold cyan"), (" events/s", "dim"),
            ),
        )  # fmt: skip
        counts = standing_line(standing(ledger.health, ledger.snapshots))
        open_now = sum(ledger.fleet.by_dimension("alerts_open").values())
        work = Text.assemble(
            (f"{open_now} alerts open", "bold"),
            (f"   {len(ledger.alerts):,} alert records   {ledger.outputs['cs.health-changes']:,} health changes", "dim"),
        )
        return _frame(Group(Text("\n".join(story.notes), style="dim"), line, counts, work), title="[bold]cspulse[/] demo")


def _frame(content: RenderableType, title: str) -> Panel:
    return Panel(content, title=title, box=ROUNDED, border_style="grey42", title_align="left", padding=(0, 1))


def score_bar(score: float, style: str) -> Text:
    """A score as a bar of ten cells and a number."""
    full = round(score / 100 * _SCORE_CELLS)
    return Text.assemble(("━" * full, style), ("━" * (_SCORE_CELLS - full), "grey23"), (f" {score:5.1f}", f"bold {style}"))


def _customers(found: list[AtRisk]) -> Table:
    table = Table(box=None, expand=True, padding=(0, 1), header_style="dim")
    table.add_column("customer", no_wrap=True)
    table.add_column("score", no_wrap=True)
    table.add_column("MRR", no_wrap=True, justify="right")
    table.add_column("what costs most, in points", ratio=1, no_wrap=True, overflow="ellipsis")
    for one in found:
        style = BAND_STYLES.get(one.band or "", "")
        table.add_row(
            one.customer_id,
            score_bar(one.score, style),
            words.money(one.mrr_cents, one.currency),
            "   ".join(words.cost(cost) for cost in one.costs),
        )
    return table


def _alerts(alerts: list[ChurnAlert], rows: int) -> Table:
    table = Table(box=None, expand=True, padding=(0, 1), show_header=False)
    for _ in range(4):
        table.add_column(no_wrap=True)
    table.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
    for alert in alerts:
        is_over = alert.state in ("resolved", "retracted")
        style = "grey50" if is_over else SEVERITY_STYLES[alert.severity]
        text = alert.resolution if is_over and alert.resolution else alert.explanation
        table.add_row(
            Text(words.minute(alert.as_of), style="dim"),
            Text(f"{words.ALERT_MARKS[alert.state]} {alert.state}", style=style),
            Text(alert.rule, style=style),
            alert.customer_id,
            Text(text, style="dim" if is_over else ""),
        )
    for _ in range(rows - len(alerts)):
        table.add_row()
    return table


class LiveView:
    """The dashboard on a terminal, and the report below it at the end; `picture` is where the last screen is drawn to."""

    def __init__(self, dashboard: Dashboard, picture: Path | None) -> None:
        self._dashboard = dashboard
        self._picture = picture
        self._console = Console()
        self._live = Live(console=self._console, auto_refresh=False, transient=False)
        self._drawn_s = 0.0
        self._last: tuple[Player, Ledger] | None = None

    def __enter__(self) -> Self:
        self._live.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._last is not None:
            self._draw(*self._last)
        self._live.__exit__(kind, error, trace)

    def update(self, player: Player, ledger: Ledger) -> None:
        """Draw anew, a few times a second."""
        self._last = (player, ledger)
        if time.monotonic() - self._drawn_s >= _REFRESH_S:
            self._draw(player, ledger)

    def tell(self, summary: Summary) -> None:
        """The report; and the picture, if one is wanted."""
        told = report(summary)
        self._console.print(told)
        if self._picture is not None and self._last is not None:
            draw([self._dashboard.draw(*self._last, rows=_PICTURE_ROWS), told], self._picture, _PICTURE_COLUMNS)

    def _draw(self, player: Player, ledger: Ledger) -> None:
        self._drawn_s = time.monotonic()
        self._live.update(self._dashboard.draw(player, ledger, self._console.height), refresh=True)
