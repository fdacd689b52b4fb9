from typing import TypeVar

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from processors import accounts, csat, nps, tickets, usage
from processors.account_state import AccountState
from processors.csat import CsatState
from processors.nps import NpsState
from processors.seen import SeenIds
from processors.tickets import TicketsState
from processors.totals import Totals
from processors.usage import UsageState
from schemas.events import AccountEvent, SurveyEvent, TicketEvent, UsageEvent
from tests.support.happenings import NAMES, NOON
from tests.support.strategies import account_events, answers, ticket_events, times, usage_events

State = TypeVar("State")

EVENTS = st.lists(
    st.one_of(ticket_events(times(20)), usage_events(times(20)), answers(times(20)), account_events(times(20))),
    max_size=30,
)


def again(state: State) -> State:
    """The state as its bytes tell it."""
    return msgspec.msgpack.decode(msgspec.msgpack.encode(state), type=type(state))


@given(EVENTS, st.integers(0, 30))
def test_a_state_decoded_in_between_goes_on_as_if_it_never_left(
    events: list[TicketEvent | UsageEvent | SurveyEvent | AccountEvent], cut: int
) -> None:
    parts = (CsatState(), NpsState(), TicketsState(), UsageState(), AccountState(), SeenIds())
    whole, broken = parts, (CsatState(), NpsState(), TicketsState(), UsageState(), AccountState(), SeenIds())
    for number, event in enumerate(events):
        if number == cut:
            broken = tuple(again(part) for part in broken)  # type: ignore[assignment]  # the same types, which a generator forgets
        for csat_state, nps_state, tickets_state, usage_state, account_state, seen in (whole, broken):
            seen.remember(event.event_id, event.occurred_at, NOON)
            if isinstance(event, TicketEvent):
                tickets.fold(tickets_state, event, NOON, NAMES, Totals())
            elif isinstance(event, UsageEvent):
                usage.fold(usage_state, event, NOON, NAMES, Totals())
            elif isinstance(event, SurveyEvent):
                csat.fold(csat_state, event, NOON, NAMES, Totals())
                nps.fold(nps_state, event, NOON, NAMES, Totals())
            else:
                accounts.fold(account_state, event, NOON, NAMES, Totals())
    assert tuple(again(part) for part in whole) == broken
