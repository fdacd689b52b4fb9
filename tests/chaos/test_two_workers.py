"""Two workers on Apache Kafka, killed and frozen while events flow: every figure right, every output once, every chain unbroken.

And the same against workers that are broken on purpose, which must be found out.
"""

import os
import random
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.chaos.storm import CannotFinish, Hit, Storm, lines_of, plan_of
from tests.support.cluster import ApacheCluster, create_topics
from tests.support.whole_log import folded_twice, violations
from tests.support.worker import Workers, broken

pytestmark = [pytest.mark.chaos, pytest.mark.kafka, pytest.mark.slow, pytest.mark.timeout(1800)]

EVENTS = int(os.environ.get("CHAOS_EVENTS", "40000"))
SEED = int(os.environ.get("CHAOS_SEED") or random.randrange(1_000_000))
EVENTS_A_SECOND = 400
KILLS, FREEZES = 3 + EVENTS // 50_000, 1 + EVENTS // 100_000  # of each worker: the storm lasts as long as the events flow
FINISH_LIMIT_S = 120.0 + EVENTS / 250

MUTANT_FINISH_LIMIT_S = 120.0
MUTANT_TRIES = 3


def test_figures_outputs_and_chains_are_exact_after_kills_and_freezes(apache: ApacheCluster, apache_workers: Workers) -> None:
    plan = plan_of(SEED, KILLS, FREEZES)
    print(f"CHAOS_SEED={SEED} CHAOS_EVENTS={EVENTS}: {plan}")
    storm = Storm(apache, apache_workers, SEED)

    storm.run(lines_of(EVENTS, SEED), plan, publish_s=EVENTS / EVENTS_A_SECOND, finish_limit_s=FINISH_LIMIT_S)

    assert folded_twice(apache) == 0
    found = violations(apache)
    assert not found, "\n".join([f"{len(found)} violations:", *found[:40]])


class Trial(NamedTuple):
    """What gives a broken build away: many changes of owner, frozen owners that wake up, or deaths between two commits."""

    mutant: str
    events: int
    publish_s: float
    plan: list[Hit]


TRIALS = (
    Trial("no_epochs", 12_000, 30.0, [Hit("leave", 1)] * 6),
    Trial("no_fence", 8_000, 20.0, [Hit("freeze", 0), Hit("freeze", 1)] * 2),
    Trial("offsets_apart", 8_000, 20.0, [Hit("kill", 0), Hit("kill", 1)] * 3),
)


@pytest.mark.parametrize("trial", [pytest.param(trial, id=trial.mutant) for trial in TRIALS])
def test_the_run_finds_a_build_that_is_broken(trial: Trial, bare_apache: ApacheCluster, tmp_path: Path) -> None:
    seeds = range(SEED, SEED + MUTANT_TRIES)
    for seed in seeds:
        found = what_gave_it_away(trial, seed, bare_apache, tmp_path / str(seed))
        print(f"{trial.mutant}, seed {seed}: {found or 'not noticed'}")
        if found:
            return
    pytest.fail(f"nothing gave {trial.mutant} away: the run is too weak; seeds {list(seeds)}")


def what_gave_it_away(trial: Trial, seed: int, cluster: ApacheCluster, folder: Path) -> str:
    """The first thing that is wrong after a run of broken workers; empty if nothing is."""
    folder.mkdir()
    workers = Workers(folder, cluster.bootstrap, f"{trial.mutant}-{seed}")
    cluster.clear()
    create_topics(cluster, workers.app_id)
    storm = Storm(cluster, workers, seed, command=broken(trial.mutant))
    try:
        lines = lines_of(trial.events, seed)
        storm.run(lines, trial.plan, publish_s=trial.publish_s, finish_limit_s=MUTANT_FINISH_LIMIT_S)
    except CannotFinish as error:
        return f"the run did not finish: {error}"
    finally:
        workers.clean_up()
    twice = folded_twice(cluster)
    if twice:
        return f"{twice} events were folded twice"
    return next(iter(violations(cluster)), "")
