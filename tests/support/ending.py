"""Ending the servers that tests have started."""

import signal
import subprocess


def end(process: "subprocess.Popen[bytes]", limit_s: float) -> None:
    """Ask a process to end and wait for it, at most so long; then end it."""
    process.send_signal(signal.SIGCONT)  # a paused process does not hear anything else
    process.terminate()
    try:
        process.wait(limit_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
