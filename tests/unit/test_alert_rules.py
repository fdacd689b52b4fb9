"""Prometheus' rules: each is tested by promtool, asks only for what there is, and has a runbook."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from sinks.metrics import METRICS
from sinks.sink_metrics import SINK_METRICS
from tests.support.prometheus import program

REPOSITORY = Path(__file__).parents[2]
PROMETHEUS = REPOSITORY / "deploy" / "prometheus"
TESTS = PROMETHEUS / "tests" / "alerts_test.yml"
OPERATIONS = REPOSITORY / "docs" / "operations.md"


def loaded(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def rules(file: str) -> list[dict[str, Any]]:
    return [rule for group in loaded(PROMETHEUS / file)["groups"] for rule in group["rules"]]


ALERTS = rules("alerts.yml")
NAMES = [rule["alert"] for rule in ALERTS]


def promtool_says(path: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [program("promtool"), "test", "rules", str(path)], capture_output=True, text=True, check=False, timeout=60
    )


def offered() -> set[str]:
    """The names under which our metrics come to Prometheus."""
    metrics = (*METRICS, *SINK_METRICS)
    found = {metric.name for metric in metrics if metric.kind != "histogram"}
    histograms = {metric.name for metric in metrics if metric.kind == "histogram"}
    return found | {f"{name}{end}" for name in histograms for end in ("_bucket", "_count", "_sum")}


def test_the_configuration_and_the_rules_are_right() -> None:
    done = subprocess.run(
        [program("promtool"), "check", "config", str(PROMETHEUS / "prometheus.yml")],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_rules_do_what_their_tests_say() -> None:
    done = promtool_says(TESTS)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("right", "wrong"), [("> 900", "> 9000"), ("for: 2m", "for: 20m"), ("coverage_ratio) < 1", "coverage_ratio) < 0")]
)
def test_their_tests_notice_a_rule_that_is_wrong(right: str, wrong: str, tmp_path: Path) -> None:
    copy = tmp_path / "prometheus"
    shutil.copytree(PROMETHEUS, copy)
    text = (copy / "alerts.yml").read_text()
    assert right in text
    (copy / "alerts.yml").write_text(text.replace(right, wrong))
    assert promtool_says(copy / "tests" / TESTS.name).returncode != 0


@pytest.mark.parametrize("name", NAMES)
def test_each_alert_is_shown_firing_and_not_firing(name: str) -> None:
    cases = [case for test in loaded(TESTS)["tests"] for case in test.get("alert_rule_test", []) if case["alertname"] == name]
    assert any(case["exp_alerts"] for case in cases)
    assert any(not case["exp_alerts"] for case in cases)


@pytest.mark.parametrize("rule", ALERTS, ids=NAMES)
def test_each_alert_has_a_severity_a_summary_and_a_runbook_that_is_there(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in {"critical", "warning", "info"}
    assert rule["annotations"]["summary"]
    assert rule["annotations"]["runbook"] == f"docs/operations.md#{rule['alert'].lower()}"
    assert f"### {rule['alert']}\n" in OPERATIONS.read_text(encoding="utf-8")


def test_no_runbook_is_about_an_alert_that_is_not_there() -> None:
    headings = re.findall(r"^### (Cspulse\w+)$", OPERATIONS.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(headings) == sorted(NAMES)


@pytest.mark.parametrize("file", ["alerts.yml", "recording.yml"])
def test_the_rules_ask_only_for_what_a_worker_offers_or_is_recorded(file: str) -> None:
    recorded = {rule["record"] for rule in rules("recording.yml")}
    for rule in rules(file):
        asked = set(re.findall(r"(?<![\w:])(?:job:)?cspulse_[a-z0-9_]+(?::[a-z0-9_]+)?", rule["expr"]))
        assert asked <= offered() | recorded, asked - offered() - recorded
