"""A new application id over a finished log: the same figures and scores at the same clock, nothing late that was not before."""

import threading

import pytest

from processors.definitions import Definitions, parse
from processors.effects import Context
from processors.figures import Sheet, all_figures
from processors.judgement import judge
from processors.state import CustomerState
from streams.catalogue import default_text
from streams.state_bytes import unpack
from streams.topics import changelog_topics, specs
from tests.chaos.storm import lines_of, paced
from tests.support.cluster import PARTITIONS, ApacheCluster, now_ms
from tests.support.publishing import publish_lines, publish_tick, wait_until_folded
from tests.support.topic_log import Logged, newest_by_key, read_topic
from tests.support.worker import Workers

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.timeout(300)]

EVENTS = 12_000
PUBLISH_S = 8.0
SEED = 4_711

Place = tuple[str, int, int]


def states_of(cluster: ApacheCluster, app_id: str) -> dict[bytes, CustomerState]:
    """The state of each customer, as the changelog has it."""
    customers = newest_by_key(read_topic(cluster.bootstrap, changelog_topics(app_id)[0]))
    return {key: unpack(value) for (_, key), value in customers.items()}


def scores_of(state: CustomerState, at_ms: int, definitions: Definitions) -> dict[str, float | None]:
    """The score of each purpose, judged anew at a time."""
    judged = judge(Sheet(state, at_ms, definitions), "time", Context(definitions, state.config_version, "nobody"))
    return {now.scorecard.purpose: now.assessment.score for now in judged}


def late_places(letters: list[Logged]) -> list[Place]:
    told = [letter.fields() for letter in letters]
    return sorted((one["topic"], one["partition"], one["offset"]) for one in told if one["reason"] == "late")


def test_a_rebuild_gives_the_same_figures_and_scores_and_calls_nothing_else_late(
    apache: ApacheCluster, apache_workers: Workers
) -> None:
    print(f"seed {SEED}")
    first, second = apache_workers.app_id, f"{apache_workers.app_id}-again"
    publisher = threading.Thread(target=publish_lines, args=(apache, paced(lines_of(EVENTS, SEED), PUBLISH_S)))
    publisher.start()
    live = apache_workers.start(tick_interval_ms="0")
    publisher.join()
    at_ms = now_ms()
    publish_tick(apache, at_ms)
    wait_until_folded(apache, first)
    assert live.stop() == 0
    letters = read_topic(apache.bootstrap, "cs.dead-letters")

    apache.create([spec for spec in specs(second, PARTITIONS) if spec.name.startswith(f"{second}-")])
    rebuilding = apache_workers.start(app_id=second, tick_interval_ms="0", shadow="false")
    wait_until_folded(apache, second)
    assert rebuilding.stop() == 0

    before, after = states_of(apache, first), states_of(apache, second)
    assert before.keys() == after.keys()
    assert len(before) > EVENTS / 100
    definitions = parse(default_text())
    for key, state in before.items():
        assert all_figures(Sheet(after[key], at_ms, definitions)) == all_figures(Sheet(state, at_ms, definitions)), key
        assert scores_of(after[key], at_ms, definitions) == scores_of(state, at_ms, definitions), key
        assert after[key].events_accepted == state.events_accepted, key
    known = {(letter.partition, letter.offset) for letter in letters}
    new_letters = [one for one in read_topic(apache.bootstrap, "cs.dead-letters") if (one.partition, one.offset) not in known]
    assert late_places(new_letters) == late_places(letters) != []
