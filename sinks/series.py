"""The series of declared metrics, as they stand: what prometheus-client collects from when it is asked.

Kept in one place so that whole groups of series can be replaced or taken away at once, which a partition that moves to another
worker needs, and so that nothing is offered that was not declared.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from threading import Lock

from msgspec import Struct
from prometheus_client import Metric as Family
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from sinks.metric import Metric

Labels = tuple[str, ...]


class _Histogram(Struct):
    """How many observations fell into each bucket, the last one without a bound, and their sum."""

    counts: list[int]
    total: float = 0.0


class SeriesStore(Collector):
    """The series of some metrics. Every method may be called from any thread."""

    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics = {metric.name: metric for metric in metrics}
        self._values: dict[str, dict[Labels, float]] = {name: {} for name in self._metrics}
        self._histograms: dict[str, dict[Labels, _Histogram]] = {
            name: {} for name, metric in self._metrics.items() if metric.kind == "histogram"
        }
        self._lock = Lock()

    def stand(self, name: str, value: float, *labels: str) -> None:
        """What a gauge stands at; `labels` in the order of their declaration."""
        self._check(name, "gauge", labels)
        with self._lock:
            self._values[name][labels] = value

    def add(self, name: str, amount: float, *labels: str) -> None:
        """Count on; 0 lets a series begin."""
        self._check(name, "counter", labels)
        assert amount >= 0, f"{name} only grows"
        with self._lock:
            series = self._values[name]
            series[labels] = series.get(labels, 0.0) + amount

    def observe(self, name: str, observations: Sequence[float], *labels: str) -> None:
        """Sort observations into the buckets; none lets a series begin."""
        self._check(name, "histogram", labels)
        bounds = self._metrics[name].buckets
        places = [bisect_left(bounds, observed) for observed in observations]
        total = sum(observations)
        with self._lock:
            series = self._histograms[name]
            kept = series.get(labels)
            if kept is None:
                kept = series[labels] = _Histogram([0] * (len(bounds) + 1))
            for place in places:
                kept.counts[place] += 1
            kept.total += total

    def replace(self, gauges: Mapping[str, Mapping[Labels, float]]) -> None:
        """All series of some gauges, in place of those they had."""
        for name, series in gauges.items():
            for labels in series:
                self._check(name, "gauge", labels)
        with self._lock:
            for name, series in gauges.items():
                self._values[name] = dict(series)

    def keep(self, label: str, values: set[str]) -> None:
        """Take away every series with this label whose value is none of these."""
        with self._lock:
            for name, metric in self._metrics.items():
                if label not in metric.labels:
                    continue
                place = metric.labels.index(label)
                for kept in (self._values[name], self._histograms.get(name, {})):
                    for labels in [labels for labels in kept if labels[place] not in values]:
                        del kept[labels]

    def collect(self) -> Iterator[Family]:
        """All series, by metric in the order of declaration; a metric without any is left out."""
        with self._lock:
            values = {name: dict(series) for name, series in self._values.items()}
            histograms = {
                name: {labels: _Histogram(list(kept.counts), kept.total) for labels, kept in series.items()}
                for name, series in self._histograms.items()
            }
        for name, metric in self._metrics.items():
            if metric.kind == "histogram":
                if histograms[name]:
                    yield _histogram_family(metric, histograms[name])
            elif values[name]:
                yield _family(metric, values[name])

    def describe(self) -> list[Family]:
        """Nothing is asked of the collector when it is registered."""
        return []

    def _check(self, name: str, kind: str, labels: Labels) -> None:
        metric = self._metrics[name]
        assert metric.kind == kind, f"{name} is a {metric.kind}"
        assert len(labels) == len(metric.labels), f"{name} has the labels {metric.labels}, not {labels}"


def _family(metric: Metric, series: Mapping[Labels, float]) -> Family:
    made = CounterMetricFamily if metric.kind == "counter" else GaugeMetricFamily
    family = made(metric.name, metric.meaning, labels=metric.labels)
    for labels, value in series.items():
        family.add_metric(labels, value)
    return family


def _histogram_family(metric: Metric, series: Mapping[Labels, _Histogram]) -> Family:
    family = HistogramMetricFamily(metric.name, metric.meaning, labels=metric.labels)
    for labels, kept in series.items():
        buckets, below = [], 0
        for bound, count in zip((*map(str, metric.buckets), "+Inf"), kept.counts, strict=True):
            below += count
            buckets.append((bound, float(below)))
        family.add_metric(labels, buckets, kept.total)
    return family
