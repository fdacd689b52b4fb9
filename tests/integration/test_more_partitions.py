"""The documented way to more partitions: the inputs out into files, the topics made anew, the files in again."""

from pathlib import Path

import pytest

from processors.definitions import parse
from processors.figures import Sheet, all_figures
from streams.catalogue import default_text
from streams.topics import specs
from tests.chaos.storm import lines_of
from tests.integration.test_rebuild import states_of
from tests.support.cluster import ApacheCluster, now_ms
from tests.support.command_line import run
from tests.support.publishing import EVENT_TOPICS, publish_lines, publish_tick
from tests.support.topic_log import ends, folded_offsets
from tests.support.waiting import wait_until
from tests.support.worker import Workers

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(240)]

SEED = 78
MORE = 6
LIMIT_S = 90.0


def fold(cluster: ApacheCluster, workers: Workers, app_id: str, partitions: int, at_ms: int) -> None:
    """Let a worker fold everything, and the time of `at_ms` come."""
    publish_tick(cluster, at_ms, range(partitions))
    worker = workers.start(app_id=app_id, partitions=str(partitions), tick_interval_ms="0")
    wanted = ends(cluster.bootstrap, (*EVENT_TOPICS, "cs.ticks"))

    def is_folded() -> bool:
        folded = folded_offsets(cluster.bootstrap, app_id)
        return all(folded.get(place, 0) >= end for place, end in wanted.items())

    wait_until(is_folded, LIMIT_S, "everything to be folded")
    assert worker.stop() == 0


def test_everything_that_is_known_of_every_customer_survives_the_move(
    apache: ApacheCluster, apache_workers: Workers, tmp_path: Path
) -> None:
    first, second, at_ms = apache_workers.app_id, f"{apache_workers.app_id}-wide", now_ms()
    publish_lines(apache, lines_of(2_000, SEED))
    fold(apache, apache_workers, first, 4, at_ms)
    before = states_of(apache, first)
    files = []
    for topic in EVENT_TOPICS:
        told = run("--bootstrap-servers", apache.bootstrap, "tail", topic, "--json", "--from-beginning", "--until-end")
        assert told.exit_code == 0, told.output
        files.append(told.stdout)
    refused = apache_workers.start(partitions=str(MORE))
    assert refused.wait(LIMIT_S) == 2
    assert "has 4 partitions and must have 6" in refused.said()

    apache.clear()
    apache.create(specs(second, MORE))
    everything = tmp_path / "inputs.jsonl"
    everything.write_text("".join(files))
    published = run("--bootstrap-servers", apache.bootstrap, "publish", "--from", "jsonl", str(everything))
    assert published.exit_code == 0, published.output
    fold(apache, apache_workers, second, MORE, at_ms)

    after, definitions = states_of(apache, second), parse(default_text())
    assert after.keys() == before.keys()
    for key, state in before.items():
        assert after[key].events_accepted == state.events_accepted, key
        assert all_figures(Sheet(after[key], at_ms, definitions)) == all_figures(Sheet(state, at_ms, definitions)), key
