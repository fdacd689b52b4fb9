import pytest

from processors import followups
from processors.definitions import DefinitionsError, parse
from processors.totals import Totals
from processors.windows import DAY_MS, HOUR_MS
from tests.support.happenings import NOON
from tests.support.judging import default_text


def test_with_more_episodes_than_are_followed_the_oldest_is_dropped_and_counted() -> None:
    followed: list[int] = []
    totals = Totals()
    dropped = [followups.opened(followed, NOON + place * DAY_MS, 455, totals) for place in range(followups.MAX_FOLLOWED + 1)]
    assert dropped == [0] * followups.MAX_FOLLOWED + [1]
    assert len(followed) == followups.MAX_FOLLOWED
    assert [dimension for (_, dimension, _), _ in totals.items()] == ["forgotten_followup"]


def test_an_action_after_the_thirty_days_does_not_count_as_acted_upon() -> None:
    followed: list[int] = []
    totals = Totals()
    followups.opened(followed, NOON, None, totals)
    judged_at = NOON + followups.RECOVERED_DAYS * DAY_MS + HOUR_MS
    assert followups.next_due(followed) == judged_at
    followups.settle(followed, "silence", judged_at, is_gone=False, totals=totals)
    followups.acted(followed, NOON, NOON + DAY_MS)
    followups.settle(followed, "silence", followups.next_due(followed), is_gone=True, totals=totals)
    assert dict(totals.items()) == {("outcomes_by_day", "silence\x1f10\x1funacted", NOON - NOON % DAY_MS): [1, 0, 1, 1]}
    assert not followed


LANDMARK_MS = followups.LANDMARK_DAYS * DAY_MS


def outcome(acted_at: int | None, ended_at: int | None) -> dict[str, list[int]]:
    """What an episode adds by the side it is on, without its days."""
    followed: list[int] = []
    totals = Totals()
    followups.opened(followed, NOON, 455, totals)
    if acted_at is not None:
        followups.acted(followed, NOON, acted_at)
    if ended_at is not None:
        followups.ended(followed, NOON, ended_at, "recovered", "silence", totals)
    followups.settle(followed, "silence", NOON + 100 * DAY_MS, is_gone=False, totals=totals)
    return {dimension.split("\x1f")[2]: counts for (_, dimension, _), counts in totals.items()}


@pytest.mark.parametrize("acted_at", [None, NOON + 1])
def test_an_episode_that_is_over_before_the_landmark_is_compared_with_none_acted_upon_or_not(acted_at: int | None) -> None:
    assert outcome(acted_at, NOON + 60_000) == outcome(acted_at, NOON + LANDMARK_MS - 1) == {}


def test_an_episode_is_on_the_side_that_it_was_on_at_the_landmark_whatever_was_done_after_it() -> None:
    end = NOON + LANDMARK_MS
    assert outcome(NOON + LANDMARK_MS - 1, end) == {"acted": [1, 1, 1, 0]}
    assert outcome(NOON + LANDMARK_MS, end + 1) == {"unacted": [1, 1, 1, 0]}
    assert outcome(None, None) == {"unacted": [1, 0, 1, 0]}


def test_mistakes_in_what_owners_are_told_are_named_at_once() -> None:
    text = default_text().replace("owner_budget_per_day = 20", "owner_budget_per_day = -1")
    text = text.replace("renewal_urgency = [[0, 3], [30, 2]", "renewal_urgency = [[40, 3], [30, 2]")
    with pytest.raises(DefinitionsError) as caught:
        parse(text)
    assert [mistake.place for mistake in caught.value.mistakes] == ["alerts.owner_budget_per_day", "alerts.renewal_urgency"]
