from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import pytest

from processors.fleet_alerts import figures
from processors.fleet_view import FleetValue
from processors.followups import NO_SCORE, dimension
from processors.windows import Window
from tests.support.happenings import NOON
from tests.support.judging import default_definitions

if TYPE_CHECKING:
    from processors.definitions import Definitions

Counts = dict[tuple[str, str], tuple[int, ...]]


class View:
    """The same counts in every window."""

    def __init__(self, counts: Counts) -> None:
        self.counts = counts

    @property
    def as_of_ms(self) -> int:
        return NOON

    @property
    def definitions(self) -> "Definitions":
        return default_definitions()

    def dimensions(self, figure: str) -> Iterable[str]:
        return sorted(dimension for name, dimension in self.counts if name == figure)

    def total(self, figure: str, dimension: str, window: Window | None = None) -> tuple[int, ...]:
        del window
        return self.counts.get((figure, dimension), (0, 0, 0, 0))

    def parts(self, figure: str, dimension: str) -> Mapping[int, tuple[int, ...]]:
        raise AssertionError(f"nobody asks for the parts of {figure} {dimension}")

    def buckets(self, figure: str, dimension: str) -> Mapping[int, tuple[int, ...]]:
        raise AssertionError(f"nobody asks for the buckets of {figure} {dimension}")


def made(counts: Counts) -> dict[tuple[str, str], FleetValue]:
    return {(value.figure, value.dimension): value for value in figures(View(counts))}


def test_the_proactive_ratio_is_those_acted_upon_before_the_complaint_among_all() -> None:
    found = made({("episodes_by_day", "silence"): (8, 5, 4, 3), ("episodes_by_day", "backlog"): (2, 2, 2, 0)})
    whole = found["proactive_ratio_30d", ""]
    assert (whole.value, whole.numerator, whole.denominator, whole.n) == (0.6, 6, 10, 10)
    assert found["proactive_ratio_90d", "silence"].value == 0.5
    assert found["complained_first_share_30d", "silence"].value == 3 / 8
    assert found["acted_share_30d", "backlog"].value == 1


def test_without_an_episode_the_ratio_is_null_and_says_why() -> None:
    value = made({})["proactive_ratio_30d", ""]
    assert (value.value, value.reason) == (None, "no episode opened in the window")


def test_did_it_help_holds_acted_against_unacted_of_the_same_rule_and_range_of_the_score() -> None:
    found = made(
        {
            ("outcomes_by_day", dimension("silence", 1, is_acted=True)): (6, 4, 5, 1),
            ("outcomes_by_day", dimension("silence", 3, is_acted=True)): (4, 4, 5, 0),
            ("outcomes_by_day", dimension("silence", 2, is_acted=False)): (10, 3, 10, 5),
            ("outcomes_by_day", dimension("silence", NO_SCORE, is_acted=False)): (1, 0, 0, 0),
        }
    )
    difference = found["recovered_30d_difference", "silence/0-40"]
    assert difference.value == pytest.approx(0.5)
    assert difference.n == 20
    # Newcombe's method 10 for 8/10 - 3/10, from the Wilson intervals [0.4902, 0.9433] and [0.1078, 0.6032]
    assert difference.low == pytest.approx(0.5 - (0.3098**2 + 0.3032**2) ** 0.5, abs=1e-3)
    assert difference.high == pytest.approx(0.5 + (0.1433**2 + 0.1922**2) ** 0.5, abs=1e-3)
    assert found["gone_90d_difference", "silence/0-40"].value == pytest.approx(-0.4)
    assert found["recovered_30d_share", "silence/0-40/acted"].value == 0.8
    alone = found["recovered_30d_difference", "silence/unknown"]
    assert (alone.value, alone.reason) == (None, "no such episode of both kinds is old enough")


def test_open_alerts_are_told_by_severity() -> None:
    found = made({("alerts_open_by_severity", "high"): (2,)})
    assert [found["alerts_open_by_severity", name].value for name in ("info", "high")] == [0, 2]
