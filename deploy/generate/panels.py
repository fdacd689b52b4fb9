"""The kinds of panels that the dashboards are made of, with Grafana's own builder library."""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from grafana_foundation_sdk.builders import bargauge, common, dashboard, prometheus, stat, table, timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import common as common_models
from grafana_foundation_sdk.models import dashboard as models
from grafana_foundation_sdk.models import prometheus as prometheus_models

Panel = timeseries.Panel | stat.Panel | bargauge.Panel | table.Panel

SOURCE: Final = models.DataSourceRef(type_val="prometheus", uid="prometheus")
JOB: Final = 'job=~"$job"'
"""Limits every query to the applications that are chosen at the top of the dashboard."""

WIDTH: Final = 24
GOOD, DOUBTFUL, BAD = "green", "orange", "red"
NAMED_COLOURS: Final = ("red", "yellow", "green")
"""A series that is called so, as a band is, has the colour."""


class Query(NamedTuple):
    """A PromQL expression and how its series are called."""

    expression: str
    legend: str = ""


def fleet(name: str, *by: str, **labels: str) -> str:
    """The series of a fleet's metric. The task may just have moved: of the same series on two workers one is shown."""
    chosen = ", ".join([JOB, *(f'{label}=~"{value}"' for label, value in labels.items())])
    return f"max by ({', '.join(('job', *by))}) (cspulse_fleet_{name}{{{chosen}}})"


def quantile(share: float, buckets: str, legend: str, *by: str) -> Query:
    """A quantile of a histogram, `share` as 0-1, for each value of some labels; `buckets` are its series."""
    labels = ", ".join((*by, "le"))
    return Query(f"histogram_quantile({share}, sum by ({labels}) (rate({buckets}[$__rate_interval])))", legend)


def graph(
    title: str,
    description: str,
    unit: str,
    queries: Sequence[Query],
    *,
    width: int = 8,
    stacked: bool = False,
    lowest: float | None = 0,
    highest: float | None = None,
) -> Panel:
    """Lines over time, stacked where they are the parts of a whole."""
    panel = timeseries.Panel().title(title).description(description).datasource(SOURCE).unit(unit).height(8).span(width)
    panel.legend(common.VizLegendOptions().show_legend(True).placement(common_models.LegendPlacement.BOTTOM))
    panel.span_nulls(False).fill_opacity(30 if stacked else 5).line_width(1)
    if stacked:
        panel.stacking(common.StackingConfig().mode(common_models.StackingMode.NORMAL))
    if lowest is not None:
        panel.min(lowest)
    if highest is not None:
        panel.max(highest)
    for colour in NAMED_COLOURS:
        fixed = models.DynamicConfigValue(id_val="color", value={"mode": "fixed", "fixedColor": colour})
        panel.override_by_name(colour, [fixed])
    for query, reference in zip(queries, _references(), strict=False):
        panel.with_target(_query(query, reference).range())
    return panel


def number(
    title: str, description: str, unit: str, query: str, *, steps: Sequence[tuple[float | None, str]] = (), width: int = 3
) -> Panel:
    """One number as it is now; `steps` colour it from a value on, the first from below (None)."""
    panel = stat.Panel().title(title).description(description).datasource(SOURCE).unit(unit).height(4).span(width)
    panel.reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"])).graph_mode(common_models.BigValueGraphMode.AREA)
    if steps:
        panel.thresholds(_thresholds(steps)).color_mode(common_models.BigValueColorMode.VALUE)
    return panel.with_target(_query(Query(query, title), "A").range())


def bars(
    title: str,
    description: str,
    unit: str,
    query: Query,
    *,
    width: int = 8,
    highest: float | None = None,
    steps: Sequence[tuple[float | None, str]] = (),
) -> Panel:
    """One bar for each series as it is now."""
    panel = bargauge.Panel().title(title).description(description).datasource(SOURCE).unit(unit).height(8).span(width).min(0)
    panel.reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
    panel.orientation(common_models.VizOrientation.HORIZONTAL).display_mode(common_models.BarGaugeDisplayMode.BASIC)
    if highest is not None:
        panel.max(highest)
    if steps:
        panel.thresholds(_thresholds(steps))
    return panel.with_target(_query(query, "A").instant())


def sheet(
    title: str, description: str, key: str, columns: Sequence[tuple[str, str, str]], *, width: int = 24, height: int = 9
) -> Panel:
    """A table with a row for each value of the label `key`; a column is its heading, its unit and the query of its cells."""
    panel = table.Panel().title(title).description(description).datasource(SOURCE).height(height).span(width)
    names = {}
    for (heading, unit, query), reference in zip(columns, _references(), strict=False):
        panel.with_target(_query(Query(query), reference).instant().format(prometheus_models.PromQueryFormat.TABLE))
        names[f"Value #{reference}"] = heading
        panel.override_by_name(heading, [models.DynamicConfigValue(id_val="unit", value=unit)])
    panel.with_transformation(models.DataTransformerConfig(id_val="joinByField", options={"byField": key, "mode": "outer"}))
    hidden = [f"{label} {place}" for label in ("Time", "job") for place in range(1, len(columns) + 1)] + ["Time", "job"]
    panel.with_transformation(
        models.DataTransformerConfig(
            id_val="organize",
            options={"excludeByName": dict.fromkeys(hidden, True), "renameByName": names, "indexByName": {}},
        )
    )
    panel.sort_by([common.TableSortByFieldState().display_name(columns[0][0]).desc(False)])
    return panel


class Row(NamedTuple):
    """A heading and the panels under it."""

    title: str
    panels: Sequence[Panel]


def page(uid: str, title: str, description: str, since: str, rows: Iterable[Row]) -> models.Dashboard:
    """A dashboard, refreshed every half minute, with the choice of the application at its top."""
    made = dashboard.Dashboard(title).uid(uid).description(description).tags(["cspulse"]).timezone("browser")
    made.refresh("30s").time(since, "now").tooltip(models.DashboardCursorSync.CROSSHAIR).readonly()
    made.with_variable(
        dashboard.QueryVariable("job")
        .label("application")
        .datasource(SOURCE)
        .query("label_values(cspulse_build_info, job)")
        .refresh(models.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .include_all(True)
        .multi(True)
        .all_value(".*")
        .current(models.VariableOption(selected=True, text="All", value="$__all"))
    )
    number_of_panel = 0
    for row in rows:
        made.with_row(dashboard.Row(row.title))
        for panel in row.panels:
            number_of_panel += 1
            made.with_panel(panel.id(number_of_panel))
    return made.build()


def as_json(made: models.Dashboard) -> str:
    """The dashboard as Grafana's provisioning reads it."""
    return JSONEncoder(sort_keys=True, indent=2).encode(made) + "\n"


def _references() -> Iterable[str]:
    return (chr(letter) for letter in range(ord("A"), ord("Z") + 1))


def _query(query: Query, reference: str) -> prometheus.Dataquery:
    made = prometheus.Dataquery().expr(query.expression).ref_id(reference).datasource(SOURCE)
    return made.legend_format(query.legend) if query.legend else made


def _thresholds(steps: Sequence[tuple[float | None, str]]) -> dashboard.ThresholdsConfig:
    listed = [models.Threshold(value=value, color=colour) for value, colour in steps]
    return dashboard.ThresholdsConfig().mode(models.ThresholdsMode.ABSOLUTE).steps(listed)
