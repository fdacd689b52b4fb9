"""Two sinks killed and frozen while they write the read model: in the end it says what a plain loop over the topics says."""

import os
import random
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from sinks.redis_connection import RedisTarget
from sinks.redis_reader import RedisShelves
from sinks.stored_model import StoredReadModel
from streams.topics import TOPICS
from tests.support.cluster import PARTITIONS, ApacheCluster
from tests.support.oracle import read_model as oracle
from tests.support.read_model_log import CURRENCIES, OWNERS, lines, write
from tests.support.redis_server import RedisServer
from tests.support.waiting import wait_until
from tests.support.worker import Worker, Workers
from tests.support.worker_fixtures import app_id, bare_apache

__all__ = ["app_id", "bare_apache"]

pytestmark = [pytest.mark.chaos, pytest.mark.kafka, pytest.mark.redis, pytest.mark.slow, pytest.mark.timeout(900)]

RECORDS: Final = int(os.environ.get("READ_MODEL_RECORDS", "100000"))
SEED: Final = int(os.environ.get("CHAOS_SEED") or random.randrange(1_000_000))
CUSTOMERS: Final = 4_000
HITS: Final = 6
LIMIT_S: Final = 400.0  # it takes seconds on a machine that does nothing else
SINK: Final = (sys.executable, "-P", "-m", "streams", "sink", "redis")
READ: Final = (
    "cs.customer-snapshots",
    "cs.fleet-snapshots",
    "cs.fleet-alerts",
    "cs.touchpoint-maps",
    "cs.owner-lists",
    "cs.maturity",
)


@pytest.fixture
def sinks(bare_apache: ApacheCluster, app_id: str, tmp_path: Path) -> Iterator[Workers]:
    read = [TOPICS[name] for name in READ]
    bare_apache.create([replace(spec, partitions=PARTITIONS if spec.partitioned else 1) for spec in read])
    made = Workers(tmp_path, bare_apache.bootstrap, app_id)
    yield made
    made.clean_up()


def test_the_read_model_equals_the_oracle_after_kills(
    bare_apache: ApacheCluster, sinks: Workers, redis_server: RedisServer
) -> None:
    print(f"CHAOS_SEED={SEED} READ_MODEL_RECORDS={RECORDS}")
    redis_server.empty()
    chance = random.Random(SEED)
    writer = threading.Thread(
        target=write, args=(bare_apache.bootstrap, list(lines(RECORDS, CUSTOMERS, SEED)), SEED), daemon=True
    )
    writer.start()
    settings = {
        "redis_url": f"redis://127.0.0.1:{redis_server.port}",
        "session_timeout_ms": "1500",
        "heartbeat_interval_ms": "300",
    }
    pair = [sinks.start(command=SINK, **settings) for _ in range(2)]

    for share in sorted(chance.uniform(0.02, 0.9) for _ in range(HITS)):
        wait_until(lambda share=share: _done(redis_server) >= share * RECORDS, LIMIT_S, f"{share:.0%} to be written")  # type: ignore[misc]  # binds the loop's value
        _hit(pair[chance.randrange(2)], chance, redis_server)
    writer.join()
    log = {topic: oracle.messages(bare_apache.bootstrap, topic) for topic in READ}
    ends = {(topic, number): part[-1][1] + 1 for topic, parts in log.items() for number, part in enumerate(parts) if part}
    wait_until(lambda: _has_come(redis_server, ends), LIMIT_S, "everything to be written")

    for sink in pair:
        assert sink.stop() == 0
    assert_equals_oracle(redis_server, log)


def _hit(sink: Worker, chance: random.Random, server: RedisServer) -> None:
    """Kill it and start it again, or stop it until it has lost its partitions and let it go on."""
    if chance.random() < 0.75:
        print(f"killed at {_done(server)}")
        sink.kill()
        sink.start()
        return
    print(f"frozen at {_done(server)}")
    sink.freeze()
    before = _done(server)
    wait_until(lambda: _done(server) > before + RECORDS // 100, LIMIT_S, "the other one to go on")
    sink.thaw()


def _positions(server: RedisServer) -> dict[tuple[str, int], int]:
    with server.client() as client:
        kept: Any = client.hgetall("cspulse:v1:positions")
    found = {}
    for name, position in kept.items():
        topic, _, partition = name.decode().partition("|")
        found[topic, int(partition)] = int(position)
    return found


def _done(server: RedisServer) -> int:
    return sum(_positions(server).values())


def _has_come(server: RedisServer, ends: dict[tuple[str, int], int]) -> bool:
    positions = _positions(server)
    return all(positions.get(place, 0) >= end for place, end in ends.items())


def assert_equals_oracle(server: RedisServer, log: dict[str, list[list[oracle.Message]]]) -> None:
    """Every customer, ranking, figure, alert, report and list."""
    customers, erased = oracle.customers(log["cs.customer-snapshots"])
    shelves = RedisShelves(RedisTarget(host="127.0.0.1", port=server.port))
    model = StoredReadModel(shelves)
    with server.client() as client:
        keys: Any = list(client.scan_iter("cspulse:v1:customer:*", 5000))
    names = {key.decode().removeprefix("cspulse:v1:customer:") for key in keys}
    assert names == set(customers)
    wrong = [name for name, wanted in customers.items() if _plain(model.customer(name)) != wanted]
    assert not wrong, f"{len(wrong)} customers are not as they should be, such as {wrong[:3]}"
    assert model.customers() == len(customers)
    _assert_rankings(model, customers)
    _assert_fleet(model, log)
    _assert_lists(model, log["cs.owner-lists"], erased)
    shelves.close()


def _assert_rankings(model: StoredReadModel, customers: dict[str, dict[str, Any]]) -> None:
    everybody = len(customers) + 1
    assert [one.customer_id for one in model.at_risk(everybody)] == oracle.by_risk(customers)
    for currency in filter(None, CURRENCIES):
        found = [one.customer_id for one in model.at_risk_by_revenue(currency, everybody)]
        assert found == oracle.by_revenue(customers, currency)
    paid_in = {one["currency"] for one in customers.values() if oracle.at_risk(one) and one["mrr_cents"] is not None}
    assert model.currencies_at_risk() == sorted(filter(None, paid_in))


def _assert_fleet(model: StoredReadModel, log: dict[str, list[list[oracle.Message]]]) -> None:
    figures = oracle.newest_by_key(log["cs.fleet-snapshots"], "figure", "dimension", "window_days")
    assert {(one.figure, one.dimension, one.window_days): _plain(one) for one in model.fleet_figures()} == figures
    alerts = oracle.newest_by_key(log["cs.fleet-alerts"], "rule")
    still_open = {said["rule"]: said for said in alerts.values() if said["state"] in ("opened", "updated")}
    assert {one.rule: _plain(one) for one in model.fleet_alerts()} == still_open
    assert [_plain(model.touchpoint_map())] == list(oracle.newest_by_key(log["cs.touchpoint-maps"]).values())
    assert [_plain(model.maturity())] == list(oracle.newest_by_key(log["cs.maturity"]).values())


def _assert_lists(model: StoredReadModel, log: list[list[oracle.Message]], erased: dict[str, int]) -> None:
    for (owner, kind), said in oracle.newest_by_key(log, "owner", "kind").items():
        entries = [entry for entry in said["entries"] if said["as_of"] > erased.get(entry["customer_id"], -1)]
        assert _plain(model.owner_list(owner, kind)) == {**said, "entries": entries}
    assert model.owners() == sorted(OWNERS)


def _plain(record: Any) -> Any:
    return msgspec.to_builtins(record)
