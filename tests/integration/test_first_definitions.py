"""The definitions file of a worker's settings, and the log of definitions."""

from pathlib import Path

import pytest

from schemas.codec import Codec
from streams.catalogue import default_text
from streams.definitions_log import apply, read_versions
from tests.support.cluster import Cluster
from tests.support.worker import Workers

pytestmark = pytest.mark.timeout(120)

LIMIT_S = 40.0


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "business.toml"
    path.write_text(default_text() + "\n# ours\n", encoding="utf-8")
    return path


def test_a_worker_puts_its_file_into_a_log_without_versions(cluster: Cluster, workers: Workers, file: Path) -> None:
    worker = workers.start(DEFINITIONS=str(file))
    worker.wait_for_line("definitions: version 1 is known", LIMIT_S)
    assert [one.text for one in read_versions({"bootstrap.servers": cluster.bootstrap})] == [file.read_text(encoding="utf-8")]
    assert worker.stop() == 0


def test_a_worker_says_when_another_version_is_in_force_and_leaves_it_there(
    cluster: Cluster, workers: Workers, file: Path
) -> None:
    config = {"bootstrap.servers": cluster.bootstrap}
    apply(config, Codec(), default_text(), "ann", 1)
    worker = workers.start(DEFINITIONS=str(file))
    worker.wait_for_line("version 1 of the log is in force", LIMIT_S)
    assert [one.author for one in read_versions(config)] == ["ann"]
    assert worker.stop() == 0


def test_a_wrong_file_ends_the_worker_with_2_and_its_mistakes(cluster: Cluster, workers: Workers, file: Path) -> None:
    file.write_text(default_text().replace("interval_minutes", "intervall_minutes"), encoding="utf-8")
    worker = workers.start(DEFINITIONS=str(file))
    assert worker.wait(LIMIT_S) == 2
    assert "intervall_minutes" in worker.said()
    assert "Traceback" not in worker.said()
    assert read_versions({"bootstrap.servers": cluster.bootstrap}) == []
