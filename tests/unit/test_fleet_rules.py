"""The fleet's rules: strict thresholds, hysteresis, one alert a crossing, and their section of the definitions file."""

from typing import Any

import pytest

from processors.definitions import DefinitionsError, parse
from processors.fleet_figures import View
from processors.fleet_rules import Finding, FleetRuleBook, judge
from processors.fleet_state import FleetState
from processors.fleet_view import FleetValue
from streams.catalogue import Catalogue, default_text
from tests.support.happenings import NOON
from tests.unit.test_fleet_state import partial

PARTITIONS = 4


class Fleet:
    """Judged again and again; holds what was found."""

    def __init__(self, definitions_text: str = "") -> None:
        catalogue = Catalogue()
        catalogue.put(1, definitions_text or default_text())
        definitions = catalogue.get(1)
        assert definitions is not None
        self.definitions = definitions
        self.state = FleetState(PARTITIONS, "app")
        self.books: dict[str, FleetRuleBook] = {}

    def judge(self, **shares: tuple[int, int]) -> list[tuple[str, str]]:
        """Rule and state of what was found; shares are given as part and whole."""
        return [(found.rule, found.state) for found in self.found(**shares)]

    def found(self, **shares: tuple[int, int]) -> list[Finding]:
        values = {
            name: FleetValue(figure=name, value=part / whole if whole else None, numerator=part, denominator=whole)
            for name, (part, whole) in shares.items()
        }
        return list(judge(View(self.state, self.definitions), values, self.books, PARTITIONS))


@pytest.mark.parametrize(
    ("churners", "customers", "found"),
    [(5, 100, []), (6, 100, [("churners", "opened")]), (1, 20, []), (2, 20, [("churners", "opened")]), (19, 19, []), (0, 0, [])],
)
def test_churners_strictly_above_5_pct_of_at_least_20_customers_with_a_quadrant_open_an_alert(
    churners: int, customers: int, found: list[tuple[str, str]]
) -> None:
    assert Fleet().judge(churner_share=(churners, customers)) == found


def test_the_churner_alert_opens_once_a_crossing_and_is_cleared_strictly_below_4_pct() -> None:
    fleet = Fleet()
    shares = [6, 7, 5, 6, 4, 6, 3, 5, 6]
    found = [fleet.judge(churner_share=(share, 100)) for share in shares]
    opened, resolved = [("churners", "opened")], [("churners", "resolved")]
    assert found == [opened, [], [], [], [], [], resolved, [], opened]


@pytest.mark.parametrize(("share", "found"), [(80, []), (81, [("wildcards", "opened")])])
def test_wildcards_strictly_above_80_pct_open_a_warning(share: int, found: list[tuple[str, str]]) -> None:
    assert Fleet().judge(wildcard_share=(share, 100)) == found


def test_the_wildcard_warning_is_cleared_strictly_below_75_pct() -> None:
    fleet = Fleet()
    found = [fleet.judge(wildcard_share=(share, 100)) for share in (81, 75, 74)]
    assert found == [[("wildcards", "opened")], [], [("wildcards", "resolved")]]


def test_the_churner_alert_is_critical_and_carries_the_counts() -> None:
    (found,) = Fleet().found(churner_share=(3, 40), quadrant_unknown_share=(10, 50))
    assert (found.severity, found.sequence) == ("critical", 1)
    share, churners, unknown = found.evidence
    assert (share.value, share.threshold, share.n) == (0.075, 0.05, 40)
    assert churners.value == 3
    assert (unknown.figure, unknown.value) == ("quadrant_unknown_share", 0.2)
    assert "7.5 % (3 of 40 customers)" in found.explanation


def test_an_open_alert_stays_while_nothing_is_known() -> None:
    fleet = Fleet()
    assert fleet.judge(churner_share=(6, 100)) == [("churners", "opened")]
    assert fleet.judge() == []
    assert fleet.judge(churner_share=(0, 0)) == []


def test_episodes_and_records_of_a_rule_are_numbered_and_no_id_comes_twice() -> None:
    fleet = Fleet()
    found = [one for share in (6, 3, 6, 3) for one in fleet.found(churner_share=(share, 100))]
    assert [one.sequence for one in found] == [1, 2, 3, 4]
    first, second = found[0].episode_id, found[2].episode_id
    assert [one.episode_id for one in found] == [first, first, second, second]
    assert first != second


def test_a_rule_that_changed_ends_its_alert_and_is_judged_anew() -> None:
    fleet = Fleet()
    fleet.judge(churner_share=(6, 100))
    fleet.definitions = parse(
        default_text().replace('kind = "churner_share"\nversion = 1', 'kind = "churner_share"\nversion = 2')
    )
    assert fleet.judge(churner_share=(6, 100)) == [("churners", "resolved"), ("churners", "opened")]


def test_a_rule_that_is_switched_off_ends_its_alert() -> None:
    fleet = Fleet()
    fleet.judge(churner_share=(6, 100))
    fleet.definitions = parse(
        default_text().replace('kind = "churner_share"\nversion = 1', 'kind = "churner_share"\nversion = 1\nenabled = false')
    )
    assert fleet.judge(churner_share=(6, 100)) == [("churners", "resolved")]
    assert fleet.judge(churner_share=(6, 100)) == []


def quiet(fleet: Fleet, partition: int, since_ms: int | None) -> None:
    fleet.state.put(("quiet_feeds", "usage", None), partition, None if since_ms is None else (since_ms,))


def test_a_quiet_feed_is_one_alert_however_many_partitions_and_ends_when_all_are_heard_again() -> None:
    fleet = Fleet()
    fleet.state.take(partial(0, 1, "as_of", [NOON]))
    found = []
    for partition, since_ms in [(0, NOON - 90_000_000), (1, NOON - 90_000_000), (1, NOON - 90_000_000), (0, None), (1, None)]:
        quiet(fleet, partition, since_ms)
        found.append(fleet.found())
    assert [[one.state for one in some] for some in found] == [["opened"], ["updated"], [], ["updated"], ["resolved"]]
    assert len({one.episode_id for some in found for one in some}) == 1
    assert found[1][0].evidence[0].value == 2
    assert fleet.judge() == []


@pytest.mark.parametrize(
    ("was", "becomes", "place"),
    [
        ("exit_below_pct = 4", "exit_below_pct = 6", 'fleet_rules["churners"].exit_below_pct'),
        ('kind = "wildcard_share"', 'kind = "advocate_share"', 'fleet_rules["wildcards"].kind'),
        ('name = "wildcards"', 'name = "churners"', "fleet_rules[2].name"),
        ("interval_minutes = 5", "interval_minutes = 0", "fleet.interval_minutes"),
        ("morning_hour = 6", "morning_hour = 24", "fleet.morning_hour"),
        ("quiet_after_hours = 24", "quiet_after = 24", "fleet.quiet_after"),
    ],
)
def test_a_mistake_in_the_fleet_s_sections_is_told_with_its_place(was: str, becomes: str, place: str) -> None:
    with pytest.raises(DefinitionsError) as raised:
        parse(default_text().replace(was, becomes, 1))
    assert place in [mistake.place for mistake in raised.value.mistakes]


def test_the_sections_may_be_left_out() -> None:
    text = default_text()
    start, end = text.index("\n[fleet]"), text.index("# Features need no list")
    plan: Any = parse(text[:start] + "\n" + text[end:]).fleet
    assert (plan.interval_ms, plan.rules) == (300_000, {})
