"""What `streams/shell.py` relies on inside Faust and aiokafka, held against the versions that are installed.

When an upgrade changes one of these, this file says which, before a worker finds out.
"""

import asyncio
import inspect
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import aiokafka
import faust
import pytest
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.consumer.subscription_state import SubscriptionState
from faust.assignor.partition_assignor import PartitionAssignor
from faust.stores import STORES
from faust.tables.manager import TableManager
from faust.transport.consumer import Consumer as BaseConsumer
from faust.transport.drivers import TRANSPORTS
from faust.transport.drivers import aiokafka as driver
from mode import Service

from streams import shell
from streams.app import make_app
from streams.settings import load_settings
from streams.topics import INPUT_TOPICS
from tests.support.cluster import PARTITIONS, Cluster, now_ms, produce
from tests.support.publishing import TICKS_TOPIC, publish_tick, wait_until_folded
from tests.support.worker import Workers, broken


class NoTasks:
    """Owns nothing."""


def parameters(function: Any) -> list[str]:
    return list(inspect.signature(function).parameters)


def source(owner: Any) -> str:
    return inspect.getsource(owner)


@pytest.fixture
def app() -> Iterator[shell.ShellApp]:
    """The app, not started, with an event loop of its own that is closed again."""
    tasks: Any = NoTasks()
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield make_app(load_settings({"bootstrap_servers": "127.0.0.1:1", "partitions": PARTITIONS}, {}), tasks)
    asyncio.set_event_loop(None)
    loop.close()


def test_the_versions_are_those_that_the_shell_was_written_for() -> None:
    assert version("faust-streaming") == "0.15.3"
    assert version("aiokafka").startswith("0.14.")


def test_the_schemes_lead_to_our_transport_and_store() -> None:
    shell.install()
    assert TRANSPORTS.by_name(shell.TRANSPORT_SCHEME) is shell.ShellTransport
    assert STORES.by_name(shell.STORE_SCHEME) is shell.PartitionStore


def test_the_app_uses_our_transport_consumer_store_manager_and_assignor(app: shell.ShellApp) -> None:
    assert isinstance(app.transport, shell.ShellTransport)
    assert app.transport.Consumer is shell.ShellConsumer
    assert isinstance(app.tables, shell.ShellTableManager)
    assert isinstance(app.assignor, shell.QuietAssignor)
    assert {table.name for table in app.tables.values()} == {"customers", "totals", "fleet"}
    assert all(isinstance(table.data, shell.PartitionStore) for table in app.tables.values())


def test_partitions_are_assigned_by_fausts_assignor_and_not_in_turns(app: shell.ShellApp) -> None:
    # the driver takes the round-robin assignor, which tears co-partitioned topics apart, when there is neither table nor standby
    create = source(driver.AIOKafkaConsumerThread._create_worker_consumer)
    assert "self._assignor" in create
    assert "RoundRobin" in create
    assert app.tables.changelog_topics, "with tables the driver takes the app's assignor"


@pytest.mark.parametrize(
    ("owner", "name", "expected"),
    [
        (BaseConsumer, "getmany", ["self", "timeout"]),
        (BaseConsumer, "commit", ["self", "topics", "start_new_transaction"]),
        (BaseConsumer, "perform_seek", ["self"]),
        (BaseConsumer, "_add_gap", ["self", "tp", "offset_from", "offset_to"]),
        (BaseConsumer, "verify_event_path", ["self", "now", "tp"]),
        (BaseConsumer, "_clean_unacked_messages", ["self"]),
        (BaseConsumer, "wait_first", ["self", "coros", "timeout"]),
        (BaseConsumer, "resume_flow", ["self"]),
        (TableManager, "on_start", ["self"]),
        (TableManager, "on_stop", ["self"]),
        (TableManager, "on_partitions_revoked", ["self", "revoked"]),
        (TableManager, "on_rebalance", ["self", "assigned", "revoked", "newly_assigned", "generation_id"]),
        (TableManager, "on_actives_ready", ["self"]),
        (TableManager, "on_standbys_ready", ["self"]),
        (PartitionAssignor, "_get_changelog_distribution", ["self", "assignments"]),
        (PartitionAssignor, "_get_external_topic_distribution", ["self", "assignments"]),
        (SubscriptionState, "fetch_context", ["self"]),
        (faust.App, "on_rebalance_end", ["self"]),
        (driver.ConsumerRebalanceListener, "on_partitions_assigned", ["self", "assigned"]),
        (driver.ConsumerRebalanceListener, "on_partitions_revoked", ["self", "revoked"]),
        (driver.AIOKafkaConsumerThread, "_ensure_consumer", ["self"]),
    ],
)
def test_a_method_that_is_replaced_or_called_has_its_signature(owner: type, name: str, expected: list[str]) -> None:
    assert parameters(getattr(owner, name)) == expected


def test_the_table_managers_events_are_there(app: shell.ShellApp) -> None:
    for name in ("_tables_finalized", "_tables_registered"):
        assert hasattr(app.tables, name), name
    # looked for on the class: the app would make a consumer, and a thread with a loop for it
    assert hasattr(faust.App, "consumer_generation_id")
    assert hasattr(faust.App, "_fetcher")
    assert hasattr(app, "flow_control")


def test_the_consumer_makes_its_rebalance_listener_from_the_class_attribute() -> None:
    assert "consumer.RebalanceListener(self)" in source(driver.AIOKafkaConsumerThread.__post_init__)
    assert issubclass(shell.PausingRebalanceListener, aiokafka.abc.ConsumerRebalanceListener)
    thread: Any = object()
    assert driver.ConsumerRebalanceListener(thread)._thread is thread


async def an_open_fetch_is_no_idle_time() -> None:
    state = SubscriptionState()
    with state.fetch_context():
        assert state.fetcher_idle_time == 0


def test_aiokafka_leaves_the_group_only_while_nobody_fetches() -> None:
    # the shell keeps a fetch open for ever: without it a member that never fetches would leave at max_poll_interval
    asyncio.run(an_open_fetch_is_no_idle_time())
    for method in (GroupCoordinator.ensure_active_group, GroupCoordinator._heartbeat_routine):
        assert "self._subscription.fetcher_idle_time" in source(method)


def test_a_refused_membership_shows_where_the_shell_looks_for_it() -> None:
    check = source(GroupCoordinator.check_errors)
    assert "self._coordination_task.done()" in check
    assert "self._pending_exception" in check
    assert isinstance(vars(shell.ShellConsumer)["_watch_membership"], type(Service.task(NoTasks.__init__)))


def test_a_name_in_the_group_reaches_aiokafka_and_who_has_one_does_not_say_goodbye(app: shell.ShellApp) -> None:
    assert app.conf.consumer_group_instance_id is None
    named = make_app(load_settings({"bootstrap_servers": "127.0.0.1:1", "group_instance_id": "anna"}, {}), app.tasks)
    assert named.conf.consumer_group_instance_id == "anna"
    assert "group_instance_id=conf.consumer_group_instance_id" in source(driver.AIOKafkaConsumerThread._create_worker_consumer)
    assert "self._group_instance_id is None" in source(GroupCoordinator._maybe_leave_group)


@pytest.mark.embedded
@pytest.mark.timeout(120)
def test_aiokafka_fetches_nothing_while_records_are_folded(cluster: Cluster, workers: Workers, tmp_path: Path) -> None:
    told = tmp_path / "fetches"
    worker = workers.start(command=(*broken("fetches_counted"), str(told)), tick_interval_ms="0")
    worker.wait_until_running(range(PARTITIONS))
    for topic in INPUT_TOPICS:
        if topic != TICKS_TOPIC:
            produce(cluster, topic, 0, [(b"somebody", b"no event", now_ms())] * 50)
    publish_tick(cluster, now_ms())
    wait_until_folded(cluster, workers.app_id)

    assert worker.stop() == 0
    assert told.read_text() == "0"
