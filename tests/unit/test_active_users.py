from math import sqrt
from random import Random

import pytest
from msgspec import msgpack

from processors import active_users
from processors.active_users import MAX_USERS, ActiveUsers
from processors.totals import Totals
from processors.windows import DAY_MS, HOUR_MS
from tests.support.happenings import NOON

MIDNIGHT = NOON - DAY_MS // 2


def active(*uses: tuple[str | None, int]) -> ActiveUsers:
    state, totals = ActiveUsers(), Totals()
    for user, at in uses:
        active_users.note(state, user, at, totals)
    return state


def crowd(users: int, days: int = 1) -> list[tuple[str | None, int]]:
    return [(f"u{number}", NOON - (number % days) * DAY_MS) for number in range(users)]


def test_a_user_counts_once_however_often_it_comes() -> None:
    state = active(("ann", NOON), ("ann", NOON - HOUR_MS), ("binh", NOON))
    assert active_users.monthly(state, NOON).users == 2
    assert active_users.days_active(state, NOON) == 1


def test_stickiness_is_mean_daily_users_over_monthly_users() -> None:
    state = active(*((user, NOON - day * DAY_MS) for user, days in (("ann", 15), ("binh", 3)) for day in range(days)))
    monthly = active_users.monthly(state, NOON)
    daily_mean = (15 + 3) / 30
    assert monthly.stickiness == pytest.approx(daily_mean / 2)
    assert monthly.stickiness_interval is None
    assert active_users.days_active(state, NOON) == 15


def test_nobody_has_no_stickiness() -> None:
    assert active_users.monthly(ActiveUsers(), NOON).stickiness is None


def test_the_month_is_the_current_utc_day_and_the_29_before_it() -> None:
    state = active(("ann", MIDNIGHT - 29 * DAY_MS), ("binh", MIDNIGHT - 29 * DAY_MS - 1), (None, NOON))
    assert active_users.monthly(state, NOON).users == 1
    assert active_users.days_active(state, NOON) == 2
    assert active_users.monthly(state, MIDNIGHT + DAY_MS).users == 0


def test_a_use_ahead_of_the_clock_is_out_until_the_clock_reaches_its_day() -> None:
    state = active(("ann", MIDNIGHT - 29 * DAY_MS), ("binh", MIDNIGHT + DAY_MS))
    assert active_users.monthly(state, NOON).users == 1
    assert active_users.monthly(state, MIDNIGHT + DAY_MS).users == 1


def test_what_is_older_than_any_window_is_passed_over() -> None:
    state = active(("ann", NOON), ("binh", NOON - 40 * DAY_MS))
    assert active_users.monthly(state, NOON).users == 1


def test_a_use_that_names_nobody_counts_its_day_and_no_user() -> None:
    monthly = active_users.monthly(active((None, NOON)), NOON)
    assert monthly.unnamed
    assert monthly.followed == 0
    assert active_users.days_active(active((None, NOON)), NOON) == 1


def test_distinct_users_are_exact_to_a_hundred() -> None:
    state, totals = ActiveUsers(), Totals()
    for user, at in crowd(MAX_USERS, 7):
        active_users.note(state, user, at, totals)
    monthly = active_users.monthly(state, NOON)
    assert (monthly.users, monthly.users_interval) == (100, None)
    assert not totals.flows
    active_users.note(state, "one more", NOON, totals)
    assert totals.flows == {("oddities_by_day", "sampled_users", MIDNIGHT): [1]}
    assert active_users.monthly(state, NOON).users_interval is not None


def test_beyond_a_hundred_the_order_of_arrival_changes_nothing() -> None:
    uses = crowd(500, 20)
    first = active(*uses)
    for seed in range(5):
        Random(seed).shuffle(uses)
        assert active(*uses) == first


@pytest.mark.parametrize("users", [101, 150, 1_000, 20_000])
def test_an_estimate_lies_near_the_number_of_users_and_its_interval_holds_it_19_times_in_20(users: int) -> None:
    held = 0
    rounds = 40
    for number in range(rounds):
        monthly = active_users.monthly(active(*((f"{number}-{user}", NOON) for user in range(users))), NOON)
        assert monthly.users == pytest.approx(users, rel=4.5 / sqrt(MAX_USERS))
        interval = monthly.users_interval
        assert interval is not None
        assert interval.low <= monthly.users <= interval.high
        held += interval.low <= users <= interval.high
    assert held >= 0.85 * rounds


def test_the_stickiness_of_a_sample_has_an_interval_that_holds_the_true_one() -> None:
    chance = Random(7)
    days_of = {f"u{number}": chance.sample(range(30), chance.randint(1, 30)) for number in range(2_000)}
    state = active(*((user, NOON - day * DAY_MS) for user, days in days_of.items() for day in days))
    truth = sum(map(len, days_of.values())) / 30 / len(days_of)
    monthly = active_users.monthly(state, NOON)
    assert monthly.stickiness_interval is not None
    assert monthly.stickiness_interval.low < truth < monthly.stickiness_interval.high
    assert active_users.days_active(state, NOON) == 30


def test_a_sample_that_left_out_nobody_in_the_window_are_exact_again() -> None:
    state = active(*crowd(500))
    followed = next(f"x{number}" for number in range(1_000) if _is_followed(state, f"x{number}"))
    active_users.note(state, followed, NOON + 30 * DAY_MS, Totals())
    assert active_users.monthly(state, NOON + 30 * DAY_MS).share == 1
    assert active_users.monthly(state, NOON + 29 * DAY_MS).share < 1


def test_the_bound_on_hashes_is_given_up_once_nobody_left_out_can_be_seen() -> None:
    state = active(*crowd(500), ("later", NOON + 32 * DAY_MS))
    assert state.theta == 0
    assert active_users.monthly(state, NOON + 32 * DAY_MS).users == 1


def test_when_only_users_who_are_left_out_were_active_the_interval_says_so() -> None:
    state = active(*crowd(20_000))
    left_out = next(f"x{number}" for number in range(1_000) if not _is_followed(state, f"x{number}"))
    active_users.note(state, left_out, NOON + 30 * DAY_MS, Totals())
    monthly = active_users.monthly(state, NOON + 30 * DAY_MS)
    assert monthly.followed == 0
    interval = monthly.users_interval
    assert interval is not None
    assert monthly.users == interval.low == 1
    assert interval.high > 1
    assert monthly.stickiness is None


def _is_followed(state: ActiveUsers, user: str) -> bool:
    copy = ActiveUsers(state.newest_day, state.users, state.other_days, state.theta, state.left_out_day)
    active_users.note(copy, user, NOON, Totals())
    return copy.users != state.users


def test_pruning_drops_a_month_that_is_past_and_keeps_that_there_was_use() -> None:
    state = active(("ann", NOON), (None, NOON))
    active_users.prune(state, NOON + 29 * DAY_MS)
    assert active_users.days_active(state, NOON) == 1
    active_users.prune(state, NOON + 30 * DAY_MS)
    assert state.empty
    assert state.newest_day == NOON // DAY_MS


def test_five_users_take_less_than_sixty_bytes() -> None:
    assert len(msgpack.encode(active(*crowd(5, 3)))) < 60
