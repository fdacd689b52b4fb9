"""The fixtures of all tests that run workers."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from streams.embedded import EmbeddedBroker
from tests.support.cluster import ApacheCluster, Cluster, EmbeddedCluster, create_topics
from tests.support.kafka.server import KafkaServer
from tests.support.worker import Workers


@pytest.fixture
def app_id() -> str:
    """An application id that no other test has."""
    return f"test-{uuid.uuid4().hex[:12]}"


@pytest.fixture
def bare_apache(kafka: KafkaServer) -> ApacheCluster:
    """Apache Kafka without any topic."""
    cluster = ApacheCluster(kafka)
    cluster.clear()
    return cluster


@pytest.fixture
def apache(bare_apache: ApacheCluster, app_id: str) -> ApacheCluster:
    """Apache Kafka with all topics, and nothing in them."""
    create_topics(bare_apache, app_id)
    return bare_apache


@pytest.fixture
def bare_embedded() -> Iterator[EmbeddedCluster]:
    """The embedded broker without any topic."""
    with EmbeddedBroker() as broker:
        yield EmbeddedCluster(broker)


@pytest.fixture(params=[pytest.param("embedded", marks=pytest.mark.embedded), pytest.param("apache", marks=pytest.mark.kafka)])
def bare_cluster(request: pytest.FixtureRequest) -> Cluster:
    """Each of both brokers, without any topic."""
    found: Cluster = request.getfixturevalue(f"bare_{request.param}")
    return found


@pytest.fixture
def cluster(bare_cluster: Cluster, app_id: str) -> Cluster:
    """Each of both brokers, with all topics and nothing in them."""
    create_topics(bare_cluster, app_id)
    return bare_cluster


@pytest.fixture
def workers(bare_cluster: Cluster, app_id: str, tmp_path: Path) -> Iterator[Workers]:
    """Workers on the broker of the test."""
    made = Workers(tmp_path, bare_cluster.bootstrap, app_id)
    yield made
    made.clean_up()


@pytest.fixture
def apache_workers(apache: ApacheCluster, app_id: str, tmp_path: Path) -> Iterator[Workers]:
    """Workers on Apache Kafka."""
    made = Workers(tmp_path, apache.bootstrap, app_id)
    yield made
    made.clean_up()
