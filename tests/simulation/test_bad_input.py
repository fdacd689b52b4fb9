"""The whole corpus of bad input through a partition's driver: each record has its reason, and the good ones count."""

from collections import defaultdict

import pytest

from schemas.codec import Codec
from schemas.records import DeadLetter
from streams.catalogue import Catalogue
from streams.dead_letters import FailureLimit, NothingReadable
from streams.driver import PartitionDriver
from streams.records import InputRecord
from tests.support.bad_input import ACCEPTED, CUSTOMER, Offered, corpus, ticket

AT_MS = 1_790_000_000_000
PARTITIONS = 4


def driver_of(partition: int) -> PartitionDriver:
    return PartitionDriver(partition, PARTITIONS, "app", Catalogue().get, Codec(), FailureLimit(0.05, 1000), lambda: None)


def fate_of(offered: Offered) -> tuple[str, str]:
    """What becomes of a record, and what is said of it."""
    driver = driver_of(offered.partition)
    driver.begin({})
    driver.process(InputRecord(offered.topic, offered.partition, 0, AT_MS, offered.key, offered.value))
    letters = [output.record for output in driver.take().outputs if isinstance(output.record, DeadLetter)]
    assert len(letters) <= 1
    return (letters[0].reason, letters[0].message) if letters else (ACCEPTED, "")


@pytest.mark.parametrize("offered", [pytest.param(one, id=one.name) for one in corpus(AT_MS, PARTITIONS)])
def test_each_record_meets_its_fate(offered: Offered) -> None:
    fate, message = fate_of(offered)
    assert fate == offered.fate, message


def test_the_corpus_has_every_reason_that_a_record_alone_can_give() -> None:
    fates: defaultdict[str, int] = defaultdict(int)
    for offered in corpus(AT_MS, PARTITIONS):
        fates[offered.fate] += 1
    assert set(fates) == {
        *("undecodable", "unknown_schema", "too_large", "null_value", "wrong_type", "missing_field", "unknown_enum"),
        *("out_of_range", "bad_score", "bad_time", "key_mismatch", "misrouted", "late", "future", ACCEPTED),
    }


NOISE = b"\x07 of another system"


def noise(driver: PartitionDriver, topics: tuple[str, ...], records: int) -> None:
    """Records that nobody can read."""
    for number in range(records):
        topic = topics[number % len(topics)]
        driver.process(InputRecord(topic, 0, number, AT_MS, b"k", NOISE))


def test_a_worker_that_can_read_nothing_of_any_topic_stops_and_says_so() -> None:
    driver = driver_of(0)
    driver.begin({})
    with pytest.raises(NothingReadable, match=r"none of the last 1000 records of cs\.tickets, cs\.usage could be read"):
        noise(driver, ("cs.tickets", "cs.usage"), 1_000)


def test_one_producer_that_goes_wrong_stops_nobody() -> None:
    driver = driver_of(0)
    driver.begin({})
    noise(driver, ("cs.tickets",), 3_000)
    assert len(driver.take().outputs) == 3_000


def test_a_good_record_now_and_then_keeps_a_worker_going() -> None:
    driver = driver_of(0)
    driver.begin({})
    for number in range(4):
        noise(driver, ("cs.tickets", "cs.usage"), 999)
        driver.process(InputRecord("cs.tickets", 0, number, AT_MS, CUSTOMER.encode(), ticket(AT_MS, f"good-{number}")))
