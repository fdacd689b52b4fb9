"""Keeping a customer's state small whatever comes: detail is given up step by step, and the snapshot's flags say so.

How large a state is depends on the state alone, and it is asked after every so many accepted events and at the daily slot; so a
replay coarsens at the same places, wherever its batches are cut.
"""

from collections.abc import Callable
from typing import Final

from processors import accounts, csat, nps, promises, responses, tickets, upkeep, usage
from processors.state import CustomerState, encode
from processors.totals import Totals

LIMIT_BYTES: Final = 64 * 1024
TARGET_BYTES: Final = 48 * 1024
"""A state beyond the limit shrinks to this, so that the next event does not bring it back to the limit."""

EVENTS_BETWEEN_CHECKS: Final = 8
"""A message has 64 kB at most, and only texts of it are kept: so many events stay far from four times the limit."""

_SHORT_HISTORY: Final = 4

_Step = Callable[[CustomerState, int, Totals], None]


def coarsen(state: CustomerState, as_of_ms: int, totals: Totals) -> None:
    """Bring a state that is beyond the limit below the target, giving up as little as needed.

    In this order: hours (7 days are then whole UTC days), features and goals used least, touchpoints with the fewest answers, the
    middle of tickets' histories, the oldest respondents, contacts, referrals, mutes and promises, the oldest tickets.
    """
    if len(encode(state)) <= LIMIT_BYTES:
        return
    upkeep.prune(state, as_of_ms)
    for step in _STEPS:
        if len(encode(state)) <= TARGET_BYTES:
            break
        step(state, as_of_ms, totals)
    totals.oddity("coarsened", as_of_ms)


def _give_up_hours(state: CustomerState, _as_of_ms: int, _totals: Totals) -> None:
    for family in (state.csat.by_touchpoint, state.usage.goals):
        for buckets in family.values():
            buckets.hours = None


def _keep_features(most: int) -> _Step:
    return lambda state, as_of_ms, totals: usage.fold_features(state.usage, most, as_of_ms, totals)


def _keep_goals(most: int) -> _Step:
    return lambda state, as_of_ms, totals: usage.fold_goals(state.usage, most, as_of_ms, totals)


def _keep_touchpoints(most: int) -> _Step:
    def step(state: CustomerState, as_of_ms: int, totals: Totals) -> None:
        csat.fold_touchpoints(state.csat, most, as_of_ms, totals)
        responses.fold_touchpoints(state.responses, most, as_of_ms, totals)

    return step


def _shorten_histories(state: CustomerState, as_of_ms: int, totals: Totals) -> None:
    tickets.shorten(state.tickets, _SHORT_HISTORY, as_of_ms, totals)


def _keep_people(most: int) -> _Step:
    def step(state: CustomerState, as_of_ms: int, totals: Totals) -> None:
        nps.keep_newest(state.nps, most, totals)
        accounts.keep_newest(state.account, most, as_of_ms, totals)
        promises.keep_newest(state.promises, most, as_of_ms, totals)

    return step


def _keep_tickets(most_open: int, most_closed: int) -> _Step:
    return lambda state, _as_of_ms, totals: tickets.keep_newest(state.tickets, most_open, most_closed, totals)


_STEPS: Final[tuple[_Step, ...]] = (
    _give_up_hours,
    *(_keep_features(most) for most in (128, 64, 32, 16)),
    *(_keep_goals(most) for most in (32, 16, 8, 4)),
    *(_keep_touchpoints(most) for most in (32, 16, 8, 4)),
    _shorten_histories,
    *(_keep_people(most) for most in (50, 25, 12, 6)),
    *(_keep_tickets(most, most // 5) for most in (250, 125, 60)),
    *(_keep_touchpoints(most) for most in (1, 0)),
    *(_keep_features(most) for most in (8, 4)),
)
