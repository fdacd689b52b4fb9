"""The conditions on what customers do with the product: silence, and goals that fell."""

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from processors import usage
from processors.conditions import NoComplaint, View, limit_evidence
from processors.due import NEVER, crossing, daily_slot
from processors.figures import Sheet
from processors.rule_file import Rule
from processors.vocabulary import shown
from processors.windows import D30, DAY_MS
from schemas.records import Evidence

if TYPE_CHECKING:
    from processors.state import CustomerState

_BEGINNINGS: Final = ("contracted", "handed_over", "onboarded", "reactivated")
_CHANCE: Final = 0.01
_MOST_TOSSES: Final = 2_000


class Silence(NoComplaint):
    """No usage, ticket or answer for long, from a customer that was active before."""

    def enters(self, view: View, rule: Rule) -> bool:
        """Active before, and silent for the limit, while use is heard of others: a quiet feed says nothing of one.

        Nor does the time for which it was quiet: after that silence is counted from when the feed came back.
        """
        state, around = view.state, view.sheet.around
        if around.usage_is_quiet:
            return False
        is_due = (view.as_of_ms - max(_began_at(state), around.usage_back_at)) / DAY_MS >= rule.limits[0].enter
        return is_due and state.alerts.signs >= rule.settings["least_signs"] and self.stays(view, rule)

    def stays(self, view: View, rule: Rule) -> bool:
        """Still silent."""
        seen_at = view.state.last_seen_at
        return seen_at > 0 and (view.as_of_ms - seen_at) / DAY_MS >= rule.limits[0].enter

    def over(self, _view: View, _rule: Rule, _before: list[str]) -> list[str]:
        """The silence, always."""
        return ["days_since_last_sign"]

    def evidence(self, view: View, rule: Rule) -> list[Evidence]:
        """The days of silence against the limit."""
        return [limit_evidence(view, rule.limits[0])]

    def explanation(self, view: View, rule: Rule) -> str:
        """How long it has been, and the limit."""
        days = shown("days_since_last_sign", view.figure("days_since_last_sign"))
        return f"The last usage, ticket or answer was {days} ago (limit {shown('days_since_last_sign', rule.limits[0].enter)})."

    def undone(self, view: View, rule: Rule, opened_at: int) -> bool:
        """The last sign, or the beginning of the contract, lies before the opening, but by less than the limit."""
        newest = max(view.state.last_seen_at, _began_at(view.state))
        return newest < opened_at and (opened_at - newest) / DAY_MS < rule.limits[0].enter

    def resolution(self, _view: View, _rule: Rule) -> str:
        """It is back."""
        return "the customer gave a sign of life"

    def due(self, sheet: Sheet, rule: Rule, *, is_open: bool) -> int:
        """When the silence reaches the limit; once it has, every day while the feed is quiet, to see that it came back."""
        state, around = sheet.state, sheet.around
        if is_open or not state.last_seen_at or state.alerts.signs < rule.settings["least_signs"]:
            return NEVER
        since_ms = max(state.last_seen_at, _began_at(state), around.usage_back_at)
        days = max(0, sheet.as_of_ms - since_ms) / DAY_MS
        if days < rule.limits[0].enter:
            return crossing(days, rule.limits[0].enter, 1, sheet.as_of_ms)
        return daily_slot(state.customer_id, sheet.as_of_ms) if around.usage_is_quiet and not state.account.is_gone else NEVER


def _began_at(state: "CustomerState") -> int:
    """When the customer last began anew: a contract, a handover, the end of the onboarding, or that it came back.

    Silence counts from there: one who comes back after a year cannot be silent at once.
    """
    account = state.account
    return account.stage_since or 0 if account.stage in _BEGINNINGS else 0


class GoalsFell(NoComplaint):
    """All goals together were completed far less often in the last 30 days than in the 30 before, and not by chance.

    The two counts are held against each other by the exact binomial test: had nothing changed, each of the `now + before`
    completions would lie in either half with probability 1/2, so the chance of as few as `now` is that of so few heads. The test
    is one-sided, because only a fall is asked for. Source: J. Przyborowski and H. Wilenski, Homogeneity of results in testing
    samples from Poisson series, Biometrika 31 (1940), the conditional test of two Poisson counts.
    """

    def enters(self, view: View, rule: Rule) -> bool:
        """Fallen by the limit or more, from enough, and not by chance, while use is heard of anybody at all."""
        if view.sheet.around.usage_is_quiet:
            return False
        now, before = _goals(view)
        if before < rule.settings["least_before"] or before - now < rule.limits[0].enter * before:
            return False
        return chance_of_fall(now, before) < _CHANCE

    def stays(self, view: View, rule: Rule) -> bool:
        """Still fallen by more than the exit; over when there is nothing left to have fallen from."""
        now, before = _goals(view)
        return before > 0 and before - now > rule.limits[0].exit * before

    def over(self, _view: View, _rule: Rule, _before: list[str]) -> list[str]:
        """The goals of the last 30 days, always."""
        return ["goals_completed_30d"]

    def evidence(self, view: View, rule: Rule) -> list[Evidence]:
        """The goals of the last 30 days against the most that is a fall, those of the 30 before, and the chance."""
        now, before = _goals(view)
        most = before * (1 - rule.limits[0].enter)
        return [
            Evidence(figure="goals_completed_30d", value=float(now), threshold=most),
            Evidence(figure="goals_completed_30d_before", value=float(before), threshold=float(rule.settings["least_before"])),
            Evidence(figure="chance_of_fall", value=chance_of_fall(now, before), threshold=_CHANCE, n=now + before),
        ]

    def explanation(self, view: View, rule: Rule) -> str:
        """Both counts, and how likely it is to be chance."""
        now, before = _goals(view)
        text = f"{now:,} goals completed in the last 30 days, {before:,} in the 30 before (limit: a fall by"
        text += f" {rule.limits[0].enter * 100:g} % from at least {rule.settings['least_before']})"
        return f"{text}; as few as that by chance: p = {chance_of_fall(now, before):.2g} (limit {_CHANCE:g})."

    def undone(self, view: View, rule: Rule, opened_at: int) -> bool:
        """The two windows as of the opening, with what came late, are no such fall; the day of the opening counts whole."""
        state, definitions = view.state, view.sheet.definitions
        return not self.enters(View(Sheet(state, opened_at, definitions), None), rule)

    def resolution(self, view: View, rule: Rule) -> str:
        """What it has come to."""
        now, before = _goals(view)
        if not before:
            return "the goals of before the fall are more than 60 days past"
        limit = f"{rule.limits[0].exit * 100:g} %"
        return f"{now:,} goals in the last 30 days and {before:,} in the 30 before: no fall by more than {limit}"

    def due(self, _sheet: Sheet, _rule: Rule, *, is_open: bool) -> int:  # noqa: ARG002 - one signature for all conditions
        """Not beside the daily slot."""
        return NEVER


@lru_cache(maxsize=4096)
def chance_of_fall(now: int, before: int) -> float:
    """The probability of at most `now` heads among `now + before` tosses of a fair coin.

    Exact up to 2,000 tosses; of more, from the normal distribution with correction for continuity.
    """
    n = now + before
    if n > _MOST_TOSSES:
        return 0.5 * math.erfc((before - now - 1) / math.sqrt(2 * n))
    ways = term = 1
    for heads in range(1, now + 1):
        term = term * (n - heads + 1) // heads
        ways += term
    return ways / (1 << n)


def _goals(view: View) -> tuple[int, int]:
    """Goals completed in the last 30 days, and in the 30 before."""
    state = view.state
    if not state.usage.goals:
        return 0, 0
    read = view.sheet.read("goals_completed_30d").value  # a scorecard has asked for it already
    now = 0 if read is None else int(read)
    return now, usage.goal_counts(state.usage, None, D30, view.as_of_ms - 30 * DAY_MS).completed
