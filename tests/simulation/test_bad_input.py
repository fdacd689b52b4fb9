"""The whole corpus of bad input through a partition's driver: each record has its reason, and the good ones count."""

from collections import defaultdict

import pytest

from schemas.codec import Codec
from schemas.records import DeadLetter
from streams.catalogue import Catalogue
from streams.dead_letters import FailureLimit, NothingReadable
from streams.driver import PartitionDriver
from streams.records import InputRecord
from streams.topics import partition_of
from tests.support.bad_input import ACCEPTED, CUSTOMER, Offered, corpus, mistimed, ticket
from tests.support.bad_schemas import Registered, registered
from tests.support.registries import MemoryRegistry

AT_MS = 1_790_000_000_000
PARTITIONS = 4


def driver_of(partition: int, codec: Codec | None = None) -> PartitionDriver:
    return PartitionDriver(
        partition, PARTITIONS, "app", Catalogue().get, codec or Codec(), FailureLimit(0.05, 1000), lambda: None
    )


def fate_of(offered: Offered, codec: Codec | None = None) -> tuple[str, str]:
    """What becomes of a record, and what is said of it."""
    driver = driver_of(offered.partition, codec)
    driver.begin({})
    at_ms = AT_MS if offered.timestamp_ms is None else offered.timestamp_ms
    driver.process(InputRecord(offered.topic, offered.partition, 0, at_ms, offered.key, offered.value))
    transaction = driver.take()
    letters = [output.record for output in transaction.outputs if isinstance(output.record, DeadLetter)]
    accepted = sum(count for (figure, _), count in transaction.tally.items() if figure == "events_by_day")
    assert len(letters) + accepted == 1, transaction.tally
    return (letters[0].reason, letters[0].message) if letters else (ACCEPTED, "")


@pytest.mark.parametrize("offered", [pytest.param(one, id=one.name) for one in corpus(AT_MS, PARTITIONS)])
def test_each_record_meets_its_fate(offered: Offered) -> None:
    fate, message = fate_of(offered)
    assert fate == offered.fate, message


@pytest.mark.parametrize("offered", [pytest.param(one, id=one.name) for one in mistimed(AT_MS, PARTITIONS)])
def test_a_record_s_own_timestamp_decides_what_becomes_of_it(offered: Offered) -> None:
    fate, message = fate_of(offered)
    assert fate == offered.fate, message


def test_records_with_impossible_timestamps_leave_the_clock_and_the_customers_where_they_are() -> None:
    home = partition_of(CUSTOMER.encode(), PARTITIONS)
    driver = driver_of(home)
    driver.begin({})
    driver.process(InputRecord("cs.tickets", home, 0, AT_MS, CUSTOMER.encode(), ticket(AT_MS)))
    driver.take()
    impossible = [one for one in mistimed(AT_MS, PARTITIONS) if one.fate == "bad_time"]
    for offset, one in enumerate(impossible, 1):
        driver.process(InputRecord(one.topic, home, offset, one.timestamp_ms or 0, one.key, one.value))
    transaction = driver.take()
    assert driver.clock_ms == AT_MS
    assert transaction.offsets["cs.tickets"] == len(impossible) + 1
    assert not [key for table, key, _ in transaction.changelog if table == "customers"]


REGISTRY = MemoryRegistry()


@pytest.mark.parametrize("one", [pytest.param(one, id=one.name) for one in registered(REGISTRY, CUSTOMER, AT_MS)])
def test_each_record_of_a_foreign_schema_meets_its_fate(one: Registered) -> None:
    home = partition_of(CUSTOMER.encode(), PARTITIONS)
    offered = Offered(one.name, one.topic, home, CUSTOMER.encode(), one.value, one.fate)
    fate, message = fate_of(offered, Codec(REGISTRY))
    assert fate == one.fate, message


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
