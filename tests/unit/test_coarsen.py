"""Hostile customers stay small, what they lose is flagged, and everybody else keeps every detail."""

from collections.abc import Iterator

import pytest
from msgspec import structs

from processors import coarsen, csat, customer, nps, tickets, upkeep, usage
from processors.coarsen import LIMIT_BYTES, TARGET_BYTES
from processors.definitions import Goal, Touchpoint, parse
from processors.effects import Context
from processors.state import CustomerState, encode
from processors.totals import Totals
from processors.windows import D7, D30, D90, DAY_MS, HOUR_MS, Buckets
from schemas.checks import MAX_NAME_CHARS
from schemas.events import CustomerEvent, PromisedGoal, SurveyEvent, TicketKind
from schemas.records import CustomerSnapshot
from streams.catalogue import default_text
from streams.state_bytes import MAX_STATE_BYTES, StateTooLarge, pack
from tests.support.happenings import NOON, KnownNames, account, answer, ticket
from tests.support.happenings import usage as use

NAMES = 64
MANY = 10**8
"""Completed so often at once, a goal takes five bytes an hour."""
START = NOON - 30 * DAY_MS


def wide(number: int) -> str:
    """As long a name as is allowed, of characters that take four bytes."""
    return f"{number:05}".ljust(MAX_NAME_CHARS, "\U0001f3ed")


CROWDED = structs.replace(
    parse(default_text()),
    goals={f"g{number}": Goal(f"g{number}", "count", "") for number in range(NAMES)},
    touchpoints={f"t{number}": Touchpoint(f"t{number}", number, "before", "") for number in range(NAMES)},
)
"""The default definitions with as many goals and touchpoints as may be configured."""


def folded(events: Iterator[CustomerEvent]) -> tuple[CustomerState, Context]:
    """Fold events as they come; the state is held against its bounds all along."""
    context = Context(CROWDED, 1, "test")
    state = CustomerState("c", config_version=1)
    for number, event in enumerate(events):
        customer.settle(state, event.occurred_at, context)
        customer.fold(state, event, event.occurred_at, context)
        if number % 50 == 0:
            assert len(pack(state)) < MAX_STATE_BYTES
    assert len(encode(state)) <= LIMIT_BYTES + LIMIT_BYTES // 4
    return state, context


def goals_every_hour(days: int) -> Iterator[CustomerEvent]:
    for hour in range(days * 24):
        for number in range(NAMES):
            at = START + hour * HOUR_MS + number
            yield use("goal_failed" if hour % 2 else "goal_completed", at, goal=f"g{number}", quantity=MANY)


def answers_everywhere(days: int) -> Iterator[SurveyEvent]:
    for hour in range(days * 24):
        for number in range(NAMES):
            yield answer("csat", "1_7", 1 + (hour + number) % 7, START + hour * HOUR_MS + number, touchpoint=f"t{number}")


def respondents_with_wide_names(count: int) -> Iterator[CustomerEvent]:
    for number in range(count):
        at = START + number * 60_000
        yield answer("nps", "0_10", number % 11, at, respondent=wide(number))
        yield account("contact", at, respondent_id=wide(number), locale=wide(number), event_id=wide(number))
        yield account("referred", at, referred_customer_id=wide(number))
        yield account("muted", at, rule=wide(number), muted_until=at + 400 * DAY_MS)


def wide_promises() -> Iterator[CustomerEvent]:
    for again in range(32):
        promises = tuple(PromisedGoal(goal=wide(number + again), expected_per_30_days=1.5) for number in range(NAMES))
        yield account("contracted", START + again * HOUR_MS, goals=promises, plan=wide(1), owner=wide(2), segment=wide(3))


def features_with_wide_names(count: int) -> Iterator[CustomerEvent]:
    for number in range(count):
        yield use("feature_used", START + number * 60_000, feature=wide(number))


def tickets_with_long_stories(count: int) -> Iterator[CustomerEvent]:
    for number in range(count):
        for step in range(33):
            at = START + number * 40_000_000 // count * 60 + step * 1_000
            yield ticket(
                "solved" if step % 2 else "reopened", at, wide(number), touchpoint=f"t{number % NAMES}", priority="urgent"
            )


def open_tickets(count: int) -> Iterator[CustomerEvent]:
    for number in range(count):
        yield ticket("opened", START + number * 1_000, wide(number), touchpoint=f"t{number % NAMES}", priority="urgent")


@pytest.fixture(scope="module")
def busy() -> tuple[CustomerState, Context]:
    """Every goal completed or failed in every hour of 8 days."""
    return folded(goals_every_hour(8))


def test_goals_completed_and_failed_every_hour_are_counted_by_the_day_and_lose_nothing_of_the_month(
    busy: tuple[CustomerState, Context],
) -> None:
    state, context = busy
    as_of = START + 8 * DAY_MS - 1
    tried = usage.goal_counts(state.usage, None, D30, as_of)
    assert tried == (8 * 12 * NAMES * MANY, 8 * 12 * NAMES)
    assert "whole_days" in upkeep.flags(state)
    assert any("whole_days" in record.flags for record in context.effects.outputs if isinstance(record, CustomerSnapshot))


def test_answers_at_every_touchpoint_and_hour_keep_their_whole() -> None:
    state, totals = CustomerState("c"), Totals()
    for event in answers_everywhere(30):
        csat.fold(state.csat, event, event.occurred_at, CROWDED, totals)
        if event.occurred_at % DAY_MS == 0:
            coarsen.coarsen(state, event.occurred_at, totals)
    as_of = START + 30 * DAY_MS - 1
    coarsen.coarsen(state, as_of, totals)
    assert len(encode(state)) <= LIMIT_BYTES
    assert csat.share(state.csat, None, D90, as_of).n == 30 * 24 * NAMES
    assert "whole_days" in upkeep.flags(state)


def test_touchpoints_with_the_longest_names_are_folded_and_keep_their_whole() -> None:
    names = KnownNames(touchpoints=frozenset(wide(number) for number in range(NAMES)))
    state, totals = CustomerState("c"), Totals()
    for number in range(NAMES):
        csat.fold(state.csat, answer("csat", "1_7", 7, NOON + number, touchpoint=wide(number)), NOON, names, totals)
    coarsen.coarsen(state, NOON, totals)
    assert len(encode(state)) <= TARGET_BYTES
    assert csat.share(state.csat, None, D90, NOON).n == NAMES
    assert upkeep.flags(state) == ["folded_touchpoint", "whole_days"]


def test_people_with_the_longest_names_are_kept_while_there_is_room() -> None:
    state, _ = folded(respondents_with_wide_names(130))
    assert 6 <= len(state.nps.latest) <= 50
    assert len(state.nps.latest) + state.nps.forgotten == 130
    assert wide(129) in state.nps.latest, "the newest stays"
    assert nps.counts(state.nps, "0_10", D90, NOON).n == 130
    assert state.account.referrals == 130
    assert {"forgotten_respondent", "forgotten_contact", "forgotten_mute"} <= set(upkeep.flags(state))


def test_promises_with_the_longest_names_are_bounded() -> None:
    state, _ = folded(wide_promises())
    assert state.account.owner == wide(2)


def test_ten_thousand_features_with_the_longest_names_are_bounded() -> None:
    state, _ = folded(features_with_wide_names(1_500))
    assert 4 <= len(state.usage.features) <= 64
    assert state.usage.folded_features >= 1_400
    assert wide(1_499) in state.usage.features, "what was used last keeps its name"


def test_open_tickets_with_long_stories_are_all_counted() -> None:
    state, _ = folded(tickets_with_long_stories(90))
    assert tickets.open_count(state.tickets) == 90
    assert all(found.touchpoint.startswith("t") for found in state.tickets.open.values())


def test_a_flood_of_open_tickets_is_counted_to_the_last_one() -> None:
    state, _ = folded(open_tickets(3_000))
    assert tickets.open_count(state.tickets) == 3_000
    assert len(state.tickets.open) <= tickets.MAX_OPEN
    assert tickets.oldest_opened_at(state.tickets) == START
    assert "unfollowed_ticket" in upkeep.flags(state)


def test_a_customer_who_does_it_all_stays_below_the_last_bound() -> None:
    def all_of_it() -> Iterator[CustomerEvent]:
        sources = [
            *(goals_every_hour(1), answers_everywhere(1), respondents_with_wide_names(110), wide_promises()),
            *(features_with_wide_names(300), tickets_with_long_stories(40), open_tickets(600)),
        ]
        yield from sorted((event for source in sources for event in source), key=lambda event: event.occurred_at)

    state, _ = folded(all_of_it())
    assert tickets.open_count(state.tickets) >= 600


def test_a_plain_customer_keeps_its_hours() -> None:
    state, _ = folded(iter([answer("csat", "1_5", 5, NOON + minute * 60_000, touchpoint="t1") for minute in range(100)]))
    before = encode(state)
    totals = Totals()
    coarsen.coarsen(state, NOON + 2 * HOUR_MS, totals)
    assert encode(state) == before
    assert not totals.flows
    assert "whole_days" not in upkeep.flags(state)


def test_without_hours_the_seven_days_are_whole_ones(busy: tuple[CustomerState, Context]) -> None:
    state, _ = busy
    assert all(buckets.hours is None for buckets in state.usage.goals.values())
    as_of = START + 8 * DAY_MS - 1
    first_day = (as_of // DAY_MS - 6) * DAY_MS
    hours_since = (START + 8 * DAY_MS - first_day) // HOUR_MS
    assert usage.goal_counts(state.usage, None, D7, as_of) == (hours_since // 2 * NAMES * MANY, hours_since // 2 * NAMES)


def test_hours_come_back_when_what_was_counted_without_them_is_past() -> None:
    state = CustomerState("c")
    state.usage.goals["g0"] = Buckets(2, NOON // DAY_MS, {0: 1}, None)
    assert "whole_days" in upkeep.flags(state)
    upkeep.prune(state, NOON + 91 * DAY_MS)
    assert "whole_days" not in upkeep.flags(state)


def test_coarsening_reaches_its_target_and_is_counted_once() -> None:
    state = CustomerState("c")
    for number in range(250):
        state.usage.features[wide(number)] = NOON // HOUR_MS - number << 12
    totals = Totals()
    coarsen.coarsen(state, NOON, totals)
    assert len(encode(state)) <= TARGET_BYTES
    assert totals.flows["oddities_by_day", "coarsened", NOON - DAY_MS // 2] == [1]
    assert totals.flows["oddities_by_day", "folded_feature", NOON - DAY_MS // 2] == [state.usage.folded_features]


def test_the_rarest_goals_go_first() -> None:
    state, totals = usage.UsageState(), Totals()
    for number in range(6):
        for _ in range(number + 1):
            usage.fold(state, use("goal_completed", NOON, goal=f"g{number}"), NOON, CROWDED, totals)
    usage.fold_goals(state, 2, NOON, totals)
    assert set(state.goals) == {"g4", "g5", "other"}
    assert usage.goal_counts(state, "other", D30, NOON).completed == 1 + 2 + 3 + 4
    assert state.folded_goals == 4


def test_a_story_that_would_read_differently_is_not_shortened() -> None:
    state, totals = tickets.TicketsState(), Totals()
    first: TicketKind = "reopened"
    replies: list[TicketKind] = ["replied"] * 6
    for step, kind in enumerate((first, *replies)):
        tickets.fold(state, ticket(kind, NOON + step), NOON, CROWDED, totals)
    tickets.shorten(state, 4, NOON, totals)
    assert tickets.open_count(state) == 1
    assert tickets.assumed_openings(state) == 1


def test_a_state_beyond_the_last_bound_is_refused_by_name() -> None:
    state = CustomerState("ann", counters={"x" * MAX_STATE_BYTES: 1})
    with pytest.raises(StateTooLarge, match="'ann'"):
        pack(state)
