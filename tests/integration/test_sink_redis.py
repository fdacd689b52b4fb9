"""`cspulse sink redis` as a process: what it does when Redis or the broker is away, what it says when it is told wrong things."""

import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec
import pytest

from schemas.codec import Codec
from schemas.records import CustomerSnapshot
from sinks.redis_connection import RedisTarget
from sinks.redis_reader import RedisShelves
from sinks.redis_sink import RedisSink
from sinks.sink import Batch, Misconfigured, Place, SinkRecord, Unavailable
from sinks.stored_model import StoredReadModel
from streams.topics import partition_of
from tests.support.certificates import Authority
from tests.support.cluster import PARTITIONS, EmbeddedCluster, create_topics, produce
from tests.support.command_line import run
from tests.support.ports import free_ports
from tests.support.proxy import Proxy
from tests.support.read_model_records import snapshot
from tests.support.redis_server import RedisServer
from tests.support.waiting import wait_until
from tests.support.worker import Worker, Workers

pytestmark = [pytest.mark.redis, pytest.mark.timeout(400)]

SNAPSHOTS: Final = "cs.customer-snapshots"
SINK: Final = (sys.executable, "-P", "-m", "streams", "sink", "redis")
LIMIT_S: Final = 100.0


@pytest.fixture
def broker(bare_embedded: EmbeddedCluster, app_id: str, redis_server: RedisServer) -> EmbeddedCluster:
    redis_server.empty()
    create_topics(bare_embedded, app_id)
    return bare_embedded


@pytest.fixture
def sinks(broker: EmbeddedCluster, app_id: str, tmp_path: Path) -> Iterator[Workers]:
    made = Workers(tmp_path, broker.bootstrap, app_id)
    yield made
    made.clean_up()


@pytest.fixture
def model(redis_server: RedisServer) -> Iterator[StoredReadModel]:
    shelves = RedisShelves(RedisTarget(host="127.0.0.1", port=redis_server.port))
    yield StoredReadModel(shelves)
    shelves.close()


def publish(broker: EmbeddedCluster, *written: CustomerSnapshot) -> None:
    codec = Codec()
    for one in written:
        key = one.customer_id.encode()
        produce(broker, SNAPSHOTS, partition_of(key, PARTITIONS), [(key, codec.encode(SNAPSHOTS, one), one.as_of)])


def erase(broker: EmbeddedCluster, customer_id: str, at_ms: int) -> None:
    key = customer_id.encode()
    produce(broker, SNAPSHOTS, partition_of(key, PARTITIONS), [(key, None, at_ms)])


def start(sinks: Workers, port: int, *options: str) -> Worker:
    return sinks.start(command=(*SINK, *options), redis_url=f"redis://127.0.0.1:{port}")


def knows(model: StoredReadModel, customer_id: str, number: int) -> bool:
    found = model.customer(customer_id)
    return found is not None and found.sequence == number


@pytest.mark.embedded
def test_what_is_published_can_be_read_and_a_signal_ends_it(
    broker: EmbeddedCluster, sinks: Workers, redis_server: RedisServer, model: StoredReadModel
) -> None:
    publish(broker, *(snapshot(f"customer-{number}", 1) for number in range(20)))

    sink = start(sinks, redis_server.port)

    wait_until(lambda: model.customers() == 20, LIMIT_S, "everybody to be known")
    publish(broker, snapshot("customer-3", 2, 10.0))
    wait_until(lambda: knows(model, "customer-3", 2), LIMIT_S, "the change")
    erase(broker, "customer-3", snapshot("customer-3", 2).as_of)
    wait_until(lambda: model.customer("customer-3") is None, LIMIT_S, "the erasure")
    assert sink.stop() == 0


@pytest.mark.embedded
@pytest.mark.parametrize("fault", ["refuse", "silent", "lose_answers"])
def test_while_redis_is_away_it_waits_and_loses_nothing(
    broker: EmbeddedCluster, sinks: Workers, redis_server: RedisServer, model: StoredReadModel, fault: str
) -> None:
    publish(broker, snapshot("before", 1))
    with Proxy(redis_server.port, seed=1) as proxy:
        sink = start(sinks, proxy.port)
        wait_until(lambda: knows(model, "before", 1), LIMIT_S, "the first customer")

        with proxy.fault(fault):  # type: ignore[arg-type]  # one of its modes
            publish(broker, *(snapshot(f"meanwhile-{number}", 1) for number in range(50)))
            if fault != "lose_answers":
                sink.wait_for_line(r"nothing is lost, attempt 2 failed")
            else:
                wait_until(lambda: proxy.lost > 3, LIMIT_S, "some answers to be lost")

        wait_until(lambda: model.customers() == 51, LIMIT_S, "all who came meanwhile")
        if fault != "lose_answers":
            sink.wait_for_line(r"redis: answers again")
        assert sink.stop() == 0


@pytest.mark.embedded
def test_a_redis_that_lost_everything_is_filled_again(
    broker: EmbeddedCluster, sinks: Workers, redis_server: RedisServer, model: StoredReadModel
) -> None:
    publish(broker, *(snapshot(f"customer-{number}", 1) for number in range(20)))
    sink = start(sinks, redis_server.port)
    wait_until(lambda: model.customers() == 20, LIMIT_S, "everybody to be known")

    redis_server.empty()
    publish(broker, *(snapshot(f"customer-{number}", 2) for number in range(0, 20, 2)))

    wait_until(lambda: model.customers() == 20 and knows(model, "customer-18", 2), LIMIT_S, "everybody to be known again")
    assert sink.stop() == 0


@pytest.mark.embedded
def test_a_rebuild_makes_good_what_others_have_done_to_the_keys(
    broker: EmbeddedCluster, sinks: Workers, redis_server: RedisServer, model: StoredReadModel
) -> None:
    publish(broker, *(snapshot(f"customer-{number}", 1, 20.0) for number in range(20)))
    assert start(sinks, redis_server.port, "--until-end").wait(LIMIT_S) == 0
    with redis_server.client() as client:
        client.hset("cspulse:v1:customer:customer-3", "standing", b"{}")
        client.delete("cspulse:v1:customer:customer-4")
        client.zadd("cspulse:v1:customers", {"customer-5000": 0})
        client.hset("cspulse:v1:customer:customer-5000", mapping={"version": "9", "ranked_in": "EUR", "standing": "{}"})
        client.zadd("cspulse:v1:at-risk", {"customer-5000": 1})

    rebuilding = start(sinks, redis_server.port, "--rebuild", "--until-end")

    assert rebuilding.wait(LIMIT_S) == 0, rebuilding.tail()
    assert "the rebuild is done" in rebuilding.said()
    assert {one.customer_id for one in model.at_risk()} == {f"customer-{number}" for number in range(20)}
    assert knows(model, "customer-4", 1)


@pytest.mark.embedded
def test_a_rebuild_that_was_killed_is_finished_by_the_next_one(
    broker: EmbeddedCluster, sinks: Workers, redis_server: RedisServer, model: StoredReadModel
) -> None:
    publish(broker, *(snapshot(f"customer-{number}", 1, 20.0) for number in range(20)))
    assert start(sinks, redis_server.port, "--until-end").wait(LIMIT_S) == 0
    with redis_server.client() as client:
        client.zadd("cspulse:v1:customers", {"nobody": 0})
    RedisSink(RedisTarget(host="127.0.0.1", port=redis_server.port)).begin_rebuild(_ends(broker, 20))

    ordinary = start(sinks, redis_server.port, "--until-end")

    assert ordinary.wait(LIMIT_S) == 0
    assert "the rebuild is done" in ordinary.said()
    assert model.customers() == 20


def _ends(broker: EmbeddedCluster, customers: int) -> dict[Place, int]:
    assert broker.bootstrap
    keys = [f"customer-{number}".encode() for number in range(customers)]
    partitions = [partition_of(key, PARTITIONS) for key in keys]
    return {Place(SNAPSHOTS, partition): partitions.count(partition) for partition in range(PARTITIONS)}


@pytest.mark.embedded
def test_topics_that_are_not_there_are_named(bare_embedded: EmbeddedCluster, tmp_path: Path, redis_server: RedisServer) -> None:
    config = tmp_path / "settings.toml"
    config.write_text(f'bootstrap_servers = "{bare_embedded.bootstrap}"\nredis_url = "redis://127.0.0.1:{redis_server.port}"\n')

    told = run("--config", str(config), "sink", "redis")

    assert told.exit_code == 2
    assert "there is no topic cs.customer-snapshots" in told.stderr


def test_without_a_configured_redis_it_says_what_to_set() -> None:
    told = run("sink", "redis")
    assert told.exit_code == 2
    assert "CSPULSE_REDIS_URL" in told.stderr


@pytest.fixture
def guarded(tmp_path: Path, redis_server: RedisServer) -> Iterator[RedisServer]:
    """A server that wants a password. The shared one is asked for so that a missing part is told in one way."""
    assert redis_server.port
    with RedisServer(tmp_path / "guarded", {"requirepass": "right-word"}) as server:
        yield server


@pytest.mark.parametrize("password", [None, "wrong-word"])
def test_a_wrong_password_is_told_and_not_shown(guarded: RedisServer, password: str | None) -> None:
    sink = RedisSink(RedisTarget(host="127.0.0.1", port=guarded.port, password=password))

    with pytest.raises(Misconfigured, match="CSPULSE_REDIS_PASSWORD") as raised:
        sink.assigned([Place(SNAPSHOTS, 0)])

    assert "-word" not in f"{raised.value}{raised.value.__cause__}{sink.__dict__}"
    sink.close()


def test_the_right_password_is_accepted(guarded: RedisServer) -> None:
    sink = RedisSink(RedisTarget(host="127.0.0.1", port=guarded.port, password="right-word"))
    assert sink.assigned([Place(SNAPSHOTS, 0)]) == {Place(SNAPSHOTS, 0): 0}
    sink.close()


def test_a_server_that_speaks_tls_is_spoken_to_and_verified(
    authority: Authority, tmp_path: Path, redis_server: RedisServer
) -> None:
    assert redis_server.port
    own, foreign = authority.issue(tmp_path, "redis"), Authority(tmp_path).certificate
    options = {
        "tls-cert-file": str(own.certificate),
        "tls-key-file": str(own.key),
        "tls-ca-cert-file": str(authority.certificate),
    }
    place = Place(SNAPSHOTS, 0)
    with RedisServer(tmp_path / "tls", options, tls=True) as server:
        target = RedisTarget(host="127.0.0.1", port=server.port, tls=True, ca_location=authority.certificate)
        sink = RedisSink(target)
        assert sink.assigned([place]) == {place: 0}
        sink.close()
        wrong = RedisSink(msgspec.structs.replace(target, ca_location=foreign))
        with pytest.raises(Misconfigured, match="CSPULSE_REDIS_CA_LOCATION"):
            wrong.assigned([place])
        wrong.close()


def test_a_batch_that_finds_no_memory_leaves_nothing_half_done(tmp_path: Path, redis_server: RedisServer) -> None:
    assert redis_server.port
    place = Place(SNAPSHOTS, 0)
    with RedisServer(tmp_path / "small", {"maxmemory": "3mb"}) as server:
        target = RedisTarget(host="127.0.0.1", port=server.port)
        sink, shelves = RedisSink(target), RedisShelves(target)
        model = StoredReadModel(shelves)
        sink.assigned([place])

        with pytest.raises(Unavailable, match="memory"):
            write_from(sink, place, 5_000)

        position = sink.assigned([place])[place]
        assert 0 < position < 5_000
        assert model.customers() == position
        assert model.customer(f"customer-{position}") is None
        with server.client() as client:
            client.config_set("maxmemory", "0")
        sink.write([Batch(place, position, position + 1, [record_at(position)])])
        assert model.customers() == position + 1
        sink.close()
        shelves.close()


def write_from(sink: RedisSink, place: Place, end: int) -> None:
    """Write one record after the other."""
    for position in range(end):
        sink.write([Batch(place, position, position + 1, [record_at(position)])])


def record_at(position: int) -> SinkRecord:
    """A customer of its own for each offset."""
    value = snapshot(f"customer-{position}", 1, 20.0)
    return SinkRecord(topic=SNAPSHOTS, partition=0, offset=position, timestamp_ms=value.as_of, key=b"", value=value)


@pytest.mark.embedded
def test_its_metrics_say_what_it_has_written_and_how_often_redis_has_failed(
    broker: EmbeddedCluster, sinks: Workers, redis_server: RedisServer
) -> None:
    (port,) = free_ports(1)
    failing = 'cspulse_sink_failed_attempts_in_a_row{sink="redis"}'
    written = f'cspulse_sink_records_total{{sink="redis",topic="{SNAPSHOTS}"}}'
    with Proxy(redis_server.port, seed=1) as proxy:
        sink = sinks.start(command=SINK, redis_url=f"redis://127.0.0.1:{proxy.port}", metrics_port=str(port))
        publish(broker, snapshot("acme", 1))
        wait_until(lambda: sample(port, written) == 1, LIMIT_S, "a record to be written")
        assert sample(port, 'cspulse_sink_delay_seconds_count{sink="redis"}') >= 1
        with proxy.fault("refuse"):
            publish(broker, snapshot("other", 1))
            wait_until(lambda: sample(port, failing) > 0, LIMIT_S, "Redis to fail")
        wait_until(lambda: sample(port, failing) == 0, LIMIT_S, "Redis to answer again")
        assert sample(port, written) == 2
        assert sink.stop() == 0


def sample(port: int, series: str) -> float:
    """What a series stands at; -1 when it is not offered."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answered:
            lines = answered.read().decode().splitlines()
    except OSError:
        return -1.0
    return next((float(line.rpartition(" ")[2]) for line in lines if line.startswith(f"{series} ")), -1.0)
