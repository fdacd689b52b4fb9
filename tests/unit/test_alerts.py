import pytest

from processors import alerts
from processors.alert_records import open_alerts
from processors.definitions import Definitions, parse
from processors.due import NEVER
from processors.episodes import episode_id
from processors.figures import Sheet
from schemas.events import UsageEvent
from tests.support.happenings import NOON, account, answer, ticket, usage
from tests.support.judging import Judged, default_text, prompt_definitions, prompt_text

DAY = 86_400_000
HOUR = 3_600_000


def default_but(*changes: tuple[str, str], text: str | None = None) -> Definitions:
    text = text or default_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return parse(text)


def sign(at: int) -> UsageEvent:
    return usage("feature_used", at, feature="board")


def with_open_tickets(number: int, definitions: Definitions | None = None) -> Judged:
    customer = Judged(definitions)
    customer.happens(account("onboarded", NOON - DAY, mrr_cents=10_000, currency="EUR", owner="ann", renewal_at=NOON + 300 * DAY))
    customer.happens(*(ticket("opened", NOON + index, f"T{index}") for index in range(number)))
    return customer


def test_a_backlog_opens_at_five_and_resolves_only_at_three() -> None:
    customer = with_open_tickets(4)
    assert customer.states_of("backlog") == []
    customer.happens(ticket("opened", NOON + 10, "T4"))
    assert customer.states_of("backlog") == ["opened"]
    customer.happens(ticket("solved", NOON + 20, "T0"))
    assert "resolved" not in customer.states_of("backlog")
    customer.happens(ticket("solved", NOON + 30, "T1"))
    assert customer.states_of("backlog")[-1] == "resolved"
    assert customer.alerts_of("backlog")[-1].resolution == "3 tickets left open"


def test_an_alert_carries_the_segment_of_the_account_as_it_is_then() -> None:
    customer = with_open_tickets(5)
    customer.happens(
        account("plan_changed", NOON + 20, segment="enterprise"), ticket("opened", NOON + 30, "T9", priority="urgent")
    )
    customer.happens(*(ticket("opened", NOON + 40 + n, f"U{n}", priority="urgent") for n in range(3)))
    assert [alert.segment for alert in customer.alerts_of("backlog")] == [None, "enterprise"]


def test_more_than_two_urgent_tickets_are_a_backlog_of_high_severity() -> None:
    customer = Judged()
    customer.happens(*(ticket("opened", NOON + index, f"T{index}", priority="urgent") for index in range(3)))
    (alert,) = customer.alerts_of("backlog")
    assert alert.severity == "high"
    assert alert.explanation == "3 open tickets (limit 5), 3 of them urgent (limit 3); the oldest is open for 0 days."
    assert [(item.figure, item.value, item.threshold) for item in alert.evidence[:2]] == [
        ("open_tickets", 3, 5),
        ("open_urgent_tickets", 3, 3),
    ]
    customer.happens(ticket("solved", NOON + 10, "T0"), ticket("solved", NOON + 11, "T1"))
    assert customer.states_of("backlog") == ["opened", "updated", "resolved"]


def test_an_alert_carries_what_its_reader_needs_to_act() -> None:
    (alert,) = with_open_tickets(5).alerts_of("backlog")
    assert (alert.mrr_cents, alert.currency, alert.renewal_at, alert.owner) == (10_000, "EUR", NOON + 300 * DAY, "ann")
    assert alert.action.startswith("Have support")
    assert alert.opened_at == alert.as_of == NOON + 4
    assert alert.episode_id == episode_id("c", "backlog", 1, 1)
    assert len(alert.episode_id) == 32


def test_a_value_that_wiggles_is_no_update() -> None:
    customer = with_open_tickets(6)
    customer.happens(ticket("solved", NOON + 20, "T5"), ticket("opened", NOON + 30, "T6"))
    assert customer.states_of("backlog") == ["opened"]


def test_a_second_episode_has_another_id() -> None:
    customer = with_open_tickets(5)
    customer.happens(*(ticket("solved", NOON + 20 + index, f"T{index}") for index in range(5)))
    customer.happens(*(ticket("opened", NOON + 40 + index, f"U{index}") for index in range(5)))
    alerts = customer.alerts_of("backlog")
    assert [alert.state for alert in alerts if alert.state != "updated"] == ["opened", "resolved", "opened"]
    assert len({alert.episode_id for alert in alerts}) == 2


def test_a_new_owner_an_acknowledgement_and_an_action_update_the_episode() -> None:
    customer = with_open_tickets(5)
    episode = customer.alerts_of("backlog")[0].episode_id
    customer.happens(
        account("owner_changed", NOON + 10, owner="bob"),
        account("acknowledged", NOON + 20, episode_id=episode, author="bob"),
        account("acted", NOON + 30, episode_id=episode, author="cy"),
    )
    assert customer.states_of("backlog") == ["opened", "updated", "updated", "updated"]
    alert = customer.alerts_of("backlog")[-1]
    assert (alert.owner, alert.acknowledged_by, alert.acknowledged_at) == ("bob", "bob", NOON + 20)
    assert (alert.acted_by, alert.acted_at) == ("cy", NOON + 30)


def test_of_two_acknowledgements_the_earlier_counts_in_whatever_order_they_come() -> None:
    customer = with_open_tickets(5)
    episode = customer.alerts_of("backlog")[0].episode_id
    first = account("acknowledged", NOON + 10, episode_id=episode, author="ann")
    second = account("acknowledged", NOON + 20, episode_id=episode, author="bob")
    customer.happens(second)
    customer.happens(first, clock=NOON + 21)
    assert customer.alerts_of("backlog")[-1].acknowledged_by == "ann"


def test_an_acknowledgement_of_another_episode_changes_nothing() -> None:
    customer = with_open_tickets(5)
    customer.happens(account("acknowledged", NOON + 10, episode_id="0" * 32, author="ann"))
    assert customer.states_of("backlog") == ["opened"]


@pytest.mark.parametrize("kind", ["cancelled", "lapsed"])
def test_a_customer_that_is_gone_has_everything_resolved_and_opens_nothing_until_it_is_back(kind: str) -> None:
    customer = with_open_tickets(5)
    customer.happens(account(kind, NOON + 10))  # type: ignore[arg-type]  # one of the two literals
    assert customer.alerts_of("backlog")[-1].resolution == f"the customer has {kind}"
    customer.happens(ticket("opened", NOON + 20, "T9"))
    assert customer.states_of("backlog") == ["opened", "resolved"]
    customer.happens(account("reactivated", NOON + 30))
    assert customer.states_of("backlog") == ["opened", "resolved", "opened"]


def test_a_muted_rule_opens_silently_and_speaks_when_the_mute_is_over() -> None:
    customer = with_open_tickets(0)
    customer.happens(account("muted", NOON, rule="backlog", muted_until=NOON + HOUR, author="ann"))
    customer.happens(*(ticket("opened", NOON + 1 + index, f"T{index}") for index in range(5)))
    assert [alert.muted for alert in customer.alerts_of("backlog")] == [True]
    customer.passes(NOON + HOUR)
    assert [(alert.state, alert.muted, alert.as_of) for alert in customer.alerts_of("backlog")[1:]] == [
        ("updated", False, NOON + HOUR)
    ]


def test_silence_opens_fourteen_days_after_the_last_of_three_signs_and_resolves_with_the_next() -> None:
    customer = Judged()
    customer.happens(sign(NOON - 2), sign(NOON - 1), sign(NOON))
    customer.passes(NOON + 14 * DAY - 1)
    assert customer.states_of("silence") == []
    customer.passes(NOON + 14 * DAY)
    (alert,) = customer.alerts_of("silence")
    assert (alert.as_of, alert.cause, alert.severity) == (NOON + 14 * DAY, "time", "warning")
    assert alert.explanation == "The last usage, ticket or answer was 14 days ago (limit 14 days)."
    customer.passes(NOON + 30 * DAY)
    assert [(alert.state, alert.severity, alert.as_of) for alert in customer.alerts_of("silence")[1:]] == [
        ("updated", "high", NOON + 30 * DAY)
    ]
    customer.happens(sign(NOON + 31 * DAY))
    assert customer.states_of("silence") == ["opened", "updated", "resolved"]


def test_a_customer_with_fewer_than_three_signs_was_never_active() -> None:
    customer = Judged()
    customer.happens(sign(NOON), account("known", NOON + 1), account("known", NOON + 2), sign(NOON + 3))
    customer.passes(NOON + 400 * DAY)
    assert customer.states_of("silence") == []


def test_a_fall_of_twenty_points_opens_and_the_expiry_of_the_peak_resolves_it_to_the_millisecond() -> None:
    customer = Judged(prompt_definitions())
    customer.happens(*(usage("goal_completed", NOON, goal="report_created", quantity=10) for _ in range(3)))
    customer.happens(*(sign(NOON + index) for index in range(10)), answer("csat", "good_bad", 1, NOON + 100))
    customer.happens(answer("nps", "0_10", 10, NOON + 100), answer("product", "good_bad", 1, NOON + 100))
    fell_at = NOON + 1000
    customer.happens(*(answer("csat", "good_bad", 0, fell_at) for _ in range(9)))
    customer.happens(*(answer("nps", "0_10", 0, fell_at) for _ in range(9)), answer("product", "good_bad", 0, fell_at))
    customer.happens(*(ticket("opened", fell_at, f"T{index}") for index in range(10)))
    opened = customer.alerts_of("health_fell")[0]
    assert "below its highest of 7 days, " in opened.explanation
    assert "CSAT in 90 days" in opened.explanation
    customer.happens(*(sign(NOON + day * DAY) for day in range(1, 8)))
    assert customer.alerts_of("health_fell")[-1].state != "resolved"
    customer.passes(fell_at + 7 * DAY)
    resolved = customer.alerts_of("health_fell")[-1]
    assert (resolved.state, resolved.as_of, resolved.cause) == ("resolved", fell_at + 7 * DAY, "time")


def test_health_in_red_names_the_two_measures_that_cost_most_and_is_critical_near_the_renewal() -> None:
    customer = Judged(prompt_definitions())
    customer.happens(account("onboarded", NOON - DAY, renewal_at=NOON + 60 * DAY + HOUR))
    customer.happens(sign(NOON), *(answer("csat", "good_bad", 0, NOON) for _ in range(5)))
    customer.happens(*(ticket("opened", NOON, f"T{index}") for index in range(12)))
    alert = customer.alerts_of("health_red")[-1]
    assert alert.severity == "high"
    assert alert.explanation.endswith("days with any use in 30 days (1) and goals completed in 30 days (0) cost most.")
    assert [item.figure for item in alert.evidence] == ["health_score", "active_days_30d", "goals_completed_30d"]
    customer.passes(NOON + HOUR)
    assert (customer.alerts_of("health_red")[-1].severity, customer.alerts_of("health_red")[-1].as_of) == (
        "critical",
        NOON + HOUR,
    )


def in_red(definitions: Definitions | None = None) -> Judged:
    customer = Judged(definitions)
    customer.happens(account("onboarded", NOON))
    customer.happens(*(answer("csat", "good_bad", 0, NOON + place) for place in range(5)))
    customer.happens(usage("goal_failed", NOON + 10, goal="report_created"))
    customer.happens(*(ticket("opened", NOON + 20 + place, f"T{place}") for place in range(9)))
    assert customer.changes[-1].new_band == "red"
    return customer


def test_a_low_score_of_the_first_days_is_no_red_until_the_account_has_been_known_for_its_days() -> None:
    customer = in_red()
    known_at = (NOON // DAY + 30) * DAY
    customer.passes(known_at + 3 * DAY - 1)
    assert customer.states_of("health_red") == []
    customer.passes(known_at + 3 * DAY)  # and three days of it
    assert [(alert.state, alert.cause, alert.as_of) for alert in customer.alerts_of("health_red")] == [
        ("opened", "time", known_at + 3 * DAY)
    ]


def test_the_days_for_which_an_account_must_be_known_can_be_none() -> None:
    customer = in_red(default_but(("known_days = 30", "known_days = 0")))
    customer.passes(NOON + 3 * DAY + 30)
    assert customer.states_of("health_red") == ["opened"]


def test_a_detractor_is_resolved_by_a_better_answer_of_the_same_respondent() -> None:
    customer = Judged()
    customer.happens(answer("nps", "0_10", 3, NOON, respondent="bo"))
    assert customer.alerts_of("new_detractor")[0].explanation == "bo answered 3 of 10 to the NPS question within the last day."
    customer.happens(answer("nps", "0_10", 9, NOON + 1, respondent="cy"))
    assert customer.states_of("new_detractor") == ["opened"]
    customer.happens(answer("nps", "0_10", 7, NOON + 2, respondent="bo"))
    assert customer.states_of("new_detractor") == ["opened", "resolved"]


def test_a_detractor_is_resolved_after_thirty_days_to_the_millisecond() -> None:
    customer = Judged()
    customer.happens(answer("nps", "1_10", 6, NOON, respondent="bo"))
    customer.passes(NOON + 30 * DAY)
    assert [(alert.state, alert.as_of) for alert in customer.alerts_of("new_detractor")] == [
        ("opened", NOON),
        ("resolved", NOON + 30 * DAY),
    ]


def test_another_detractor_updates_the_episode_and_an_anonymous_one_does_not() -> None:
    customer = Judged()
    customer.happens(
        answer("nps", "0_10", 3, NOON, respondent="bo"),
        answer("nps", "0_10", 2, NOON + 1),
        answer("nps", "0_10", 0, NOON + 2, respondent="cy"),
    )
    assert customer.states_of("new_detractor") == ["opened", "updated"]
    assert [item.dimension for item in customer.alerts_of("new_detractor")[-1].evidence] == ["cy", "bo"]


def test_an_episode_opens_only_when_its_condition_held_for_the_dwell_time() -> None:
    customer = with_open_tickets(5, default_but(('kind = "backlog"', 'kind = "backlog"\ndwell_hours = 2')))
    since = NOON + 4
    assert customer.state.next_due <= since + 2 * HOUR
    customer.passes(since + 2 * HOUR - 1)
    assert customer.states_of("backlog") == []
    customer.passes(since + 2 * HOUR)
    assert [(alert.state, alert.as_of, alert.cause) for alert in customer.alerts_of("backlog")] == [
        ("opened", since + 2 * HOUR, "time")
    ]


def test_a_condition_that_ends_within_the_dwell_time_opens_nothing() -> None:
    customer = with_open_tickets(5, default_but(('kind = "backlog"', 'kind = "backlog"\ndwell_hours = 2')))
    customer.happens(ticket("solved", NOON + HOUR, "T0"))
    customer.happens(ticket("opened", NOON + HOUR + 1, "T7"))
    customer.passes(NOON + 2 * HOUR + 10)
    assert customer.states_of("backlog") == []
    customer.passes(NOON + 3 * HOUR + 1)
    assert customer.states_of("backlog") == ["opened"]


@pytest.mark.parametrize(
    ("changed", "states"),
    [
        (default_but(('name = "backlog"\nkind', 'name = "heap"\nkind')), ["opened", "resolved"]),
        (default_but(('kind = "backlog"', 'kind = "backlog"\nenabled = false')), ["opened", "resolved"]),
        (default_but(('kind = "backlog"\nversion = 1', 'kind = "backlog"\nversion = 2')), ["opened", "resolved", "opened"]),
    ],
)
def test_a_rule_that_is_gone_off_or_new_resolves_its_episode_with_the_cause_config(
    changed: Definitions, states: list[str]
) -> None:
    customer = with_open_tickets(5)
    customer.reconfigured(changed, NOON + 10)
    alerts = customer.alerts_of("backlog")
    assert [alert.state for alert in alerts] == states
    assert {alert.cause for alert in alerts[1:]} == {"config"}
    assert len({alert.episode_id for alert in alerts}) == states.count("opened")


def test_the_open_alerts_of_a_snapshot_are_those_that_were_not_resolved() -> None:
    customer = with_open_tickets(5)
    customer.happens(answer("nps", "0_10", 3, NOON + 20, respondent="bo"))
    found = open_alerts(customer.state, customer.context.definitions)
    assert [alert.rule for alert in found] == ["backlog", "new_detractor"]
    assert found[0].episode_id == customer.alerts_of("backlog")[0].episode_id
    assert found[0].explanation == customer.alerts_of("backlog")[0].explanation


def test_an_open_episode_without_a_timer_does_not_keep_a_customer_due() -> None:
    customer = with_open_tickets(5)
    customer.passes(NOON + 1000 * DAY)
    assert [alert.rule for alert in open_alerts(customer.state, customer.context.definitions)] == ["backlog", "silence"]
    assert alerts.next_due(Sheet(customer.state, NOON + 1000 * DAY, customer.context.definitions)) == NEVER


def test_peaks_of_a_score_that_is_no_longer_judged_hold_up_no_clock() -> None:
    urgent = '{ to = "high", figure = "open_urgent_tickets", at_least = 3 }'
    lift = (urgent, '{ to = "high", figure = "health_fall_points", at_least = 5 }')
    covered = ("least_coverage_pct = 50", "least_coverage_pct = 1")
    customer = Judged(default_but(lift, covered, text=prompt_text()))
    customer.happens(answer("csat", "good_bad", 1, NOON), sign(NOON + 1))
    customer.happens(*(ticket("opened", NOON + 2, f"T{number}") for number in range(6)))
    assert customer.state.health.of("risk").peaks
    assert customer.states_of("health_fell") == ["opened"]
    customer.reconfigured(default_but(lift, covered, ('purpose = "risk"', 'purpose = "advocacy"')), NOON + DAY)
    assert customer.alerts_of("health_fell")[-1].resolution == "there is no health score any more"
    customer.passes(NOON + 1000 * DAY)
    assert alerts.next_due(Sheet(customer.state, NOON + 1000 * DAY, customer.context.definitions)) == NEVER
