"""Ports of the loopback interface for the servers that tests start."""

import random
import socket
from typing import Final

FIRST: Final = 15_000
END: Final = 32_000
"""Below those from which the system takes the ports of outgoing connections, so that none of them gets in between."""

_random = random.SystemRandom()  # the usual one begins anew with every test, and is the tests'
_handed_out: set[int] = set()


def free_ports(count: int) -> list[int]:
    """Ports on which nothing listens, and which nobody in this process was given before."""
    return [free_port() for _ in range(count)]


def free_port() -> int:
    """A port on which nothing listens, and which nobody in this process was given before."""
    while True:
        port = _random.randrange(FIRST, END)
        if port not in _handed_out and _is_free(port):
            _handed_out.add(port)
            return port


def _is_free(port: int) -> bool:
    with socket.socket() as one:
        try:
            one.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
