import pytest

from processors.fleet import FIGURES
from processors.totals import FIGURES_OF_FLOW, Totals
from processors.windows import DAY_MS, HOUR_MS
from schemas.events import CustomerEvent
from tests.support.happenings import NOON, account, answer, ticket, usage

MIDNIGHT = NOON - DAY_MS // 2


def test_a_flow_lands_in_the_bucket_of_each_of_its_figures() -> None:
    totals = Totals()
    totals.add("csat", "trial", NOON + 5, (1, 1))
    totals.add("csat", "trial", NOON + HOUR_MS, (0, 1))
    assert dict(totals.items()) == {
        ("csat_by_hour", "trial", NOON): [1, 1],
        ("csat_by_hour", "trial", NOON + HOUR_MS): [0, 1],
        ("csat_by_day", "trial", MIDNIGHT): [1, 2],
    }


def test_what_late_data_takes_back_is_a_negative_count() -> None:
    totals = Totals()
    totals.add("tickets", "support", NOON, (0, -1, 0, 0))
    totals.add("tickets", "support", NOON + DAY_MS, (0, 1, 0, 0))
    assert list(totals.flows.values()) == [[0, -1, 0, 0], [0, 1, 0, 0]]


@pytest.mark.parametrize(
    ("event", "family"),
    [
        (ticket("opened", NOON), "tickets"),
        (usage("session"), "usage"),
        (answer("nps", "0_10", 9), "surveys"),
        (account("known"), "accounts"),
    ],
    ids=["tickets", "usage", "surveys", "accounts"],
)
def test_accepted_events_are_counted_by_family(event: CustomerEvent, family: str) -> None:
    totals = Totals()
    totals.accepted(event)
    assert totals.flows == {("events_by_day", family, MIDNIGHT): [1]}


def test_oddities_are_counted_by_name() -> None:
    totals = Totals()
    totals.oddity("duplicate", NOON)
    totals.oddity("duplicate", NOON)
    assert totals.flows == {("oddities_by_day", "duplicate", MIDNIGHT): [2]}


def test_every_flow_lands_in_a_figure_that_is_described_with_the_same_bucket() -> None:
    flows = [figure for figures in FIGURES_OF_FLOW.values() for figure in figures]
    assert all(FIGURES[figure].bucket_ms == bucket_ms for figure, bucket_ms in flows)
    by_month = {name for name, spec in FIGURES.items() if spec.kind == "flow" and spec.bucket_ms is None}
    own_day = {"renewals_by_day", "departures_by_day"}  # counted on the day of the contract, which may lie ahead
    others = {figure for figure, _ in flows} | own_day
    assert others | by_month == {name for name, spec in FIGURES.items() if spec.kind == "flow"}
