"""A short run of the fuzzer: nothing raises, and each record has one fate; and the account that says so would tell if not."""

import random

import pytest

from benchmarks.fuzz import Account, damaged
from processors.coarsen import LIMIT_BYTES
from streams.driver import PartitionDriver
from streams.records import InputRecord

RECORDS = 6_000
SEED = 11


def test_each_of_some_thousand_damaged_records_has_one_fate() -> None:
    seed = random.randrange(1_000_000)
    print("seed", seed)
    account = folded(Account(), seed)
    assert account.unaccounted == 0, account.fates
    accepted = {fate: count for fate, count in account.fates.items() if fate.startswith("accepted")}
    assert len(accepted) == 4, accepted
    assert sum(accepted.values()) > RECORDS / 10
    assert account.fates["dropped: duplicate"] > RECORDS / 1_000
    reasons = {fate for fate in account.fates if fate.startswith("dead letter")}
    assert len(reasons) > 10, reasons
    assert account.largest_state_bytes() < LIMIT_BYTES


@pytest.mark.parametrize("times", [0, 2])
def test_the_account_tells_of_records_that_are_lost_and_of_those_that_are_folded_twice(
    times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = PartitionDriver.process

    def careless(driver: PartitionDriver, record: InputRecord) -> None:
        for _ in range(times if record.offset % 500 == 499 else 1):
            process(driver, record)

    monkeypatch.setattr(PartitionDriver, "process", careless)
    assert folded(Account(), SEED).unaccounted >= RECORDS // 500


def folded(account: Account, seed: int) -> Account:
    """Everything of a seed, taken and counted."""
    for record in damaged(RECORDS, seed):
        account.feed(record)
    account.settle()
    return account
