import pytest

from processors import touchpoints
from processors.csat import Share
from processors.totals import Totals
from processors.touchpoints import Interactions, rest, strength
from processors.windows import DAY_MS
from tests.support.happenings import NAMES, NOON, answer, ticket, usage
from tests.support.judging import Judged, default_definitions


def test_interactions_are_counted_by_touchpoint_over_30_days_and_for_the_fleet() -> None:
    counted: Interactions = {}
    totals = Totals()
    for days, touchpoint in ((0, "trial"), (0, "trial"), (29, "trial"), (30, "trial"), (1, "nowhere"), (1, None)):
        event = usage("interaction_ended", NOON - days * DAY_MS, touchpoint=touchpoint)
        touchpoints.fold(counted, event, NAMES, totals)
    touchpoints.fold(counted, usage("session", touchpoint="trial"), NAMES, totals)
    assert touchpoints.interactions_30d(counted, "trial", NOON) == 3
    assert touchpoints.interactions_30d(counted, "other", NOON) == 2
    assert touchpoints.interactions_30d(counted, "support", NOON) == 0
    assert (
        sum(counts[0] for (figure, name, _), counts in totals.items() if (figure, name) == ("interactions_by_day", "trial")) == 4
    )


def test_pruning_drops_what_30_days_no_longer_see_and_nothing_else() -> None:
    counted: Interactions = {}
    for days in (0, 29, 30, 60):
        touchpoints.fold(counted, usage("interaction_ended", NOON - days * DAY_MS, touchpoint="trial"), NAMES, Totals())
    touchpoints.prune(counted, NOON)
    assert touchpoints.interactions_30d(counted, "trial", NOON) == 2
    assert sum(counted["trial"].values()) == 2
    touchpoints.prune(counted, NOON + 30 * DAY_MS)
    assert counted == {}


@pytest.mark.parametrize(
    ("share", "others", "expected"),
    [
        (Share(0, 0), Share(5, 5), "unknown"),
        (Share(5, 5), Share(0, 0), "unknown"),
        (Share(0, 5), Share(43, 100), "neither"),  # 0/5 reaches up to 43.45 %
        (Share(0, 5), Share(44, 100), "weak"),
        (Share(10, 10), Share(73, 100), "neither"),  # 10/10 reaches down to 72.25 %
        (Share(10, 10), Share(72, 100), "strong"),
    ],
)
def test_a_station_is_weak_or_strong_only_with_its_whole_interval(share: Share, others: Share, expected: str) -> None:
    assert strength(share, others) == expected


def test_all_others_together_hold_what_nobody_configured_too() -> None:
    assert rest(Share(7, 10), Share(2, 4)) == Share(5, 6)


def test_a_station_is_there_as_soon_as_anything_is_known_of_it_and_no_sooner() -> None:
    customer = Judged()
    assert touchpoints.stations(customer.state, NOON, default_definitions()) == []
    customer.happens(
        ticket("opened", NOON, touchpoint="support"),
        usage("interaction_ended", NOON, touchpoint="sales"),
        answer("csat", "good_bad", 1, NOON, touchpoint="trial"),
        answer("csat", "good_bad", 1, NOON, touchpoint="nowhere"),
    )
    found = touchpoints.stations(customer.state, NOON, default_definitions())
    assert [(now.touchpoint, now.n, now.open_tickets, now.interactions_30d) for now in found] == [
        ("trial", 1, 0, 0),
        ("sales", 0, 0, 1),
        ("support", 0, 1, 0),
    ]
    assert (found[1].csat_pct, found[1].low_pct, found[1].strength, found[1].trend) == (None, None, "unknown", "unknown")


def test_answers_older_than_90_days_are_no_longer_there() -> None:
    customer = Judged()
    customer.happens(answer("csat", "good_bad", 1, NOON - 90 * DAY_MS, touchpoint="trial"))
    assert touchpoints.stations(customer.state, NOON, default_definitions()) == []
    assert len(touchpoints.stations(customer.state, NOON - DAY_MS, default_definitions())) == 1
