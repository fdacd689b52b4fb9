"""The fixtures that run workers."""

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
