"""Three Apache Kafka brokers that hold everything in three copies: any one of them may go without anybody noticing."""

from pathlib import Path
from types import TracebackType
from typing import Final, Self

from tests.support.kafka.server import KafkaServer, Place
from tests.support.ports import free_ports

NODES: Final = (1, 2, 3)


class KafkaTrio:
    """Three brokers, each a controller as well. `bootstrap` names all of them."""

    def __init__(self, folder: Path) -> None:
        controllers = {node: f"127.0.0.1:{port}" for node, port in zip(NODES, free_ports(len(NODES)), strict=True)}
        self.servers: Final = [KafkaServer(folder / str(node), place=Place(node, controllers)) for node in NODES]
        self.bootstrap: Final = ",".join(server.bootstrap for server in self.servers)

    def start(self) -> None:
        """Start all three, and wait until they answer."""
        for server in self.servers:
            server.launch()
        for server in self.servers:
            server.wait_until_ready()

    def stop(self) -> None:
        """End all three."""
        for server in self.servers:
            server.stop()

    def log_tail(self) -> str:
        """The ends of their logs."""
        return "\n".join(server.log_tail() for server in self.servers)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()
