"""Two workers on Apache Kafka while events flow and everything happens to them: all figures right, every output once.

And the same against workers that are broken on purpose, which must be found out.
"""

import os
import random
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from streams.sources.simulator import Disorder
from tests.chaos.hits import POINTS, Hit, deaths, plan_of
from tests.chaos.storm import DISORDER, REPEATING, Storm, happening_lately, lines_of
from tests.chaos.supervised import CannotFinish
from tests.support.cluster import ApacheCluster, create_topics
from tests.support.kafka.trio import KafkaTrio
from tests.support.topic_log import folded_offsets, group_offsets
from tests.support.whole_log import folded_twice, judgements_of, repeated, violations
from tests.support.worker import Workers, broken

pytestmark = [pytest.mark.chaos, pytest.mark.kafka, pytest.mark.slow, pytest.mark.timeout(7200)]

EVENTS = int(os.environ.get("CHAOS_EVENTS", "30000"))
SEED = int(os.environ.get("CHAOS_SEED") or random.randrange(1_000_000))
EVENTS_A_SECOND = 400
TRIO_SHARE = 0.3
"""The part of the events that goes to three brokers."""

QUIET_EVENTS_A_KILL, QUIET_EVENTS_A_BOUNCE = 18_000, 75_000
"""The storm lasts as long as the events flow."""

CLOCK_S, CLOCK_AGO_MS = 25.0, 3 * 3_600_000
"""So long ago that the clocks that jump are ahead of the events, some more and some less, and the last tick is ahead of all."""

MUTANT_FINISH_LIMIT_S = 120.0
MUTANT_TRIES = 24  # on a quiet machine one of three seeds finds the build that reads before its fence


def test_all_is_exact_on_one_broker_that_is_bounced_with_workers_killed_and_frozen(
    apache: ApacheCluster, apache_workers: Workers
) -> None:
    storm_over(apache, apache_workers, round(EVENTS * (1 - TRIO_SHARE)))


def test_all_is_exact_on_three_brokers_that_are_bounced_in_turn(trio: KafkaTrio, app_id: str, tmp_path: Path) -> None:
    cluster = ApacheCluster(trio)
    create_topics(cluster, app_id)
    workers = Workers(tmp_path, cluster.bootstrap, app_id)
    try:
        storm_over(cluster, workers, round(EVENTS * TRIO_SHARE))
    finally:
        workers.clean_up()


def storm_over(cluster: ApacheCluster, workers: Workers, events: int) -> None:
    plan = plan_of(
        SEED,
        kills=2 + events // QUIET_EVENTS_A_KILL,
        freezes=1 + events // QUIET_EVENTS_A_BOUNCE,
        bounces=1 + events // QUIET_EVENTS_A_BOUNCE,
        brokers=len(cluster.servers),
    )
    print(f"CHAOS_SEED={SEED} CHAOS_EVENTS={EVENTS}: {len(plan)} hits while {events} events flow")
    storm = Storm(cluster, workers, SEED)

    storm.run(lines_of(events, SEED), plan, publish_s=events / EVENTS_A_SECOND, finish_limit_s=120 + events / 200)

    assert_exact(cluster, workers.app_id)


def assert_exact(cluster: ApacheCluster, app_id: str) -> None:
    committed = group_offsets(cluster.bootstrap, app_id, 4)
    in_state = folded_offsets(cluster.bootstrap, app_id)
    assert {place: committed[place] for place in in_state} == in_state, "the group's offsets are not those in the state"
    judgements = judgements_of(cluster)
    assert folded_twice(cluster) == repeated(judgements)
    found = violations(cluster, judgements)
    assert not found, "\n".join([f"{len(found)} violations:", *found[:40]])


def test_a_death_between_any_two_steps_of_a_task_changes_nothing_with_a_producer_that_repeats_and_reorders(
    apache: ApacheCluster, apache_workers: Workers, tmp_path: Path
) -> None:
    arms = tmp_path / "arms"
    arms.mkdir()
    print(f"CHAOS_SEED={SEED}")
    storm = Storm(apache, apache_workers, SEED, command=broken("dies_at", str(arms)), arms=arms)

    storm.run(lines_of(12_000, SEED, REPEATING), deaths(), publish_s=90.0, finish_limit_s=180.0)

    assert len(POINTS) == len(deaths())
    assert folded_twice(apache) > 0
    assert_exact(apache, apache_workers.app_id)


def test_a_clock_of_the_workers_that_jumps_by_an_hour_changes_no_figure(apache: ApacheCluster, apache_workers: Workers) -> None:
    print(f"CHAOS_SEED={SEED}")
    plan = [Hit("kill", 0), Hit("leave", 1), Hit("kill", 1)]
    storm = Storm(apache, apache_workers, SEED, command=broken("clock_jumps"), tick_interval_ms="500")

    lines = happening_lately(lines_of(6_000, SEED), CLOCK_S, CLOCK_AGO_MS)
    storm.run(lines, plan, publish_s=CLOCK_S, finish_limit_s=120.0)

    assert_exact(apache, apache_workers.app_id)


class Trial(NamedTuple):
    """What gives a broken build away: changes of owner, frozen owners that wake up, deaths between two commits, a backlog."""

    mutant: str
    events: int
    publish_s: float
    plan: Sequence[Hit]
    disorder: Disorder = DISORDER


TRIALS = (
    Trial("no_epochs", 12_000, 30.0, [Hit("leave", 1)] * 6),
    Trial("no_fence", 8_000, 20.0, [Hit("freeze", 0), Hit("freeze", 1)] * 2),
    Trial("read_before_fence", 12_000, 60.0, [Hit("freeze", 0), Hit("freeze", 1)] * 2),
    Trial("offsets_apart", 8_000, 20.0, [Hit("kill", 0), Hit("kill", 1)] * 3),
    Trial("blind_merge", 8_000, 0.0, [], REPEATING),
)


@pytest.mark.parametrize("trial", [pytest.param(trial, id=trial.mutant) for trial in TRIALS])
def test_the_run_finds_a_build_that_is_broken(trial: Trial, bare_apache: ApacheCluster, tmp_path: Path) -> None:
    seeds = range(SEED, SEED + MUTANT_TRIES)
    for seed in seeds:
        found = what_gave_it_away(trial, broken(trial.mutant), seed, bare_apache, tmp_path / str(seed))
        print(f"{trial.mutant}, seed {seed}: {found or 'not noticed'}")
        if found:
            return
    pytest.fail(f"nothing gave {trial.mutant} away: the run is too weak; seeds {list(seeds)}")


def test_topics_that_come_in_pieces_and_at_different_speeds_are_merged_right(bare_apache: ApacheCluster, tmp_path: Path) -> None:
    print(f"CHAOS_SEED={SEED}")
    assert not what_gave_it_away(TRIALS[-1], broken("small_pieces"), SEED, bare_apache, tmp_path / str(SEED))


def what_gave_it_away(trial: Trial, command: Sequence[str], seed: int, cluster: ApacheCluster, folder: Path) -> str:
    """The first thing that is wrong after a run of broken workers; empty if nothing is."""
    folder.mkdir()
    workers = Workers(folder, cluster.bootstrap, f"{trial.mutant}-{seed}")
    cluster.clear()
    create_topics(cluster, workers.app_id)
    storm = Storm(cluster, workers, seed, command=command)
    try:
        lines = lines_of(trial.events, seed, trial.disorder)
        storm.run(lines, trial.plan, publish_s=trial.publish_s, finish_limit_s=MUTANT_FINISH_LIMIT_S)
    except CannotFinish as error:
        return f"the run did not finish: {error}"
    finally:
        workers.clean_up()
    judgements = judgements_of(cluster)
    extra = folded_twice(cluster) - repeated(judgements)
    if extra:
        return f"{extra} events more than were repeated came to the fold twice"
    return next(iter(violations(cluster, judgements)), "")
