"""The generated files, by their place in the repository."""

from pathlib import Path
from typing import Final

from deploy.generate import customer_success, operations
from deploy.generate.metrics_reference import document
from deploy.generate.panels import as_json
from streams.asyncapi import as_json as as_asyncapi
from streams.asyncapi import asyncapi

REPOSITORY: Final = Path(__file__).parents[2]
DASHBOARDS: Final = REPOSITORY / "deploy" / "grafana" / "dashboards"
METRICS_DOCUMENT: Final = REPOSITORY / "docs" / "metrics.md"
ASYNCAPI_DOCUMENT: Final = REPOSITORY / "docs" / "asyncapi.json"


def generated() -> dict[Path, str]:
    """Each file with the text that it must have."""
    return {
        DASHBOARDS / "customer-success.json": as_json(customer_success.dashboard()),
        DASHBOARDS / "operations.json": as_json(operations.dashboard()),
        METRICS_DOCUMENT: document(),
        ASYNCAPI_DOCUMENT: as_asyncapi(asyncapi()),
    }
