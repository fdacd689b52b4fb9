"""What owners are sent and when, and when maturity is told of."""

import pytest

from processors.episode_gauges import OPEN
from processors.fleet_figures import View
from processors.fleet_publication import Edition, Memory
from processors.fleet_reports import Days, assessments, due_lists
from processors.fleet_state import FleetState
from processors.fleet_view import FleetValue
from processors.windows import DAY_MS, HOUR_MS
from schemas.records import MaturityAssessment, OwnerList
from streams.catalogue import Catalogue
from tests.support.happenings import NOON
from tests.unit.test_fleet_state import partial

MIDNIGHT = NOON - NOON % DAY_MS


class Reports:
    """A fleet of one partition, whose reports are asked for at one time after the other."""

    def __init__(self) -> None:
        definitions = Catalogue().get(0)
        assert definitions is not None
        self.definitions = definitions
        self.state = FleetState(1, "app")
        self.memory = Memory()
        self.days = Days()
        self._sequence = 0

    def opens(self, owner: str, customer: str, opened_at: int, *, mrr_cents: int = 100, rank: int = 1) -> None:
        dimension = "\x1f".join((owner, customer, "silence", f"episode of {customer}", "EUR"))
        self.state.put((OPEN, dimension, None), 0, (opened_at, rank, mrr_cents, 0, 0, 0, 0, 1))

    def lists(self, at_ms: int) -> list[OwnerList]:
        edition, view = self._at(at_ms)
        found = [keyed.record for keyed in due_lists(self.memory, edition, view, self.days)]
        assert all(isinstance(record, OwnerList) for record in found)
        return found  # type: ignore[return-value]  # just held to be lists

    def maturity(self, at_ms: int, *values: FleetValue) -> list[MaturityAssessment]:
        edition, view = self._at(at_ms)
        found = [keyed.record for keyed in assessments(self.memory, edition, view, list(values))]
        return [record for record in found if isinstance(record, MaturityAssessment)]

    def _at(self, at_ms: int) -> tuple[Edition, View]:
        self._sequence += 1
        self.state.take(partial(0, self._sequence, "as_of", [at_ms]))
        edition = Edition(incarnation="app", as_of_ms=at_ms, emitted_at=None, config_version=0, coverage_share=1.0)
        return edition, View(self.state, self.definitions)


def kinds(lists: list[OwnerList]) -> list[tuple[str, str, str]]:
    return [(one.kind, one.owner, one.day) for one in lists]


def test_each_owner_gets_a_morning_list_once_a_day_from_the_configured_hour_on() -> None:
    reports = Reports()
    reports.opens("Chi", "ann", NOON - DAY_MS)
    reports.opens("Dung", "binh", NOON - DAY_MS)
    reports.lists(NOON)
    at = [MIDNIGHT + DAY_MS + int(hour * HOUR_MS) for hour in (0, 5.99, 6, 7, 23)]
    found = [kinds(reports.lists(at_ms)) for at_ms in at]
    lists = [("morning_list", "Chi", "2026-02-17"), ("morning_list", "Dung", "2026-02-17")]
    assert found == [[], [], lists, [], []]


def test_a_morning_list_ranks_by_revenue_and_urgency_and_is_numbered() -> None:
    reports = Reports()
    reports.opens("Chi", "ann", NOON - DAY_MS, mrr_cents=100)
    reports.opens("Chi", "binh", NOON - DAY_MS, mrr_cents=900)
    first, second = reports.lists(NOON), reports.lists(NOON + DAY_MS)
    assert [entry.customer_id for entry in first[0].entries] == ["binh", "ann"]
    assert (first[0].sequence, second[0].sequence) == (1, 2)
    assert first[0].record_id != second[0].record_id


@pytest.mark.parametrize(("episodes", "beyond"), [(20, 0), (23, 3)])
def test_at_the_day_s_end_what_opened_beyond_the_owner_s_budget_is_one_digest(episodes: int, beyond: int) -> None:
    reports = Reports()
    reports.lists(NOON)
    for number in range(episodes):
        reports.opens("Chi", f"c{number:02}", NOON + number)
    reports.opens("Chi", "of yesterday", NOON - DAY_MS)
    digests = [one for one in reports.lists(MIDNIGHT + DAY_MS) if one.kind == "digest"]
    assert [(one.day, len(one.entries)) for one in digests] == ([("2026-02-16", beyond)] if beyond else [])
    assert [one for one in reports.lists(MIDNIGHT + DAY_MS + HOUR_MS) if one.kind == "digest"] == []


def test_an_owner_without_open_episodes_gets_no_list() -> None:
    reports = Reports()
    assert reports.lists(NOON) == []


def test_maturity_is_told_once_a_day_and_when_a_level_changes_and_keeps_how_each_month_ended() -> None:
    reports = Reports()
    csat = {value: FleetValue(figure="csat_90d_pct", window_days=90, value=float(value), n=100) for value in (50, 51, 99)}
    told = [
        reports.maturity(NOON, csat[50]),
        reports.maturity(NOON + HOUR_MS, csat[51]),
        reports.maturity(NOON + 2 * HOUR_MS, csat[99]),
        reports.maturity(NOON + 20 * DAY_MS, csat[99]),
    ]
    assert [len(one) for one in told] == [1, 0, 1, 1]
    assert len(told[0][0].criteria) == 7
    assert {point.month for point in told[-1][0].history} == {"2026-02", "2026-03"}
    assert reports.memory.changed >= {("month", "2026-02"), ("month", "2026-03")}
