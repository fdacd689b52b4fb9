"""Revenue in several currencies is compared by its worth: in an owner's lists, and where it raises a severity."""

import pytest

from processors import episode_gauges
from processors.conditions import View
from processors.definitions import parse
from processors.figures import Sheet
from processors.owner_lists import morning_list
from processors.rules import severity
from tests.support.happenings import NOON, account
from tests.support.judging import Judged
from tests.support.summed import default_text

RATED = parse(default_text().replace("rates = {}", "rates = { VND = 0.00004 }"))


def open_in(currency: str, mrr_cents: int) -> episode_gauges.OpenEpisode:
    counts = (NOON, 1, mrr_cents, 0, 0, 0, 0, 1)
    found = episode_gauges.read(f"ann\x1fin {currency}\x1fsilence\x1fe {currency}\x1f{currency}", counts)
    assert found is not None
    return found


def test_the_morning_list_ranks_revenue_by_its_worth_and_one_without_a_rate_by_its_number() -> None:
    episodes = [open_in("VND", 250_000_000), open_in("EUR", 20_000), open_in("XAU", 15_000)]  # 10,000 / 20,000 / 15,000
    found = morning_list(episodes, RATED.alerts, NOON, RATED.commercial)
    assert [entry.currency for entry in found.entries] == ["EUR", "XAU", "VND"]
    assert found.entries[2].mrr_cents == 250_000_000


@pytest.mark.parametrize(("currency", "raised"), [("EUR", True), ("VND", False), ("XAU", True)])
def test_revenue_raises_a_severity_by_its_worth(currency: str, raised: bool) -> None:
    customer = Judged()
    customer.happens(account("contracted", NOON, mrr_cents=600_000, currency=currency))
    rule = next(rule for rule in RATED.rules.values() if any(lift.figure == "mrr_cents" for lift in rule.raises))
    lift = next(lift for lift in rule.raises if lift.figure == "mrr_cents")
    found = severity(View(Sheet(customer.state, NOON, RATED), None), rule)
    assert (found == lift.to) is raised
