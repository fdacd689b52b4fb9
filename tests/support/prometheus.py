"""Prometheus and its tool, as the machine has them: a server under the tests' control with the configuration that is shipped."""

import json
import math
import shutil
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import yaml

from tests.support.ending import end
from tests.support.parts import lacking
from tests.support.ports import free_port
from tests.support.waiting import wait_until

SHIPPED: Final = Path(__file__).parents[2] / "deploy" / "prometheus"
START_LIMIT_S: Final = 60.0
ANSWER_LIMIT_S: Final = 20.0
EVERY: Final = "3s"
"""Also how long a scrape may take: one that takes longer leaves every series of its target without a value."""


class Series(NamedTuple):
    """One series of an answer: its labels, and its values in the order of time, those that are not numbers left out."""

    labels: dict[str, str]
    values: list[float]


class QueryFailed(AssertionError):
    """Prometheus refused a query."""


def program(name: str) -> str:
    """The path of `prometheus` or `promtool`; the test is skipped where it is not installed."""
    path = shutil.which(name)
    if path is None:
        lacking(f"{name} is not installed (Debian's package prometheus)")
    return path


class PrometheusServer:
    """Prometheus with the shipped configuration and rules; only whom it scrapes, by job, and how often is another."""

    def __init__(self, folder: Path, targets: Mapping[str, Sequence[str]]) -> None:
        self.port: Final = free_port()
        self._folder = folder
        self._program = program("prometheus")
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)
        self._configure(targets)

    def _configure(self, targets: Mapping[str, Sequence[str]]) -> None:
        configuration = yaml.safe_load((SHIPPED / "prometheus.yml").read_text(encoding="utf-8"))
        configuration["global"].update(scrape_interval=EVERY, evaluation_interval=EVERY)
        jobs = {job["job_name"]: job for job in configuration["scrape_configs"]}
        configuration["scrape_configs"] = [
            {**jobs[name], "static_configs": [{"targets": list(targets[name])}]} for name in targets
        ]
        (self._folder / "prometheus.yml").write_text(yaml.safe_dump(configuration), encoding="utf-8")
        for name in configuration["rule_files"]:
            rules = yaml.safe_load((SHIPPED / name).read_text(encoding="utf-8"))
            for group in rules["groups"]:
                group.pop("interval", None)
            (self._folder / name).write_text(yaml.safe_dump(rules), encoding="utf-8")

    def start(self) -> None:
        """Start it and wait until it is ready."""
        with (self._folder / "prometheus.log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    self._program,
                    f"--config.file={self._folder / 'prometheus.yml'}",
                    f"--storage.tsdb.path={self._folder / 'data'}",
                    f"--web.listen-address=127.0.0.1:{self.port}",
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        wait_until(self._is_ready, START_LIMIT_S, f"Prometheus to be ready; its log: {self.log_tail()}")

    def stop(self) -> None:
        """End it."""
        if self._process is not None:
            end(self._process, ANSWER_LIMIT_S)
            self._process = None

    def now(self, query: str, at_s: float | None = None) -> list[Series]:
        """The answer to a query as of now, or of a time before. Raises QueryFailed."""
        result = self._ask("query", {"query": query} if at_s is None else {"query": query, "time": f"{at_s}"})["result"]
        return [_series(one["metric"], [one["value"]]) for one in result]

    def lately(self, query: str, seconds: float, step_s: float = 1.0) -> list[Series]:
        """The answer to a query over the last seconds. Raises QueryFailed."""
        end_s = self.time_s()
        span = {"start": f"{end_s - seconds}", "end": f"{end_s}", "step": f"{step_s}"}
        return [_series(one["metric"], one["values"]) for one in self._ask("query_range", {"query": query, **span})["result"]]

    def time_s(self) -> float:
        """The time by its clock, in seconds since 1970."""
        return float(self._ask("query", {"query": "time()"})["result"][1])

    def value(self, query: str, at_s: float | None = None) -> float | None:
        """The only value of a query as of now, or of a time before; None when there is none."""
        found = self.now(query, at_s)
        assert len(found) <= 1, (query, found)
        return found[0].values[0] if found and found[0].values else None

    def rules(self) -> list[dict[str, Any]]:
        """All rules, with how their last evaluation went."""
        return [rule for group in self._ask("rules", {})["groups"] for rule in group["rules"]]

    def log_tail(self) -> str:
        """The end of its log."""
        path = self._folder / "prometheus.log"
        return path.read_text(errors="replace")[-2_000:] if path.exists() else ""

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/-/ready", timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def _ask(self, what: str, parameters: dict[str, str]) -> Any:
        address = f"http://127.0.0.1:{self.port}/api/v1/{what}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(address, timeout=ANSWER_LIMIT_S) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            raise QueryFailed(f"{parameters}: {error.read().decode(errors='replace')[:500]}") from error


def _series(labels: dict[str, str], values: Sequence[tuple[float, str]]) -> Series:
    return Series(labels, [float(value) for _, value in values if not math.isnan(float(value))])
