"""What is published of the whole fleet, against the batch answer over all customers at the same time."""

from math import isclose
from typing import Any

import msgspec

from streams.catalogue import default_text
from streams.replay import replay
from streams.sources.simulator import Simulation, simulate
from tests.simulation.test_replay import END_MS, TICK_INTERVAL_MS, UNTIDY, inputs
from tests.support.oracle.acceptance import Event, accepted_by_customer, judged, merged
from tests.support.oracle.commercial import commercial, terms_of
from tests.support.oracle.events import names_of, read_definitions
from tests.support.oracle.figures import figures
from tests.support.oracle.totals import gauges

SEED = 41
PARTITIONS = 2
CLOSING_MS = END_MS + 12 * 3_600_000
SAID = ("csat_", "nps_0_10_90d", "nps_1_10_90d")

Value = dict[str, Any]


def same(one: float | None, other: float | None) -> bool:
    return one is other if one is None or other is None else isclose(one, other, rel_tol=1e-9, abs_tol=1e-6)


def test_at_the_end_of_a_log_the_fleet_s_csat_nps_backlog_and_commercial_figures_are_the_batch_answers() -> None:
    print("seed", SEED)
    lines = tuple(simulate(Simulation(customers=25, days=100, seed=SEED, end_ms=END_MS, disorder=UNTIDY)))
    published: dict[tuple[str, str], Value] = {}
    for output in replay(lines, partitions=PARTITIONS, until_ms=CLOSING_MS, tick_interval_ms=TICK_INTERVAL_MS):
        value: Any = output.value
        if output.topic == "cs.fleet-snapshots":
            published[value.figure, value.dimension] = msgspec.structs.asdict(value)
    as_of_ms = max(value["as_of"] for value in published.values())
    log = inputs(lines, PARTITIONS, CLOSING_MS)
    customers: dict[str, list[Event]] = {}
    for partition in range(PARTITIONS):
        mine = judged(merged([record for record in log if record["partition"] == partition]))
        for customer_id, accepted in accepted_by_customer(mine).items():
            customers[customer_id] = [judgement.record["value"] for judgement in accepted]
    everything = [event for events in customers.values() for event in events]
    names = names_of(default_text())

    said = {key[:2]: found for key, found in figures(everything, as_of_ms, names).items() if key[0].startswith(SAID)}
    compared = {key: found for key, found in said.items() if key in published}
    assert len(compared) > 5
    assert not {
        key: (published[key]["value"], found.value)
        for key, found in compared.items()
        if not same(published[key]["value"], found.value)
    }
    backlog = {key: n for key, n in gauges(customers.values(), names).items() if key[0] != "open_tickets_by_opening_day"}
    assert sum(n for (figure, _), n in backlog.items() if figure == "customers") == len(customers)
    assert not {key: n for key, n in backlog.items() if published[key]["value"] != n}
    right = commercial(customers, as_of_ms, terms_of(read_definitions(default_text())))
    assert len(right) > 50
    shown = {key: published[key]["value"] if key in published else None for key in right}
    assert not {key: (shown[key], value) for key, value in right.items() if not same(shown[key] or 0, value or 0)}
