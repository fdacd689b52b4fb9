from itertools import permutations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from processors import accounts, nps, tickets, timeline
from processors.definitions import parse
from processors.loyalty_file import QUADRANTS
from processors.state import CustomerState
from processors.timeline import MAX_OTHERS, MAX_SHOWN, MAX_STEPS, TimelineState
from processors.totals import Totals
from processors.upkeep import flags
from processors.windows import DAY_MS
from schemas.events import AccountEvent, AccountKind
from tests.support.happenings import NAMES, NOON, account, answer, ticket
from tests.support.judging import Judged, default_definitions, default_text

MINUTE = 60_000
STEPS: list[AccountKind] = ["lead", "contracted", "lapsed"]
encode_any = msgspec.msgpack.encode


def told(customer: Judged) -> list[tuple[int, str, str]]:
    return [(entry.at, entry.kind, entry.text) for entry in timeline.shown(customer.state, default_definitions())]


def folded(*events: AccountEvent) -> TimelineState:
    state, totals = TimelineState(), Totals()
    for event in events:
        timeline.fold(state, event, totals)
    return state


def test_the_steps_of_an_account_are_told_with_their_minute() -> None:
    customer = Judged()
    customer.happens(
        account("lead", NOON + 1), account("contracted", NOON + 61_000), account("acknowledged", NOON, episode_id="e")
    )
    steps = [entry for entry in told(customer) if entry[1] in ("lead", "contracted", "acknowledged")]
    assert steps == [(NOON, "lead", "became a lead"), (NOON + MINUTE, "contracted", "signed the contract")]


def test_a_payment_is_told_when_it_came_late_or_failed_and_not_when_it_was_paid() -> None:
    customer = Judged()
    for day, status in enumerate(("paid", "late", "failed")):
        customer.happens(account("payment", NOON + day * DAY_MS, status=status, amount_cents=100))
    assert [kind for _, kind, _ in told(customer) if kind.startswith("payment")] == ["payment_late", "payment_failed"]


def test_a_change_of_revenue_is_told_from_what_to_what_and_the_first_one_is_none() -> None:
    customer = Judged()
    for day, cents in enumerate((10_000, 10_000, 25_000, 5_000)):
        customer.happens(account("known", NOON + day * DAY_MS, mrr_cents=cents, currency="EUR"))
    assert [(at, text) for at, kind, text in told(customer) if kind == "mrr_changed"] == [
        (NOON + 2 * DAY_MS, "monthly revenue rose from 100.00 to 250.00 EUR"),
        (NOON + 3 * DAY_MS, "monthly revenue fell from 250.00 to 50.00 EUR"),
    ]


def test_the_latest_answer_of_a_respondent_is_told_when_it_is_a_promoters_or_a_detractors() -> None:
    customer = Judged()
    for respondent, score in (("a", 10), ("b", 7), ("c", 2)):
        customer.happens(answer("nps", "0_10", score, respondent=respondent))
    assert [text for _, kind, text in told(customer) if kind in ("promoter", "detractor")] == [
        "c answered 2 of 10 to the NPS question (detractor)",
        "a answered 10 of 10 to the NPS question (promoter)",
    ]


def test_urgent_tickets_are_told_open_or_not_and_others_are_not() -> None:
    state = CustomerState("c")
    for name, priority in (("T1", "urgent"), ("T2", "low"), ("T3", "urgent")):
        event = ticket("opened", NOON, name, priority=priority, touchpoint="trial")  # type: ignore[arg-type]  # one of these
        tickets.fold(state.tickets, event, NOON, default_definitions(), Totals())
    tickets.fold(state.tickets, ticket("solved", NOON + 1, "T3"), NOON, default_definitions(), Totals())
    found = timeline.shown(state, default_definitions())
    assert [(entry.kind, entry.text) for entry in found] == [("urgent_ticket", "an urgent ticket was opened (trial)")] * 2


def test_an_override_is_told_with_its_author_and_reason() -> None:
    customer = Judged()
    customer.happens(account("override", NOON, author="eve", reason_text="merger", override_score=20.0, expires_at=NOON + DAY_MS))
    assert (NOON, "override", "eve set the health score to 20: merger") in told(customer)


def test_quadrants_alerts_and_bands_are_told_when_they_change() -> None:
    customer = Judged()
    for number in range(5):
        customer.happens(ticket("opened", NOON, f"T{number}"))
    customer.happens(answer("csat", "good_bad", 0), answer("csat", "good_bad", 0), answer("nps", "0_10", 3, respondent="r"))
    for number in range(5):
        customer.happens(ticket("solved", NOON + DAY_MS, f"T{number}"))
    texts = [text for _, _, text in told(customer)]
    assert "loyalty went from unknown to churner" in texts
    assert texts.index("alert opened: backlog") < texts.index("alert resolved: backlog")
    assert "alert opened: became_churner" in texts
    customer.happens(
        account("override", NOON + DAY_MS, author="eve", reason_text="so", override_score=9.0, expires_at=NOON + 2 * DAY_MS)
    )
    assert "health went from unknown to red" in [text for _, _, text in told(customer)]


def test_what_happened_is_told_before_what_was_made_of_it_in_the_same_minute() -> None:
    customer = Judged()
    customer.happens(answer("csat", "good_bad", 0), answer("csat", "good_bad", 0), answer("nps", "0_10", 3, NOON, respondent="r"))
    kinds = [kind for at, kind, _ in told(customer) if at == NOON]
    assert kinds.index("detractor") < kinds.index("quadrant") < kinds.index("alert_opened")


def test_the_newest_entries_are_kept_whatever_order_they_come_in_and_the_rest_is_counted() -> None:
    steps = [account("renewed", NOON + number * DAY_MS) for number in range(MAX_STEPS + 3)]
    state = folded(*steps)
    assert state.entries == folded(*reversed(steps)).entries == folded(*steps[3:]).entries
    assert state.cut == 3


def test_reaching_the_bound_is_counted_once_and_flagged_for_good() -> None:
    state, totals = CustomerState("c"), Totals()
    for number in range(MAX_STEPS + 3):
        timeline.fold(state.timeline, account("renewed", NOON + number * DAY_MS), totals)
    assert [counts for (figure, oddity, _), counts in totals.items() if oddity == "cut_timeline"] == [[1]]
    assert "cut_timeline" in flags(state)


def test_why_a_customer_left_is_told_with_its_words() -> None:
    customer = Judged()
    customer.happens(account("contracted", NOON), account("cancelled", NOON + DAY_MS, reason="no_need", reason_text="we merged"))
    assert (NOON + DAY_MS, "cancelled", "cancelled: no need, we merged") in told(customer)
    wordless = Judged()
    wordless.happens(account("contracted", NOON), account("cancelled", NOON + DAY_MS))
    assert (NOON + DAY_MS, "cancelled", "cancelled") in told(wordless)


def test_a_change_of_currency_is_told_as_neither_rise_nor_fall() -> None:
    customer = Judged()
    customer.happens(account("contracted", NOON, mrr_cents=1_000_000, currency="EUR"))
    customer.happens(account("plan_changed", NOON + DAY_MS, mrr_cents=160_000_000, currency="JPY"))
    assert [text for _, kind, text in told(customer) if kind == "mrr_changed"] == [
        "monthly revenue went from 10,000.00 EUR to 1,600,000.00 JPY"
    ]


def test_the_steps_of_the_account_are_not_pushed_out_by_alerts_that_come_and_go() -> None:
    customer = Judged()
    customer.happens(account("contracted", NOON), account("onboarded", NOON + DAY_MS))
    for episode in range(10):
        at = NOON + (2 + episode) * DAY_MS
        names = [f"T{episode}-{number}" for number in range(5)]
        customer.happens(*(ticket("opened", at, name) for name in names))
        customer.happens(*(ticket("solved", at + DAY_MS // 2, name) for name in names))
    found = told(customer)
    assert [entry for entry in found if entry[1] in ("contracted", "onboarded")] == [
        (NOON, "contracted", "signed the contract"),
        (NOON + DAY_MS, "onboarded", "finished onboarding"),
    ]
    assert len([entry for entry in customer.state.timeline.entries if entry[0] & 7]) == MAX_OTHERS


def test_payments_push_no_step_of_the_account_out() -> None:
    late = [account("payment", NOON + day * DAY_MS, status="late", amount_cents=1) for day in range(1, MAX_OTHERS + 4)]
    state = folded(account("contracted", NOON), *late)
    assert len(state.entries) == 1 + MAX_OTHERS
    assert state.entries == folded(*reversed(late), account("contracted", NOON)).entries


def test_entries_of_one_minute_are_told_in_one_order() -> None:
    steps = [account("lead", NOON), account("contracted", NOON + 1), account("cancelled", NOON + 2)]
    assert len({tuple(folded(*order).entries) for order in permutations(steps)}) == 1


def test_a_snapshot_shows_the_newest_entries_only() -> None:
    state = CustomerState("c")
    for number in range(50):
        event = answer("nps", "0_10", 10, NOON + number * DAY_MS, respondent=f"r{number}")
        nps.fold(state.nps, event, NOON, NAMES, Totals())
    found = timeline.shown(state, default_definitions())
    assert len(found) == MAX_SHOWN
    assert found[-1].at == NOON + 49 * DAY_MS


def test_a_rule_that_is_no_longer_there_is_told_as_such() -> None:
    customer = Judged()
    for number in range(5):
        customer.happens(ticket("opened", NOON, f"T{number}"))
    customer.state.alerts.rules.clear()
    found = timeline.shown(customer.state, parse(default_text().replace('name = "backlog"\nkind', 'name = "tickets"\nkind')))
    assert "alert opened: a rule that is no longer there" in [entry.text for entry in found]


def test_a_full_timeline_takes_75_bytes_and_an_empty_one_4() -> None:
    assert len(encode_any(TimelineState())) == 4
    steps = [account("renewed", NOON + number * 20 * DAY_MS) for number in range(MAX_STEPS)]
    payments = [account("payment", NOON + number * 21 * DAY_MS, status="late") for number in range(MAX_OTHERS)]
    state = folded(*steps, *payments)
    assert len(state.entries) == MAX_STEPS + MAX_OTHERS
    assert len(encode_any(state)) <= 75


@given(st.lists(st.tuples(st.integers(0, 2**40), st.sampled_from(STEPS)), max_size=MAX_STEPS))
def test_what_was_packed_is_read_as_it_was(steps: list[tuple[int, AccountKind]]) -> None:
    places = {"lead": 0, "contracted": 2, "lapsed": 9}
    found = folded(*(account(kind, at) for at, kind in steps))
    assert found.entries == sorted({(at // MINUTE << 3, places[kind]) for at, kind in steps})


def test_an_account_without_events_has_no_timeline() -> None:
    state = CustomerState("c")
    accounts.fold(state.account, account("contact", NOON, respondent_id="r"), NOON, NAMES, Totals())
    assert timeline.shown(state, default_definitions()) == []


def test_every_quadrant_fits_into_its_place() -> None:
    assert len(QUADRANTS) <= 8
