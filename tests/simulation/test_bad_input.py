"""The whole corpus of bad input through a partition's driver: each record has its reason, and the good ones count."""

from collections import defaultdict

import pytest

from schemas.codec import Codec
from schemas.records import DeadLetter
from streams.catalogue import Catalogue
from streams.dead_letters import FailureLimit
from streams.driver import PartitionDriver
from streams.records import InputRecord
from tests.support.bad_input import ACCEPTED, Offered, corpus

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
