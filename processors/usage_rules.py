"""The conditions on what customers do with the product: silence."""

from processors.conditions import View, limit_evidence
from processors.due import NEVER, crossing
from processors.figures import Sheet
from processors.rule_file import Rule
from processors.vocabulary import shown
from processors.windows import DAY_MS
from schemas.records import Evidence


class Silence:
    """No usage, ticket or answer for long, from a customer that was active before."""

    def enters(self, view: View, rule: Rule) -> bool:
        """Active before, and silent for the limit, while something is heard of others: a quiet feed says nothing of one."""
        if view.sheet.around.quiet:
            return False
        return view.state.alerts.signs >= rule.settings["least_signs"] and self.stays(view, rule)

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

    def resolution(self, _view: View, _rule: Rule) -> str:
        """It is back."""
        return "the customer gave a sign of life"

    def due(self, sheet: Sheet, rule: Rule, *, is_open: bool) -> int:
        """When the silence reaches the limit."""
        state = sheet.state
        if is_open or not state.last_seen_at or state.alerts.signs < rule.settings["least_signs"]:
            return NEVER
        days = sheet.read("days_since_last_sign").value
        return NEVER if days is None or days >= rule.limits[0].enter else crossing(days, rule.limits[0].enter, 1, sheet.as_of_ms)
