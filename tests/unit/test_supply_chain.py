"""What is installed is locked with hashes, and the bill of materials names all of it."""

import json
import re
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
LOCK = REPOSITORY / "requirements.txt"
PINNED = re.compile(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)", re.MULTILINE)
BILL = Path(sys.executable).parent / "cyclonedx-py"


def locked(file: Path = LOCK) -> dict[str, str]:
    """The version of each package of a lock."""
    return dict(PINNED.findall(file.read_text(encoding="utf-8")))


def test_every_package_is_pinned_to_hashes_and_no_lock_names_an_index() -> None:
    for file in (LOCK, REPOSITORY / "requirements-dev.txt"):
        text = file.read_text(encoding="utf-8")
        entries = text.split("\n")
        named = [line for line in entries if PINNED.match(line)]
        assert len(named) > 30
        assert all(line.endswith("\\") for line in named), "an entry without hashes"
        assert "://" not in text


def test_what_runs_is_locked_the_same_for_development() -> None:
    development = locked(REPOSITORY / "requirements-dev.txt")
    assert {name: development.get(name) for name in locked()} == locked()


def test_the_bill_of_materials_names_every_locked_package_with_its_version(tmp_path: Path) -> None:
    bill = tmp_path / "sbom.json"
    made = subprocess.run(
        [str(BILL), "requirements", str(LOCK), "--output-format", "JSON", "--output-file", str(bill)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert made.returncode == 0, made.stderr
    components = json.loads(bill.read_text(encoding="utf-8"))["components"]
    assert {component["name"]: component["version"] for component in components} == locked()
