"""What owners are sent and when, and when maturity is told of."""

import pytest

from processors.definitions import parse
from processors.ended_episodes import ENDED
from processors.episode_gauges import OPEN
from processors.fleet_figures import View
from processors.fleet_publication import Edition
from processors.fleet_reports import assessments, due_lists
from processors.fleet_view import FleetValue
from processors.windows import DAY_MS, HOUR_MS
from schemas.records import MaturityAssessment, OwnerList
from streams.catalogue import default_text
from streams.fleet_store import FleetStore
from tests.support.happenings import NOON
from tests.unit.test_fleet_state import partial

MIDNIGHT = NOON - NOON % DAY_MS


class Reports:
    """A fleet of one partition, whose reports are asked for at one time after the other."""

    def __init__(self, owner_budget_per_day: int = 20) -> None:
        self.definitions = parse(
            default_text().replace("owner_budget_per_day = 20", f"owner_budget_per_day = {owner_budget_per_day}")
        )
        self.store = FleetStore(1, "app")
        self.changelog: list[tuple[bytes, bytes | None]] = []
        self._sequence = 0

    def opens(self, owner: str, customer: str, opened_at: int, *, mrr_cents: int = 100, rank: int = 1) -> None:
        dimension = "\x1f".join((owner, customer, "silence", f"episode of {customer}", "EUR"))
        self.store.put((OPEN, dimension, None), 0, (opened_at, rank, mrr_cents, 0, 0, 0, 0, 1))

    def ends(self, owner: str, customer: str, opened_at: int, *, rank: int = 1) -> None:
        dimension = "\x1f".join((owner, customer, "silence", f"episode of {customer}", "EUR"))
        self.store.put((OPEN, dimension, None), 0, None)
        day_ms = opened_at - opened_at % DAY_MS
        self.store.put((ENDED, dimension, day_ms), 0, (opened_at, rank, 100, 0, 0, 0, 0, 1))

    def hands_over(self, owner: str, customer: str) -> None:
        dimension = "\x1f".join((owner, customer, "silence", f"episode of {customer}", "EUR"))
        self.store.put((OPEN, dimension, None), 0, None)

    def restarts(self) -> None:
        self.changelog += self.store.take_changes()
        self.store = FleetStore(1, "app")
        self.store.restore(self.changelog)

    def lists(self, at_ms: int) -> list[OwnerList]:
        edition, view = self._at(at_ms)
        found = [keyed.record for keyed in due_lists(self.store.memory, edition, view, self.store.meta.days)]
        assert all(isinstance(record, OwnerList) for record in found)
        return found  # type: ignore[return-value]  # just held to be lists

    def maturity(self, at_ms: int, *values: FleetValue) -> list[MaturityAssessment]:
        edition, view = self._at(at_ms)
        found = [keyed.record for keyed in assessments(self.store.memory, edition, view, list(values))]
        return [record for record in found if isinstance(record, MaturityAssessment)]

    def _at(self, at_ms: int) -> tuple[Edition, View]:
        self._sequence += 1
        self.store.state.take(partial(0, self._sequence, "as_of", [at_ms]))
        self.store.marked(0)
        edition = Edition(incarnation="app", as_of_ms=at_ms, emitted_at=None, config_version=0, coverage_share=1.0)
        return edition, View(self.store.state, self.definitions)


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


def test_what_ended_on_the_day_it_opened_is_beyond_the_budget_all_the_same() -> None:
    reports = Reports(owner_budget_per_day=2)
    reports.lists(NOON)
    ranks = (3, 3, 2, 2, 1, 0)
    for number, rank in enumerate(ranks):
        reports.opens("Chi", f"c{number}", NOON + number, rank=rank)
    for number in (0, 3, 4):
        reports.ends("Chi", f"c{number}", NOON + number, rank=ranks[number])
    (digest,) = (one for one in reports.lists(MIDNIGHT + DAY_MS) if one.kind == "digest")
    assert [(entry.customer_id, entry.ended) for entry in digest.entries] == [
        ("c2", False),
        ("c3", True),
        ("c4", True),
        ("c5", False),
    ]
    assert (digest.day, digest.left_out) == ("2026-02-16", 0)


def test_an_episode_whose_account_changes_hands_is_the_new_owner_s_alone() -> None:
    reports = Reports(owner_budget_per_day=0)
    reports.lists(NOON)
    reports.opens("Chi", "ann", NOON)
    reports.hands_over("Chi", "ann")
    reports.opens("Dung", "ann", NOON)
    assert [one.owner for one in reports.lists(MIDNIGHT + DAY_MS) if one.kind == "digest"] == ["Dung"]


def test_what_ended_before_any_tick_showed_it_open_is_on_the_digest_too_and_after_a_restart() -> None:
    reports = Reports(owner_budget_per_day=1)
    reports.lists(NOON)
    for number in range(3):
        reports.ends("Chi", f"c{number}", NOON + number)
    reports.restarts()
    (digest,) = (one for one in reports.lists(MIDNIGHT + DAY_MS) if one.kind == "digest")
    assert [(entry.customer_id, entry.ended) for entry in digest.entries] == [("c1", True), ("c2", True)]


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
    assert reports.store.memory.changed >= {("month", "2026-02"), ("month", "2026-03")}
