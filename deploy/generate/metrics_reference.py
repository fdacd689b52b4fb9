"""docs/metrics.md, from the table of the metrics."""

from collections.abc import Iterable, Iterator
from typing import Final

from sinks.fleet_metrics import FLEET_METRICS
from sinks.metric import LABELS, Metric
from sinks.metrics import METRICS, PIPELINE_METRICS
from sinks.sink_metrics import SINK_METRICS

_INTRODUCTION: Final = """\
# Metrics

A worker offers these at `http://METRICS_HOST:METRICS_PORT/metrics` when `CSPULSE_METRICS_PORT` is set, beside prometheus-client's
metrics of the process (`process_*`, `python_*`). They are taken once a commit or once a second. Units are base units; a share is
from 0 to 1 and stands beside the two numbers it is made of, so that it can be put together with others rightly.

Each worker tells of its own partitions, and the one that runs the fleet's task tells of the fleet: series go with the partition,
or the task, when it moves to another worker, where its counters begin again at 0, as `rate()` expects. What is not known (no
answers in a window, a figure that is null) has no series.

This document is written from `sinks/metrics.py`, `sinks/fleet_figures.py` and `sinks/sink_metrics.py` by `make generate`.
"""


def document() -> str:
    """The whole text."""
    return "\n".join(
        [
            _INTRODUCTION,
            "## The pipeline",
            "",
            *_table(PIPELINE_METRICS),
            "",
            "## The fleet",
            "",
            "From the worker that runs the fleet's task. What the figures mean in full is in [figures.md](figures.md).",
            "",
            *_table(FLEET_METRICS),
            "",
            "## The sinks",
            "",
            "From `cspulse sink redis` and `cspulse sink delivery`, each process of its own.",
            "",
            *_table(SINK_METRICS),
            "",
            "## Labels",
            "",
            "| label | says |",
            "|---|---|",
            *(f"| `{label}` | {LABELS[label]} |" for label in sorted(_used())),
            "",
        ]
    )


def _table(metrics: Iterable[Metric]) -> Iterator[str]:
    yield "| metric | type | unit | labels | meaning |"
    yield "|---|---|---|---|---|"
    for metric in metrics:
        labels = ", ".join(f"`{label}`" for label in metric.labels) or "none"
        meaning = metric.meaning
        if metric.buckets:
            meaning += f" Buckets up to {', '.join(f'{bound:g}' for bound in metric.buckets)}."
        yield f"| `{metric.name}` | {metric.kind} | {metric.unit} | {labels} | {meaning} |"


def _used() -> set[str]:
    return {label for metric in (*METRICS, *SINK_METRICS) for label in metric.labels}
