"""The command line without a broker: what it says, where it says it, and its exit codes."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from processors.definitions import parse
from streams.catalogue import default_text
from streams.cluster import reach
from streams.commands.group import shared_first
from tests.support.command_line import LIMIT_S, environment, run, start

NOBODY = ("--bootstrap-servers", "127.0.0.1:1")
COMMANDS = (
    ["demo"],
    ["worker"],
    ["topics", "apply"],
    ["topics", "show"],
    ["topics", "asyncapi"],
    ["broker"],
    ["publish"],
    ["validate"],
    ["definitions", "check"],
    ["definitions", "show"],
    ["definitions", "apply"],
    ["doctor"],
    ["simulate"],
    ["live"],
    ["replay"],
    ["tail"],
    ["inspect"],
    ["maturity"],
)


@pytest.fixture
def events(tmp_path: Path) -> Path:
    path = tmp_path / "events.jsonl"
    simulated = run("simulate", "--customers", "5", "--days", "30", "--end", "2026-01-01T00:00:00Z", "--out", str(path))
    assert simulated.exit_code == 0, simulated.output
    return path


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_explains_itself(command: list[str]) -> None:
    told = run(*command, "--help")

    assert told.exit_code == 0
    assert "Usage: " in told.stdout


def test_help_loads_no_library_that_only_a_command_needs() -> None:
    heavy = ["faust", "aiokafka", "confluent_kafka", "fastavro", "pydantic", "rich.progress", "uvloop"]
    script = f"import sys, streams.cli; print([name for name in {heavy} if name in sys.modules])"

    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=LIMIT_S)

    assert told.stdout.strip() == "[]"


def test_the_version_is_told() -> None:
    told = run("--version")

    assert told.exit_code == 0
    assert told.stdout.startswith("cspulse ")


def test_all_mistakes_of_the_settings_are_told_at_once_and_end_with_2() -> None:
    told = run("--partitions", "0", "--security-protocol", "SLS", "topics", "show")

    assert told.exit_code == 2
    assert told.stdout == ""
    assert "2 mistakes in the settings" in told.stderr
    assert "--partitions: 0 is not right" in told.stderr.replace("'0'", "0")
    assert "--security-protocol" in told.stderr


def test_an_unknown_command_ends_with_2() -> None:
    assert run("topcis").exit_code == 2


def test_a_config_file_that_is_not_there_is_a_mistake_of_the_settings(tmp_path: Path) -> None:
    told = run("--config", str(tmp_path / "none.toml"), "doctor", "--json")

    assert told.exit_code == 1
    assert json.loads(told.stdout)["checks"][0]["state"] == "wrong"


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody answers at port 1, however long one waits."""
    monkeypatch.setattr(reach, "__defaults__", (0.5,))


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    "command", [["topics", "show"], ["topics", "apply"], ["tail", "cs.tickets"], ["inspect", "c-1"], ["maturity"]], ids=" ".join
)
def test_a_broker_that_does_not_answer_is_one_clear_line(command: list[str]) -> None:
    told = run(*NOBODY, *command)

    assert told.exit_code == 1
    assert told.stdout == ""
    assert told.stderr.count("\n") == 1
    assert "no broker answers at 127.0.0.1:1" in told.stderr
    assert "Traceback" not in told.output


@pytest.mark.usefixtures("impatient")
def test_doctor_says_of_an_absent_broker_what_to_do_and_goes_on() -> None:
    told = run(*NOBODY, "doctor", "--json")

    checks = {one["check"]: one for one in json.loads(told.stdout)["checks"]}
    assert told.exit_code == 1
    assert checks["settings"]["state"] == "ok"
    assert checks["broker"]["state"] == "wrong"
    assert checks["broker"]["advice"]
    assert checks["topics"]["state"] == "skipped"


def test_a_right_definitions_file_is_called_right(tmp_path: Path) -> None:
    path = tmp_path / "business.toml"
    path.write_text(default_text())

    told = run("definitions", "check", str(path))

    assert told.exit_code == 0
    assert "is right" in told.stdout


def test_all_mistakes_of_a_definitions_file_are_told_at_once_and_end_with_2(tmp_path: Path) -> None:
    path = tmp_path / "business.toml"
    path.write_text(default_text().replace('side = "before"', 'side = "bevore"', 2))

    told = run("definitions", "check", str(path))

    assert told.exit_code == 2
    assert "2 mistakes in the definitions" in told.stderr


def test_definitions_come_by_standard_input_too() -> None:
    assert run("definitions", "check", "-", given=default_text()).exit_code == 0


def test_the_built_in_definitions_are_shown_without_a_broker() -> None:
    told = run(*NOBODY, "definitions", "show", "0")

    assert told.exit_code == 0
    assert told.stdout.rstrip("\n") == default_text().rstrip("\n")


def test_what_is_read_from_the_definitions_is_shown_as_json_with_what_the_file_leaves_out() -> None:
    told = run(*NOBODY, "definitions", "show", "0", "--json")

    assert told.exit_code == 0
    shown = json.loads(told.stdout)
    assert list(shown["touchpoints"]) == list(parse(default_text()).touchpoints)
    assert shown["rules"]["silence"]["name"] == "silence"
    assert shown["scorecards"]["risk"][0]["measures"][0]["missing"] in {"redistribute", "neutral", "poor"}


def test_definitions_in_force_are_those_of_the_log_so_a_broker_is_asked() -> None:
    told = run(*NOBODY, "definitions", "show")

    assert told.exit_code == 1
    assert "127.0.0.1:1" in told.stderr


@pytest.mark.parametrize("command", [["definitions", "check"], ["validate"]], ids=" ".join)
def test_a_file_that_is_not_there_ends_with_3(command: list[str], tmp_path: Path) -> None:
    told = run(*command, str(tmp_path / "none"))

    assert told.exit_code == 3
    assert told.stderr == f"cspulse: there is no file {tmp_path / 'none'}\n"


def test_the_same_seed_simulates_the_same_events(events: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.jsonl"

    run("simulate", "--customers", "5", "--days", "30", "--end", "1767225600000", "--out", str(again))

    assert again.read_bytes() == events.read_bytes()
    assert again.read_bytes()


def test_a_definitions_file_that_is_not_utf_8_is_wrong_and_told_where(tmp_path: Path) -> None:
    file = tmp_path / "business.toml"
    file.write_bytes(b"# caf\xe9\n")
    told = run("definitions", "check", str(file))
    assert told.exit_code == 2
    assert "not UTF-8" in told.stderr
    assert "byte 5" in told.stderr


def test_without_a_name_the_truth_lies_beside_the_events(tmp_path: Path) -> None:
    told = run("simulate", "--customers", "2", "--days", "5", "--out", str(tmp_path / "e.jsonl"))
    assert told.exit_code == 0, told.output
    assert len((tmp_path / "e.jsonl.truth.jsonl").read_text().splitlines()) == 2


def test_the_truth_of_each_customer_goes_to_a_second_file(tmp_path: Path) -> None:
    truth = tmp_path / "truth.jsonl"

    told = run("simulate", "--customers", "3", "--days", "10", "--out", "-", "--truth", str(truth))

    assert told.exit_code == 0
    assert all(json.loads(line)["topic"].startswith("cs.") for line in told.stdout.splitlines())
    assert [json.loads(line)["customer_id"] for line in truth.read_text().splitlines()] == [
        "customer-000001",
        "customer-000002",
        "customer-000003",
    ]


def test_a_time_that_is_none_ends_with_2(tmp_path: Path) -> None:
    told = run("simulate", "--out", str(tmp_path / "out"), "--end", "yesterday")

    assert told.exit_code == 2
    assert "--end" in told.stderr
    assert not (tmp_path / "out").exists()


def test_a_line_that_would_be_refused_is_named_by_its_number_and_ends_with_4(events: Path) -> None:
    with events.open("a") as file:
        file.write('{"topic": "cs.tickets"}\n')
    number = len(events.read_text().splitlines())

    told = run("validate", str(events))

    assert told.exit_code == 4
    assert f"line {number}: refused" in told.stdout


def test_a_replay_of_the_same_events_is_the_same_byte_for_byte(events: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        told = run("replay", "--events", str(events), "--out", str(tmp_path / name), "--tick-interval", "21600")
        assert told.exit_code == 0, told.output

    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    first = json.loads((tmp_path / "one").read_text().splitlines()[0])
    assert {"topic", "timestamp_ms", "key", "partition", "offset", "value"} <= set(first)


def test_a_replay_leaves_bad_lines_out_and_ends_with_4(events: Path) -> None:
    given = "no json\n" + events.read_text()

    told = run("replay", "--events", "-", "--out", "-", "--tick-interval", "86400", given=given)

    assert told.exit_code == 4
    assert "line 1: undecodable" in told.stderr
    assert told.stdout.startswith('{"topic":')


def test_a_comparison_needs_no_output_file_and_the_same_definitions_differ_in_nothing(events: Path) -> None:
    told = run("replay", "--events", str(events), "--against", "default", "--tick-interval", "86400", "--json")

    assert told.exit_code == 0, told.output
    found = json.loads(told.stdout)
    assert found["bands"]["customers"] > 0
    assert found["bands"]["customer_days_differing"] == 0
    assert found["bands"]["differing"] == []
    assert all(rule["only_old"] == rule["only_new"] == [] for rule in found["alerts"])
    assert found["end_at"].endswith("Z")
    assert found["old"] is None  # nobody can be judged in a month


def test_a_comparison_tells_whose_band_and_which_alerts_are_others_and_how_good_they_were(tmp_path: Path) -> None:
    simulated = tmp_path / "year.jsonl"
    options = ("--customers", "10", "--days", "90", "--end", "2026-01-01T00:00:00Z", "--seed", "13")
    assert run("simulate", *options, "--out", str(simulated)).exit_code == 0
    strict = tmp_path / "strict.toml"
    strict.write_text(
        default_text()
        .replace("days_since_last_sign = 14", "days_since_last_sign = 6")
        .replace("[0, 0], [2, 40], [6, 75]", "[1, 0], [2, 40], [6, 75]")
    )
    given = ("--events", str(simulated), "--definitions", str(strict), "--against", "default", "--tick-interval", "86400")

    told = run("replay", *given, "--json", "--out", str(tmp_path / "out.jsonl"))

    assert told.exit_code == 0, told.output
    found = json.loads(told.stdout)
    silence = next(rule for rule in found["alerts"] if rule["rule"] == "silence")
    assert len(silence["only_new"]) > len(silence["only_old"])
    assert silence["only_new"][0]["opened_at"].endswith("Z")
    assert found["bands"]["customer_days_differing"] > 0
    assert found["departures"] > 0
    assert found["new"]["rules"][-1]["rule"] == "all together"
    assert found["new"]["rules"][-1]["episodes"] > found["old"]["rules"][-1]["episodes"]
    assert (tmp_path / "out.jsonl").read_text().startswith('{"topic":')

    shown = run("replay", *given)

    assert shown.exit_code == 0
    for words in ("customers end in another one", "only new", "precision", "lift", "Green, then churned"):
        assert words in shown.stdout


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ((), "--out says where"),
        (("--json", "--out", "-"), "--json is the form of a comparison"),
        (("--against", "default", "--json", "--out", "-"), "cannot both go"),
    ],
)
def test_a_replay_says_what_does_not_go_together(events: Path, options: tuple[str, ...], words: str) -> None:
    told = run("replay", "--events", str(events), *options)

    assert told.exit_code == 2
    assert words in told.stderr


def test_mistakes_of_the_definitions_compared_with_are_told_and_end_with_2(events: Path, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.toml"
    wrong.write_text("nonsense = 1\n")

    told = run("replay", "--events", str(events), "--against", str(wrong))

    assert told.exit_code == 2
    assert "nonsense" in told.stderr


def test_an_output_that_fails_leaves_the_older_file_as_it_was(tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    out.write_text("older\n")
    tick = {"topic": "cs.ticks", "value": {"occurred_at": 1767225600000, "partition": 9, "config_version": 0}}

    told = run("replay", "--events", "-", "--out", str(out), given=json.dumps(tick) + "\n")

    assert told.exit_code == 1
    assert "partition 9" in told.stderr
    assert out.read_text() == "older\n"
    assert list(tmp_path.iterdir()) == [out]


def test_a_reader_that_has_had_enough_ends_the_command_without_a_word() -> None:
    running = start("simulate", "--customers", "30", "--days", "90", "--out", "-")
    assert running.stdout is not None
    assert running.stderr is not None
    running.stdout.readline()
    running.stdout.close()

    said = running.stderr.read()
    running.stderr.close()

    assert running.wait(LIMIT_S) == 1
    assert said == b""


def test_settings_that_are_wrong_end_a_worker_with_2_as_a_process_too() -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-m", "streams", "--partitions", "none", "worker"],
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=LIMIT_S,
    )

    assert done.returncode == 2
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (["topics", "show", "--app-id", "shop"], ["--app-id", "shop", "topics", "show"]),
        (["tail", "--json", "--app-id=shop", "cs.ticks"], ["--app-id=shop", "tail", "--json", "cs.ticks"]),
        (["inspect", "--", "--app-id"], ["inspect", "--", "--app-id"]),
        (["tail", "cs.ticks", "--app-id"], ["--app-id"]),
    ],
    ids=["behind", "with =", "after --", "without a value"],
)
def test_shared_options_may_stand_behind_the_command(given: list[str], wanted: list[str]) -> None:
    assert shared_first(given, {"--app-id"}) == wanted


def test_a_shared_option_behind_the_command_reaches_the_settings() -> None:
    told = run("topics", "show", *NOBODY)

    assert told.exit_code == 1
    assert "no broker answers at 127.0.0.1:1" in told.stderr
