"""The users that docs/read-model.md gives least rights to can do all that they must, and not more."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
import redis

from sinks.redis_connection import RedisTarget
from sinks.redis_reader import RedisShelves
from sinks.redis_sink import RedisSink
from sinks.redis_status import status
from sinks.sink import Misconfigured, Place
from sinks.stored_model import StoredReadModel
from tests.support.read_model_log import lines
from tests.support.redis_server import RedisServer
from tests.support.sinks.batches import batches_of

pytestmark = [pytest.mark.redis]

DOCUMENT: Final = Path(__file__).parents[2] / "docs" / "read-model.md"


@pytest.fixture
def server(tmp_path: Path, redis_server: RedisServer) -> Iterator[RedisServer]:
    """A server with the users of the document. The shared one is asked for so that a missing part is told in one way."""
    assert redis_server.port
    users = re.findall(r"^user (\S+) (.*)$", DOCUMENT.read_text(), re.MULTILINE)
    assert [name for name, _ in users] == ["cspulse-sink", "cspulse-reader"]
    with RedisServer(tmp_path / "redis") as running, running.client() as client:
        for name, rules in users:
            client.execute_command("ACL", "SETUSER", name, *rules.replace(">PASSWORD", ">word").split())
        client.execute_command("ACL", "SETUSER", "default", "off")
        yield running


def target(server: RedisServer, user: str) -> RedisTarget:
    return RedisTarget(host="127.0.0.1", port=server.port, username=user, password="word")


def test_the_sink_and_the_reader_have_the_rights_they_need(server: RedisServer) -> None:
    sink, shelves = RedisSink(target(server, "cspulse-sink")), RedisShelves(target(server, "cspulse-reader"))
    model = StoredReadModel(shelves)
    log = batches_of(list(lines(2_000, 60, 1)), seed=1)
    ends = {batch.place: batch.end for batch in log}
    for _ in range(2):
        sink.assigned(ends)
        for batch in log:
            sink.write([batch])
        assert sink.assigned(ends) == ends
        sink.begin_rebuild(ends)

    assert model.customers() > 0
    first = model.at_risk(5)[0].customer_id
    assert model.customer(first) is not None
    assert model.currencies_at_risk()
    assert model.fleet_figures()
    assert model.touchpoint_map() is not None
    assert model.owner_list(model.owners()[0]) is not None
    assert status(target(server, "cspulse-sink")).is_rebuilding
    sink.close()
    shelves.close()


def test_the_reader_may_not_write(server: RedisServer) -> None:
    sink = RedisSink(target(server, "cspulse-reader"))
    with pytest.raises(Misconfigured, match="allowed the commands"):
        sink.assigned([Place("cs.maturity", 0)])
    sink.close()


def test_neither_may_touch_the_keys_of_others(server: RedisServer) -> None:
    for user in ("cspulse-sink", "cspulse-reader"):
        with (
            redis.Redis(host="127.0.0.1", port=server.port, username=user, password="word") as client,
            pytest.raises(redis.exceptions.NoPermissionError),
        ):
            client.get("of-others")
