"""Episodes of random histories against the oracle: when one opens, when it is retracted, and who acted before the complaint."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from processors import customer as domain
from processors.effects import Around, Context
from processors.sketch import bin_of
from schemas.events import CustomerEvent
from schemas.records import ChurnAlert
from streams.catalogue import default_text
from tests.support.examples import examples
from tests.support.happenings import NOON, account, answer, ticket, usage
from tests.support.judging import Judged
from tests.support.oracle import acceptance
from tests.support.oracle.account import account as account_of
from tests.support.oracle.episodes import Episode, episodes
from tests.support.oracle.events import DAY_MS, HOUR_MS, names_of
from tests.support.oracle.figures import figures
from tests.support.oracle.rules import goals_fell, new_detractor
from tests.support.oracle.undone import KNOWN_PAST, RETRACTED_WITHIN_MS, is_undone, not_started

NAMES = names_of(default_text())
GONE = {"cancelled", "lapsed"}
PROSPECTS = {"lead", "trial"}

HAPPENINGS: dict[str, Callable[[int, int], CustomerEvent]] = {
    "feature": lambda _, at: usage("feature_used", at, feature="search"),
    "goals": lambda number, at: usage("goal_completed", at, goal="report_created", quantity=3 * number),
    "good": lambda _, at: answer("csat", "good_bad", 1, at, touchpoint="support"),
    "bad": lambda _, at: answer("csat", "good_bad", 0, at, touchpoint="support"),
    "better": lambda number, at: answer("nps", "0_10", 10, at, respondent=f"r{number % 2}"),
    "worse": lambda number, at: answer("nps", "0_10", number % 7, at, respondent=f"r{number % 2}"),
    "opened": lambda number, at: ticket("opened", at, f"T{number}", priority="urgent"),
    "solved": lambda number, at: ticket("solved", at, f"T{number}"),
    "contracted": lambda number, at: account("contracted", at, owner=f"o{number % 2}"),
    "lapsed": lambda _, at: account("lapsed", at),
    "renewed": lambda _, at: account("renewed", at),
    "cancelled": lambda _, at: account("cancelled", at),
    "reactivated": lambda _, at: account("reactivated", at),
    "owner": lambda number, at: account("owner_changed", at, owner=f"o{number % 2}"),
}
SOLD = ("contracted", "lapsed", "renewed", "cancelled", "reactivated", "known", "lead", "goals", "better", "opened", "owner")
GAPS = st.sampled_from([0, 1000, HOUR_MS, 20 * HOUR_MS, 3 * DAY_MS, 9 * DAY_MS])
DELAYS = st.sampled_from([0, 0, 0, HOUR_MS, 47 * HOUR_MS, 9 * DAY_MS, 20 * DAY_MS])
Step = tuple[str, int, int, int]


def steps(kinds: list[str], most: int) -> st.SearchStrategy[list[Step]]:
    return st.lists(st.tuples(st.sampled_from(kinds), st.integers(0, 5), GAPS, DELAYS), min_size=4, max_size=most)


class Lived(Judged):
    """A customer that is told with which event each of its alerts came."""

    def __init__(self) -> None:
        super().__init__()
        self.context = Context(self.context.definitions, 1, "test", around=Around(hears_usage=True))
        self.accepted: list[acceptance.Judged] = []
        self.now = NOON

    @property
    def events(self) -> list[acceptance.Event]:
        return [one.record["value"] for one in self.accepted]

    def meets(self, event: CustomerEvent) -> list[ChurnAlert]:
        """Let an event happen now, once all that was due is done; returns the alerts that came with it."""
        before = len(self.alerts)
        verdict = domain.fold(self.state, event, self.now, self.context)
        assert verdict in ("accepted", "unverifiable")
        value: dict[str, Any] = msgspec.to_builtins(event)
        self.accepted.append(acceptance.Judged({"value": value}, "accepted", self.now))
        return self.alerts[before:]

    def waits(self, gap: int) -> list[ChurnAlert]:
        """Let time pass; returns the alerts that came with it."""
        before = len(self.alerts)
        self.now += gap
        self.passes(self.now)
        return self.alerts[before:]

    def open_episodes(self) -> dict[str, int]:
        """The rules with an open episode, and when it opened."""
        books = self.state.alerts.rules.items()
        return {rule: book.open.opened_at for rule, book in books if book.open is not None}

    def stage(self) -> str:
        return str(account_of(self.events)["stage"])


def happening(kind: str, number: int, at: int) -> CustomerEvent:
    if kind == "known":
        return account("known", at, mrr_cents=[None, 100][number % 2])
    return account("lead", at) if kind == "lead" else HAPPENINGS[kind](number, at)


@settings(max_examples=examples(50), deadline=None)
@given(steps([*SOLD, "feature"], 14), st.integers(0, 60))
def test_not_started_opens_when_so_long_after_the_contract_the_product_was_never_used(lived: list[Step], days: int) -> None:
    customer = Lived()
    for kind, number, gap, delay in lived:
        customer.waits(gap)
        customer.meets(happening(kind, number, customer.now - delay))
        _check_not_started(customer)
    for _ in range(3):
        customer.waits(days * DAY_MS // 3)
        _check_not_started(customer)


def _check_not_started(customer: Lived) -> None:
    is_open = "not_started" in customer.open_episodes()
    if customer.stage() in GONE | PROSPECTS:
        assert not is_open
    else:
        should = not_started(customer.events, customer.now, NAMES)
        assert is_open or not should
        opened = [alert for alert in customer.alerts_of("not_started") if alert.state == "opened"]
        if is_open and opened[-1].as_of == customer.now:
            assert should


@settings(max_examples=examples(50), deadline=None)
@given(steps([*HAPPENINGS, *["opened"] * 4, *["solved"] * 3], 30))
def test_an_episode_is_retracted_when_and_only_when_a_late_event_shows_that_it_would_not_have_opened(lived: list[Step]) -> None:
    customer = Lived()
    customer.meets(account("onboarded", NOON - 50 * DAY_MS, mrr_cents=100, owner="o0"))
    for kind, number, gap, delay in lived:
        assert not [alert for alert in customer.waits(gap) if alert.state == "retracted"], "time retracts nothing"
        open_before = customer.open_episodes()
        event = happening(kind, number, customer.now - delay)
        ended = {alert.rule: alert.state for alert in customer.meets(event) if alert.state in ("resolved", "retracted")}
        for rule, opened_at in open_before.items():
            right = _is_retracted(customer, rule, opened_at, event, is_ended=rule in ended)
            assert (ended.get(rule) == "retracted") == right, (rule, opened_at, ended.get(rule))


def _is_retracted(customer: Lived, rule: str, opened_at: int, event: CustomerEvent, *, is_ended: bool) -> bool:
    if event.occurred_at >= opened_at or customer.now - opened_at > RETRACTED_WITHIN_MS:
        return False
    now = account_of(customer.events)
    if now["stage"] in GONE | PROSPECTS:
        return bool((now["stage_since"] or 0) < opened_at)
    if rule not in KNOWN_PAST:
        return is_ended
    would_open = rule in customer.open_episodes() and _enters(customer, rule)
    return not would_open and is_undone(rule, customer.events, opened_at, customer.now, NAMES)


def _enters(customer: Lived, rule: str) -> bool:
    """Whether a new episode would open now."""
    events, now_ms = customer.events, customer.now
    if rule == "backlog":
        found = figures(events, now_ms, NAMES)
        return (found["open_tickets", "", None].value or 0) >= 5 or (found["open_urgent_tickets", "", None].value or 0) >= 3
    if rule == "new_detractor":
        return new_detractor(events, now_ms).enters
    if rule == "goals_fell":
        return goals_fell(events, now_ms).enters
    if rule == "not_started":
        return not_started(events, now_ms, NAMES)
    return (figures(events, now_ms, NAMES)["days_since_last_sign", "", None].value or 0) >= 14


APART = GAPS.filter(lambda gap: gap > 0)  # so that it is plain what was there when somebody acted
ACTS = st.lists(
    st.tuples(st.sampled_from([*sorted(HAPPENINGS), *["acted"] * 6]), st.integers(0, 5), APART, DELAYS), min_size=8, max_size=40
)


@settings(max_examples=examples(50), deadline=None)
@given(ACTS)
def test_who_acted_and_who_complained_first_is_counted_as_the_batch_answer_says(lived: list[Step]) -> None:
    customer = Lived()
    customer.meets(account("onboarded", NOON - 50 * DAY_MS, mrr_cents=100, owner="o0"))
    for kind, number, gap, delay in lived:
        customer.waits(gap)
        at = customer.now - min(delay, 47 * HOUR_MS)
        if kind != "acted":
            customer.meets(happening(kind, number, at))
        elif customer.alerts:
            episode_id = customer.alerts[-1 - number % len(customer.alerts)].episode_id
            customer.meets(account("acted", at, episode_id=episode_id, author="eve"))
    if customer.state.alerts.forgotten_followups:
        return  # more episodes than are kept for late words
    alerts = [msgspec.structs.asdict(alert) for alert in customer.alerts]
    found = episodes(alerts, {"c": customer.accepted})
    counted = Counter[str](), Counter[str]()
    right = _right(found)
    for (figure, dimension, _), counts in customer.context.effects.totals.items():
        if figure == "episodes_by_day":
            for place, count in zip(("opened", "acted", "proactive", "complained"), counts, strict=True):
                counted[0][f"{dimension} {place}"] += count
        elif figure == "actions_by_day":
            counted[1][dimension] += counts[0]
    assert tuple({name: n for name, n in one.items() if n} for one in counted) == right


def _right(found: list[Episode]) -> tuple[dict[str, int], dict[str, int]]:
    """What is counted of these episodes, by rule and by owner and bin of the time to act."""
    by_rule, actions = Counter[str](), Counter[str]()
    for episode in (one for one in found if not one.retracted):
        by_rule[f"{episode.rule} opened"] += 1
        by_rule[f"{episode.rule} acted"] += episode.acted_at is not None
        by_rule[f"{episode.rule} proactive"] += episode.proactive
        by_rule[f"{episode.rule} complained"] += episode.complained_first
        if episode.acted_at is not None:
            actions[f"{episode.acted_for or ''}/{bin_of(max(0, episode.acted_at - episode.opened_at))}"] += 1
    return +by_rule, +actions
