"""The queries of the dashboards that are shipped, as Grafana would send them."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

from tests.support.prometheus import PrometheusServer

DASHBOARDS: Final = Path(__file__).parents[2] / "deploy" / "grafana" / "dashboards"
VARIABLES: Final = {"$job": ".*", "$__rate_interval": "1m"}


class PanelQuery(NamedTuple):
    """One query of a panel; `is_instant`: only its value of now is shown. Two panels of different kinds may have one title."""

    dashboard: str
    panel: str
    kind: str
    reference: str
    expression: str
    is_instant: bool

    @property
    def is_of_sinks(self) -> bool:
        """Whether the sinks answer it; the workers answer every other one."""
        return "cspulse_sink_" in self.expression or "cspulse_delivery_" in self.expression

    def __str__(self) -> str:
        return f"{self.dashboard}: {self.panel} ({self.kind}): {self.reference}"


def panels(dashboard: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """All panels but the headings of rows, those of collapsed rows too."""
    for panel in dashboard["panels"]:
        if panel["type"] == "row":
            yield from panel.get("panels") or []
        else:
            yield panel


def loaded() -> dict[str, dict[str, Any]]:
    """The dashboards by their files' names."""
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(DASHBOARDS.glob("*.json"))}


def panel_queries() -> list[PanelQuery]:
    """Every query of every panel, with the dashboards' variables filled in."""
    found = []
    for name, dashboard in loaded().items():
        for panel in panels(dashboard):
            for target in panel["targets"]:
                expression = target["expr"]
                for variable, value in VARIABLES.items():
                    expression = expression.replace(variable, value)
                found.append(
                    PanelQuery(name, panel["title"], panel["type"], target["refId"], expression, bool(target.get("instant")))
                )
    return found


def without_data(prometheus: PrometheusServer, queries: Iterable[PanelQuery], seconds: float) -> list[str]:
    """The queries that show nothing, neither now nor, where a line is drawn, in the last seconds. Raises QueryFailed."""
    empty = []
    for query in queries:
        found = prometheus.now(query.expression) if query.is_instant else prometheus.lately(query.expression, seconds)
        if not any(series.values for series in found):
            empty.append(str(query))
    return empty
