"""docker-compose.yml as the tests read it: the merged services, with their parts in one form."""

import importlib.util
import json
from pathlib import Path
from typing import Any, Final

import yaml

REPOSITORY: Final = Path(__file__).parents[2]
COMPOSE: Final = REPOSITORY / "docker-compose.yml"
DOCKERFILE: Final = REPOSITORY / "deploy" / "Dockerfile"


def compose() -> dict[str, Any]:
    """The whole file, with its anchors resolved."""
    found: dict[str, Any] = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))
    return found


def services() -> dict[str, dict[str, Any]]:
    """The services by their names."""
    found: dict[str, dict[str, Any]] = compose()["services"]
    return found


def ours() -> dict[str, dict[str, Any]]:
    """The services that run this project's image."""
    return {name: service for name, service in services().items() if service["image"].startswith("cspulse:")}


def specification() -> dict[str, Any]:
    """The schema of the Compose specification, which check-jsonschema carries."""
    spec = importlib.util.find_spec("check_jsonschema")
    assert spec is not None
    assert spec.origin is not None
    path = Path(spec.origin).parent / "builtin_schemas" / "vendor" / "compose-spec.json"
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def kafka_properties() -> dict[str, str]:
    """The broker's settings of the stack."""
    lines = (REPOSITORY / "deploy" / "kafka" / "server.properties").read_text(encoding="utf-8").splitlines()
    pairs = [line.partition("=") for line in lines if line and not line.startswith("#")]
    return {name: value for name, _, value in pairs}
