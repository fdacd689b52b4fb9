"""Each sentence of the domain on the rules that open alerts, by its name."""

from collections.abc import Mapping
from typing import Literal

import pytest

from processors.definitions import Definitions, DefinitionsError, parse
from processors.effects import NOTHING_AROUND, Around
from processors.owner_lists import urgency
from processors.usage_rules import chance_of_fall
from tests.support.alerting import goals, last, open_episode
from tests.support.happenings import NOON, account, answer, ticket, usage
from tests.support.judging import Judged, default_definitions, default_text, prompt_definitions

DAY = 86_400_000
HOUR = 3_600_000


def test_the_exact_binomial_test_on_the_two_counts() -> None:
    assert chance_of_fall(0, 4) == 1 / 16
    assert chance_of_fall(0, 7) == 1 / 128
    assert chance_of_fall(1, 9) == 11 / 1024
    assert chance_of_fall(1, 10) == 12 / 2048
    assert chance_of_fall(0, 0) == 1
    exact, near = chance_of_fall(950, 1050), chance_of_fall(951, 1051)
    assert near == pytest.approx(exact, rel=0.01)


@pytest.mark.parametrize(
    ("before", "now", "opens"), [(7, 0, True), (6, 0, False), (10, 1, True), (20, 10, False), (60, 30, True), (60, 31, False)]
)
def test_goals_fell_by_half_and_not_by_chance(before: int, now: int, *, opens: bool) -> None:
    customer = Judged()
    customer.happens(goals(before, NOON))
    if now:
        customer.happens(goals(now, NOON + 20 * DAY))
    customer.passes(NOON + 38 * DAY)
    assert customer.states_of("goals_fell")[:1] == (["opened"] if opens else [])


def test_goals_fell_is_over_when_they_are_back_or_there_is_nothing_left_to_have_fallen_from() -> None:
    customer = Judged()
    customer.happens(goals(12, NOON))
    customer.passes(NOON + 38 * DAY)
    assert last(customer, "goals_fell").severity == "high"
    customer.happens(goals(8, NOON + 39 * DAY))
    assert customer.states_of("goals_fell")[-1] == "updated"
    customer.happens(goals(1, NOON + 39 * DAY + 1))
    assert (
        last(customer, "goals_fell").resolution
        == "9 goals in the last 30 days and 12 in the 30 before: no fall by more than 25 %"
    )
    forgotten = Judged()
    forgotten.happens(goals(12, NOON))
    forgotten.passes(NOON + 62 * DAY)
    assert last(forgotten, "goals_fell").state == "resolved"


def yellow(renewal_at: int) -> Judged:
    customer = Judged()
    customer.happens(account("onboarded", NOON, mrr_cents=10_000, renewal_at=renewal_at))
    customer.happens(*(usage("feature_used", NOON + place, feature=f"f{place}") for place in range(3)), goals(2, NOON + 10))
    customer.happens(*(answer("csat", "good_bad", place % 2, NOON + 20 + place, touchpoint="support") for place in range(4)))
    assert customer.changes[-1].new_band == "yellow"
    return customer


def test_renewal_within_60_days_while_not_green() -> None:
    customer = yellow(NOON + 63 * DAY)
    customer.passes(NOON + 10 * DAY - 1)
    assert customer.states_of("renewal") == []
    customer.passes(NOON + 10 * DAY)  # 60 days ahead since day 3, and a week of it
    assert [(alert.state, alert.cause, alert.as_of) for alert in customer.alerts_of("renewal")] == [
        ("opened", "time", NOON + 10 * DAY)
    ]
    customer.happens(account("renewed", NOON + 11 * DAY, renewal_at=NOON + 428 * DAY))
    assert last(customer, "renewal").state == "resolved"
    assert last(customer, "renewal").resolution == "the renewal is 417 days away"


def test_a_green_customer_is_not_asked_about_its_renewal() -> None:
    customer = Judged()
    customer.happens(account("onboarded", NOON, mrr_cents=10_000, renewal_at=NOON + 50 * DAY))
    for day in range(10):
        customer.happens(*(usage("feature_used", NOON + day * DAY + place, feature=f"f{place}") for place in range(8)))
        customer.happens(goals(3, NOON + day * DAY + 10), answer("csat", "good_bad", 1, NOON + day * DAY + 20))
    assert customer.changes[-1].new_band == "green"
    assert customer.states_of("renewal") == []


def test_a_renewal_that_is_long_past_makes_nothing_urgent() -> None:
    customer = Judged()
    customer.happens(account("onboarded", NOON - 45 * DAY, renewal_at=NOON - 29 * DAY), goals(12, NOON - 40 * DAY))
    customer.happens(goals(1, NOON))
    customer.passes(NOON + DAY)
    assert last(customer, "goals_fell").severity == "high"  # 30 days overdue
    customer.passes(NOON + DAY + 1)
    assert (last(customer, "goals_fell").severity, last(customer, "goals_fell").as_of) == ("warning", NOON + DAY + 1)
    settings = default_definitions().alerts
    overdue, long_past = (open_episode("x", severity=2, mrr_cents=1, renewal_in=-days) for days in (30, 31))
    assert [urgency(episode, settings, NOON) for episode in (overdue, long_past)] == [12, 4]


def test_a_renewal_goes_on_for_its_own_overdue_days() -> None:
    definitions = parse(default_text().replace("overdue_days = 30", "overdue_days = 90"))
    customer = Judged(definitions)
    customer.happens(account("onboarded", NOON, renewal_at=NOON + 10 * DAY))
    customer.passes(NOON + 100 * DAY - 1)
    assert "resolved" not in customer.states_of("renewal")
    customer.passes(NOON + 100 * DAY)
    assert last(customer, "renewal").resolution == "the renewal is 90 days overdue"


def test_unknown_is_not_green_when_the_renewal_is_near() -> None:
    customer = Judged()
    customer.happens(account("onboarded", NOON, renewal_at=NOON + 50 * DAY))
    customer.passes(NOON + 7 * DAY)
    assert customer.changes[-1].new_band is None
    assert last(customer, "renewal").state == "opened"
    said = last(customer, "renewal").explanation
    assert said == "The renewal is in 43 days (limit 60 days), and too little is known for a band: unknown is not green."


@pytest.mark.parametrize("kind", ["lead", "trial_started"])
def test_leads_and_trials_are_nobody_who_could_churn(kind: Literal["lead", "trial_started"]) -> None:
    customer = Judged()
    customer.happens(account(kind, NOON - DAY))
    customer.happens(*(usage("interaction_ended", NOON + place, touchpoint="website") for place in range(3)))
    customer.happens(*(ticket("opened", NOON + 10 + place, f"T{place}") for place in range(5)))
    customer.passes(NOON + 30 * DAY)
    assert customer.alerts == []
    customer.happens(account("contracted", NOON + 31 * DAY))
    assert customer.states_of("backlog") == ["opened"]


def test_an_account_of_unknown_stage_that_only_visited_is_no_customer_until_it_deals_with_us() -> None:
    visitor = Judged()
    visitor.happens(*(usage("interaction_ended", NOON + place, touchpoint="website") for place in range(3)))
    visitor.passes(NOON + 20 * DAY)
    assert visitor.alerts == []
    user = Judged()
    user.happens(*(usage("feature_used", NOON + place, feature="board") for place in range(3)))
    user.passes(NOON + 20 * DAY)
    assert user.states_of("silence") == ["opened"]


def test_an_episode_of_who_turns_out_to_have_been_a_lead_is_retracted() -> None:
    customer = Judged()
    customer.happens(*(ticket("opened", NOON + place, f"T{place}") for place in range(5)))
    customer.happens(account("lead", NOON - DAY), clock=NOON + HOUR)
    assert customer.states_of("backlog") == ["opened", "retracted"]
    assert last(customer, "backlog").resolution == "the account is of the stage lead, which the rule is not about"


def test_a_rule_says_of_which_stages_it_is() -> None:
    text = default_text().replace('kind = "backlog"', 'kind = "backlog"\nstages = ["trial"]')
    customer = Judged(parse(text))
    customer.happens(account("trial_started", NOON - DAY))
    customer.happens(*(ticket("opened", NOON + place, f"T{place}") for place in range(5)))
    assert customer.states_of("backlog") == ["opened"]
    for stages in ('["trail"]', "[]", '["lapsed"]'):
        with pytest.raises(DefinitionsError) as caught:
            parse(default_text().replace('kind = "backlog"', f'kind = "backlog"\nstages = {stages}'))
        assert [mistake.place for mistake in caught.value.mistakes] == ['rules["backlog"].stages']


def unused(back: Mapping[str, int] | None = None, quiet: Mapping[str, int] | None = None) -> Judged:
    customer = Judged()
    customer.context.around = Around(hears_usage=True, back=back or {}, quiet=quiet or {})
    customer.happens(account("contracted", NOON), account("onboarded", NOON + 20 * DAY))
    return customer


def test_a_contract_signed_and_never_used_gives_no_silence_but_an_alert_of_its_own() -> None:
    customer = unused()
    customer.passes(NOON + 30 * DAY - 1)
    assert customer.states_of("not_started") == []
    customer.passes(NOON + 30 * DAY)
    opened = last(customer, "not_started")
    assert (opened.state, opened.cause, opened.as_of) == ("opened", "time", NOON + 30 * DAY)
    assert opened.explanation == "The contract began 30 days ago, and the product was not used once (limit 30 days)."
    assert [(item.figure, item.value, item.threshold) for item in opened.evidence] == [("days_without_use", 30, 30)]
    customer.happens(usage("feature_used", NOON + 31 * DAY, feature="board"))
    assert customer.states_of("not_started") == ["opened", "resolved"]
    customer.passes(NOON + 200 * DAY)
    assert customer.states_of("not_started") == ["opened", "resolved"]


def said(*scores: int, days_between: int = 1) -> list[str]:
    """What became of the episode of a respondent who answered so."""
    customer = Judged()
    for place, score in enumerate(scores):
        customer.happens(answer("nps", "0_10", score, NOON + place * days_between * DAY, respondent="bo"))
    return [str(state) for state in customer.states_of("new_detractor")]


def test_a_new_detractor_is_one_until_the_respondents_next_better_answer_even_if_that_is_a_detractors() -> None:
    assert said(2, 6) == ["opened", "resolved"]
    assert said(2, 9) == ["opened", "resolved"]
    assert said(2, 6, 6) == ["opened", "resolved", "opened"]
    assert said(2, 6, 5) == ["opened", "resolved", "opened"]
    assert said(2, 3, 4) == ["opened", "resolved"]


def test_a_later_answer_as_bad_or_worse_goes_on_and_after_thirty_days_any_detractors_is_new() -> None:
    assert said(4, 4, 2) == ["opened"]
    assert said(8, 6) == ["opened"]
    assert said(2, 6, days_between=31) == ["opened", "resolved", "opened"]


def test_a_better_answer_is_one_in_whatever_order_it_comes() -> None:
    late = Judged()
    late.happens(answer("nps", "0_10", 6, NOON, respondent="bo"))
    late.happens(answer("nps", "0_10", 2, NOON - DAY, respondent="bo"), clock=NOON + 1)
    assert late.states_of("new_detractor") == ["opened", "retracted"]
    late.happens(answer("nps", "0_10", 7, NOON - HOUR, respondent="bo"), clock=NOON + 2)
    assert late.states_of("new_detractor") == ["opened", "retracted", "opened"]  # 6 is worse than the 7 right before it


def test_a_late_word_of_the_first_use_takes_the_alert_of_no_start_back() -> None:
    customer = unused()
    customer.passes(NOON + 30 * DAY)
    customer.happens(usage("feature_used", NOON + 29 * DAY, feature="board"), clock=NOON + 31 * DAY)
    assert customer.states_of("not_started") == ["opened", "retracted"]


def test_one_that_came_in_as_known_has_not_started_only_if_it_pays() -> None:
    for mrr_cents, states in ((10_000, ["opened"]), (None, [])):
        customer = Judged()
        customer.context.around = Around(hears_usage=True)
        customer.happens(account("known", NOON, mrr_cents=mrr_cents))
        customer.passes(NOON + 40 * DAY)
        assert customer.states_of("not_started") == states


def test_no_start_says_nothing_where_use_is_not_heard_of() -> None:
    never_heard = unused()
    never_heard.context.around = Around()
    quiet = unused(quiet={"usage": NOON})
    for customer in (never_heard, quiet):
        customer.passes(NOON + 50 * DAY)
        assert customer.states_of("not_started") == []
    quiet.context.around = Around(hears_usage=True, back={"usage": NOON + 50 * DAY})
    quiet.passes(NOON + 80 * DAY)
    assert [alert.as_of for alert in quiet.alerts_of("not_started")] == [NOON + 80 * DAY]


USAGE_IS_QUIET = Around(quiet={"usage": NOON})


def well_used(until: int, definitions: Definitions | None = None) -> Judged:
    """A customer who reaches goals on every day of 60, up to a time."""
    customer = Judged(definitions)
    customer.happens(account("onboarded", until - 60 * DAY))
    for day in range(60, -1, -1):
        at = until - day * DAY
        customer.happens(goals(1, at), *(usage("feature_used", at + place, feature=f"f{place}") for place in range(5)))
    return customer


@pytest.mark.parametrize("rule", ["silence", "goals_fell", "health_red"])
def test_while_the_usage_feed_is_quiet_time_alone_opens_no_silence_fall_or_red(rule: str) -> None:
    heard, unheard = well_used(NOON), well_used(NOON)
    unheard.context.around = USAGE_IS_QUIET
    for customer in (heard, unheard):
        customer.passes(NOON + 60 * DAY)
    assert heard.states_of(rule)[:1] == ["opened"]
    assert unheard.states_of(rule) == []


def test_while_the_usage_feed_is_quiet_time_alone_opens_no_fall_of_health() -> None:
    steep = default_text().replace("fall_points = 20", "fall_points = 3").replace("fall_points = 10", "fall_points = 2")
    found = []
    for around in (NOTHING_AROUND, USAGE_IS_QUIET):
        customer = Judged(parse(steep))
        customer.happens(account("onboarded", NOON - DAY))
        customer.happens(*(usage("feature_used", NOON + place, feature=f"f{place}") for place in range(9)))
        customer.context.around = around
        customer.passes(NOON + 60 * DAY)
        found.append(customer.states_of("health_fell")[:1])
    assert found == [["opened"], []]


def test_what_happens_while_the_usage_feed_is_quiet_still_opens_and_what_was_open_goes_on() -> None:
    customer = well_used(NOON)
    customer.passes(NOON + 20 * DAY)
    assert customer.states_of("silence") == ["opened"]
    customer.context.around = USAGE_IS_QUIET
    customer.passes(NOON + 40 * DAY)
    assert customer.states_of("silence")[-1] != "resolved"
    assert customer.states_of("health_red") == []
    customer.happens(*(answer("csat", "good_bad", 0, NOON + 41 * DAY + place) for place in range(9)))
    customer.happens(*(ticket("opened", NOON + 41 * DAY + 10 + place, f"T{place}") for place in range(10)))
    assert customer.states_of("backlog")[0] == "opened"
    customer.passes(NOON + 45 * DAY)  # red has held for three days since
    assert customer.states_of("health_red")[0] == "opened"


@pytest.mark.parametrize("feed", ["tickets", "surveys"])
def test_only_the_usage_feed_suspends_silence(feed: str) -> None:
    customer = well_used(NOON)
    customer.context.around = Around(quiet={feed: NOON})
    customer.passes(NOON + 20 * DAY)
    assert customer.states_of("silence") == ["opened"]


def overridden(score: float, **said: int) -> Judged:
    """A customer whose health a person has set, whatever is computed."""
    customer = well_used(NOON, prompt_definitions())
    word = {"author": "eve", "reason_text": "merger", "override_score": score, "expires_at": NOON + 90 * DAY}
    customer.happens(account("override", NOON + 10, **word, **said))
    return customer


def test_the_red_of_an_override_names_who_set_it_and_what_is_computed() -> None:
    alert = last(overridden(12), "health_red")
    computed = next(item for item in alert.evidence if item.figure == "health_score")
    assert [(item.figure, item.value, item.threshold) for item in alert.evidence[:2]] == [
        ("override_score", 12.0, 40.0),
        ("health_score", computed.value, None),
    ]
    assert alert.explanation == f"Health was set to 12 by eve (computed: {computed.value:.1f}; red below 40)."


def test_the_renewal_under_an_override_speaks_of_the_band_in_force_and_names_both_scores() -> None:
    customer = overridden(50, renewal_at=NOON + 40 * DAY)
    alert = customer.alerts_of("renewal")[0]
    computed = next(item for item in alert.evidence if item.figure == "health_score")
    override = next(item for item in alert.evidence if item.figure == "override_score")
    assert (override.value, override.threshold, computed.threshold) == (50.0, 70.0, None)
    assert f" and health was set to 50 by eve (computed: {computed.value:.1f}): yellow." in alert.explanation


def test_the_evidence_of_an_open_red_is_told_anew_when_a_person_sets_the_score() -> None:
    customer = Judged(prompt_definitions())
    customer.happens(*(answer("csat", "good_bad", 0, NOON + place) for place in range(5)))
    customer.happens(usage("goal_failed", NOON + 10, goal="report_created"))
    customer.happens(*(ticket("opened", NOON + 20 + place, f"T{place}") for place in range(9)))
    assert customer.states_of("health_red")[0] == "opened"
    before = len(customer.alerts_of("health_red"))
    word = {"author": "eve", "reason_text": "merger", "override_score": 5.0, "expires_at": NOON + 90 * DAY}
    customer.happens(account("override", NOON + HOUR, **word))
    assert customer.states_of("health_red")[before:] == ["updated"]
    assert last(customer, "health_red").evidence[0].figure == "override_score"
