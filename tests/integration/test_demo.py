"""`cspulse demo` as a user runs it: a process, its output, its exit code, and nothing left behind."""

import json
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.command_line import COMMAND, environment
from tests.support.parts import lacking
from tests.support.servicenow_file import real_servicenow_log
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.embedded, pytest.mark.timeout(120)]

SMALL = ("--customers", "40", "--days", "30")
LIMIT_S = 60.0
QUICK_S = 20.0


@contextmanager
def demo(folder: Path, *arguments: str) -> Iterator["subprocess.Popen[bytes]"]:
    """A demo whose temporary files go to `folder`; it is over when the test is."""
    process = subprocess.Popen(
        [*COMMAND, "demo", *arguments],
        env={**environment(), "TMPDIR": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def children_of(pid: int) -> list[int]:
    """The processes that a process has started and that still run."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = stat.read_text().rpartition(")")[2].split()[:2]
        except OSError:
            continue  # it ended while we looked
        if int(parent) == pid and state != "Z":
            found.append(int(stat.parent.name))
    return found


def runs(pid: int) -> bool:
    """Whether a process is there and not merely waiting to be taken note of."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def worker_of(process: "subprocess.Popen[bytes]") -> int:
    """The worker of a demo, as soon as there is one."""
    if not Path("/proc").exists():
        lacking("/proc, by which the processes of a demo are found")
    wait_until(lambda: bool(children_of(process.pid)), LIMIT_S, "the demo's worker")
    return children_of(process.pid)[0]


def summary_of(folder: Path, *arguments: str) -> dict[str, Any]:
    """The summary of a demo that runs to its end within its time and leaves nothing behind."""
    started_s = time.monotonic()
    with demo(folder, "--json", *arguments) as process:
        worker = worker_of(process)
        output, errors = process.communicate(timeout=LIMIT_S)
    assert time.monotonic() - started_s < LIMIT_S
    assert (process.returncode, errors.decode()) == (0, "")
    assert not runs(worker)
    assert list(folder.iterdir()) == []
    told: dict[str, Any] = json.loads(output)
    return told


def assert_balanced(told: dict[str, Any]) -> None:
    """Every number of the summary that can be reckoned from others is."""
    events = told["events"]
    assert events["unaccounted"] == 0
    assert events["published"] == events["accepted"] + events["duplicates"] + events["dead_letters"] > 0
    for name in ("published", "accepted", "duplicates"):
        assert sum(topic[name] for topic in events["by_topic"].values()) == events[name]
    assert told["ticks"]["published"] == told["ticks"]["consumed"] > 0
    for rule, counts in told["alerts"].items():
        assert counts["opened"] - counts["resolved"] == counts["open"], rule
    assert (
        sum(counts["opened"] + counts["updated"] + counts["resolved"] for counts in told["alerts"].values())
        == (told["outputs"]["cs.churn-alerts"])
    )
    assert sum(told["customers_by_band"].values()) <= told["customers"]
    assert {proof["claim"]: proof["flaws"] for proof in told["proofs"] if proof["flaws"]} == {}
    assert all(proof["checked"] for proof in told["proofs"])
    assert told["sound"] is True
    assert told["cut_short"] is None
    assert told["fullest_partition"]["share_of_bound"] < 0.7


def test_a_small_demo_accounts_for_every_event_and_leaves_nothing_behind(tmp_path: Path) -> None:
    told = summary_of(tmp_path, *SMALL)
    assert told["customers"] == 40
    assert told["outputs"]["cs.health-changes"] > 0
    assert told["foresight"]["left"] == told["foresight"]["alerted"] + told["foresight"]["missed"]
    assert_balanced(told)


def test_a_log_is_played_with_its_own_tickets_and_callers(tmp_path: Path) -> None:
    told = summary_of(tmp_path, "--log", str(real_servicenow_log()), "--customers", "60", "--days", "30")
    assert told["customers"] <= 60
    assert told["events"]["by_topic"]["cs.tickets"]["published"] > 200
    assert told["events"]["by_topic"]["cs.usage"]["published"] > 500
    assert "of its 639 callers" in told["notes"][0]
    assert_balanced(told)


def test_away_from_a_terminal_it_tells_its_story_in_plain_lines(tmp_path: Path) -> None:
    with demo(tmp_path, *SMALL) as process:
        output, errors = process.communicate(timeout=LIMIT_S)
    text = output.decode()
    assert (process.returncode, errors.decode()) == (0, "")
    assert "\x1b" not in text
    assert "40 simulated customers over 30 days" in text
    assert "balances" in text


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_demo_ends_at_once_and_takes_its_worker_with_it(tmp_path: Path, number: signal.Signals, code: int) -> None:
    with demo(tmp_path, "--json") as process:
        worker = worker_of(process)
        process.send_signal(number)
        output, errors = process.communicate(timeout=QUICK_S)
    assert (process.returncode, output, errors) == (code, b"", b"")
    assert not runs(worker)
    assert list(tmp_path.iterdir()) == []


def test_a_killed_demo_takes_its_worker_with_it(tmp_path: Path) -> None:
    with demo(tmp_path, "--json") as process:
        worker = worker_of(process)
        process.kill()
        wait_until(lambda: not runs(worker), 10.0, "the end of the worker")


def test_a_demo_whose_worker_dies_says_so_and_fails(tmp_path: Path) -> None:
    with demo(tmp_path, "--json") as process:
        os.kill(worker_of(process), signal.SIGKILL)
        output, errors = process.communicate(timeout=QUICK_S)
    assert (process.returncode, output) == (1, b"")
    assert "the worker ended by signal 9" in errors.decode()


def test_a_log_that_is_none_is_refused_with_its_place(tmp_path: Path) -> None:
    with tempfile.NamedTemporaryFile(suffix=".csv") as file, demo(tmp_path, "--log", file.name) as process:
        output, errors = process.communicate(timeout=LIMIT_S)
    assert (process.returncode, output) == (1, b"")
    assert file.name in errors.decode()
    assert "Traceback" not in errors.decode()
