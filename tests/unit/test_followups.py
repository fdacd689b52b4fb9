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
    followups.acted(followed, NOON)
    followups.settle(followed, "silence", followups.next_due(followed), is_gone=True, totals=totals)
    assert dict(totals.items()) == {("outcomes_by_day", "silence\x1f10\x1funacted", NOON - NOON % DAY_MS): [1, 0, 1, 1]}
    assert not followed


def test_mistakes_in_what_owners_are_told_are_named_at_once() -> None:
    text = default_text().replace("owner_budget_per_day = 20", "owner_budget_per_day = -1")
    text = text.replace("renewal_urgency = [[0, 3], [30, 2]", "renewal_urgency = [[40, 3], [30, 2]")
    with pytest.raises(DefinitionsError) as caught:
        parse(text)
    assert [mistake.place for mistake in caught.value.mistakes] == ["alerts.owner_budget_per_day", "alerts.renewal_urgency"]
