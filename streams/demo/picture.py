"""What was on the screen, as an SVG picture."""

import io
import re
from collections.abc import Iterable
from pathlib import Path

from rich.console import Console, RenderableType
from rich.terminal_theme import TerminalTheme

# rich's own form of the picture fetches its font from a server; where pictures are shown that is refused, so the reader's
# own monospaced font is asked for.
_FONT_FACES = re.compile(r"@font-face\s*{[^}]*}\s*")
_FONT = re.compile(r"font-family:\s*[^;]*;")
_OWN_FONT = "font-family: ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace;"

_THEME = TerminalTheme(
    (16, 20, 28),
    (214, 219, 228),
    [
        (40, 46, 58),
        (229, 83, 88),
        (76, 183, 130),
        (240, 180, 60),
        (96, 150, 240),
        (190, 130, 230),
        (70, 190, 200),
        (214, 219, 228),
    ],
    [
        (96, 104, 120),
        (240, 110, 115),
        (110, 210, 160),
        (250, 205, 110),
        (130, 175, 250),
        (210, 160, 245),
        (110, 215, 225),
        (255, 255, 255),
    ],
)


def draw(shown: Iterable[RenderableType], path: Path, columns: int) -> None:
    """Write what was shown, one below the other, as an SVG of so many columns."""
    console = Console(width=columns, record=True, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    for one in shown:
        console.print(one)
    svg = console.export_svg(title="cspulse demo", theme=_THEME)
    path.write_text(_FONT.sub(_OWN_FONT, _FONT_FACES.sub("", svg)), encoding="utf-8")
