"""Pictures of the dashboards from a running Prometheus: `python -m deploy.generate.picture http://127.0.0.1:9090 MINUTES`.

Every panel is drawn from the answer to its own query. It is a likeness: Grafana draws more finely.
"""

import json
import math
import re
import sys
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from deploy.generate import drawing
from deploy.generate.drawing import COLUMN, GAP, UNIT, Box, Line
from deploy.generate.files import DASHBOARDS, REPOSITORY

VARIABLES: Final = {"$job": ".*", "$__rate_interval": "1m"}
POINTS: Final = 120
TIMEOUT_S: Final = 30


class Source:
    """A Prometheus, and the last minutes of it."""

    def __init__(self, address: str, minutes: float) -> None:
        self._address = address
        self._seconds = 60 * minutes

    def ask(self, target: dict[str, Any]) -> list[Line]:
        """The series of a panel's query: all points, or only the newest of one that is asked as of now."""
        expression = target["expr"]
        for variable, value in VARIABLES.items():
            expression = expression.replace(variable, value)
        if target.get("instant"):
            result = self._get("query", {"query": expression})
        else:
            now = float(self._get("query", {"query": "time()"}, is_scalar=True)[1])
            step = max(1.0, self._seconds / POINTS)
            span = {"start": f"{now - self._seconds}", "end": f"{now}", "step": f"{step}"}
            result = self._get("query_range", {"query": expression, **span})
        return [line for one in result if (line := _line(one, target.get("legendFormat", ""))) is not None]

    def _get(self, what: str, parameters: dict[str, str], *, is_scalar: bool = False) -> Any:
        address = f"{self._address}/api/v1/{what}?{urllib.parse.urlencode(parameters)}"
        with urllib.request.urlopen(address, timeout=TIMEOUT_S) as answer:  # noqa: S310 - the address is the caller's own
            result = json.load(answer)["data"]["result"]
        assert is_scalar or isinstance(result, list)
        return result


def picture(dashboard: dict[str, Any], source: Source) -> str:
    """The dashboard as SVG."""
    parts = [drawing.text(GAP + 4, 24, f"cspulse: {dashboard['title']}", 17)]
    height = 0.0
    for panel in dashboard["panels"]:
        box = _box(panel["gridPos"])
        height = max(height, box.y + box.height)
        if panel["type"] == "row":
            parts.append(drawing.text(box.x + 4, box.y + 20, panel["title"], 14))
        else:
            parts += [*drawing.card(box, panel["title"]), *_content(box, panel, source)]
    return drawing.page(dashboard["title"], 24 * COLUMN + GAP, height + GAP, parts)


def _box(grid: dict[str, int]) -> Box:
    top = 34.0
    return Box(GAP + grid.get("x", 0) * COLUMN, top + grid.get("y", 0) * UNIT, grid["w"] * COLUMN - GAP, grid["h"] * UNIT - GAP)


def _content(box: Box, panel: dict[str, Any], source: Source) -> list[str]:
    defaults = panel["fieldConfig"]["defaults"]
    unit = defaults.get("unit", "short")
    answers = [source.ask(target) for target in panel["targets"]]
    lines = [line for answer in answers for line in answer]
    if panel["type"] == "table":
        return _sheet(box, panel, answers)
    if not lines:
        return [drawing.text(box.x + box.width / 2, box.y + box.height / 2, "no data", 12, drawing.FAINT, "middle")]
    if panel["type"] == "stat":
        return drawing.number(box, lines, unit, defaults.get("thresholds", {}).get("steps", []))
    if panel["type"] == "bargauge":
        return drawing.bars(box, lines, unit, defaults.get("max"))
    stacked = defaults.get("custom", {}).get("stacking", {}).get("mode") == "normal"
    return drawing.graph(box, lines, unit, defaults.get("min"), defaults.get("max"), stacked=stacked)


def _sheet(box: Box, panel: dict[str, Any], answers: list[list[Line]]) -> list[str]:
    """The table that Grafana's transformations make: joined by a label, columns renamed."""
    steps = {step["id"]: step["options"] for step in panel["transformations"]}
    key = steps["joinByField"]["byField"]
    headings = list(steps["organize"]["renameByName"].values())
    units = {one["matcher"]["options"]: one["properties"][0]["value"] for one in panel["fieldConfig"]["overrides"]}
    cells = [{line.labels[key]: line.last for line in answer} for answer in answers]
    rows = sorted(cells[0], key=lambda name: cells[0][name])
    shown = (
        [name, *(_cell(found.get(name), units[heading]) for found, heading in zip(cells, headings, strict=True))] for name in rows
    )
    return drawing.sheet(box, [key, *headings], shown)


def _cell(value: float | None, unit: str) -> str:
    return "" if value is None else drawing.shown(value, unit)


def _line(one: dict[str, Any], legend: str) -> Line | None:
    labels = one["metric"]
    raw = one["values"] if "values" in one else [one["value"]]
    points = [(at, float(value)) for at, value in raw if not math.isnan(float(value))]
    name = re.sub(r"\{\{(\w+)\}\}", lambda match: labels.get(match[1], ""), legend)
    return Line(name, labels, points) if points else None


def _pictures(source: Source) -> Iterator[tuple[Path, str]]:
    for path in sorted(DASHBOARDS.glob("*.json")):
        yield REPOSITORY / "docs" / f"{path.stem}.svg", picture(json.loads(path.read_text(encoding="utf-8")), source)


def main() -> None:
    """Draw all dashboards into docs/."""
    address, minutes = sys.argv[1], float(sys.argv[2])
    for path, svg in _pictures(Source(address, minutes)):
        path.write_text(svg, encoding="utf-8")
        sys.stdout.write(f"{path.relative_to(REPOSITORY)}\n")


if __name__ == "__main__":
    main()
