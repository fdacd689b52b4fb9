"""Ports of the loopback interface for the servers that tests start."""

import socket


def free_ports(count: int) -> list[int]:
    """Ports that were free a moment ago; held together, so that they differ."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


def free_port() -> int:
    """A port that was free a moment ago."""
    return free_ports(1)[0]
