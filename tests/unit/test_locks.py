"""The lock files: every requirement hashed, none bound to one registry."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
LOCKS = [REPOSITORY / "requirements.txt", REPOSITORY / "requirements-dev.txt"]
PINNED = re.compile(r"^([a-z0-9][a-z0-9.-]*)==([^ ;]+)( ; [^#]+)?$")
HASH = re.compile(r"^--hash=sha256:[0-9a-f]{64}$")


def requirements(lock: Path) -> Iterator[tuple[str, list[str]]]:
    """Each requirement of a lock with what follows it."""
    for line in lock.read_text().replace("\\\n", "\n    ").split("\n"):
        if line and not line.startswith(" "):
            current: list[str] = []
            yield line.strip(), current
        elif line.strip():
            current.append(line.strip())


def pins(lock: Path) -> dict[str, str]:
    found = [PINNED.match(requirement) for requirement, _ in requirements(lock)]
    return {match[1]: match[2] for match in found if match}


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_a_lock_names_no_address(lock: Path) -> None:
    text = lock.read_text()

    assert "://" not in text
    assert not re.search(r"--(extra-)?index|--find-links|--trusted-host|@ ", text)


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_every_requirement_is_pinned_and_hashed(lock: Path) -> None:
    everything = [(requirement, list(hashes)) for requirement, hashes in [*requirements(lock)]]

    assert len(everything) > 20
    for requirement, hashes in everything:
        assert PINNED.match(requirement), requirement
        assert hashes, requirement
        assert all(HASH.match(one) for one in hashes), requirement


def test_tests_run_on_the_versions_that_are_delivered() -> None:
    delivered, tested = (pins(lock) for lock in LOCKS)

    assert delivered.items() <= tested.items()


def test_the_locks_hold_every_dependency_of_the_project() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
    named = re.compile(r"^[A-Za-z0-9.-]+")
    runtime = [*project["project"]["dependencies"], *project["dependency-groups"]["build"]]

    assert {match[0] for text in runtime if (match := named.match(text))} <= pins(LOCKS[0]).keys()
    assert {match[0] for text in project["dependency-groups"]["dev"] if (match := named.match(text))} <= pins(LOCKS[1]).keys()
