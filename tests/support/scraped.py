"""What a registry offers, as Prometheus would read it."""

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

Sample = tuple[str, tuple[tuple[str, str], ...]]


def samples(text: str) -> dict[Sample, float]:
    """Every sample of a text in Prometheus' format, by its name and its labels in their order."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def offered(registry: CollectorRegistry) -> dict[Sample, float]:
    """What a registry offers now."""
    return samples(generate_latest(registry).decode())


def one(found: dict[Sample, float], name: str, **labels: str) -> float:
    """The sample of a name with exactly these labels. Raises KeyError when there is none."""
    return found[name, tuple(sorted(labels.items()))]


def names(found: dict[Sample, float]) -> set[str]:
    """The names of all samples."""
    return {name for name, _ in found}
