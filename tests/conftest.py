"""What all tests share: Apache Kafka and Redis once a run, and a closing word about everything that was skipped."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.support.certificates import Authority
from tests.support.kafka.jars import PartMissingError
from tests.support.kafka.server import KafkaServer
from tests.support.parts import everything_is_required, lacking
from tests.support.redis_server import RedisServer

# How long an example takes depends on what else the machine does: it is no property of what is tested.
settings.register_profile("patient", deadline=None, print_blob=True)
settings.load_profile("patient")


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaServer]:
    """Apache Kafka, started once and shared: each test uses topics and group names of its own."""
    folder = tmp_path_factory.mktemp("kafka")
    try:
        server = KafkaServer(folder)
    except PartMissingError as missing:
        lacking(str(missing))
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """Redis, started once and shared by tests that empty it first."""
    try:
        server = RedisServer(tmp_path_factory.mktemp("redis"))
    except PartMissingError as missing:
        lacking(str(missing))
    with server:
        yield server


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Signs the certificates of the tests."""
    return Authority(tmp_path_factory.mktemp("authority"))


FAST_FIRST = ("unit", "property", "contract", "simulation", "integration", "chaos")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The fast kinds of tests go first, in random order within their kind but for modules with IN_ORDER, which run as written."""
    items.sort(key=lambda item: FAST_FIRST.index(item.path.relative_to(Path(__file__).parent).parts[0]))
    places = [place for place, item in enumerate(items) if getattr(getattr(item, "module", None), "IN_ORDER", False)]
    in_order = sorted((items[place] for place in places), key=lambda item: (str(item.path), item.reportinfo()[1] or 0))
    for place, item in zip(places, in_order, strict=True):
        items[place] = item


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """A failed test that used Apache Kafka shows the end of the broker's log."""
    outcome = yield
    report: pytest.TestReport = outcome.get_result()  # type: ignore[attr-defined]  # pluggy does not type the old-style wrapper
    server = getattr(item, "funcargs", {}).get("kafka")
    if report.failed and isinstance(server, KafkaServer):
        report.sections.append(("end of the broker's log", server.log_tail()))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Where everything is required, a skip is a failure of the run, however it came about."""
    skipped = _skipped(session.config)
    if everything_is_required() and skipped and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say what was skipped and why."""
    skipped = _skipped(config)
    if not skipped:
        terminalreporter.line("nothing was skipped")
        return
    terminalreporter.section("what was skipped and why")
    for reason, count in sorted(skipped.items()):
        terminalreporter.line(f"{count:5d}  {reason}")
    if everything_is_required():
        terminalreporter.line("Everything is required here (CSPULSE_REQUIRE_ALL=1): this run has failed.", red=True)


def _skipped(config: pytest.Config) -> Counter[str]:
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    reports = reporter.stats.get("skipped", []) if reporter is not None else []
    return Counter(_reason(report) for report in reports)


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    if isinstance(report.longrepr, tuple):
        return report.longrepr[2].removeprefix("Skipped: ")
    return str(report.longrepr)
