"""What a worker's probes say, and when its watchdog bites."""

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from streams import life as life_module
from streams.life import Life, Stand, Standing
from streams.probes import Probes
from streams.watchdog import LoopWatch

LIMIT_S = 10.0
RUNNING = Stand("running", 2_000)


@pytest.fixture
def life() -> Life:
    return Life()


@pytest.fixture
def probes(life: Life) -> Iterator[Probes]:
    made = Probes(life, "127.0.0.1", 0)
    yield made
    made.stop()


def asked(probes: Probes, path: str) -> tuple[int, dict[str, object]]:
    """The status and the body of an answer."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{probes.port}{path}", timeout=LIMIT_S) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error) if error.headers["Content-Type"] == "application/json" else {}


def test_a_worker_is_live_from_its_start_and_ready_only_when_all_that_was_assigned_runs(life: Life, probes: Probes) -> None:
    assert asked(probes, "/live")[0] == 200
    status, told = asked(probes, "/ready")
    assert (status, told["reason"]) == (503, "the group has not assigned anything yet")

    life.stands(Standing(is_assigned=True, tasks={"0": RUNNING, "1": Stand("restoring", 1_500)}))
    status, told = asked(probes, "/ready")
    assert status == 503
    assert told == {
        "ok": False,
        "reason": "not running yet: 1",
        "tasks": {
            "0": {"phase": "running", "since": "1970-01-01T00:00:02.000Z"},
            "1": {"phase": "restoring", "since": "1970-01-01T00:00:01.500Z"},
        },
    }

    life.stands(Standing(is_assigned=True, tasks={"0": RUNNING, "1": RUNNING}))
    assert asked(probes, "/ready")[0] == 200


def test_a_worker_that_was_given_nothing_is_ready(life: Life, probes: Probes) -> None:
    life.stands(Standing(is_assigned=True, tasks={}))
    assert asked(probes, "/ready")[0] == 200


def test_a_loop_that_does_not_move_is_neither_live_nor_ready(life: Life, probes: Probes, monkeypatch: pytest.MonkeyPatch) -> None:
    life.stands(Standing(is_assigned=True, tasks={"0": RUNNING}))
    monkeypatch.setattr(life_module, "SILENT_LIMIT_S", -1.0)
    for path in ("/live", "/ready"):
        status, told = asked(probes, path)
        assert status == 503
        assert "has not moved" in str(told["reason"])


def test_any_other_path_is_not_found(probes: Probes) -> None:
    assert asked(probes, "/metrics")[0] == 404


def test_a_loop_that_does_not_move_ends_the_worker_and_the_log_says_where_it_stands(
    life: Life, caplog: pytest.LogCaptureFixture
) -> None:
    bitten = threading.Event()
    watch = LoopWatch(life, 0.1, bitten.set)
    try:
        assert bitten.wait(LIMIT_S)
    finally:
        watch.stop()
    assert "the event loop has not moved" in caplog.text
    assert "test_life.py" in caplog.text
