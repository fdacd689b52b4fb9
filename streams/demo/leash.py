"""A worker that ends with the demo that started it, however that ends: `python -m streams.demo.leash`.

The demo holds the other end of standard input. When the demo is gone, killed or not, that end is closed, and with it the embedded
broker is gone: there is nothing to finish, so the worker ends at once.
"""

import os
import signal
import sys
import threading


def main() -> None:
    """Run `cspulse worker` until it ends or standard input does."""
    threading.Thread(target=_end_with_standard_input, name="leash", daemon=True).start()
    from streams.cli import main as cspulse

    sys.argv = ["cspulse", "worker"]
    cspulse()


def _end_with_standard_input() -> None:
    while os.read(sys.stdin.fileno(), 1024):
        pass
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main()
