"""Who may import whom, and that the domain reaches for no clock, chance, input or output."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
PACKAGES = ("schemas", "processors", "streams", "sinks")

MAY_IMPORT = {
    "schemas": {"schemas"},
    "processors": {"processors", "schemas"},
    "sinks": {"sinks", "schemas"},
    "streams": set(PACKAGES),
}

# Modules that the domain has no use for: clock, chance, input and output, concurrency, and every client of a server.
IMPURE = {
    *("aiokafka", "asyncio", "concurrent", "confluent_kafka", "faust", "glob", "http", "httpx2", "importlib", "io", "logging"),
    *("mmap", "mode", "multiprocessing", "os", "pathlib", "pickle", "platform", "prometheus_client", "queue", "random", "redis"),
    *("secrets", "select", "selectors", "shutil", "signal", "socket", "sqlite3", "ssl", "subprocess", "sys", "tempfile"),
    *("threading", "time", "urllib", "uuid", "uvloop"),
}
IMPURE_CALLS = {"__import__", "breakpoint", "eval", "exec", "hash", "id", "input", "open", "print"}
IMPURE_METHODS = {"now", "utcnow", "today", "read_text", "read_bytes", "write_text", "write_bytes"}


def modules(package: str) -> list[Path]:
    return sorted((REPOSITORY / package).rglob("*.py"))


def imported(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """First name of every import, wherever in the file, and its line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name.partition(".")[0], node.lineno
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.module.partition(".")[0], node.lineno


def impure(source: str) -> list[str]:
    """What a module of the domain does that it must not."""
    tree = ast.parse(source)
    found = [f"line {line}: imports {name}" for name, line in imported(tree) if name in IMPURE]
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        if isinstance(node.func, ast.Name) and node.func.id in IMPURE_CALLS:
            found.append(f"line {node.lineno}: calls {node.func.id}()")
        elif isinstance(node.func, ast.Attribute) and node.func.attr in IMPURE_METHODS:
            found.append(f"line {node.lineno}: calls .{node.func.attr}()")
    return found


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_imports_only_what_it_may(package: str) -> None:
    wrong = [
        f"{path.relative_to(REPOSITORY)}:{line} imports {name}"
        for path in modules(package)
        for name, line in imported(ast.parse(path.read_text()))
        if name in {*PACKAGES, "tests", "benchmarks"} - MAY_IMPORT[package]
    ]

    assert not wrong


def test_the_domain_is_pure() -> None:
    wrong = {str(path.relative_to(REPOSITORY)): found for path in modules("processors") if (found := impure(path.read_text()))}

    assert not wrong


@pytest.mark.parametrize(
    "source",
    [
        "import time",
        "from random import choice",
        "def f():\n    import os.path",
        "import datetime\ndatetime.datetime.now()",
        "from datetime import date\ndate.today()",
        "open('x')",
        "hash('salted differently in every process')",
    ],
)
def test_the_check_sees_what_is_impure(source: str) -> None:
    assert impure(source)


def test_the_contracts_know_no_kafka_client_but_the_registry_s() -> None:
    wrong = []
    for path in modules("schemas"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module:
                names.append(node.module)
            wrong += [
                f"{path.relative_to(REPOSITORY)}:{name}"
                for name in names
                if name.partition(".")[0] in {"faust", "aiokafka", "redis"}
                or (name.startswith("confluent_kafka") and not name.startswith("confluent_kafka.schema_registry"))
            ]

    assert not wrong


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_has_modules_and_none_is_imported_relatively(package: str) -> None:
    relative = [
        str(path.relative_to(REPOSITORY))
        for path in modules(package)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and node.level > 0
    ]

    assert modules(package)
    assert not relative
