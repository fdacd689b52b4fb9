"""Newer definitions are taken up once, whatever went wrong before they could be read."""

import logging
from collections.abc import Callable

import confluent_kafka as ck
import pytest

from processors.definitions import Definitions, DefinitionsError, parse
from schemas.registry import RegistryUnreachable
from streams.definitions_log import DefinitionsLogError
from streams.newer_definitions import EVERY_S, NewerDefinitions
from streams.restore import RestoreFailed
from tests.support.summed import default_definitions


class Log:
    """A log of definitions whose reading goes wrong as often as the test says."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.ends: int | Exception = 1
        self.newest = 1
        self.failures: list[Exception] = []
        self.reads = 0
        self.newer = NewerDefinitions(self.read, self.end, lambda: self.now_s)

    def end(self) -> int:
        if isinstance(self.ends, Exception):
            raise self.ends
        return self.ends

    def read(self) -> tuple[int, Definitions]:
        self.reads += 1
        if self.failures:
            raise self.failures.pop(0)
        return self.newest, default_definitions()

    def apply(self) -> None:
        """A version more, and the record that ends its transaction."""
        self.newest += 1
        assert isinstance(self.ends, int)
        self.ends += 2

    def later(self) -> int | None:
        """The version that is taken up when it is time to look again."""
        self.now_s += EVERY_S
        found = self.newer.following(1)
        return None if found is None else found[0]


@pytest.fixture
def log() -> Log:
    return Log()


def a_mistake() -> DefinitionsError:
    with pytest.raises(DefinitionsError) as told:
        parse("nothing = 1")
    return told.value


def test_a_new_version_is_taken_up_and_nothing_is_read_before_there_is_one(log: Log) -> None:
    assert log.later() is None
    assert log.reads == 0
    log.apply()
    assert log.later() == 2
    assert log.later() is None
    assert log.reads == 1


def test_the_brokers_are_asked_every_few_seconds_only(log: Log) -> None:
    log.apply()
    log.now_s += EVERY_S - 0.1
    assert log.newer.following(1) is None
    log.now_s += 0.1
    assert log.newer.following(1) is not None


@pytest.mark.parametrize(
    "failure",
    [
        lambda: RestoreFailed("away"),
        lambda: RegistryUnreachable("away"),
        lambda: ck.KafkaException(ck.KafkaError(ck.KafkaError._TRANSPORT)),
    ],
)
def test_a_version_that_could_not_be_read_is_read_the_next_time(log: Log, failure: Callable[[], Exception]) -> None:
    log.apply()
    log.failures = [failure(), failure()]
    assert [log.later(), log.later(), log.later()] == [None, None, 2]


def test_while_the_brokers_are_away_nothing_is_missed(log: Log) -> None:
    log.apply()
    end, log.ends = log.ends, ck.KafkaException(ck.KafkaError(ck.KafkaError._TRANSPORT))
    assert log.later() is None
    log.ends = end
    assert log.later() == 2


@pytest.mark.parametrize("failure", [a_mistake, lambda: DefinitionsLogError("the record with key b'2' is no version")])
def test_what_is_wrong_in_the_log_is_said_once_and_the_version_after_it_is_taken_up(
    log: Log, failure: Callable[[], Exception], caplog: pytest.LogCaptureFixture
) -> None:
    log.apply()
    log.failures = [failure()]
    with caplog.at_level(logging.ERROR):
        assert [log.later(), log.later(), log.later()] == [None, None, None]
    assert log.reads == 1
    assert "those before stay in force" in caplog.text
    log.apply()
    assert log.later() == 3
