import json
import subprocess
import sys
from collections import Counter, defaultdict
from functools import cache
from itertools import islice, pairwise
from pathlib import Path
from statistics import median

import pytest

from benchmarks.leaks import measure
from benchmarks.separation import singles, together
from processors.definitions import parse
from schemas.checks import check
from schemas.events import AccountEvent, CustomerEvent, SurveyEvent, Tick, TicketEvent, UsageEvent
from schemas.jsonlines import Line, format_line, parse_line
from streams.sources.simulation.profiles import Span
from streams.sources.simulator import TIDY, Disorder, Simulation, format_truth, simulate, truths, truths_of, with_customers

ROOT = Path(__file__).parents[2]
DAY_MS = 86_400_000
END_MS = 1_767_225_600_000  # 2026-01-01T00:00:00Z
YEAR = Simulation(customers=250, days=365, seed=11, end_ms=END_MS)
TIDY_YEAR = Simulation(customers=250, days=365, seed=11, end_ms=END_MS, disorder=TIDY)


@cache
def lines(simulation: Simulation = YEAR) -> tuple[Line, ...]:
    return tuple(simulate(simulation))


def event(line: Line) -> CustomerEvent:
    assert isinstance(line.value, TicketEvent | UsageEvent | SurveyEvent | AccountEvent)
    return line.value


def text(line: Line) -> str:
    return format_line(line.topic, event(line), timestamp_ms=line.timestamp_ms, key=line.key)


def test_the_same_seed_gives_the_same_lines_and_another_seed_others() -> None:
    small = Simulation(customers=20, days=60, seed=3, end_ms=END_MS)
    other = Simulation(customers=20, days=60, seed=4, end_ms=END_MS)
    first = [text(line) for line in simulate(small)]
    assert first == [text(line) for line in simulate(small)]
    assert first != [text(line) for line in simulate(other)]


def test_a_seed_gives_the_same_lines_in_every_process() -> None:
    program = (
        "from hashlib import sha256; from streams.sources.simulator import *\n"
        f"lines = simulate(Simulation(customers=5, days=60, seed=1, end_ms={END_MS}))\n"
        "print(sha256(repr(list(lines)).encode()).hexdigest())"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", program], env={"PYTHONHASHSEED": seed}, cwd=ROOT, check=True, capture_output=True, text=True
        ).stdout
        for seed in ("1", "2")
    }
    assert len(digests) == 1


def test_a_customer_is_the_same_however_many_others_there_are() -> None:
    few = Simulation(customers=12, days=90, seed=5, end_ms=END_MS)
    many = Simulation(customers=60, days=90, seed=5, end_ms=END_MS)
    known = {f"customer-{number:06}" for number in range(1, 13)}
    assert [text(line) for line in simulate(few)] == [text(line) for line in simulate(many) if event(line).customer_id in known]
    assert list(truths(few)) == list(islice(truths(many), 12))


def test_lines_come_in_order_of_time_and_within_the_span() -> None:
    times = [line.timestamp_ms for line in lines()]
    assert times == sorted(times)
    assert all(YEAR.span.start_ms <= event(line).occurred_at <= line.timestamp_ms < END_MS for line in lines())


def test_every_line_is_what_the_contract_allows_and_reads_back_from_its_text() -> None:
    for line in lines():
        assert check(event(line)) is None
        assert line.key == event(line).customer_id.encode()
    for line in lines()[::37]:
        assert parse_line(text(line)) == line


def test_a_customer_has_about_one_event_a_day() -> None:
    rate = len(lines()) / (YEAR.customers * YEAR.days)
    assert 0.75 < rate < 1.25


def test_all_families_and_the_kinds_of_a_customers_life_occur() -> None:
    kinds = Counter((line.topic, event(line).kind) for line in lines())
    assert {kind for topic, kind in kinds if topic == "cs.tickets"} == {"opened", "replied", "solved", "reopened", "closed"}
    assert {kind for topic, kind in kinds if topic == "cs.surveys"} == {"sent", "answered", "expired"}
    assert {kind for topic, kind in kinds if topic == "cs.usage"} == {
        "feature_used", "goal_completed", "goal_failed", "session", "interaction_ended",
    }  # fmt: skip
    assert {kind for topic, kind in kinds if topic == "cs.accounts"} >= {
        "known", "lead", "trial_started", "contracted", "handed_over", "onboarded", "plan_changed", "cross_sold", "payment",
        "renewal_due", "renewed", "cancelled", "lapsed", "reactivated", "referred", "owner_changed", "contact", "override",
        "muted",
    }  # fmt: skip


def test_names_are_those_of_the_default_definitions() -> None:
    definitions = parse((ROOT / "processors" / "default.toml").read_text(encoding="utf-8"))
    events = [event(line) for line in lines()]
    assert {one.touchpoint for one in events if not isinstance(one, AccountEvent)} - {None} == set(definitions.touchpoints)
    goals = {one.goal for one in events if isinstance(one, UsageEvent)} - {None}
    assert goals == set(definitions.goals)
    assert len({one.feature for one in events if isinstance(one, UsageEvent)} - {None}) == 12


def test_weekends_are_quieter_than_working_days() -> None:
    days = Counter((event(line).occurred_at // DAY_MS + 3) % 7 for line in lines() if event(line).kind == "session")
    assert max(days[5], days[6]) * 3 < min(days[day] for day in range(5))


def test_nps_is_asked_every_180_days_and_3_days_after_the_onboarding() -> None:
    asked: dict[tuple[str, str | None], list[int]] = defaultdict(list)
    onboarded: dict[str, int] = {}
    for line in lines(TIDY_YEAR):
        one = event(line)
        if isinstance(one, SurveyEvent) and one.survey == "nps" and one.kind == "sent":
            asked[one.customer_id, one.respondent_id].append(one.occurred_at)
        elif one.kind == "onboarded":
            onboarded[one.customer_id] = one.occurred_at
    distances = {later - earlier for times in asked.values() for earlier, later in pairwise(times)}
    assert distances <= {180 * DAY_MS, 360 * DAY_MS}
    assert 180 * DAY_MS in distances
    first_after = [times[0] - onboarded[customer] for (customer, _), times in asked.items() if customer in onboarded]
    assert first_after
    assert set(first_after) == {3 * DAY_MS}


def test_answers_follow_questions_that_were_sent() -> None:
    sent: dict[str | None, SurveyEvent] = {}
    for line in lines(TIDY_YEAR):
        one = event(line)
        if isinstance(one, SurveyEvent):
            if one.kind == "sent":
                sent[one.request_id] = one
            else:
                assert sent.pop(one.request_id).occurred_at < one.occurred_at


def test_tickets_are_opened_before_anything_else_happens_to_them() -> None:
    first: dict[str, str] = {}
    for line in lines(TIDY_YEAR):
        one = event(line)
        if isinstance(one, TicketEvent):
            first.setdefault(one.ticket_id, one.kind)
    assert set(first.values()) == {"opened"}


def test_characters_have_their_shares_and_a_third_of_the_churners_give_no_sign() -> None:
    known = list(truths(Simulation(customers=4000, days=365, seed=2, end_ms=END_MS)))
    shares = {name: count / len(known) for name, count in Counter(truth.character for truth in known).items()}
    expected = {"healthy": 0.50, "stalled": 0.04, "growing": 0.16, "declining": 0.11, "silent": 0.09, "angry": 0.10}
    assert shares == pytest.approx(expected, abs=0.02)
    churners = [truth for truth in known if truth.churned_at is not None]
    assert 0.12 < len(churners) / len(known) < 0.16
    assert sum(not truth.signs for truth in churners) / len(churners) == pytest.approx(1 / 3, abs=0.06)
    assert all(truth.signs_from is not None and truth.signs_from < (truth.churned_at or 0) for truth in churners if truth.signs)


def test_who_starts_late_uses_nothing_until_then_and_who_of_them_leaves_never_does() -> None:
    many = Simulation(customers=1200, days=365, seed=11, end_ms=END_MS)
    stalled = {one.customer_id: one for one in truths(many) if one.character == "stalled" and one.contracted}
    bought: dict[str, int] = {}
    first: dict[str, int] = {}
    for one in map(event, with_customers(stalled, many.span, seed=11)):
        if one.kind in {"known", "contracted"}:
            bought[one.customer_id] = one.occurred_at
        elif one.kind in {"session", "feature_used", "goal_completed", "goal_failed"}:
            first.setdefault(one.customer_id, one.occurred_at)
    left = {name for name, truth in stalled.items() if truth.churned_at is not None}
    assert left
    assert not [name for name in left & set(first) if first[name] < (stalled[name].churned_at or 0)]
    waited = [(first[name] - bought[name]) / DAY_MS for name in set(first) - left]
    assert min(waited) > 0
    assert 15 < median(waited) < 80
    assert 0.05 < 1 - len(waited) / len(set(stalled) - left) < 0.55


def test_of_a_shorter_span_proportionally_fewer_leave() -> None:
    def churn(days: int) -> float:
        known = list(truths(Simulation(customers=4000, days=days, seed=2, end_ms=END_MS)))
        return sum(truth.churned_at is not None for truth in known) / len(known)

    # Nobody leaves in the first weeks, so that a part of a year has a little less than its part of the departures.
    assert 0.2 < churn(120) / churn(365) < 0.4
    assert 1.6 < churn(730) / churn(365) < 2.3


def test_the_truth_agrees_with_the_account_events() -> None:
    ends = {
        event(line).customer_id: (event(line).occurred_at, event(line).kind)
        for line in lines()
        if event(line).kind in {"cancelled", "lapsed"}
    }
    expected = {one.customer_id: (one.churned_at, one.ending) for one in truths(YEAR) if one.churned_at is not None}
    assert ends == expected


def test_who_has_left_does_nothing_until_it_comes_back() -> None:
    gone = {one.customer_id: one for one in truths(TIDY_YEAR) if one.churned_at is not None}
    for line in lines(TIDY_YEAR):
        one = event(line)
        truth = gone.get(one.customer_id)
        if truth is None or truth.churned_at is None or one.occurred_at <= truth.churned_at:
            continue
        if truth.reactivated_at is None or one.occurred_at < truth.reactivated_at:
            assert one.kind in {"solved", "closed", "erased"}


def test_who_is_erased_is_not_heard_of_again() -> None:
    many = Simulation(customers=300, days=365, seed=11, end_ms=END_MS, disorder=TIDY)
    erased: dict[str, int] = {}
    for line in simulate(many):
        one = event(line)
        assert one.customer_id not in erased
        if one.kind == "erased":
            erased[one.customer_id] = one.occurred_at
    assert erased


def test_nobody_is_asked_who_has_not_agreed_to_be_asked() -> None:
    consent: dict[tuple[str, str | None], bool | None] = {}
    refused = 0
    for line in lines(TIDY_YEAR):
        one = event(line)
        if one.kind == "contact" and isinstance(one, AccountEvent):
            consent[one.customer_id, one.respondent_id] = one.consent
            refused += not one.consent
        elif one.kind == "sent" and isinstance(one, SurveyEvent):
            assert consent[one.customer_id, one.respondent_id]
    assert refused > 10


def test_all_kinds_of_surveys_are_answered_and_some_answers_have_comments_of_different_lengths() -> None:
    answers = [one for one in map(event, lines()) if isinstance(one, SurveyEvent) and one.kind == "answered"]
    assert {one.survey for one in answers} == {"csat", "nps", "ces", "product"}
    lengths = {len(one.comment) for one in answers if one.comment is not None}
    assert min(lengths) < 10
    assert max(lengths) > 100
    assert 0.2 < sum(one.comment is not None for one in answers) / len(answers) < 0.5


def test_newcomers_are_asked_about_the_stations_before_the_sale_and_those_who_are_there_about_those_after() -> None:
    contracted = {
        event(line).customer_id: event(line).occurred_at for line in lines(TIDY_YEAR) if event(line).kind == "contracted"
    }
    talks = [one for one in map(event, lines(TIDY_YEAR)) if isinstance(one, UsageEvent) and one.kind == "interaction_ended"]
    before = {one.touchpoint for one in talks if one.occurred_at < contracted.get(one.customer_id, 0)}
    assert before == {"marketing", "sales", "trial"}
    asked = {one.touchpoint for one in map(event, lines(TIDY_YEAR)) if isinstance(one, SurveyEvent) and one.survey == "csat"}
    assert asked == {"marketing", "trial", "sales", "onboarding", "product", "support", "renewal"}


def test_agents_answer_in_working_hours_unless_it_is_urgent() -> None:
    replies = [one for one in map(event, lines(TIDY_YEAR)) if isinstance(one, TicketEvent) and one.kind == "replied"]
    weekend = [one for one in replies if (one.occurred_at // DAY_MS + 3) % 7 >= 5]
    assert len(weekend) < 0.25 * len(replies)
    assert len({one.agent_id for one in replies}) == 13
    urgent = sum(one.priority == "urgent" for one in weekend) / len(weekend)
    assert urgent > 2 * sum(one.priority == "urgent" for one in replies) / len(replies)


def test_most_payments_are_paid_and_one_that_failed_is_tried_again() -> None:
    payments = [one for one in map(event, lines(TIDY_YEAR)) if isinstance(one, AccountEvent) and one.kind == "payment"]
    states = Counter(one.status for one in payments)
    assert 0.9 < states["paid"] / len(payments) < 0.99
    assert states["late"] > states["failed"] > 0


def test_neither_a_single_figure_nor_all_together_tell_who_leaves() -> None:
    """Figures of the days before, three days ahead: churners against those who stay, at the same times."""
    found = measure(Simulation(customers=450, days=365, seed=3, end_ms=END_MS, disorder=TIDY))
    assert found.churners > 40
    assert len(found.singles) > 30
    assert max(found.singles.values()) <= 0.8
    assert found.together is not None
    assert 0.6 < found.together <= 0.9


def test_figures_that_tell_two_kinds_apart_are_known_for_it() -> None:
    """What measures the simulator is itself held to cases that are known."""
    left = [{"tells": float(number), "same": 1.0, "either": float(number % 2)} for number in range(20)]
    stayed = [{"tells": float(number + 15), "same": 1.0, "either": float(number % 2)} for number in range(20)]
    wins = sum(one > other for one in range(15, 35) for other in range(20)) + 5 / 2
    assert singles(left, stayed) == {"tells": pytest.approx(wins / 400), "either": 0.5}
    assert (together(left, stayed) or 0) > 0.9


def test_disorder_is_small_and_present() -> None:
    ids = Counter((line.topic, event(line).event_id) for line in lines())
    duplicates = sum(count - 1 for count in ids.values())
    late = sum(line.timestamp_ms - event(line).occurred_at > 2 * DAY_MS for line in lines())
    overtaken = sum(event(one).occurred_at > event(two).occurred_at for one, two in pairwise(lines()))
    assert duplicates / len(lines()) == pytest.approx(Disorder().duplicate_share, rel=0.5)
    assert late / len(lines()) == pytest.approx(Disorder().late_share, rel=0.7)
    assert overtaken / len(lines()) > 0.01
    assert all(line.timestamp_ms - event(line).occurred_at <= 2 * DAY_MS for line in lines() if line.topic == "cs.accounts")


def test_a_tidy_simulation_has_every_event_once_at_its_own_time() -> None:
    tidy = lines(TIDY_YEAR)
    assert len({event(line).event_id for line in tidy}) == len(tidy)
    assert all(line.timestamp_ms == event(line).occurred_at for line in tidy)


def test_disorder_changes_when_records_arrive_but_not_what_happened() -> None:
    happened = {event(line).event_id: event(line) for line in lines() if event(line).occurred_at < END_MS - 7 * DAY_MS}
    tidy = {event(line).event_id: event(line) for line in lines(TIDY_YEAR) if event(line).occurred_at < END_MS - 7 * DAY_MS}
    assert happened == tidy


def test_given_customers_get_everything_but_tickets() -> None:
    span = Span(END_MS - 90 * DAY_MS, END_MS)
    ids = ["Caller 7", "Caller 8", "Caller 9", "Caller 10", "Zoë"]
    seen = [event(line) for line in with_customers(ids, span, seed=6)]
    assert {one.customer_id for one in seen} == set(ids)
    assert {type(one) for one in seen} == {UsageEvent, SurveyEvent, AccountEvent}
    assert all(getattr(one, "ticket_id", None) is None for one in seen)
    assert [truth.customer_id for truth in truths_of(ids, span, seed=6)] == ids


def test_lines_are_made_as_they_are_asked_for() -> None:
    huge = Simulation(customers=50, days=20_000, seed=1, end_ms=END_MS)  # some 900,000 lines, if they were all made
    assert len(list(islice(simulate(huge), 100))) == 100


def test_no_simulated_line_is_a_tick() -> None:
    assert not any(isinstance(line.value, Tick) for line in lines())


def test_the_truth_is_written_with_times_as_text() -> None:
    churner = next(one for one in truths(YEAR) if one.churned_at is not None)
    written = json.loads(format_truth(churner))
    assert written["customer_id"] == churner.customer_id
    assert written["churned_at"].endswith("Z")
    assert written["reactivated_at"] is None or written["reactivated_at"].endswith("Z")
