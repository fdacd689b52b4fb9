"""The stack's files, as far as they can be checked without containers: form, files, settings, commands, ports, rights."""

import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from jsonschema.validators import validator_for

from processors.definitions import DefinitionsError, parse
from streams.catalogue import default_text
from streams.ending import STOP_LIMIT_S, TELL_LIMIT_S
from streams.settings import ENVIRONMENT_PREFIX, Settings, load_settings
from tests.support.command_line import run
from tests.support.compose import (
    COMPOSE,
    DOCKERFILE,
    REPOSITORY,
    compose,
    kafka_properties,
    ours,
    services,
    specification,
)
from tests.support.dashboards import loaded
from tests.support.kafka.jars import KAFKA_VERSION
from tests.support.sinks.delivering import crm

DEPLOY = REPOSITORY / "deploy"
NAMES = sorted(services())
OURS = sorted(ours())


def faults(document: object) -> list[str]:
    schema = specification()
    return [f"{error.json_path}: {error.message[:200]}" for error in validator_for(schema)(schema).iter_errors(document)]


def mounts(service: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Source, place and mode of each mount."""
    found = [volume.split(":") for volume in service.get("volumes", [])]
    return [(parts[0], parts[1], parts[2] if len(parts) > 2 else "rw") for parts in found]


def test_the_file_is_right_by_the_specification_s_schema() -> None:
    assert faults(compose()) == []


@pytest.mark.parametrize(
    "wrong", [{"imagge": "x"}, {"ports": 80}, {"healthcheck": {"tests": []}}, {"depends_on": {"kafka": {"condition": 1}}}]
)
def test_the_schema_refuses_what_is_wrong(wrong: dict[str, object]) -> None:
    document = compose()
    document["services"]["kafka"].update(wrong)
    assert faults(document)


@pytest.mark.parametrize("name", NAMES)
def test_every_mounted_file_is_there_and_cannot_be_written(name: str) -> None:
    for source, _, mode in mounts(services()[name]):
        if source.startswith("."):
            assert (REPOSITORY / source).exists(), source
            assert mode == "ro"
        else:
            assert source in compose()["volumes"]


@pytest.mark.parametrize("name", NAMES)
def test_a_service_is_pinned_without_rights_and_heard_on_the_loopback_interface_only(name: str) -> None:
    service = services()[name]
    assert re.fullmatch(r"[a-z/-]+:v?\d+(\.\d+)+(-[a-z]+)?", service["image"]), service["image"]
    if name not in {"kafka", "schema-registry"}:  # their images have a user of their own, appuser
        assert re.fullmatch(r"[1-9]\d*:\d+", service["user"])
    for port in service.get("ports", []):
        assert port.startswith("127.0.0.1:"), port
    assert not service.get("privileged")


@pytest.mark.parametrize("name", NAMES)
def test_what_a_service_waits_for_is_there_and_can_be_waited_for(name: str) -> None:
    for other, how in services()[name].get("depends_on", {}).items():
        needed = services()[other]
        if how["condition"] == "service_healthy":
            assert needed["healthcheck"]["test"][0] == "CMD"
        else:
            assert how["condition"] == "service_completed_successfully"
            assert "restart" not in needed, "what is started again never completes"


def test_every_service_that_goes_on_is_started_again_and_every_one_that_listens_has_a_health_check() -> None:
    once = {"topics", "history"}
    assert {name for name, service in services().items() if "restart" not in service} == once
    deaf = {"simulator"}  # it listens nowhere, and ends when it cannot publish
    assert {name for name, service in services().items() if "healthcheck" not in service} == once | deaf


@pytest.mark.parametrize("name", OURS)
def test_every_variable_is_a_setting_and_its_value_is_right(name: str) -> None:
    environment = ours()[name]["environment"]
    known = {f"{ENVIRONMENT_PREFIX}{setting.upper()}" for setting in Settings.model_fields}
    assert set(environment) <= known, set(environment) - known
    assert all(isinstance(value, str) for value in environment.values())
    settings = load_settings({}, environment)
    assert settings.value_encoding == "avro", "who reads needs no registry"


@pytest.mark.parametrize("name", OURS)
def test_every_command_is_one_that_there_is(name: str) -> None:
    command = ours()[name]["command"]
    words = [word for word in command if not word.startswith("-") and not word.isdigit()]
    told = run(*words, "--help")
    assert told.exit_code == 0, told.output
    for option in command:
        if option.startswith("--"):
            assert option in told.output


@pytest.mark.parametrize("name", ["worker-1", "worker-2"])
def test_a_worker_s_health_check_asks_whether_it_lives_where_it_answers_and_nobody_else_can(name: str) -> None:
    worker = services()[name]
    asked = re.search(r"http://[^']+", worker["healthcheck"]["test"][-1])
    assert asked is not None
    settings = load_settings({}, worker["environment"])
    assert asked[0] == f"http://{settings.probe_host}:{settings.probe_port}/live"
    assert settings.probe_host == "127.0.0.1"
    assert all(str(settings.probe_port) not in port for port in worker.get("ports", []))


@pytest.mark.parametrize("name", ["sink-redis", "sink-delivery"])
def test_a_sink_s_health_check_asks_for_its_metrics_where_it_offers_them(name: str) -> None:
    sink = services()[name]
    asked = re.search(r"http://[^']+", sink["healthcheck"]["test"][-1])
    assert asked is not None
    settings = load_settings({}, sink["environment"])
    assert asked[0] == f"http://127.0.0.1:{settings.metrics_port}/metrics"


def test_delivery_is_given_more_time_to_stop_than_a_call_may_take() -> None:
    longest = parse(f"{default_text()}\n{crm(timeout_seconds=60)}").delivery.destinations["crm"].timeout_ms
    assert float(services()["sink-delivery"]["stop_grace_period"].removesuffix("s")) * 1000 > longest
    with pytest.raises(DefinitionsError, match="60"):
        parse(f"{default_text()}\n{crm(timeout_seconds=61)}")


def test_a_destination_is_configured_without_a_change_of_the_file_and_its_secrets_go_nowhere_else() -> None:
    (given,) = services()["sink-delivery"]["env_file"]
    assert given == {"path": "deploy/delivery.env", "required": False}
    assert [name for name, service in services().items() if "env_file" in service] == ["sink-delivery"]
    assert f"{given['path']}\n" in (REPOSITORY / ".gitignore").read_text()
    assert f"!{given['path']}" not in (DEPLOY / "Dockerfile.dockerignore").read_text()
    told = (REPOSITORY / "docs" / "delivery.md").read_text()
    assert given["path"] in told


def test_a_worker_is_given_more_time_to_stop_than_it_takes_at_most() -> None:
    for name in ("worker-1", "worker-2"):
        assert float(services()[name]["stop_grace_period"].removesuffix("s")) >= STOP_LIMIT_S + TELL_LIMIT_S


def test_every_address_in_a_variable_is_a_service_that_listens_there() -> None:
    listens = {
        "kafka": {int(address.rpartition(":")[2]) for address in kafka_properties()["listeners"].split(",")},
        "schema-registry": {urlsplit(services()["schema-registry"]["environment"]["SCHEMA_REGISTRY_LISTENERS"]).port},
        "redis": {int(re.search(r"^port (\d+)$", (DEPLOY / "redis" / "redis.conf").read_text(), re.MULTILINE)[1])},  # type: ignore[index]  # it is there
        "prometheus": {9090},
    }
    asked = set()
    for service in ours().values():
        for value in service["environment"].values():
            found = re.fullmatch(r"(?:[a-z]+://)?([a-z-]+):(\d+)", value)
            if found:
                asked.add((found[1], int(found[2])))
    source = yaml.safe_load((DEPLOY / "grafana/provisioning/datasources/prometheus.yml").read_text())["datasources"][0]
    asked.add((urlsplit(source["url"]).hostname or "", urlsplit(source["url"]).port or 0))
    assert {name for name, _ in asked} >= {"kafka", "schema-registry", "prometheus"}
    assert not {(name, port) for name, port in asked if port not in listens[name]}


def test_published_ports_lead_to_where_the_programs_listen() -> None:
    published = {
        name: [port.split(":")[1:] for port in service["ports"]] for name, service in services().items() if "ports" in service
    }
    assert published == {
        "kafka": [["9092", "9092"]],
        "schema-registry": [["8081", "8081"]],
        "redis": [["6379", "6379"]],
        "prometheus": [["9090", "9090"]],
        "grafana": [["3000", "3000"]],
    }
    properties = kafka_properties()
    assert "HOST://0.0.0.0:9092" in properties["listeners"]
    assert "HOST://127.0.0.1:9092" in properties["advertised.listeners"]
    assert f"PLAINTEXT://{ours()['worker-1']['environment']['CSPULSE_BOOTSTRAP_SERVERS']}" in properties["advertised.listeners"]


def test_prometheus_scrapes_every_service_that_offers_metrics_where_it_offers_them() -> None:
    offering = {
        f"{name}:{service['environment']['CSPULSE_METRICS_PORT']}"
        for name, service in ours().items()
        if "CSPULSE_METRICS_PORT" in service["environment"]
    }
    configuration = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text())
    scraped = [target for job in configuration["scrape_configs"] for one in job["static_configs"] for target in one["targets"]]
    assert sorted(scraped) == sorted(offering)
    assert configuration["scrape_configs"][0]["job_name"] == ours()["worker-1"]["environment"]["CSPULSE_APP_ID"]
    exposed = re.findall(r"^EXPOSE (\d+)$", DOCKERFILE.read_text(), re.MULTILINE)
    assert {target.rpartition(":")[2] for target in scraped} == set(exposed)


def test_prometheus_has_every_rule_file_that_its_configuration_names() -> None:
    configuration = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text())
    mounted = {place for _, place, _ in mounts(services()["prometheus"])}
    assert {f"/etc/prometheus/{name}" for name in configuration["rule_files"]} <= mounted


def test_grafana_finds_the_dashboards_and_their_source() -> None:
    mounted = {place: REPOSITORY / source for source, place, _ in mounts(services()["grafana"]) if source.startswith(".")}
    provider = yaml.safe_load((DEPLOY / "grafana/provisioning/dashboards/cspulse.yml").read_text())["providers"][0]
    folder = mounted[provider["options"]["path"]]
    assert sorted(path.stem for path in folder.glob("*.json")) == sorted(loaded())
    home = Path(services()["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"])
    assert (mounted[str(home.parent)] / home.name).exists()
    source = yaml.safe_load((DEPLOY / "grafana/provisioning/datasources/prometheus.yml").read_text())["datasources"][0]
    uids = set(re.findall(r'"type": "prometheus",\s+"uid": "(\w+)"', json.dumps(loaded(), indent=1)))
    assert uids == {source["uid"]}


def test_grafana_s_builder_is_of_the_version_that_is_started() -> None:
    image = services()["grafana"]["image"].rpartition(":")[2].split(".")
    pinned = re.search(r"grafana-foundation-sdk==\d+!(\d+)\.(\d+)\.", (REPOSITORY / "pyproject.toml").read_text())
    assert pinned is not None
    assert [pinned[1], pinned[2]] == image[:2]


def test_the_broker_is_the_version_that_is_tested_and_makes_no_topics_by_itself() -> None:
    assert services()["kafka"]["image"] == f"apache/kafka:{KAFKA_VERSION}"
    assert kafka_properties()["auto.create.topics.enable"] == "false"
    assert len(services()["kafka"]["environment"]["CLUSTER_ID"]) == 22


def test_the_image_is_built_in_stages_from_files_that_are_there_and_runs_without_rights() -> None:
    text = DOCKERFILE.read_text()
    stages = re.findall(r"^FROM (\S+)", text, re.MULTILINE)
    assert len(stages) == 2
    assert len(set(stages)) == 1
    assert re.fullmatch(r"python:3\.1[1-3]\.\d+-slim-[a-z]+", stages[0])
    for line in re.findall(r"^COPY (?!--from)(.+)$", text, re.MULTILINE):
        for source in line.split()[:-1]:
            assert (REPOSITORY / source).exists(), source
            assert f"!{source}\n" in (DEPLOY / "Dockerfile.dockerignore").read_text()
    users = re.findall(r"^USER (\S+)$", text, re.MULTILINE)
    assert users == ["10001:10001"] == [service["user"] for service in ours().values()][:1]
    assert "--require-hashes" in text


def test_what_the_image_installs_is_whole(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    packed = set(zipfile.ZipFile(wheel).namelist())
    for package in ("schemas", "processors", "streams", "sinks"):
        files = {str(path.relative_to(REPOSITORY)) for path in (REPOSITORY / package).rglob("*") if path.is_file()}
        assert {path for path in files if "__pycache__" not in path} <= packed


def test_the_stack_is_described_where_it_is_started() -> None:
    text = COMPOSE.read_text()
    for name, service in services().items():
        for port in service.get("ports", []):
            assert port.rpartition(":")[0] in text.partition("name: cspulse")[0], (name, port)


def test_one_service_builds_the_image_and_every_other_one_waits_for_it() -> None:
    built = [name for name, service in ours().items() if "build" in service]
    assert built == ["topics"]
    others = {name: service for name, service in ours().items() if name not in built}
    assert {service["image"] for service in others.values()} == {ours()["topics"]["image"]}
    assert {service["pull_policy"] for service in others.values()} == {"never"}
