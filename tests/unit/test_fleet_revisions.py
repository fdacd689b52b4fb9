"""A month that is over may be told of again, by what comes late: its figures then say how often."""

from datetime import UTC, datetime

import msgspec

from processors.fleet_publication import Edition, Memory, Published, snapshots
from processors.fleet_view import FleetValue
from schemas.records import FleetSnapshot


def at(month: int, day: int) -> int:
    return int(datetime(2026, month, day, tzinfo=UTC).timestamp()) * 1_000


def january(numerator: int, dimension: str = "2026-01", note: str | None = None) -> FleetValue:
    return FleetValue(
        figure="churn_in_month_pct", dimension=dimension, value=numerator / 10, numerator=numerator, denominator=1_000, note=note
    )


class Told:
    def __init__(self) -> None:
        self.memory = Memory()

    def at(self, at_ms: int, *values: FleetValue) -> list[int]:
        edition = Edition(incarnation="app", as_of_ms=at_ms, emitted_at=None, config_version=1, coverage_share=1.0)
        found = [keyed.record for keyed in snapshots(self.memory, edition, list(values), is_whole=True)]
        return [record.revision for record in found if isinstance(record, FleetSnapshot)]


def test_a_month_that_runs_has_no_revisions_and_its_first_word_when_it_is_over_is_none() -> None:
    told = Told()
    assert [told.at(at(1, day), january(day, note="the month so far")) for day in (10, 11)] == [[0], [0]]
    assert told.at(at(2, 1), january(11)) == [0]


def test_each_change_of_a_month_that_is_over_counts_as_a_revision_also_after_a_restart() -> None:
    told = Told()
    found = [told.at(at(2, 1), january(11)), told.at(at(2, 2), january(12)), told.at(at(2, 2), january(12))]
    for key, published in told.memory.published.items():
        told.memory.published[key] = msgspec.msgpack.decode(msgspec.msgpack.encode(published), type=Published)
    found.append(told.at(at(2, 3), january(11)))
    assert found == [[0], [1], [], [2]]


def test_another_note_is_no_revision_and_currencies_count_each_for_itself() -> None:
    told = Told()
    told.at(at(2, 1), january(11), january(5, "2026-01/USD"))
    assert told.at(at(2, 2), january(11, note="1 of them may still be renewed"), january(6, "2026-01/USD")) == [0, 1]


def test_what_is_not_of_a_month_or_has_left_the_table_has_no_revision() -> None:
    told = Told()
    told.at(at(2, 1), january(11), january(3, ""), january(3, "support"))
    assert told.at(at(2, 2), january(11), january(4, ""), january(4, "support")) == [0, 0]
    assert told.at(at(2, 3)) == [0, 0, 0]
