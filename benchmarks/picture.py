"""The figures as a picture: a small SVG, written by hand so that nothing has to be installed for it."""

from collections.abc import Sequence
from html import escape
from pathlib import Path

WIDTH, BAR, GAP, LEFT, VALUE = 860, 26, 10, 330, 120
COLOURS = ("#2f6f9f", "#9aa7b0", "#c9d1d6")


def bars(path: Path, title: str, note: str, rows: Sequence[tuple[str, float, str]]) -> None:
    """One bar a row, in groups of a unit: (label, value, unit); each unit has a scale of its own."""
    tallest = {unit: max(value for _, value, of in rows if of == unit) for _, _, unit in rows}
    units = list(tallest)
    height = 60 + len(rows) * (BAR + GAP) + len(units) * 14 + 30
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" font-family="sans-serif" font-size="13">',
        f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
        f'<text x="16" y="28" font-size="17" font-weight="bold">{escape(title)}</text>',
    ]
    y, before = 50, None
    for label, value, unit in rows:
        if before is not None and unit != before:
            y += 14
        before = unit
        length = (WIDTH - LEFT - VALUE) * value / tallest[unit]
        colour = COLOURS[units.index(unit) % len(COLOURS)]
        parts += [
            f'<text x="{LEFT - 10}" y="{y + 18}" text-anchor="end">{escape(label)}</text>',
            f'<rect x="{LEFT}" y="{y}" width="{length:.1f}" height="{BAR}" fill="{colour}"/>',
            f'<text x="{LEFT + length + 8:.1f}" y="{y + 18}">{value:,.0f} {escape(unit)}</text>',
        ]
        y += BAR + GAP
    parts += [f'<text x="16" y="{height - 12}" font-size="11" fill="#555">{escape(note)}</text>', "</svg>\n"]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(parts))
