"""The fixtures that run workers, and three brokers."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.kafka.jars import PartMissingError
from tests.support.kafka.trio import KafkaTrio
from tests.support.parts import lacking
from tests.support.worker_fixtures import (
    apache,
    apache_workers,
    app_id,
    bare_apache,
    bare_cluster,
    bare_embedded,
    cluster,
    workers,
)

__all__ = ["apache", "apache_workers", "app_id", "bare_apache", "bare_cluster", "bare_embedded", "cluster", "workers"]


@pytest.fixture
def trio(tmp_path: Path) -> Iterator[KafkaTrio]:
    """Three brokers of Apache Kafka for one test."""
    try:
        brokers = KafkaTrio(tmp_path / "brokers")
    except PartMissingError as missing:
        lacking(str(missing))
    try:
        brokers.start()
        yield brokers
    finally:
        brokers.stop()
