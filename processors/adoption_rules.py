"""The condition on the beginning: a contract was signed, and the product was never used."""

from typing import TYPE_CHECKING, Final

from processors import commercial_rows
from processors.account_state import Stage
from processors.conditions import NoComplaint, View
from processors.due import NEVER
from processors.figures import Sheet
from processors.life_course import FOREVER
from processors.rule_file import Rule
from processors.vocabulary import shown
from processors.windows import DAY_MS
from schemas.records import Evidence

if TYPE_CHECKING:
    from processors.state import CustomerState

_SIGNED: Final[tuple[Stage, ...]] = ("contracted", "handed_over", "onboarded", "reactivated")


class NotStarted(NoComplaint):
    """A customer has not used the product once, so long after the contract.

    Where no use is ever heard of from anybody, and while that feed is quiet, this says nothing of any one customer. An account
    that came in as known is a customer when it has a monthly revenue; its days count from when it became known.
    """

    def enters(self, view: View, rule: Rule) -> bool:
        """Never used, for the days or more, while use is heard of from others."""
        around = view.sheet.around
        if view.state.usage.newest_use_at or not around.hears_usage or around.usage_is_quiet:
            return False
        began_at = _began_at(view.sheet)
        return began_at is not None and view.as_of_ms >= began_at + rule.settings["after_days"] * DAY_MS

    def stays(self, view: View, _rule: Rule) -> bool:
        """Still never used, by one that is still a customer."""
        return not view.state.usage.newest_use_at and _signed_at(view.state) is not None

    def over(self, _view: View, _rule: Rule, _before: list[str]) -> list[str]:
        """The days without use, always."""
        return ["days_without_use"]

    def evidence(self, view: View, rule: Rule) -> list[Evidence]:
        """The days since the contract against the limit."""
        return [
            Evidence(figure="days_without_use", value=_days(view), threshold=float(rule.settings["after_days"])),
        ]

    def explanation(self, view: View, rule: Rule) -> str:
        """How long ago the contract began, and the limit."""
        days = _days(view)
        if view.state.usage.newest_use_at:
            return "The product is in use."
        if days is None:
            return "The account is no customer."
        ago = shown("days_since_last_sign", days)
        return f"The contract began {ago} ago, and the product was not used once (limit {rule.settings['after_days']} days)."

    def undone(self, view: View, rule: Rule, opened_at: int) -> bool:
        """It was used before the opening, or the contract began too late for it."""
        used_at, signed_at = view.state.usage.newest_use_at, _signed_at(view.state)
        if used_at:
            return used_at < opened_at
        return signed_at is None or opened_at < signed_at + rule.settings["after_days"] * DAY_MS

    def resolution(self, view: View, _rule: Rule) -> str:
        """It was used, or there is no contract."""
        return "the product was used for the first time" if view.state.usage.newest_use_at else "the account is no customer"

    def due(self, sheet: Sheet, rule: Rule, *, is_open: bool) -> int:
        """When the days are over; a day later again while a quiet feed leaves it open."""
        if is_open or sheet.state.usage.newest_use_at:
            return NEVER
        began_at = _began_at(sheet)
        if began_at is None:
            return NEVER
        due = began_at + rule.settings["after_days"] * DAY_MS
        if due > sheet.as_of_ms:
            return due
        return sheet.as_of_ms + DAY_MS if sheet.around.hears_usage else NEVER


def _signed_at(state: "CustomerState") -> int | None:
    """When the account became a customer, the last time; None when it is none."""
    account = state.account
    if account.stage not in _SIGNED and not (account.stage == "known" and account.mrr_cents):
        return None
    span = commercial_rows.standing(state.commercial, account, FOREVER).span
    return None if span is None else span.start_ms


def _began_at(sheet: Sheet) -> int | None:
    """From when the days count: the contract, or the end of the last time in which nobody's use was heard of."""
    signed_at = _signed_at(sheet.state)
    return None if signed_at is None else max(signed_at, sheet.around.usage_back_at)


def _days(view: View) -> float | None:
    signed_at = _signed_at(view.state)
    return None if signed_at is None else max(0, view.as_of_ms - signed_at) / DAY_MS
