"""The supervisor over tiny processes: starts, restarts, signals, exit codes."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from streams.supervisor import BackOff, Supervisor
from tests.support.waiting import wait_until

LIMIT_S = 30.0

SUPERVISOR = """
import os, sys
from streams.logs import configure
from streams.supervisor import BackOff, Supervisor
configure("info", "text")
environments = [{**os.environ, "NUMBER": str(number)} for number in range(int(sys.argv[1]))]
sys.exit(Supervisor([sys.executable, "-S", "-c", sys.argv[2]], environments, BackOff(first_s=0.01, longest_s=0.05)).run())
"""

NOTE = """
import os, signal, sys
def note(word):
    with open("notes", "a") as file:
        file.write(os.environ["NUMBER"] + " " + word + "\\n")
def notes():
    return open("notes").read().splitlines()
"""


class Supervised:
    """A supervisor as a process, its children writing notes into one file."""

    def __init__(self, folder: Path, processes: int, child: str) -> None:
        self._folder = folder
        self.log = folder / "log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", SUPERVISOR, str(processes), NOTE + child], cwd=folder, stderr=log, env=self._environment()
            )

    @staticmethod
    def _environment() -> dict[str, str]:
        return {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}

    def notes(self) -> list[str]:
        path = self._folder / "notes"
        return sorted(path.read_text().splitlines()) if path.exists() else []

    def wait_for(self, *notes: str) -> None:
        wait_until(lambda: self.notes() == sorted(notes), LIMIT_S, f"the notes {notes}, there are {self.notes()}")

    def wait_for_log(self, words: str) -> None:
        wait_until(lambda: words in self.log.read_text(), LIMIT_S, words)

    def end(self) -> int:
        return self.process.wait(LIMIT_S)


def test_each_process_has_its_own_environment_and_the_end_of_all_is_the_end(tmp_path: Path) -> None:
    supervised = Supervised(tmp_path, 3, 'note("ran")')

    assert supervised.end() == 0
    assert supervised.notes() == ["0 ran", "1 ran", "2 ran"]


def test_a_process_that_fails_is_started_again_until_it_is_done(tmp_path: Path) -> None:
    supervised = Supervised(tmp_path, 1, 'note("ran"); sys.exit(75 if len(notes()) < 4 else 0)')

    assert supervised.end() == 0
    assert supervised.notes() == ["0 ran"] * 4
    assert supervised.log.read_text().count("ended with 75") == 3


def test_a_process_that_is_killed_is_started_again(tmp_path: Path) -> None:
    supervised = Supervised(tmp_path, 1, 'note("ran"); len(notes()) < 2 and os.kill(os.getpid(), signal.SIGKILL)')

    assert supervised.end() == 0
    assert "ended by signal 9" in supervised.log.read_text()


def test_wrong_settings_are_never_started_again_and_end_all(tmp_path: Path) -> None:
    supervised = Supervised(tmp_path, 2, 'note("ran"); sys.exit(2) if os.environ["NUMBER"] == "0" else signal.pause()')

    assert supervised.end() == 2
    assert supervised.notes().count("0 ran") == 1


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_a_signal_goes_on_to_every_process_once(tmp_path: Path, number: signal.Signals, code: int) -> None:
    child = f"signal.signal({int(number)}, lambda *_: (note('told'), sys.exit(0))); note('ready'); signal.pause()"
    supervised = Supervised(tmp_path, 2, child)
    supervised.wait_for("0 ready", "1 ready")

    supervised.process.send_signal(number)

    assert supervised.end() == code
    assert supervised.notes() == ["0 ready", "0 told", "1 ready", "1 told"]


def test_a_second_signal_kills_who_does_not_listen(tmp_path: Path) -> None:
    child = "signal.signal(signal.SIGTERM, signal.SIG_IGN); note('ready')\nwhile True: signal.pause()"
    supervised = Supervised(tmp_path, 2, child)
    supervised.wait_for("0 ready", "1 ready")

    supervised.process.terminate()
    supervised.wait_for_log("stopping all workers")
    supervised.process.terminate()

    assert supervised.end() == 1
    assert supervised.log.read_text().count("ended by signal 9") == 2


def test_processes_end_when_their_supervisor_is_killed(tmp_path: Path) -> None:
    if sys.platform != "linux":
        pytest.skip("only Linux tells a process that its parent has died")
    child = "signal.signal(signal.SIGTERM, lambda *_: (note('told'), sys.exit(0))); note('ready'); signal.pause()"
    supervised = Supervised(tmp_path, 1, child)
    supervised.wait_for("0 ready")

    supervised.process.kill()

    supervised.end()
    supervised.wait_for("0 ready", "0 told")


def test_a_command_that_cannot_be_started_ends_with_1() -> None:
    assert Supervisor(["/no/such/command"], [{}, {}]).run() == 1


def test_the_pause_doubles_up_to_its_longest() -> None:
    back_off = BackOff(first_s=0.5, longest_s=3.0)

    assert [back_off.pause_s(failures) for failures in (1, 2, 3, 4, 5, 500)] == [0.0, 0.5, 1.0, 2.0, 3.0, 3.0]


def test_who_has_lived_a_while_begins_with_the_shortest_pause_again() -> None:
    now = [1_000.0]
    supervisor = Supervisor(["worker"], [{}], BackOff(first_s=1.0, longest_s=8.0, reset_s=60.0), now_s=lambda: now[0])
    worker = supervisor._workers[0]

    pauses = []
    for lived_s in (1.0, 1.0, 1.0, 60.0, 1.0):
        worker.started_s = now[0] - lived_s
        supervisor._restart(worker, 1, "with 1")
        assert worker.start_at_s is not None
        pauses.append(worker.start_at_s - now[0])

    assert pauses == [0.0, 1.0, 2.0, 0.0, 1.0]
