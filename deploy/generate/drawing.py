"""Panels as SVG, from the answers to their queries: a likeness of what Grafana shows, for where there is no Grafana."""

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any, Final, NamedTuple

INK, FAINT, GROUND, CARD = "#d8d9da", "#8e8e8e", "#111217", "#181b1f"
COLOURS: Final = ("#73bf69", "#f2cc0c", "#8ab8ff", "#ff780a", "#f2495c", "#b877d9", "#5794f2", "#ffa6b0", "#96d98d", "#caccd4")
NAMED: Final = {"green": "#73bf69", "yellow": "#f2cc0c", "orange": "#ff9830", "red": "#f2495c"}
COLUMN, UNIT, GAP = 50.0, 32.0, 6.0
LEGENDS_MAX: Final = 6
_PREFIXES: Final = ((1e9, "G"), (1e6, "M"), (1e3, "k"))
_SPANS: Final = ((86_400.0, "d"), (3_600.0, "h"), (60.0, "min"))


class Line(NamedTuple):
    """A series: its name, its labels, and (time, value) in order."""

    name: str
    labels: dict[str, str]
    points: list[tuple[float, float]]

    @property
    def last(self) -> float:
        """Its newest value."""
        return self.points[-1][1]


class Box(NamedTuple):
    """Where a panel lies, in pixels."""

    x: float
    y: float
    width: float
    height: float


def shown(value: float, unit: str) -> str:
    """A value as a panel writes it."""
    if unit == "percentunit":
        return f"{100 * value:.1f} %"
    if unit == "s":
        return next((f"{value / size:.1f} {name}" for size, name in _SPANS if abs(value) >= size), f"{value:.3g} s")
    for size, name in _PREFIXES:
        if abs(value) >= size:
            return f"{value / size:.3g} {name}{'B' if unit == 'bytes' else ''}"
    return f"{value:.4g}"


def text(x: float, y: float, words: str, size: float = 12, colour: str = INK, anchor: str = "start") -> str:
    """Some words."""
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size:g}" fill="{colour}" text-anchor="{anchor}">{escape(words)}</text>'


def card(box: Box, title: str) -> list[str]:
    """The ground of a panel, and its title."""
    ground = f'<rect x="{box.x}" y="{box.y}" width="{box.width}" height="{box.height}" rx="3" fill="{CARD}"/>'
    return [ground, text(box.x + 8, box.y + 17, title, 12)]


def number(box: Box, lines: Sequence[Line], unit: str, steps: Sequence[dict[str, Any]]) -> list[str]:
    """One large number in the colour of its step."""
    value = lines[0].last
    colour = INK
    for step in steps:
        if step["value"] is None or value >= step["value"]:
            colour = NAMED.get(step["color"], INK)
    return [text(box.x + box.width / 2, box.y + box.height * 0.68, shown(value, unit), 26, colour, "middle")]


def bars(box: Box, lines: Sequence[Line], unit: str, highest: float | None) -> list[str]:
    """A bar for each series."""
    top = highest or max([line.last for line in lines] + [1e-9])
    step = min(24.0, (box.height - 34) / max(1, len(lines)))
    found = []
    for place, line in enumerate(lines):
        y = box.y + 30 + place * step
        left, room = box.x + 0.4 * box.width, 0.4 * box.width
        found.append(text(left - 6, y + step * 0.6, line.name, 10, FAINT, "end"))
        length = room * max(0.0, min(1.0, line.last / top))
        colour = COLOURS[place % len(COLOURS)]
        found.append(f'<rect x="{left}" y="{y}" width="{length:.1f}" height="{step * 0.72:.1f}" fill="{colour}"/>')
        found.append(text(left + length + 6, y + step * 0.6, shown(line.last, unit), 11))
    return found


def graph(box: Box, lines: Sequence[Line], unit: str, lowest: float | None, highest: float | None, *, stacked: bool) -> list[str]:
    """Lines over time; stacked ones stand on each other."""
    drawn = _stacked(lines) if stacked else list(lines)
    values = [value for line in drawn for _, value in line.points]
    low = min(values) if lowest is None else lowest
    high = max([*values, low + 1e-9]) if highest is None else highest
    times = [at for line in drawn for at, _ in line.points]
    begin, end = min(times), max(*times, min(times) + 1)
    left, right, top, bottom = box.x + 52, box.x + box.width - 10, box.y + 28, box.y + box.height - 38
    found = []
    for part in range(4):
        y = bottom - part / 3 * (bottom - top)
        found.append(f'<line x1="{left}" y1="{y:.1f}" x2="{right}" y2="{y:.1f}" stroke="#2c2f34"/>')
        found.append(text(left - 5, y + 4, shown(low + part / 3 * (high - low), unit), 9, FAINT, "end"))
    for place, line in enumerate(drawn):
        places = [
            (left + (at - begin) / (end - begin) * (right - left), bottom - _share(value, low, high) * (bottom - top))
            for at, value in line.points
        ]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        colour = _colour(place, line.name)
        found.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.4"/>')
    return [*found, *_legend(box, [line.name for line in lines])]


def sheet(box: Box, headings: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A table."""
    width = (box.width - 16) / len(headings)
    found = [text(box.x + 10 + place * width, box.y + 38, name, 11, FAINT) for place, name in enumerate(headings)]
    for number_of_row, row in enumerate(rows):
        y = box.y + 60 + number_of_row * 22
        if y > box.y + box.height - 4:
            break
        found += [text(box.x + 10 + place * width, y, cell, 11) for place, cell in enumerate(row)]
    return found


def page(title: str, width: float, height: float, parts: Iterable[str]) -> str:
    """The whole picture."""
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" '
        f'font-family="Inter, Helvetica, Arial, sans-serif">\n<title>{escape(title)}</title>\n'
        f'<rect width="{width:.0f}" height="{height:.0f}" fill="{GROUND}"/>\n'
    )
    return head + "\n".join(parts) + "\n</svg>\n"


def _stacked(lines: Sequence[Line]) -> list[Line]:
    """Each line on top of those before it."""
    below: dict[float, float] = {}
    found = []
    for line in lines:
        points = []
        for at, value in line.points:
            below[at] = below.get(at, 0.0) + value
            points.append((at, below[at]))
        found.append(Line(line.name, line.labels, points))
    return found


def _share(value: float, low: float, high: float) -> float:
    """Where a value lies between two others, from 0 to 1."""
    return (max(low, min(high, value)) - low) / (high - low)


def _colour(place: int, name: str) -> str:
    """A series called by a colour has it."""
    return NAMED.get(name, COLOURS[place % len(COLOURS)])


def _legend(box: Box, names: Sequence[str]) -> list[str]:
    found, x, y = [], box.x + 12, box.y + box.height - 20
    for place, name in enumerate(names[:LEGENDS_MAX]):
        if x + 6.0 * len(name) + 20 > box.x + box.width:
            x, y = box.x + 12, y + 13
        if y > box.y + box.height - 4:
            break
        found.append(f'<rect x="{x}" y="{y - 8}" width="9" height="3" fill="{_colour(place, name)}"/>')
        found.append(text(x + 13, y - 3, name, 10, FAINT))
        x += 6.0 * len(name) + 26
    return found
