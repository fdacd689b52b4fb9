"""The README's code does what the README says."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.cluster import EmbeddedCluster, create_topics
from tests.support.topic_log import read_topic
from tests.support.waiting import wait_until
from tests.support.worker import Workers

pytestmark = [pytest.mark.embedded, pytest.mark.timeout(240)]

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
ADDRESS = "127.0.0.1:9092"
ALERT_LIMIT_S = 90.0


def snippets() -> list[str]:
    return re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def run(code: str, cluster: EmbeddedCluster) -> str:
    code = code.replace(ADDRESS, cluster.bootstrap).replace("poll(30)", "poll(20)")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_each_snippet_has_five_lines() -> None:
    assert [len(code.strip().splitlines()) for code in snippets()] == [5, 5]


@pytest.fixture
def bare_cluster(bare_embedded: EmbeddedCluster) -> EmbeddedCluster:
    """The fixture `workers` runs on this one."""
    return bare_embedded


def test_three_urgent_tickets_of_the_first_snippet_are_an_alert_for_the_second(
    bare_cluster: EmbeddedCluster, workers: Workers
) -> None:
    publish, consume = snippets()
    create_topics(bare_cluster, workers.app_id)
    worker = workers.start()
    for number in range(3):
        run(publish.replace("t-81", f"t-8{number}"), bare_cluster)
    wait_until(lambda: read_topic(bare_cluster.bootstrap, "cs.churn-alerts"), ALERT_LIMIT_S, "the alert")
    printed = run(consume, bare_cluster)
    assert worker.stop() == 0
    assert "ChurnAlert" in printed
    assert "state='opened'" in printed
    assert "customer_id='acme'" in printed
    assert "urgent" in printed


def test_the_commands_of_the_readme_exist() -> None:
    named = set(re.findall(r"cspulse (\w+)", README)) - {"is"}
    shown = subprocess.run([sys.executable, "-m", "streams", "--help"], capture_output=True, text=True, check=True).stdout
    assert all(command in shown for command in named), named


def test_every_file_that_the_readme_links_to_is_there() -> None:
    root = Path(__file__).parents[2]
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", README) if "://" not in link]
    assert [link for link in links if not (root / link).exists()] == []
