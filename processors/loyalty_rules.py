"""The condition on loyalty: a customer has come into a quadrant that calls for action."""

from typing import Final

from processors import loyalty
from processors.conditions import View
from processors.due import NEVER
from processors.figures import Sheet
from processors.loyalty import Standing
from processors.rule_file import Rule
from processors.seen import GRACE_MS
from schemas.records import Evidence

CHURNER_SHARE: Final = "churner_share"
"""Of the fleet's customers with a quadrant the share of churners, 0 to 1, as the tick brings it."""

TOP_TENTH: Final = "mrr_top_tenth_cents"
"""The monthly revenue above which a customer is in the top tenth of the fleet, as the tick brings it: by currency: `…|EUR`."""


def is_lone(view: View, rule: Rule) -> bool:
    """Whether this is a single customer and not the product: few of the fleet are there, and its revenue is not in the top tenth.

    A share that is not known is taken for few, and a tenth that is not known has nobody in it.
    """
    if rule.lone is None:
        return False
    fleet, account = view.sheet.around.fleet, view.state.account
    mrr_cents, currency = account.mrr_cents, account.currency
    share, top_tenth = fleet.get(CHURNER_SHARE), fleet.get(f"{TOP_TENTH}|{currency}" if currency else TOP_TENTH)
    if share is not None and share > rule.lone.most_share:
        return False
    return mrr_cents is None or top_tenth is None or mrr_cents <= top_tenth


class InQuadrant:
    """The customer is in the rule's quadrant."""

    def enters(self, view: View, rule: Rule) -> bool:
        """In it."""
        return view.state.loyalty.quadrant == rule.quadrant

    def stays(self, view: View, rule: Rule) -> bool:
        """Still in it."""
        return self.enters(view, rule)

    def over(self, _view: View, _rule: Rule, _before: list[str]) -> list[str]:
        """The quadrant, always."""
        return ["quadrant"]

    def evidence(self, view: View, rule: Rule) -> list[Evidence]:
        """The CSAT against the cut-off, the respondents by the kind of their newest answer, and the fleet's share."""
        found, cutoffs = _standing(view), view.sheet.definitions.loyalty
        n = found.answers.n
        said = [
            Evidence(
                figure=f"csat_{cutoffs.window.name}_pct",
                value=found.csat.value_pct,
                threshold=cutoffs.satisfied_from_pct,
                n=found.csat.n,
            ),
            Evidence(figure="promoters", value=float(found.answers.promoters), n=n),
            Evidence(figure="detractors", value=float(found.answers.detractors), n=n),
        ]
        if rule.lone is not None:
            share = view.sheet.around.fleet.get(CHURNER_SHARE)
            said.append(Evidence(figure=CHURNER_SHARE, value=share, threshold=rule.lone.most_share))
        return said

    def explanation(self, view: View, _rule: Rule) -> str:
        """The answers on both axes, and where it is worst."""
        state, definitions = view.state, view.sheet.definitions
        found, cutoffs = _standing(view), definitions.loyalty
        share, answers = found.csat, found.answers
        csat = "unknown" if share.value_pct is None else f"{share.value_pct:.0f} %"
        answers_said = f"{_count(answers.promoters, 'promoter')} against {_count(answers.detractors, 'detractor')}"
        text = f"CSAT is {csat} from {_count(share.n, 'answer')} in {cutoffs.window.days} days (satisfied from"
        text += f" {cutoffs.satisfied_from_pct:g} %); of the latest NPS answers {answers_said}"
        worst = loyalty.worst_touchpoint(state.csat, cutoffs.window, view.as_of_ms, definitions)
        return f"{text}; the worst touchpoint is {worst}." if worst else f"{text}."

    def complaint_at(self, view: View, _rule: Rule) -> int:
        """A bad answer that was just given: within the 48 hours for which events may be late."""
        at_ms = min(view.state.alerts.bad_answer_at_s * 1000, view.as_of_ms)
        return at_ms if at_ms > view.as_of_ms - GRACE_MS else 0

    def undone(self, view: View, rule: Rule, _opened_at: int) -> bool:
        """The late event ended it; what the quadrant was at the opening is not known."""
        return not self.stays(view, rule)

    def resolution(self, view: View, _rule: Rule) -> str:
        """Where it is now, and why that is unknown if it is."""
        why = loyalty.reason(view.state.loyalty.code, view.sheet.definitions.loyalty)
        return f"the quadrant is {view.state.loyalty.quadrant}" + (f": {why}" if why else "")

    def due(self, _sheet: Sheet, _rule: Rule, *, is_open: bool) -> int:  # noqa: ARG002 - one signature for all conditions
        """Never by itself: the quadrant has a due time of its own."""
        return NEVER


def _standing(view: View) -> Standing:
    return loyalty.standing(view.state, view.as_of_ms, view.sheet.definitions)


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"
