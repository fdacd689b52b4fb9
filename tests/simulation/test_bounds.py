"""What is without bounds in the input: the state stays small, each cap holds, and what is said to be counted is counted."""

from functools import cache

import pytest

from benchmarks.bounds import Outcome, run
from benchmarks.endless_loads import (
    HOT,
    LOADS,
    Maker,
    a_course,
    a_goal,
    a_promise,
    a_question,
    a_ticket,
    a_use,
    an_account,
    an_answer,
    half_of_one,
)
from processors.coarsen import EVENTS_BETWEEN_CHECKS, LIMIT_BYTES
from streams.state_bytes import MAX_STATE_BYTES

EVENTS = 6_000
LONG_EVENTS = 1_500
"""Of those that carry 16,000 characters."""

TOTALS_MAX = 200


@cache
def found_of(maker: Maker) -> Outcome:
    """What a load comes to."""
    return run(maker, LONG_EVENTS if maker in (a_question, an_account, a_promise) else EVENTS)


@pytest.mark.parametrize("name", LOADS)
def test_a_state_stays_below_its_limit(name: str) -> None:
    found = found_of(LOADS[name][0])
    assert 0 < found.encoded_bytes <= LIMIT_BYTES + EVENTS_BETWEEN_CHECKS * 1_024
    assert 0 < found.state_bytes < MAX_STATE_BYTES / 10


@pytest.mark.parametrize("name", LOADS)
def test_every_event_counts_whatever_it_brings(name: str) -> None:
    found = found_of(LOADS[name][0])
    assert found.accepted == found.events


@pytest.mark.parametrize("name", LOADS)
def test_the_counts_of_the_fleet_do_not_grow_with_the_names(name: str) -> None:
    assert found_of(LOADS[name][0]).totals < TOTALS_MAX


def test_every_open_ticket_is_counted_also_beyond_those_that_are_followed() -> None:
    found = found_of(a_ticket)
    assert found.figures["open_tickets"] == EVENTS
    assert found.oddities["unfollowed_ticket"] == EVENTS - 500
    assert (len(found.state.tickets.open), found.state.tickets.overflow_open) == (500, EVENTS - 500)


def test_closed_tickets_and_agents_are_kept_by_name_up_to_their_caps() -> None:
    found = found_of(a_course)
    assert len(found.state.tickets.closed) <= 200
    assert len(found.state.tickets.open) <= 500
    assert len(found.state.tickets.agents) <= 64
    assert found.oddities["folded_agent"] > 0


def test_features_and_users_are_kept_by_name_up_to_their_caps() -> None:
    found = found_of(a_use)
    assert len(found.state.usage.features) <= 256 + 1  # and `other`
    assert found.oddities["folded_feature"] == EVENTS - 256
    assert found.oddities["sampled_users"] > 0


def test_goals_and_touchpoints_that_nobody_configured_are_other() -> None:
    used, answered = found_of(a_goal), found_of(an_answer)
    assert set(used.state.usage.goals) == {"other"}
    assert used.oddities["other_goal"] == EVENTS / 2
    assert used.oddities["capped_quantity"] > 0
    assert set(answered.state.csat.by_touchpoint) == {"other"}
    assert answered.oddities["other_touchpoint"] == EVENTS


def test_people_and_requests_are_followed_up_to_their_caps() -> None:
    found = found_of(a_question)
    assert len(found.state.nps.latest) <= 100
    assert sum(len(asked.followed) for asked in found.state.responses.parts.values()) <= 512
    assert found.oddities["forgotten_respondent"] == LONG_EVENTS / 3 - 100
    assert found.oddities["forgotten_request"] > 0


def test_what_accounts_name_is_kept_up_to_its_caps() -> None:
    found, promised = found_of(an_account), found_of(a_promise)
    assert (len(found.state.account.contacts), len(found.state.account.referred)) <= (100, 100)
    assert len(found.state.account.mutes) <= 64
    assert len(promised.state.promises.goals) <= 64
    for oddity in ("forgotten_contact", "forgotten_referral", "forgotten_mute"):
        assert found.oddities[oddity] > 0, oddity
    assert promised.oddities["forgotten_goal"] == (LONG_EVENTS - 1) * 64


@pytest.mark.parametrize("maker", [a_ticket, an_answer, a_use, an_account])
def test_512_ids_of_a_family_are_remembered(maker: Maker) -> None:
    (seen,) = found_of(maker).state.seen.values()
    assert seen.count == 512


def test_a_customer_who_makes_half_of_all_events_is_counted_like_any_other() -> None:
    found = found_of(half_of_one)
    assert not found.oddities
    assert (found.state.customer_id, found.state.events_accepted) == (HOT, EVENTS / 2)
