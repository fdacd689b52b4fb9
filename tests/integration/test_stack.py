"""The stack of docker-compose.yml without containers: its programs, commands and configuration files, on one machine.

What is replaced are folders, hosts and ports, and the schema registry, which no package repository has: records are plain Avro
here. Grafana is not there either: the queries of its panels are asked. Somebody listens where alerts are delivered to.
"""

import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec
import pytest
import redis
from standardwebhooks import Webhook

from sinks.read_model import ReadModel
from sinks.redis_connection import RedisTarget
from sinks.redis_reader import redis_read_model
from streams.catalogue import default_text
from streams.topics import EVENT_TOPICS, specs
from tests.support.cluster import ApacheCluster
from tests.support.command_line import environment
from tests.support.compose import REPOSITORY, kafka_properties, ours
from tests.support.dashboards import panel_queries, without_data
from tests.support.kafka.jars import PartMissingError
from tests.support.kafka.server import KafkaServer
from tests.support.log_checker import wrong_in_snapshot
from tests.support.panel_by_panel import accepted_of, wrong_panels
from tests.support.parts import lacking
from tests.support.ports import free_port, free_ports
from tests.support.prometheus import PrometheusServer
from tests.support.sinks.delivering import SECRET, crm
from tests.support.sinks.receiver import Receiver
from tests.support.topic_log import read_topic
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.kafka, pytest.mark.redis, pytest.mark.slow, pytest.mark.timeout(900)]

WAIT_S = 150.0
FIGURES_LIMIT_S = 480.0
"""The figures of the fleet come at most every five minutes, with the next tick."""

LATELY_S = 1_200.0
STOP_LIMIT_S = 40.0
IN_ORDER = True  # one stack for all: the later tests stop what the first ones look at
PARTITIONS = 4
FEWER = {"--customers": "60", "--days": "63"}
"""Instead of what the stack's history has, which takes minutes; so many days hold a whole month and the day before it."""
BOTH_AT_ONCE = {"group.initial.rebalance.delay.ms": "10000"}
"""However slowly the second worker starts, no partition moves while the history is folded: its counters would go with it."""
PROGRAM = (sys.executable, "-P", "-m", "streams")
SINKS = ("sink-redis", "sink-delivery")
OLDEST_HOURS = 24 * 90
DEFINITIONS = default_text().replace("oldest_hours = 72", f"oldest_hours = {OLDEST_HOURS}") + crm()
assert str(OLDEST_HOURS) in DEFINITIONS
ALERT_TOPICS = ("cs.churn-alerts", "cs.fleet-alerts")


class Stack:
    """Everything of the stack that runs here."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.kafka = KafkaServer(folder / "kafka", shipped={**kafka_properties(), **BOTH_AT_ONCE})
        services = ("worker-1", "worker-2", "sink-delivery", "sink-redis")
        self.ports = dict(zip(services, free_ports(len(services)), strict=True))
        targets = {
            "cspulse": [f"127.0.0.1:{self.ports[name]}" for name in ("worker-1", "worker-2")],
            "cspulse-sinks": [f"127.0.0.1:{self.ports[name]}" for name in ("sink-redis", "sink-delivery")],
        }
        self.prometheus = PrometheusServer(folder / "prometheus", targets)
        self.redis_port = free_port()
        self.crm = Receiver()
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    @cached_property
    def cluster(self) -> ApacheCluster:
        """The broker, as the tests' readers take it."""
        return ApacheCluster(self.kafka)

    def settings(self, name: str) -> dict[str, str]:
        """A service's variables, with this machine's addresses, and what `deploy/delivery.env` would hold."""
        given = dict(ours()[name]["environment"])
        if "env_file" in ours()[name]:
            given.update(CRM_URL=self.crm.url, CRM_SECRET=SECRET)
        del given["CSPULSE_SCHEMA_REGISTRY_URL"]
        given["CSPULSE_BOOTSTRAP_SERVERS"] = self.kafka.bootstrap
        if "CSPULSE_REDIS_URL" in given:
            given["CSPULSE_REDIS_URL"] = f"redis://127.0.0.1:{self.redis_port}"
        if "CSPULSE_METRICS_PORT" in given:
            given.update(CSPULSE_METRICS_HOST="127.0.0.1", CSPULSE_METRICS_PORT=str(self.ports[name]))
        if "CSPULSE_PROBE_PORT" in given:
            given["CSPULSE_PROBE_PORT"] = str(free_port())
        return given

    def command(self, name: str) -> list[str]:
        """A service's command, as the image's entry point would run it."""
        words = list(ours()[name]["command"])
        for option, value in FEWER.items():
            if option in words:
                words[words.index(option) + 1] = value
        return [*PROGRAM, *words]

    def run(self, name: str, command: Sequence[str] = ()) -> None:
        """Run a service that ends by itself, or another command in its place, as `docker compose run` does."""
        done = subprocess.run(
            [*PROGRAM, *command] if command else self.command(name),
            cwd=REPOSITORY,
            env={**environment(), **self.settings(name)},
            capture_output=True,
            text=True,
            check=False,
            timeout=WAIT_S,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def start(self, name: str) -> None:
        """Start a service that goes on."""
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                self.command(name),
                cwd=REPOSITORY,
                env={**environment(), **self.settings(name)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def start_redis(self) -> None:
        """Start Redis with its file; the folder and the port are this machine's."""
        program = shutil.which("redis-server")
        if program is None:
            lacking("redis-server is not installed")
        data = self.folder / "redis"
        data.mkdir()
        shipped = (REPOSITORY / "deploy" / "redis" / "redis.conf").read_text(encoding="utf-8")
        configuration = data / "redis.conf"
        here = {"dir /data": f"dir {data}", "port 6379": f"port {self.redis_port}", "bind 0.0.0.0": "bind 127.0.0.1"}
        for there, mine in here.items():
            assert there in shipped
            shipped = shipped.replace(there, mine)
        configuration.write_text(shipped, encoding="utf-8")
        with (self.folder / "redis.log").open("ab") as log:
            self.processes["redis"] = subprocess.Popen(
                [program, str(configuration)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def up(self) -> None:
        """Start everything in the order of the file; somebody has put a destination into the definitions by then."""
        self.kafka.start()
        self.start_redis()
        self.run("topics")
        definitions = self.folder / "definitions.toml"
        definitions.write_text(DEFINITIONS, encoding="utf-8")
        self.run("topics", ["definitions", "apply", str(definitions)])
        for name in SINKS:
            self.start(name)
        wait_until(self.delivers, WAIT_S, "delivery to begin")
        self.run("history")
        for name in ("worker-1", "worker-2", "simulator"):
            self.start(name)
        self.prometheus.start()

    def delivers(self) -> bool:
        """Whether delivery has begun on every partition: what is published from then on is told."""
        begun = self.log("sink-delivery").count("delivery begins at")
        return begun == PARTITIONS + 2  # alerts of customers; those of the fleet and lists of owners have one each

    def log(self, name: str) -> str:
        """What a service has said."""
        return (self.folder / f"{name}.log").read_text(encoding="utf-8")

    def stop(self, name: str) -> int:
        """Stop a service as `docker compose stop` does; returns its exit code."""
        process = self.processes.pop(name)
        process.send_signal(signal.SIGTERM)
        return process.wait(STOP_LIMIT_S)

    def down(self) -> None:
        """End everything."""
        for process in self.processes.values():
            process.kill()
            process.wait()
        self.prometheus.stop()
        self.kafka.stop()
        self.crm.stop()
        for log in self.folder.glob("*.log"):
            print(f"---- end of {log.name}\n{log.read_text(errors='replace')[-3_000:]}")


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    try:
        stack = Stack(tmp_path_factory.mktemp("stack"))
    except PartMissingError as missing:
        lacking(str(missing))
    try:
        stack.up()
        yield stack
    finally:
        stack.down()


def is_caught_up(stack: Stack) -> bool:
    value = stack.prometheus.value
    everything = value('sum(cspulse_task_phase{phase="running", partition!="fleet"})') == PARTITIONS
    return everything and value("sum(cspulse_lag_records)") == 0 and value("max(cspulse_fleet_coverage_ratio)") == 1


def both_read(stack: Stack) -> bool:
    """Whether each worker has partitions: one alone may have caught up with everything before they move to the other one."""
    return stack.prometheus.value('count(sum by (instance) (cspulse_task_phase{phase="running", partition!="fleet"}) > 0)') == 2


def published(stack: Stack) -> int:
    """How many events lie in the inputs."""
    return sum(len(read_topic(stack.kafka.bootstrap, topic)) for topic in EVENT_TOPICS)


def told_of(stack: Stack) -> float:
    """How many events the workers say they have accepted, refused or dropped."""
    value = stack.prometheus.value
    accepted = value("sum(cspulse_events_accepted_total)")
    refused = value("sum(cspulse_dead_letters_total)")
    dropped = value('sum(cspulse_oddities_total{oddity=~"duplicate|erased"}) or vector(0)')
    return sum(count or 0 for count in (accepted, refused, dropped))


def test_the_stack_comes_up_judges_and_is_watched(stack: Stack) -> None:
    """Everything is asked at once: before a worker has heard where its topics end, it takes itself for one that has caught up."""
    value = stack.prometheus.value

    def is_whole() -> bool:
        return (
            value('count(cspulse_build_info{job="cspulse"})') == 2
            and value('sum(cspulse_task_phase{phase="running", partition="fleet"})') == 1
            and (value("sum(cspulse_state_records{partition!='fleet'})") or 0) > 10
            and both_read(stack)
            and is_caught_up(stack)
            and told_of(stack) == published(stack)
        )

    wait_until(is_whole, WAIT_S, "two workers that have caught up, keep the customers and tell of every event once")
    assert len(read_topic(stack.kafka.bootstrap, "cs.health-changes")) > 15
    for one in ("cspulse_events_accepted_total", "cspulse_dead_letters_total"):
        assert value(f"sum({one})") is not None


def test_the_broker_takes_every_topic_as_the_program_wants_it(stack: Stack) -> None:
    told = subprocess.run(
        [sys.executable, "-P", "-m", "streams", "topics", "show"],
        cwd=REPOSITORY,
        env={**environment(), **stack.settings("topics")},
        capture_output=True,
        text=True,
        check=False,
        timeout=WAIT_S,
    )
    assert told.returncode == 0, told.stdout + told.stderr
    assert all(spec.name in told.stdout for spec in specs("cspulse", PARTITIONS))


def test_redis_answers_and_throws_nothing_out(stack: Stack) -> None:
    with redis.Redis("127.0.0.1", stack.redis_port) as client:
        wait_until(lambda: _answers(client), WAIT_S, "Redis to answer")
        settings = client.config_get("maxmemory-policy", "appendonly")
    assert settings == {"maxmemory-policy": "noeviction", "appendonly": "yes"}


def _answers(client: "redis.Redis") -> bool:
    try:
        return bool(client.ping())
    except redis.ConnectionError:
        return False


def test_the_simulator_goes_on_and_stops_when_it_is_told(stack: Stack) -> None:
    goes_on = f"going on with the {FEWER['--customers']} customers"
    wait_until(lambda: goes_on in stack.log("simulator"), WAIT_S, "the simulator to go on")
    assert stack.processes["simulator"].poll() is None
    assert stack.stop("simulator") == 0


def test_every_panel_of_the_customers_shows_what_the_oracle_says(stack: Stack) -> None:
    newest_ms = max(record.timestamp_ms for topic in EVENT_TOPICS for record in read_topic(stack.kafka.bootstrap, topic))
    told = "max(cspulse_fleet_as_of_timestamp_seconds)"
    wait_until(
        lambda: (stack.prometheus.value(told) or 0) * 1000 > newest_ms, FIGURES_LIMIT_S, "the fleet's figures to be of now"
    )
    found, with_data = wrong_panels(stack.prometheus, stack.cluster)
    assert found == []
    assert with_data > 45, "of 55 queries; a young history may not answer all"


def test_every_alert_has_been_delivered_once_and_nothing_else(stack: Stack) -> None:
    wanted = [alert["record_id"] for topic in ALERT_TOPICS for alert in to_be_told(stack, topic)]
    wait_until(lambda: len(stack.crm.calls) >= len(wanted), WAIT_S, "the alerts to be delivered")
    assert len(wanted) > 20
    assert sorted(call.id for call in stack.crm.calls) == sorted(wanted)
    for call in stack.crm.calls:
        Webhook(SECRET).verify(call.body, call.headers)
    asked = 'sum(cspulse_delivery_notices_total{destination="crm", fate="delivered"})'
    wait_until(lambda: stack.prometheus.value(asked) == len(wanted), WAIT_S, "Prometheus to know of the deliveries")


def to_be_told(stack: Stack, topic: str) -> Iterator[dict[str, Any]]:
    """The states that the destination must hear of: those of episodes of which something was young when it was published."""
    heard = set()
    for record in read_topic(stack.kafka.bootstrap, topic):
        alert = record.fields()
        is_end, is_young = (
            alert["state"] in ("resolved", "retracted"),
            alert["emitted_at"] - alert["as_of"] <= OLDEST_HOURS * 3_600_000,
        )
        if alert["episode_id"] in heard or (is_young and not is_end and not alert.get("muted")):
            heard.add(alert["episode_id"])
            yield alert


def test_the_customers_in_redis_are_what_the_oracle_says(stack: Stack) -> None:
    """A snapshot goes out at most once in its interval: what came since the newest one is not in it yet."""
    model = redis_read_model(RedisTarget(host="127.0.0.1", port=stack.redis_port))
    accepted = accepted_of(stack.cluster)
    newest = {record.key: record.fields() for record in read_topic(stack.kafka.bootstrap, "cs.customer-snapshots")}
    assert {key.decode() for key in newest if key} == set(accepted)
    for name, judgements in accepted.items():
        sequence = newest[name.encode()]["sequence"]
        wait_until(lambda: _sequence(model, name) >= sequence, WAIT_S, f"{name} in the read model")  # noqa: B023 - called at once
        shown = msgspec.to_builtins(model.customer(name))
        in_it, since = judgements[: shown["events_accepted"]], judgements[shown["events_accepted"] :]
        assert len(in_it) == shown["events_accepted"]
        assert all(judgement.record["timestamp_ms"] >= shown["as_of"] for judgement in since)
        events = [judgement.record["value"] for judgement in in_it]
        assert list(wrong_in_snapshot(shown, events, default_text())) == []


def _sequence(model: ReadModel, name: str) -> int:
    found = model.customer(name)
    return 0 if found is None else found.sequence


def test_no_panel_of_the_sinks_is_without_data_and_no_query_fails(stack: Stack) -> None:
    queries = [query for query in panel_queries() if query.is_of_sinks]
    assert len(queries) > 5
    assert without_data(stack.prometheus, queries, LATELY_S) == []


@pytest.mark.parametrize("name", SINKS)
def test_a_sink_is_healthy_and_runs_until_it_is_told_to_stop(stack: Stack, name: str) -> None:
    check = ours()[name]["healthcheck"]["test"][2:]
    words = [word.replace("9108", str(stack.ports[name])) for word in check]
    assert subprocess.run([sys.executable, *words], check=False, timeout=WAIT_S).returncode == 0
    port = stack.ports[name]
    wait_until(lambda: stack.prometheus.value(f'up{{instance="127.0.0.1:{port}"}}') == 1, WAIT_S, "the sink to be scraped")
    assert stack.stop(name) == 0


def test_series_follow_the_partitions_from_a_worker_that_stops_to_the_one_that_goes_on(stack: Stack) -> None:
    wait_until(lambda: both_read(stack) and is_caught_up(stack), WAIT_S, "two workers that have caught up")
    shares = {
        series.labels["instance"]: series.values[0]
        for series in stack.prometheus.now('sum by (instance) (cspulse_task_phase{phase="running", partition!="fleet"})')
    }
    assert len(shares) == 2
    assert sum(shares.values()) == PARTITIONS

    assert stack.stop("worker-1") == 0

    def has_all() -> bool:
        left = f'{{instance="127.0.0.1:{stack.ports["worker-2"]}"'
        mine = stack.prometheus.value(f'sum(cspulse_task_phase{left}, phase="running"}})')
        fleet = stack.prometheus.now(f"cspulse_fleet_customers{left}}}")
        return mine == PARTITIONS + 1 and bool(fleet)

    wait_until(has_all, WAIT_S, "the second worker to have every partition and the fleet's task")
    gone = f'{{instance="127.0.0.1:{stack.ports["worker-1"]}"}}'
    wait_until(lambda: not stack.prometheus.now(f"cspulse_state_records{gone}"), WAIT_S, "the first one's series to be gone")
    assert stack.prometheus.value(f"up{gone}") == 0
