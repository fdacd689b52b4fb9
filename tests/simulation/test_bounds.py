"""What is without bounds in the input: the state stays small, and what is said to be counted is counted."""

import pytest

from benchmarks.bounds import LOADS, Outcome, a_ticket, a_use, an_answer, half_of_one, run
from streams.state_bytes import MAX_STATE_BYTES

EVENTS = 6_000


@pytest.mark.parametrize("name", LOADS)
def test_a_state_stays_below_its_limit(name: str) -> None:
    maker, _ = LOADS[name]
    found = run(maker, EVENTS)
    assert 0 < found.state_bytes < MAX_STATE_BYTES / 10


def test_every_open_ticket_is_counted_also_beyond_those_that_are_followed() -> None:
    found = run(a_ticket, EVENTS)
    assert found.figures["open_tickets"] == EVENTS
    assert found.oddities["unfollowed_ticket"] > EVENTS / 2


def test_every_answer_and_every_use_counts_whatever_names_they_bring() -> None:
    answers, uses = run(an_answer, EVENTS), run(a_use, EVENTS)
    assert told(answers, "other_touchpoint", "folded_touchpoint")
    assert told(uses, "folded_feature", "sampled_users")


def test_a_customer_who_makes_half_of_all_events_is_counted_like_any_other() -> None:
    assert not half_of_one_is_odd(run(half_of_one, EVENTS))


def told(found: Outcome, *oddities: str) -> bool:
    """Whether it was told that something could not be kept by its name."""
    return any(found.oddities[oddity] for oddity in oddities)


def half_of_one_is_odd(found: Outcome) -> bool:
    return bool(found.oddities)
