"""Churn-risk alerts as the domain's text has them, sentence by sentence."""

from typing import Literal

import pytest

from processors import episode_gauges
from processors.definitions import parse
from processors.owner_lists import by_owner, digest, morning_list
from schemas.events import CustomerEvent
from tests.support.alerting import goals, last, open_episode
from tests.support.happenings import NOON, account, answer, ticket, usage
from tests.support.judging import Judged, default_definitions, default_text

DAY = 86_400_000
HOUR = 3_600_000


def with_backlog(*, at: int = NOON) -> Judged:
    customer = Judged()
    customer.happens(account("onboarded", at - 40 * DAY, mrr_cents=10_000, currency="EUR", owner="ann"))
    customer.happens(*(ticket("opened", at + place, f"T{place}") for place in range(5)))
    return customer


def test_one_open_episode_per_customer_and_rule_whatever_happens() -> None:
    customer = with_backlog()
    customer.happens(*(ticket("opened", NOON + 100 + place, f"U{place}") for place in range(20)))
    assert customer.states_of("backlog").count("opened") == 1


def test_retracted_when_a_late_solve_from_before_the_opening_undid_the_cause() -> None:
    customer = with_backlog()
    customer.happens(ticket("solved", NOON + 3, "T0"), clock=NOON + HOUR)
    assert customer.states_of("backlog") == ["opened", "retracted"]  # 4 would not have opened it, although they would keep it
    assert last(customer, "backlog").resolution == "4 tickets left open"


def test_resolved_and_not_retracted_when_the_late_solve_left_a_backlog_at_the_opening() -> None:
    customer = with_backlog()
    customer.happens(ticket("opened", NOON + 1, "T5"), clock=NOON + HOUR)  # 6 were open at the opening, as is known now
    for place in range(3):
        customer.happens(ticket("opened", NOON + 2 * HOUR, f"U{place}"), ticket("solved", NOON + 3 * HOUR, f"U{place}"))
    customer.happens(ticket("solved", NOON + 4 * HOUR, "T1"), ticket("solved", NOON + 4 * HOUR, "T2"))
    customer.happens(ticket("solved", NOON + 3, "T0"), clock=NOON + 5 * HOUR)
    assert customer.states_of("backlog")[-1] == "resolved"


def test_a_backlog_that_a_late_solve_only_delayed_goes_on() -> None:
    customer = with_backlog()
    customer.happens(ticket("opened", NOON + 10, "T5"), ticket("solved", NOON + HOUR, "T1"))
    customer.happens(ticket("solved", NOON + 3, "T0"), clock=NOON + 2 * HOUR)
    assert customer.states_of("backlog") == ["opened"]  # 5 were open from the sixth on, and 4 keep it open


def test_tickets_that_came_late_and_one_solved_in_between_were_a_backlog_all_the_same() -> None:
    customer = Judged()
    customer.happens(*(ticket("opened", NOON + place, f"T{place}") for place in range(5)), clock=NOON + 2 * HOUR)
    customer.happens(ticket("solved", NOON + HOUR, "T0"), clock=NOON + 3 * HOUR)
    assert customer.states_of("backlog") == ["opened"]


def test_an_event_that_has_nothing_to_do_with_the_cause_retracts_nothing() -> None:
    customer = with_backlog()
    customer.happens(ticket("solved", NOON + 10, "T0"))
    customer.happens(usage("feature_used", NOON - HOUR, feature="board"), clock=NOON + HOUR)
    assert customer.states_of("backlog") == ["opened"]


def test_urgent_tickets_that_became_less_urgent_later_were_urgent_at_the_opening() -> None:
    customer = Judged()
    customer.happens(*(ticket("opened", NOON + place, f"T{place}", priority="urgent") for place in range(3)))
    customer.happens(ticket("replied", NOON + HOUR, "T0", priority="low"))
    customer.happens(usage("feature_used", NOON - HOUR, feature="board"), clock=NOON + 2 * HOUR)
    assert customer.states_of("backlog")[-1] != "retracted"


def test_retracted_when_the_customer_had_left_before_the_opening() -> None:
    customer = with_backlog()
    customer.happens(account("cancelled", NOON - HOUR), clock=NOON + HOUR)
    assert customer.states_of("backlog") == ["opened", "retracted"]


def test_retracted_when_late_goals_show_that_there_was_no_fall() -> None:
    customer = Judged()
    customer.happens(goals(12, NOON))
    customer.passes(NOON + 40 * DAY)
    assert customer.states_of("goals_fell") == ["opened"]
    customer.happens(goals(11, NOON + 30 * DAY), clock=NOON + 40 * DAY)
    assert customer.states_of("goals_fell") == ["opened", "retracted"]


def test_a_solve_after_the_opening_resolves() -> None:
    customer = with_backlog()
    customer.happens(ticket("solved", NOON + 10, "T0"), ticket("solved", NOON + 11, "T1"))
    assert customer.states_of("backlog") == ["opened", "resolved"]


def test_retracted_when_a_late_sign_of_life_shows_that_there_was_no_silence() -> None:
    customer = Judged()
    customer.happens(*(usage("feature_used", NOON + place, feature="board") for place in range(3)))
    customer.passes(NOON + 14 * DAY + 2)
    assert customer.states_of("silence") == ["opened"]
    customer.happens(usage("feature_used", NOON + 13 * DAY, feature="board"), clock=NOON + 14 * DAY + HOUR)
    assert customer.states_of("silence") == ["opened", "retracted"]


def test_retracted_when_a_late_better_answer_takes_the_place_of_the_detractors() -> None:
    customer = Judged()
    customer.happens(answer("nps", "0_10", 2, NOON - HOUR, respondent="bo"), clock=NOON)
    customer.happens(answer("nps", "0_10", 9, NOON - 1, respondent="bo"), clock=NOON + HOUR)
    assert customer.states_of("new_detractor") == ["opened", "retracted"]


def test_time_alone_and_other_definitions_never_retract() -> None:
    customer = Judged()
    customer.happens(answer("nps", "0_10", 2, NOON, respondent="bo"))
    customer.passes(NOON + 31 * DAY)
    assert customer.states_of("new_detractor") == ["opened", "resolved"]
    other = with_backlog()
    other.reconfigured(parse(default_text().replace("open_tickets = 3", "open_tickets = 4.5")), NOON + DAY)
    other.reconfigured(parse(default_text().replace("open_tickets = 5", "open_tickets = 9")), NOON + 2 * DAY)
    assert "retracted" not in other.states_of("backlog")


@pytest.mark.parametrize("kind", ["cancelled", "lapsed"])
def test_a_customer_who_cancels_resolves_all_episodes_and_opens_nothing_until_reactivated(
    kind: Literal["cancelled", "lapsed"],
) -> None:
    customer = with_backlog()
    customer.happens(account(kind, NOON + 10))
    assert {alert.rule for alert in customer.alerts if alert.state == "opened"} == {
        alert.rule for alert in customer.alerts if alert.state == "resolved"
    }
    customer.happens(*(ticket("opened", NOON + 20 + place, f"U{place}") for place in range(5)))
    assert customer.states_of("backlog")[-1] == "resolved"
    customer.happens(account("reactivated", NOON + 100))
    assert customer.states_of("backlog")[-1] == "opened"


@pytest.mark.parametrize("kind", ["cancelled", "lapsed"])
def test_an_onboarding_that_was_still_under_way_brings_nobody_back(kind: Literal["cancelled", "lapsed"]) -> None:
    customer = with_backlog()
    customer.happens(account(kind, NOON + 10), account("handed_over", NOON + 11), account("onboarded", NOON + 12))
    customer.happens(*(ticket("opened", NOON + 20 + place, f"U{place}") for place in range(5)))
    assert customer.states_of("backlog") == ["opened", "resolved"]
    customer.happens(account("contracted", NOON + 100))
    assert customer.states_of("backlog")[-1] == "opened"


def test_one_who_comes_back_is_not_silent_at_once() -> None:
    customer = Judged()
    customer.happens(*(usage("feature_used", NOON + place, feature="board") for place in range(3)))
    customer.happens(account("cancelled", NOON + DAY), account("reactivated", NOON + 100 * DAY))
    assert customer.states_of("silence") == []
    customer.passes(NOON + 114 * DAY - 1)
    assert customer.states_of("silence") == []
    customer.passes(NOON + 114 * DAY)
    assert customer.states_of("silence") == ["opened"]


def with_goals_fallen() -> tuple[Judged, int]:
    """A customer whose goals fell, which is no complaint, and when its episode opened."""
    customer = Judged()
    customer.happens(account("onboarded", NOON - 40 * DAY), goals(12, NOON))
    customer.passes(NOON + 40 * DAY)
    return customer, last(customer, "goals_fell").opened_at


def acted(episode_id: str, at: int, by: str = "eve") -> CustomerEvent:
    return account("acted", at, episode_id=episode_id, author=by)


def test_what_a_complaint_opened_is_not_proactive() -> None:
    detractor = Judged()
    detractor.happens(answer("nps", "0_10", 2, NOON, respondent="bo"))
    for customer, rule in ((with_backlog(), "backlog"), (detractor, "new_detractor")):
        opened = last(customer, rule)
        assert opened.proactive is False
        customer.happens(acted(opened.episode_id, NOON + DAY))
        assert last(customer, rule).proactive is False
        assert flow(customer, "episodes_by_day", rule) == [1, 1, 0, 1]


def test_what_a_complaint_opened_is_not_proactive_by_a_clock_that_is_behind() -> None:
    customer = with_backlog()
    customer.happens(acted(last(customer, "backlog").episode_id, NOON - HOUR), clock=NOON + HOUR)
    assert last(customer, "backlog").proactive is False


def test_a_quadrant_that_a_bad_answer_has_just_brought_is_not_proactive() -> None:
    customer = Judged()
    for day in range(3):
        customer.happens(answer("csat", "good_bad", 0, NOON + day * DAY, touchpoint="support"))
    customer.happens(answer("nps", "0_10", 1, NOON + 3 * DAY, respondent="bo"))
    customer.passes(NOON + 10 * DAY)
    opened = [alert for alert in customer.alerts if alert.rule.startswith("became_") and alert.state == "opened"]
    assert [alert.proactive for alert in opened] == [False]


def test_late_words_on_an_episode_that_has_just_ended_count_as_if_they_had_come_in_time() -> None:
    in_time, opened_at = with_goals_fallen()
    late, _ = with_goals_fallen()
    episode = last(in_time, "goals_fell").episode_id
    words = [acted(episode, opened_at + 70 * HOUR), ticket("opened", opened_at + 71 * HOUR, "T1")]
    back = goals(12, opened_at + 73 * HOUR)  # after the third day, at which episodes are compared
    in_time.happens(*words, back)
    late.happens(back)
    late.happens(*reversed(words), clock=opened_at + 90 * HOUR)
    assert last(late, "goals_fell").state == "resolved"
    for customer in (in_time, late):
        assert flow(customer, "episodes_by_day", "goals_fell") == [1, 1, 1, 0]
        customer.passes(opened_at + 31 * DAY)
        assert flow(customer, "outcomes_by_day", "goals_fell\x1f") == [1, 1, 0, 0]
        dimensions = {dim for (name, dim, _), _ in customer.context.effects.totals.items() if name == "outcomes_by_day"}
        assert [dim.rsplit("\x1f", 1)[1] for dim in dimensions if dim.startswith("goals_fell")] == ["acted"]
        assert flow(customer, "oddities_by_day", "unknown_episode") == []


def test_a_complaint_after_the_end_of_an_episode_is_none_of_it() -> None:
    customer, opened_at = with_goals_fallen()
    customer.happens(goals(12, opened_at + HOUR), ticket("opened", opened_at + 2 * HOUR, "T1"))
    customer.happens(acted(last(customer, "goals_fell").episode_id, opened_at + 3 * HOUR))
    assert flow(customer, "episodes_by_day", "goals_fell") == [1, 0, 0, 0]


def test_a_word_on_an_episode_that_nobody_remembers_is_an_oddity() -> None:
    customer, opened_at = with_goals_fallen()
    customer.happens(acted("no such", opened_at + HOUR))
    assert flow(customer, "oddities_by_day", "unknown_episode") == [1]
    episode = last(customer, "goals_fell").episode_id
    customer.happens(goals(12, opened_at + HOUR), acted(episode, opened_at + 48 * HOUR))
    assert flow(customer, "oddities_by_day", "unknown_episode") == [1]
    customer.happens(goals(1, opened_at + 49 * HOUR), acted(episode, opened_at + 50 * HOUR))
    assert flow(customer, "oddities_by_day", "unknown_episode") == [2]
    assert customer.state.alerts.rules["goals_fell"].ended == []


def test_no_more_than_four_episodes_of_a_rule_are_kept_for_late_words() -> None:
    customer = with_backlog()
    for hour in range(1, 7):
        at = NOON + hour * HOUR
        customer.happens(ticket("solved", at, "T0"), ticket("solved", at + 1, "T1"))
        customer.happens(ticket("reopened", at + 2, "T0"), ticket("reopened", at + 3, "T1"))
    assert len(customer.state.alerts.rules["backlog"].ended) == 4
    assert flow(customer, "oddities_by_day", "forgotten_followup") == [2]


def test_an_episode_records_who_acted_when_and_what_and_what_followed() -> None:
    customer = with_backlog()
    opened = last(customer, "backlog")
    assert opened.score_at_opening == customer.changes[-1].new_displayed or opened.score_at_opening is not None
    customer.happens(account("acted", NOON + DAY, episode_id=opened.episode_id, author="eve", action="called them"))
    alert = last(customer, "backlog")
    assert (alert.acted_by, alert.acted_at, alert.acted_action) == ("eve", NOON + DAY, "called them")
    customer.happens(*(ticket("solved", NOON + 2 * DAY + place, f"T{place}") for place in range(2)))
    followed = last(customer, "backlog").followed
    assert followed is not None
    assert "eve acted 1 day after the opening" in followed
    assert followed.endswith("the customer had complained before it opened")


@pytest.mark.parametrize(
    "complaint",
    [
        ticket("opened", NOON + 40 * DAY + HOUR, "T9"),
        answer("csat", "good_bad", 0, NOON + 40 * DAY + HOUR),
        answer("csat", "1_5", 3, NOON + 40 * DAY + HOUR),
        answer("nps", "0_10", 6, NOON + 40 * DAY + HOUR, respondent="bo"),
    ],
)
def test_proactive_is_acted_upon_before_the_customer_complained(complaint: CustomerEvent) -> None:
    customer, opened_at = with_goals_fallen()
    episode = last(customer, "goals_fell").episode_id
    customer.happens(complaint)
    customer.happens(acted(episode, NOON + 40 * DAY + 2 * HOUR))
    assert last(customer, "goals_fell").proactive is False
    customer.happens(acted(episode, opened_at + 1000, "cy"), clock=NOON + 40 * DAY + 3 * HOUR)
    assert last(customer, "goals_fell").proactive is True  # the word came late, the deed did not
    assert flow(customer, "episodes_by_day", "goals_fell") == [1, 1, 1, 0]


def test_a_cancellation_is_a_complaint() -> None:
    customer, _ = with_goals_fallen()
    customer.happens(account("cancelled", NOON + 40 * DAY + HOUR))
    assert last(customer, "goals_fell").proactive is False
    assert flow(customer, "episodes_by_day", "goals_fell") == [1, 0, 0, 1]


def flow(customer: Judged, figure: str, start: str) -> list[int]:
    found = [
        counts
        for (name, dimension, _), counts in customer.context.effects.totals.items()
        if name == figure and dimension.startswith(start)
    ]
    return [sum(places) for places in zip(*found, strict=True)]


def test_a_retracted_episode_counts_nowhere() -> None:
    customer = with_backlog()
    customer.happens(ticket("solved", NOON + 3, "T0"), clock=NOON + HOUR)
    assert customer.states_of("backlog")[-1] == "retracted"
    customer.happens(acted(last(customer, "backlog").episode_id, NOON + 4, "cy"), clock=NOON + HOUR)
    assert flow(customer, "oddities_by_day", "unknown_episode") == []
    assert flow(customer, "episodes_by_day", "backlog") == [0, 0, 0, 0]
    customer.passes(NOON + 200 * DAY)
    assert flow(customer, "outcomes_by_day", "backlog") == []


def test_did_it_help_compares_what_came_of_acted_and_unacted_episodes() -> None:
    customer = with_backlog()
    customer.happens(account("acted", NOON + DAY, episode_id=last(customer, "backlog").episode_id, author="eve"))
    customer.happens(*(ticket("solved", NOON + 4 * DAY + place, f"T{place}") for place in range(2)))
    customer.happens(account("cancelled", NOON + 60 * DAY))
    customer.passes(NOON + 31 * DAY)
    customer.passes(NOON + 91 * DAY)
    found = {
        dim: n for (name, dim, _), n in customer.context.effects.totals.items() if name == "outcomes_by_day" and "backlog" in dim
    }
    ((dimension, counts),) = found.items()
    assert dimension.endswith("\x1facted")
    assert counts == [1, 1, 1, 1]
    assert not customer.state.alerts.rules["backlog"].followed


def test_the_morning_list_of_an_owner_is_its_open_episodes_by_mrr_at_risk_times_urgency() -> None:
    episodes = [
        open_episode("small", severity=3, mrr_cents=1_000),  # 1,000 x 8
        open_episode("large", severity=1, mrr_cents=10_000),  # 10,000 x 2
        open_episode("soon", severity=1, mrr_cents=9_000, renewal_in=30),  # 9,000 x 2 x 2
        open_episode("unknown", severity=3, mrr_cents=None),
        open_episode("muted", severity=3, mrr_cents=10**9, muted=True),
    ]
    found = morning_list(episodes, default_definitions().alerts, NOON, default_definitions().commercial)
    assert [entry.customer_id for entry in found.entries] == ["soon", "large", "small", "unknown"]
    assert [entry.urgency for entry in found.entries] == [4, 2, 8, 8]
    assert found.left_out == 0
    assert list(by_owner(episodes)) == ["ann"]


def test_each_owner_has_a_budget_a_day_beyond_which_the_least_severe_are_collected_into_one_digest() -> None:
    settings = default_definitions().alerts
    assert settings.owner_budget_per_day == 20
    severe = [open_episode(f"s{place:02}", severity=2, mrr_cents=1) for place in range(19)]
    mild = [open_episode(f"m{place}", severity=1, mrr_cents=10**6 + place) for place in range(3)]
    terms = default_definitions().commercial
    assert digest(severe + mild[:1], settings, NOON, terms).entries == []
    assert [entry.customer_id for entry in digest(mild + severe, settings, NOON, terms).entries] == ["m1", "m0"]


def test_an_open_episode_comes_back_from_its_gauge() -> None:
    customer = with_backlog()
    gauges = episode_gauges.gauges(customer.state)
    ((dimension, counts),) = [
        (dim, counts) for (figure, dim), counts in gauges.items() if figure == episode_gauges.OPEN and "backlog" in dim
    ]
    found = episode_gauges.read(dimension, counts)
    assert found is not None
    assert (found.owner, found.customer_id, found.rule, found.currency, found.mrr_cents) == ("ann", "c", "backlog", "EUR", 10_000)
    assert (found.opened_at, found.severity, found.renewal_at, found.muted) == (NOON + 4, "warning", None, False)
    assert episode_gauges.read(dimension, (0,) * 8) is None
