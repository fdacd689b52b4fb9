from processors import tickets
from processors.names import MAX_SHORT_ID
from processors.tickets import MAX_CLOSED, MAX_HISTORY, MAX_OPEN, REST_DAYS, Flows, TicketsState
from processors.totals import FlowKey, Totals
from processors.windows import D30, D90, DAY_MS, HOUR_MS
from schemas.events import TicketEvent
from tests.support.happenings import NAMES, NOON, ticket

MIDNIGHT = NOON - DAY_MS // 2
EARLIER = NOON - 2 * DAY_MS


def fold_into(state: TicketsState, totals: Totals, *events: TicketEvent) -> None:
    for event in events:
        tickets.fold(state, event, NOON, NAMES, totals)


def folded(*events: TicketEvent) -> tuple[TicketsState, Totals]:
    state, totals = TicketsState(), Totals()
    fold_into(state, totals, *events)
    return state, totals


def of_tickets(totals: Totals) -> dict[FlowKey, list[int]]:
    return {key: counts for key, counts in totals.items() if key[0] == "tickets_by_day" and any(counts)}


def flows(state: TicketsState) -> Flows:
    return tickets.flows(state, D30, NOON)


def test_a_ticket_is_open_until_it_is_solved() -> None:
    state, totals = folded(ticket("opened", EARLIER, priority="high", touchpoint="support"))
    assert tickets.open_count(state) == 1
    assert tickets.open_by_priority(state) == {"low": 0, "normal": 0, "high": 1, "urgent": 0}
    assert tickets.open_by_touchpoint(state) == {"support": 1}
    assert tickets.oldest_opened_at(state) == EARLIER
    fold_into(state, totals, ticket("solved", NOON))
    assert tickets.open_count(state) == 0
    assert tickets.oldest_opened_at(state) is None
    assert flows(state) == Flows(1, 1, 0, 0)
    assert of_tickets(totals) == {
        ("tickets_by_day", "support", MIDNIGHT - 2 * DAY_MS): [1, 0, 0, 0, 0],
        ("tickets_by_day", "support", MIDNIGHT): [0, 1, 0, 0, 0],
    }


def test_a_ticket_can_be_closed_without_being_solved() -> None:
    state, _ = folded(ticket("opened", EARLIER), ticket("closed", NOON))
    assert tickets.open_count(state) == 0
    assert flows(state) == Flows(1, 0, 0, 0)


def test_opened_or_solved_twice_changes_nothing() -> None:
    state, totals = folded(
        ticket("opened", EARLIER), ticket("opened", EARLIER + 5), ticket("solved", NOON - 5), ticket("solved", NOON - 2)
    )
    assert flows(state) == Flows(1, 1, 0, 0)
    assert tickets.open_count(state) == 0
    assert sum(counts[1] for counts in of_tickets(totals).values()) == 1


def test_an_earlier_opening_of_an_open_ticket_moves_its_opening() -> None:
    state, totals = folded(ticket("opened", NOON), ticket("opened", EARLIER))
    assert tickets.oldest_opened_at(state) == EARLIER
    assert flows(state).opened == 1
    assert totals.flows["tickets_by_day", "other", MIDNIGHT] == [0, 0, 0, 0, 0]
    assert totals.flows["tickets_by_day", "other", MIDNIGHT - 2 * DAY_MS] == [1, 0, 0, 0, 0]


def test_a_reopened_ticket_is_open_since_its_original_opening_and_counts_a_reopening() -> None:
    state, _ = folded(ticket("opened", EARLIER), ticket("solved", NOON - HOUR_MS), ticket("reopened", NOON))
    assert tickets.oldest_opened_at(state) == EARLIER
    assert tickets.assumed_openings(state) == 0
    assert flows(state) == Flows(1, 1, 1, 0)


def test_reopening_an_open_ticket_changes_nothing() -> None:
    state, _ = folded(ticket("opened", EARLIER), ticket("reopened", NOON))
    assert flows(state) == Flows(1, 0, 0, 0)


def test_a_reopening_of_an_unknown_ticket_opens_it_then_and_is_flagged() -> None:
    state, _ = folded(ticket("reopened", NOON))
    assert tickets.oldest_opened_at(state) == NOON
    assert tickets.assumed_openings(state) == 1
    assert flows(state) == Flows(0, 0, 1, 0)


def test_the_opening_that_arrives_after_the_reopening_puts_it_right() -> None:
    state, _ = folded(ticket("reopened", NOON), ticket("opened", EARLIER))
    assert tickets.oldest_opened_at(state) == EARLIER
    assert tickets.assumed_openings(state) == 0
    assert flows(state) == Flows(1, 0, 0, 0)


def test_a_solve_of_an_unknown_ticket_is_counted_and_opens_nothing() -> None:
    state, totals = folded(ticket("solved", NOON))
    assert tickets.open_count(state) == 0
    assert flows(state) == Flows(0, 0, 0, 1)
    assert totals.flows == {("tickets_by_day", "other", MIDNIGHT): [0, 0, 0, 1, 0]}


def test_the_opening_that_arrives_after_the_solve_makes_it_a_proper_one_also_for_the_fleet() -> None:
    state, totals = folded(ticket("solved", NOON), ticket("opened", EARLIER, touchpoint="support"))
    assert tickets.open_count(state) == 0
    assert flows(state) == Flows(1, 1, 0, 0)
    assert of_tickets(totals) == {
        ("tickets_by_day", "support", MIDNIGHT - 2 * DAY_MS): [1, 0, 0, 0, 0],
        ("tickets_by_day", "support", MIDNIGHT): [0, 1, 0, 0, 0],
    }


def test_a_reply_to_an_unknown_ticket_is_remembered_and_opens_nothing() -> None:
    state, totals = folded(ticket("replied", NOON))
    assert tickets.open_count(state) == 0
    assert not totals.flows
    fold_into(state, totals, ticket("opened", EARLIER))
    assert tickets.open_count(state) == 1
    assert len(state.open["T1"].history) == 2


def test_only_the_first_reply_after_the_opening_is_kept() -> None:
    state, _ = folded(*(ticket("replied", NOON + number) for number in (3, 1, 2)), ticket("opened", NOON))
    late, _ = folded(ticket("opened", NOON), *(ticket("replied", NOON + number) for number in (3, 1, 2)))
    assert [entry >> 3 for entry in late.open["T1"].history] == [0, 1]
    assert len(state.open["T1"].history) == 2


def test_a_late_event_in_the_middle_counts_where_it_belongs() -> None:
    state, _ = folded(ticket("opened", EARLIER), ticket("solved", NOON))
    assert flows(state) == Flows(1, 1, 0, 0)
    fold_into(state, Totals(), ticket("solved", EARLIER + 1), ticket("reopened", EARLIER + 2))
    assert flows(state) == Flows(1, 2, 1, 0)


def test_at_one_time_an_open_ticket_is_solved_and_reopened_and_a_solved_one_reopened_and_solved() -> None:
    opened = ticket("opened", EARLIER)
    both = [ticket("solved", NOON), ticket("reopened", NOON)]
    assert tickets.open_count(folded(opened, *both)[0]) == 1
    assert flows(folded(opened, *both)[0]) == Flows(1, 1, 1, 0)
    again, _ = folded(opened, ticket("solved", EARLIER + 1), *both)
    assert tickets.open_count(again) == 0
    assert flows(again) == Flows(1, 2, 1, 0)


def test_an_opening_ahead_of_the_clock_counts_as_open_at_once() -> None:
    state, _ = folded(ticket("opened", NOON + 5 * 60_000))
    assert tickets.open_count(state) == 1
    assert tickets.ages_ms(state, NOON) == [0]


def test_ages_fall_into_five_buckets() -> None:
    ages_days = [0, 0.9, 1, 2.9, 3, 6.9, 7, 29.9, 30, 400]
    state, _ = folded(*(ticket("opened", int(NOON - age * DAY_MS), f"T{age}") for age in ages_days))
    assert tickets.ageing(state, NOON) == [2, 2, 2, 2, 2]
    assert sum(tickets.opened_day_counts(state).values()) == 10


def test_the_newest_priority_and_touchpoint_win_whatever_the_order() -> None:
    first = ticket("opened", EARLIER, priority="low", touchpoint="trial")
    second = ticket("replied", NOON, priority="urgent", touchpoint="support")
    for state, _ in (folded(first, second), folded(second, first)):
        assert state.open["T1"].priority_name == "urgent"
        assert tickets.open_by_touchpoint(state) == {"support": 1}


def test_a_ticket_of_which_nothing_is_said_is_normal_and_elsewhere() -> None:
    state, _ = folded(ticket("opened", NOON))
    assert state.open["T1"].priority_name == "normal"
    assert tickets.open_by_priority(state)["normal"] == 1
    assert tickets.open_by_touchpoint(state) == {"other": 1}


def test_an_unknown_touchpoint_goes_to_other_and_is_counted() -> None:
    state, totals = folded(ticket("opened", NOON, touchpoint="nowhere"))
    assert tickets.open_by_touchpoint(state) == {"other": 1}
    assert state.other_touchpoints == 1
    assert ("oddities_by_day", "other_touchpoint", MIDNIGHT) in totals.flows


def test_open_tickets_beyond_the_bound_are_counted_and_end_with_the_ends_of_unknown_ones() -> None:
    events = [ticket("opened", EARLIER + number, f"T{number}") for number in range(MAX_OPEN + 2)]
    state, totals = folded(*reversed(events))
    assert len(state.open) == MAX_OPEN
    assert "T0" not in state.open
    assert "T1" not in state.open
    assert tickets.open_count(state) == MAX_OPEN + 2
    assert tickets.oldest_opened_at(state) == EARLIER
    fold_into(state, totals, ticket("solved", NOON, "T0"), ticket("solved", NOON, "T1"))
    assert tickets.open_count(state) == MAX_OPEN
    assert tickets.oldest_opened_at(state) == EARLIER + 2
    assert sum(counts[0] for key, counts in totals.items() if key[1] == "unfollowed_ticket") == 2


def test_of_the_closed_tickets_the_newest_are_remembered() -> None:
    events = [ticket("solved", EARLIER + number, f"T{number}") for number in range(MAX_CLOSED + 1)]
    for state, _ in (folded(*events), folded(*reversed(events))):
        assert len(state.closed) == MAX_CLOSED
        assert "T0" not in state.closed
        assert state.forgotten_closed == 1


def test_a_very_long_id_is_kept_short_and_still_names_its_ticket() -> None:
    long_id, other_id = "x" * 256, "x" * 255
    state, totals = folded(ticket("opened", EARLIER, long_id), ticket("opened", EARLIER, other_id))
    assert {len(kept) for kept in state.open} == {MAX_SHORT_ID}
    fold_into(state, totals, ticket("solved", NOON, long_id))
    assert tickets.open_count(state) == 1


def test_a_history_is_cut_to_its_newest_entries_and_the_opening() -> None:
    state, _ = folded(ticket("opened", EARLIER))
    for number in range(1, 50):
        fold_into(state, Totals(), ticket("solved" if number % 2 else "reopened", EARLIER + number))
    found = state.closed["T1"]
    assert len(found.history) == MAX_HISTORY
    assert found.opened_at == EARLIER
    assert flows(state) == Flows(1, 25, 24, 0)
    assert state.cut_histories == 50 - MAX_HISTORY


def test_a_ticket_long_closed_keeps_its_opening_and_no_figure_changes() -> None:
    start = NOON - (REST_DAYS + 5) * DAY_MS
    state, totals = folded(
        ticket("opened", start),
        ticket("replied", start + 1),
        ticket("solved", start + 2),
        ticket("reopened", start + 3),
        ticket("solved", start + 4),
        ticket("closed", start + 5),
        ticket("replied", start, "never opened"),
    )
    before = tickets.flows(state, D90, NOON)
    tickets.prune(state, NOON)
    assert tickets.flows(state, D90, NOON) == before == Flows(1, 2, 1, 0)
    assert list(state.closed) == ["T1"]
    assert len(state.closed["T1"].history) == 3  # the opening, the first response, the solve that stands
    fold_into(state, totals, ticket("reopened", NOON))
    assert tickets.oldest_opened_at(state) == start
    assert tickets.flows(state, D90, NOON) == Flows(1, 2, 2, 0)
