"""How a process ends that cannot be asked to."""

import logging
import os
import queue
import subprocess
import sys
from pathlib import Path

import pytest

from streams.ending import Ending

LIMIT_S = 20.0

LOG_THAT_NOBODY_READS = """
import logging, sys, threading, time
from streams import ending
from streams.life import Life
from streams.watchdog import LoopWatch
ending.TELL_LIMIT_S = 0.2
class Full(logging.Handler):
    def emit(self, record):
        threading.Event().wait()
logging.getLogger().handlers[:] = [Full()]
LoopWatch(Life(), 0.1)
threading.Event().wait()
"""

THREAD_THAT_DOES_NOT_COME_BACK = """
import threading
from concurrent.futures import ThreadPoolExecutor
from streams.ending import Ending
ThreadPoolExecutor(1).submit(threading.Event().wait)
Ending(limit_s=0.2).begin(75)
"""


def code_of(program: str) -> int:
    """With which exit code a program ends."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    return subprocess.run([sys.executable, "-c", program], env=environment, timeout=LIMIT_S, check=False).returncode


def test_a_watchdog_ends_the_process_although_nobody_reads_the_log() -> None:
    assert code_of(LOG_THAT_NOBODY_READS) == 75


def test_a_worker_ends_with_its_code_although_a_thread_does_not_come_back() -> None:
    assert code_of(THREAD_THAT_DOES_NOT_COME_BACK) == 75


def test_the_time_runs_once_and_the_last_code_holds(caplog: pytest.LogCaptureFixture) -> None:
    ended: queue.SimpleQueue[int] = queue.SimpleQueue()
    ending = Ending(0.2, ended.put)
    with caplog.at_level(logging.WARNING):
        ending.begin(0)
        ending.begin(1)
        assert ended.get(timeout=LIMIT_S) == 1
    assert ended.empty()
    assert "ending at once" in caplog.text
