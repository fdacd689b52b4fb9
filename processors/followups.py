"""What came of an episode, so that it can be told whether acting upon alerts helps.

Of each episode two things are asked: was it over (and the customer still there) within 30 days of its opening, and was the
customer gone 90 days after it. The answers are counted for the fleet by the day of opening, by rule, by the health score at the
opening in steps of ten, and by whether somebody had acted within 3 days of it: like is compared with like. A retracted episode
should never have been, and one whose rule changed cannot be judged: neither counts.

Only episodes that are still open 3 days after their opening are compared, by what had been done until then. Acting takes time: an
episode that is over in minutes would else count as one that nobody acted upon and that went well. This is the landmark
method of J. R. Anderson, K. C. Cain, R. D. Gelber, Analysis of survival by tumor response, Journal of Clinical Oncology 1 (1983).

An episode under way is one number: hour of opening, step of the score (10: none), acted, recovered, and whether its 30 days are
over; the times are therefore full hours, at most one hour late.
"""

from typing import Final, Literal

from processors.due import NEVER
from processors.totals import Totals
from processors.windows import DAY_MS, HOUR_MS

MAX_FOLLOWED: Final = 8
"""Episodes of a rule that are followed at a time; with more, the oldest is not judged, and counted as an oddity."""

LANDMARK_DAYS: Final = 3
"""The age at which an episode must be open to be compared, and until which it can become one that was acted upon."""

RECOVERED_DAYS: Final = 30
GONE_DAYS: Final = 90
NO_SCORE: Final = 10
"""The step of an episode that opened without a score."""

_STEP_BITS: Final = 4
_FLAG_BITS: Final = 3
_ACTED, _RECOVERED, _JUDGED = 4, 2, 1
_STEP_TENTHS: Final = 100


def opened(followed: list[int], opened_at: int, tenths: int | None, totals: Totals) -> int:
    """Follow an episode that opens with a displayed score in tenths; returns how many were dropped for it."""
    step = NO_SCORE if tenths is None else min(tenths // _STEP_TENTHS, NO_SCORE - 1)
    followed.append((opened_at // HOUR_MS << _STEP_BITS | step) << _FLAG_BITS)
    if len(followed) <= MAX_FOLLOWED:
        return 0
    del followed[0]
    totals.oddity("forgotten_followup", opened_at)
    return 1


def acted(followed: list[int], opened_at: int, acted_at: int) -> None:
    """Somebody acted upon the episode: it counts as acted upon if that was before the landmark, and its 30 days are not over."""
    if acted_at >= opened_at + LANDMARK_DAYS * DAY_MS:
        return
    place = _place(followed, opened_at)
    if place is not None and not followed[place] & _JUDGED:
        followed[place] |= _ACTED


def ended(
    followed: list[int], opened_at: int, ended_at: int, how: Literal["recovered", "gone", "void"], rule: str, totals: Totals
) -> None:
    """The open episode is over: because the customer recovered or is gone, or as if it had never been.

    One that is over before the landmark is not compared.
    """
    place = _place(followed, opened_at)
    if place is None:
        return
    if how != "void" and ended_at < opened_at + LANDMARK_DAYS * DAY_MS:
        del followed[place]
    elif how == "recovered" and not followed[place] & _JUDGED:
        followed[place] |= _RECOVERED
    elif how == "void":
        if followed[place] & _JUDGED:
            _count(followed[place], rule, (-1, -_flag(followed[place], _RECOVERED), 0, 0), totals)
        del followed[place]


def settle(followed: list[int], rule: str, as_of_ms: int, *, is_gone: bool, totals: Totals) -> None:
    """Answer what can be answered by now."""
    for place in reversed(range(len(followed))):
        if as_of_ms >= _due(followed[place]) and not followed[place] & _JUDGED:
            _count(followed[place], rule, (1, _flag(followed[place], _RECOVERED), 0, 0), totals)
            followed[place] |= _JUDGED
        if as_of_ms >= _due(followed[place]):
            _count(followed[place], rule, (0, 0, 1, int(is_gone)), totals)
            del followed[place]


def next_due(followed: list[int]) -> int:
    """When the next of the questions can be answered."""
    return min(map(_due, followed), default=NEVER)


def dimension(rule: str, step: int, *, is_acted: bool) -> str:
    """What the outcomes of the fleet are cut by."""
    return "\x1f".join((rule, str(step), "acted" if is_acted else "unacted"))


def _place(followed: list[int], opened_at: int) -> int | None:
    """Where the newest episode of that hour is; None when its 90 days are over or it was dropped."""
    places = (place for place in reversed(range(len(followed))) if _opened_at(followed[place]) == opened_at - opened_at % HOUR_MS)
    return next(places, None)


def _opened_at(packed: int) -> int:
    return (packed >> (_STEP_BITS + _FLAG_BITS)) * HOUR_MS


def _due(packed: int) -> int:
    days = GONE_DAYS if packed & _JUDGED else RECOVERED_DAYS
    return _opened_at(packed) + HOUR_MS + days * DAY_MS


def _flag(packed: int, flag: int) -> int:
    return int(bool(packed & flag))


def _count(packed: int, rule: str, counts: tuple[int, int, int, int], totals: Totals) -> None:
    step = packed >> _FLAG_BITS & (1 << _STEP_BITS) - 1
    totals.add("outcomes", dimension(rule, step, is_acted=bool(packed & _ACTED)), _opened_at(packed), counts)
