"""One Apache Kafka broker (KRaft, broker and controller in one process) on free ports of the loopback interface."""

import ctypes
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Final, NamedTuple, Self

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, NewTopic

from tests.support.ending import end
from tests.support.kafka.jars import jars, java
from tests.support.ports import free_ports

CLUSTER_ID: Final = "Y3NwdWxzZS10ZXN0cy0xMg"
START_LIMIT_S: Final = 90
ANSWER_LIMIT_S: Final = 30
HEAP: Final = "-Xmx512m"
QUICK_COMPILER: Final = "-XX:TieredStopAtLevel=1"  # the thorough one takes a third of a core for the first minutes
LOG_TAIL_CHARACTERS: Final = 4_000
LOGGING: Final = Path(__file__).with_name("log4j2.properties")

PROPERTIES: Final = {
    "process.roles": "broker,controller",
    "controller.listener.names": "CONTROLLER",
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,SECURE:SASL_SSL,CONTROLLER:PLAINTEXT",
    "auto.create.topics.enable": "false",
    # One broker: everything that is replicated elsewhere has one copy here.
    "offsets.topic.replication.factor": "1",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    # Fewer partitions of the internal topics: a quicker start.
    "offsets.topic.num.partitions": "8",
    "transaction.state.log.num.partitions": "8",
    "group.initial.rebalance.delay.ms": "500",
    # Lets a test have a member that is silent for a moment taken for dead.
    "group.min.session.timeout.ms": "1000",
    # A transaction left open is aborted soon after its time limit, not up to ten seconds later.
    "transaction.abort.timed.out.transaction.cleanup.interval.ms": "1000",
    # After a kill the controller waits this long before it lets the same broker in again.
    "broker.session.timeout.ms": "3000",
    "broker.heartbeat.interval.ms": "500",
    "log.index.size.max.bytes": "1048576",
    "num.network.threads": "2",
    "num.io.threads": "4",
}

REPLICATED: Final = {
    "offsets.topic.replication.factor": "3",
    "transaction.state.log.replication.factor": "3",
    "transaction.state.log.min.isr": "2",
    # A broker that is away is left out of what a commit waits for after this time.
    "replica.lag.time.max.ms": "4000",
}
"""What a broker of three has otherwise: everything in three copies, two of which must be written."""


class Place(NamedTuple):
    """Which broker of several one is, and the addresses of all their controllers by node."""

    node: int
    controllers: Mapping[int, str]


class KafkaStartError(Exception):
    """The broker ended or did not answer in time; the message carries the end of its log."""


class KafkaServer:
    """A broker that the tests may stop, kill, pause and start again. Its data and its ports stay the same.

    `folder` takes the data, the configuration and `log/broker.log`. With `secure_properties` there is a second listener, named
    SECURE, that speaks SASL_SSL at `secure_bootstrap`; the properties say with which certificates and users. `shipped` are the
    settings of the stack, taken as they are but for folders, hosts and ports. `place` makes it one broker of several.
    """

    def __init__(
        self,
        folder: Path,
        secure_properties: Mapping[str, str] | None = None,
        shipped: Mapping[str, str] | None = None,
        place: "Place | None" = None,
    ) -> None:
        self._folder = folder
        self._java = java()
        self._classpath = f"{jars()}/*"
        plain, secure, alone = (f"127.0.0.1:{port}" for port in free_ports(3))
        controllers = place.controllers if place else {1: alone}
        node = place.node if place else 1
        controller = controllers[node]
        self.bootstrap: Final = plain
        self.secure_bootstrap: Final = secure
        self._properties = {
            **PROPERTIES,
            "node.id": str(node),
            "log.dirs": str(folder / "data"),
            "controller.quorum.voters": ",".join(f"{number}@{address}" for number, address in controllers.items()),
            **(REPLICATED if place else {}),
        }
        clients = f"PLAINTEXT://{plain}" if secure_properties is None else f"PLAINTEXT://{plain},SECURE://{secure}"
        self._properties["listeners"] = f"{clients},CONTROLLER://{controller}"
        self._properties["advertised.listeners"] = clients
        self._properties.update(secure_properties or {})
        if shipped is not None:
            self._properties = self._elsewhere(shipped, plain, secure, controller)
        self._process: subprocess.Popen[bytes] | None = None
        self.log: Final = folder / "log" / "broker.log"

    def _elsewhere(self, shipped: Mapping[str, str], plain: str, host: str, controller: str) -> dict[str, str]:
        clients = f"PLAINTEXT://{plain},HOST://{host}"
        places = {
            "log.dirs": str(self._folder / "data"),
            "listeners": f"{clients},CONTROLLER://{controller}",
            "advertised.listeners": clients,
            "controller.quorum.voters": f"1@{controller}",
        }
        assert set(places) <= set(shipped), "the stack says nothing of what is replaced"
        return {**shipped, **places}

    def start(self) -> None:
        """Start the broker (formatting its data folder at the first time) and wait until it answers."""
        self.launch()
        self.wait_until_ready()

    def launch(self) -> None:
        """Start the broker and do not wait: one of several answers only when most of them are there."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        configuration = self._folder / "server.properties"
        if not configuration.exists():
            configuration.write_text("".join(f"{name}={value}\n" for name, value in self._properties.items()))
            self._format(configuration)
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*self._command(HEAP, QUICK_COMPILER), "kafka.Kafka", str(configuration)],
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,  # an interrupt at the terminal is for the tests, which then stop the broker
                preexec_fn=_end_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509 - no threads of ours fork
            )

    def stop(self) -> None:
        """Ask the broker to end, and wait for it."""
        if self._process is None:
            return
        end(self._process, ANSWER_LIMIT_S)
        self._process = None

    def kill(self) -> None:
        """End the broker at once, as `kill -9` does."""
        process = self._running()
        process.kill()
        process.wait()
        self._process = None

    def restart(self) -> None:
        """Stop in good order and start again."""
        self.stop()
        self.start()

    def pause(self) -> None:
        """Freeze the process: connections stay open and nothing answers."""
        self._running().send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Go on after `pause`."""
        self._running().send_signal(signal.SIGCONT)

    def create_topic(self, name: str, partitions: int, config: Mapping[str, str] | None = None) -> None:
        """Create a topic and wait until it is there."""
        client = AdminClient({"bootstrap.servers": self.bootstrap})
        topic = NewTopic(name, partitions, 1, config=dict(config or {}))
        client.create_topics([topic])[name].result(ANSWER_LIMIT_S)

    def log_tail(self) -> str:
        """The end of the broker's log."""
        return self.log.read_text(errors="replace")[-LOG_TAIL_CHARACTERS:] if self.log.exists() else ""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def _command(self, *options: str) -> list[str]:
        return [self._java, *options, f"-Dlog4j2.configurationFile={LOGGING}", "-cp", self._classpath]

    def _format(self, configuration: Path) -> None:
        command = [*self._command(), "kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c", str(configuration)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=START_LIMIT_S)
        if done.returncode != 0:
            raise KafkaStartError(f"the data folder could not be formatted: {done.stdout}{done.stderr}")

    def wait_until_ready(self) -> None:
        """Wait until the broker answers; raises KafkaStartError."""
        client = AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 0, "reconnect.backoff.max.ms": 500})
        deadline = time.monotonic() + START_LIMIT_S
        while time.monotonic() < deadline:
            if self._running().poll() is not None:
                raise KafkaStartError(f"the broker ended with {self._running().returncode}:\n{self.log_tail()}")
            try:
                if client.list_topics(timeout=1).brokers:
                    return
            except KafkaException:
                continue  # not up yet; the call itself has waited
        self.kill()
        raise KafkaStartError(f"the broker did not answer within {START_LIMIT_S} s:\n{self.log_tail()}")

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise KafkaStartError("the broker is not running")
        return self._process


def _end_with_parent() -> None:
    """Let the kernel end this process when the tests are killed and cannot do it themselves (Linux)."""
    set_parent_death_signal = 1
    ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGTERM)
