"""What doctor says of Redis and of the read model in it."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from sinks.redis_connection import RedisTarget
from sinks.redis_sink import RedisSink
from sinks.sink import Batch, Place
from streams import redis_doctor
from streams.cluster import client_config, reach
from streams.settings import Settings, load_settings
from tests.support.cluster import EmbeddedCluster, create_topics, produce
from tests.support.ports import free_port
from tests.support.redis_server import RedisServer

pytestmark = [pytest.mark.redis]


def settings_for(server: RedisServer, **more: str) -> Settings:
    return load_settings({"redis_url": f"redis://127.0.0.1:{server.port}", **more}, {})


def test_a_good_server_is_ok_and_none_is_no_fault(redis_server: RedisServer) -> None:
    [(state, found, _)] = redis_doctor.of_server(settings_for(redis_server))
    assert (state, "version 7" in found) == ("ok", True)
    [(state, found, _)] = redis_doctor.of_server(load_settings(environment={}))
    assert (state, "no read model" in found) == ("ok", True)


def test_a_server_that_does_not_answer_is_wrong(redis_server: RedisServer) -> None:
    assert redis_server.port
    [(state, found, advice)] = redis_doctor.of_server(load_settings({"redis_url": "redis://127.0.0.1:1"}, {}))
    assert (state, "does not answer" in found) == ("wrong", True)
    assert "CSPULSE_REDIS_URL" in advice


@pytest.mark.parametrize(
    ("options", "state", "words"),
    [
        ({"requirepass": "secret-word"}, "wrong", "refuses the user"),
        ({"maxmemory": "100mb", "maxmemory-policy": "allkeys-lru"}, "warning", "drops keys"),
        ({"replicaof": "127.0.0.1 1"}, "wrong", "is a replica"),
        ({"cluster-enabled": "yes", "cluster-port": str(free_port())}, "wrong", "Redis Cluster"),
    ],
    ids=["password", "eviction", "replica", "cluster"],
)
def test_what_is_wrong_with_a_server_is_told(
    tmp_path: Path, redis_server: RedisServer, options: Mapping[str, str], state: str, words: str
) -> None:
    assert redis_server.port
    with RedisServer(tmp_path / "redis", options) as server:
        found = list(redis_doctor.of_server(settings_for(server)))
    assert [one[0] for one in found] == [state]
    assert words in found[0][1]
    assert found[0][2]
    assert "secret-word" not in str(found)


@pytest.mark.embedded
def test_the_model_is_held_against_the_ends_of_the_topics(
    bare_embedded: EmbeddedCluster, app_id: str, redis_server: RedisServer
) -> None:
    redis_server.empty()
    create_topics(bare_embedded, app_id)
    produce(bare_embedded, "cs.maturity", 0, [(b"maturity", b"{}", 1_000)] * 5)
    settings = settings_for(redis_server, bootstrap_servers=bare_embedded.bootstrap, app_id=app_id)
    cluster = reach(client_config(settings))
    [(state, found, advice)] = redis_doctor.of_model(cluster, settings)
    assert (state, "nothing was ever written" in found, "cspulse sink redis" in advice) == ("warning", True, True)

    sink = RedisSink(RedisTarget(host="127.0.0.1", port=redis_server.port))
    place = Place("cs.maturity", 0)
    sink.assigned([place])
    sink.write([Batch(place, 0, 3, [])])
    [(state, found, _)] = redis_doctor.of_model(cluster, settings)
    assert (state, found) == ("ok", "0 customers, 2 records behind")

    sink.write([Batch(place, 3, 7, [])])
    [(state, found, advice)] = redis_doctor.of_model(cluster, settings)
    assert (state, "cs.maturity[0] ends earlier" in found, "--rebuild" in advice) == ("wrong", True, True)

    sink.begin_rebuild({place: 5})
    sink.write([Batch(place, 0, 2, [])])
    [(state, found, _)] = redis_doctor.of_model(cluster, settings)
    assert (state, "a rebuild is under way" in found) == ("warning", True)
    sink.close()
