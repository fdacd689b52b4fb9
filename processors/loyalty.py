"""The loyalty quadrant of one customer: CSAT on one axis, NPS on the other.

Satisfied is a CSAT from the cut-off on, given enough answers. Loyal is who has more promoters than detractors among the newest
valid answers of its respondents; as many of both (passives alone, too) keeps the loyalty of the quadrant it had. So the order in
which answers arrive can decide a tie, as it decides a band within its margin, and nothing else. Answers without a respondent
count for the NPS only: whose newest answer they are cannot be known. Answers on both NPS scales are told apart into promoters,
passives and detractors, each by its own scale, and counted together: that sorts respondents and is no NPS, of which there is one
by scale.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, NamedTuple

from msgspec import Struct

from processors import csat, nps, touchpoints
from processors.csat import CsatState, Share
from processors.due import NEVER
from processors.effects import Context, identity
from processors.figures import Sheet
from processors.health import LATE_MS
from processors.intervals import Interval, wilson
from processors.loyalty_file import Loyalty
from processors.nps import Counts, NpsState
from processors.windows import DAY_MS, Window
from schemas.events import SurveyEvent
from schemas.records import Cause, LoyaltyChange, Quadrant

if TYPE_CHECKING:
    from processors.definitions import Definitions
    from processors.state import CustomerState

NO_ANSWERS: Final = 0
TOO_FEW_CSAT: Final = 1
TOO_FEW_NPS: Final = 2
UNDECIDED: Final = 3
ADVOCATE: Final = 4
VIP_SUPPORT: Final = 5
WILDCARD: Final = 6
CHURNER: Final = 7
WEAK_ADVOCATE: Final = 8
"""An advocate with a weak touchpoint."""

_QUADRANTS: Final[tuple[Quadrant, ...]] = (*("unknown",) * 4, "advocate", "vip_support", "wildcard", "churner", "advocate")
_LOYAL: Final = frozenset({ADVOCATE, WEAK_ADVOCATE, VIP_SUPPORT})
_NOT_LOYAL: Final = frozenset({WILDCARD, CHURNER})


class LoyaltyState(Struct, array_like=True, gc=False):
    """Where the customer stands, as it was last published, by one of the codes above.

    `judged_day` is the UTC day of the last judgement, counted from 1970; 0 when an answer has come since. The CSAT's window
    moves with the day and NPS answers end at a due time of their own, so there is nothing to judge in between. `published_at_s`
    is when it was last published, in seconds; `revision` counts how often a late event changed that.
    """

    code: int = NO_ANSWERS
    judged_day: int = 0
    published_at_s: int = 0
    revision: int = 0

    @property
    def quadrant(self) -> Quadrant:
        """The quadrant it is in."""
        return _QUADRANTS[self.code]


class Standing(NamedTuple):
    """Where a customer stands, with the answers that say so."""

    code: int
    csat: Share
    answers: Counts


def fold(state: LoyaltyState, event: SurveyEvent) -> None:
    """Note that there is something to judge."""
    if event.kind == "answered" and event.survey in ("csat", "nps"):
        state.judged_day = 0


def judge(sheet: Sheet, cause: Cause, context: Context, occurred_at: int | None = None) -> None:
    """Find out where the customer stands now, and publish it when that has changed.

    That is another quadrant, unknown for another reason, or an advocate's weak touchpoint that came or went. `occurred_at` is
    that of the event that caused it, None when none did.
    """
    state, as_of_ms = sheet.state, sheet.as_of_ms
    memory = state.loyalty
    day = as_of_ms // DAY_MS
    if cause == "data" and memory.judged_day == day:
        return
    if memory.code == NO_ANSWERS and not state.csat.by_touchpoint and not state.nps.latest:
        return
    found = standing(state, as_of_ms, sheet.definitions)
    memory.judged_day = day
    if found.code != memory.code:
        if occurred_at is not None and occurred_at < 1000 * memory.published_at_s - LATE_MS:
            memory.revision += 1
        old, memory.code, memory.published_at_s = memory.quadrant, found.code, as_of_ms // 1000
        context.effects.outputs.append(_change(sheet, old, found, cause, context))


def standing(state: "CustomerState", as_of_ms: int, definitions: "Definitions") -> Standing:
    """Where a customer stands, given the quadrant it had."""
    loyalty = definitions.loyalty
    share = csat.share(state.csat, None, loyalty.window, as_of_ms)
    answers = valid_answers(state.nps, loyalty.nps_valid_ms, as_of_ms)
    code = _code(share, answers, loyalty, state.loyalty.code)
    if code == ADVOCATE and has_weak_touchpoint(state.csat, loyalty.window, as_of_ms, definitions):
        code = WEAK_ADVOCATE
    return Standing(code, share, answers)


def valid_answers(state: NpsState, valid_ms: int, as_of_ms: int) -> Counts:
    """The respondents by the kind of their newest answer, where it is younger than `valid_ms`."""
    promoters = passives = detractors = 0
    for answer in nps.latest_answers(state):
        if as_of_ms - answer.occurred_at < valid_ms:
            if answer.is_promoter:
                promoters += 1
            elif answer.is_detractor:
                detractors += 1
            else:
                passives += 1
    return Counts(promoters, passives, detractors)


def reason(code: int, loyalty: Loyalty) -> str | None:
    """Why a quadrant is unknown; None when it is not."""
    no_nps = "no valid NPS answer" if loyalty.least_nps_answers == 1 else "too few valid NPS answers"
    if code == NO_ANSWERS:
        return f"too few CSAT answers and {no_nps}"
    return {TOO_FEW_CSAT: "too few CSAT answers", TOO_FEW_NPS: no_nps, UNDECIDED: "undecided"}.get(code)


def next_due(sheet: Sheet) -> int:
    """When the oldest valid NPS answer ends; NEVER when there is none. The CSAT's window moves at the daily slot."""
    valid_ms = sheet.definitions.loyalty.nps_valid_ms
    ends = [answer.occurred_at + valid_ms for answer in nps.latest_answers(sheet.state.nps)]
    return min((end for end in ends if end > sheet.as_of_ms), default=NEVER)


def interval(share: Share) -> Interval | None:
    """The 95 % interval of a CSAT in percent, Wilson's."""
    found = wilson(share.good, share.n)
    return None if found is None else Interval(100 * found.low, 100 * found.high)


def is_borderline(share: Share, loyalty: Loyalty) -> bool:
    """Whether the answers are enough to ask, and leave it open on which side of the cut-off the CSAT lies."""
    found = interval(share)
    return found is not None and share.n >= loyalty.few_below and found.low <= loyalty.satisfied_from_pct <= found.high


def flags(state: "CustomerState", as_of_ms: int, loyalty: Loyalty) -> list[str]:
    """What a reader of the quadrant should know: `borderline` and `few` of the CSAT, `weak_touchpoint` of an advocate."""
    share = csat.share(state.csat, None, loyalty.window, as_of_ms)
    said = {
        "borderline": is_borderline(share, loyalty),
        "few": share.n < loyalty.few_below,
        "weak_touchpoint": state.loyalty.code == WEAK_ADVOCATE,
    }
    return [flag for flag, holds in said.items() if holds]


def worst_touchpoint(state: CsatState, window: Window, as_of_ms: int, definitions: "Definitions") -> str | None:
    """The touchpoint with the lowest CSAT, of two the one with more answers; None when there was no bad answer at any."""
    bad = [found for found in _shares(state, window, as_of_ms, definitions) if found[1].good < found[1].n]
    return min(bad, key=lambda found: (found[1].good / found[1].n, -found[1].n))[0] if bad else None


def has_weak_touchpoint(state: CsatState, window: Window, as_of_ms: int, definitions: "Definitions") -> bool:
    """Whether a touchpoint's CSAT lies below that of all others together, and not by chance."""
    total = csat.share(state, None, window, as_of_ms)
    shares = _shares(state, window, as_of_ms, definitions)
    return any(touchpoints.strength(share, touchpoints.rest(total, share)) == "weak" for _, share in shares)


def _code(share: Share, answers: Counts, loyalty: Loyalty, before: int) -> int:
    enough_csat, enough_nps = share.n >= loyalty.least_csat_answers, answers.n >= loyalty.least_nps_answers
    if not enough_csat:
        return TOO_FEW_CSAT if enough_nps else NO_ANSWERS
    if not enough_nps:
        return TOO_FEW_NPS
    is_loyal = _is_loyal(answers, before)
    if is_loyal is None:
        return UNDECIDED
    # as whole numbers: 1 of 2 is 50 % exactly, and no rounding may make it less
    satisfied = 100 * share.good >= loyalty.satisfied_from_pct * share.n
    if satisfied:
        return ADVOCATE if is_loyal else WILDCARD
    return VIP_SUPPORT if is_loyal else CHURNER


def _is_loyal(answers: Counts, before: int) -> bool | None:
    """Whether there are more promoters than detractors; as many of both leave it as it was, and None if that is unknown."""
    if answers.promoters != answers.detractors:
        return answers.promoters > answers.detractors
    if before in _LOYAL:
        return True
    return False if before in _NOT_LOYAL else None


def _shares(state: CsatState, window: Window, as_of_ms: int, definitions: "Definitions") -> Iterator[tuple[str, Share]]:
    """The configured touchpoints with answers, in their order."""
    for name in definitions.touchpoints:
        if name in state.by_touchpoint:
            share = csat.share(state, name, window, as_of_ms)
            if share.n:
                yield name, share


def _change(sheet: Sheet, old: Quadrant, found: Standing, cause: Cause, context: Context) -> LoyaltyChange:
    state, definitions, as_of_ms = sheet.state, sheet.definitions, sheet.as_of_ms
    loyalty, window, share = definitions.loyalty, definitions.loyalty.window, found.csat
    bounds = interval(share)
    quadrant = _QUADRANTS[found.code]
    return LoyaltyChange(
        **identity(state, "loyalty", context),
        as_of=as_of_ms,
        cause=cause,
        old_quadrant=old,
        new_quadrant=quadrant,
        reason=reason(found.code, loyalty),
        action=loyalty.actions[quadrant],
        satisfied_from_pct=loyalty.satisfied_from_pct,
        csat_window_days=window.days,
        csat_pct=share.value_pct,
        csat_low_pct=bounds.low if bounds else None,
        csat_high_pct=bounds.high if bounds else None,
        csat_n=share.n,
        promoters=found.answers.promoters,
        passives=found.answers.passives,
        detractors=found.answers.detractors,
        borderline=is_borderline(share, loyalty),
        few=share.n < loyalty.few_below,
        worst_touchpoint=worst_touchpoint(state.csat, window, as_of_ms, definitions),
        weak_touchpoint=found.code == WEAK_ADVOCATE,
        revision=state.loyalty.revision,
    )
