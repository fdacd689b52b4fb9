"""A short run of the fuzzer: nothing raises, and each record is accounted for once."""

import random

from benchmarks.fuzz import Account, damaged

RECORDS = 6_000


def test_each_of_some_thousand_damaged_records_has_one_fate() -> None:
    seed = random.randrange(1_000_000)
    print("seed", seed)
    account = Account()
    for record in damaged(RECORDS, seed):
        account.feed(record)
    account.settle()
    assert account.unaccounted == 0, account.fates
    assert account.fates["accepted"] > RECORDS / 10
    reasons = {fate for fate in account.fates if fate.startswith("dead letter")}
    assert len(reasons) > 10, reasons
