"""The stack of docker-compose.yml without containers: its programs, commands and configuration files, on one machine.

What is replaced are folders, hosts and ports, and the schema registry, which no package repository has: records are plain Avro
here. Grafana is not there either; its queries are asked by tests/integration/test_dashboards.py.
"""

import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from streams.topics import EVENT_TOPICS, specs
from tests.support.command_line import environment
from tests.support.compose import REPOSITORY, expected_of, has_sink, kafka_properties, ours
from tests.support.kafka.jars import PartMissingError
from tests.support.kafka.server import KafkaServer
from tests.support.parts import lacking
from tests.support.ports import free_port, free_ports
from tests.support.prometheus import PrometheusServer
from tests.support.topic_log import read_topic
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.kafka, pytest.mark.redis, pytest.mark.slow, pytest.mark.timeout(500)]

WAIT_S = 150.0
STOP_LIMIT_S = 40.0
IN_ORDER = True  # one stack for all: the later tests stop what the first ones look at
PARTITIONS = 4
FEWER = {"--customers": "15", "--days": "30"}
"""Instead of what the stack's history has, which takes minutes."""
SINKS = ("sink-redis", "sink-delivery")


class Stack:
    """Everything of the stack that runs here."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.kafka = KafkaServer(folder / "kafka", shipped=kafka_properties())
        services = ("worker-1", "worker-2", "sink-delivery", "sink-redis")
        self.ports = dict(zip(services, free_ports(len(services)), strict=True))
        targets = {
            "cspulse": [f"127.0.0.1:{self.ports[name]}" for name in ("worker-1", "worker-2")],
            "cspulse-sinks": [f"127.0.0.1:{self.ports[name]}" for name in ("sink-redis", "sink-delivery")],
        }
        self.prometheus = PrometheusServer(folder / "prometheus", targets)
        self.redis_port = free_port()
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def settings(self, name: str) -> dict[str, str]:
        """A service's variables, with this machine's addresses."""
        given = dict(ours()[name]["environment"])
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
        return [sys.executable, "-P", "-m", "streams", *words]

    def run(self, name: str) -> None:
        """Run a service that ends by itself; the ones that wait for it ask that it completes."""
        done = subprocess.run(
            self.command(name),
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
        """Start everything in the order of the file."""
        self.kafka.start()
        self.start_redis()
        self.run("topics")
        self.run("history")
        self.start("worker-1")
        self.start("worker-2")
        self.start("simulator")
        for name in SINKS:
            if has_sink(name.removeprefix("sink-")):
                self.start(name)
        self.prometheus.start()

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


@pytest.mark.parametrize("name", [pytest.param(name, marks=expected_of(name)) for name in SINKS])
def test_a_sink_runs_until_it_is_told_to_stop(stack: Stack, name: str) -> None:
    wait_until(lambda: is_caught_up(stack), WAIT_S, "two workers that have caught up")
    if name == "sink-redis":
        with redis.Redis("127.0.0.1", stack.redis_port) as client:
            wait_until(lambda: len(client.keys("cspulse:v1:customer:*")) > 10, WAIT_S, "customers in the read model")
    port = stack.ports[name]
    wait_until(lambda: stack.prometheus.value(f'up{{instance="127.0.0.1:{port}"}}') == 1, WAIT_S, "the sink to be scraped")
    assert stack.stop(name) == 0


def _answers(client: "redis.Redis") -> bool:
    try:
        return bool(client.ping())
    except redis.ConnectionError:
        return False


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


def test_the_simulator_goes_on_and_stops_when_it_is_told(stack: Stack) -> None:
    goes_on = f"going on with the {FEWER['--customers']} customers"
    wait_until(lambda: goes_on in (stack.folder / "simulator.log").read_text(), WAIT_S, "the simulator to go on")
    assert stack.processes["simulator"].poll() is None
    assert stack.stop("simulator") == 0
