"""The conditions of the alert rules by kind, and how severe a rule is.

A new kind of rule is one more condition in a module named `*_rules`, and one more line in `CONDITIONS`.
"""

from typing import TYPE_CHECKING, Final

from processors.account_state import OVERDUE_DAYS
from processors.adoption_rules import NotStarted
from processors.conditions import Condition, View
from processors.due import NEVER, crossing
from processors.figures import Sheet
from processors.health_rules import HealthFell, HealthRed, Renewal, peak_expiry
from processors.loyalty_rules import InQuadrant, is_lone
from processors.rule_file import SEVERITIES, Rule, RuleKind
from processors.support_rules import Backlog
from processors.survey_rules import NewDetractor
from processors.usage_rules import GoalsFell, Silence
from processors.vocabulary import TERMS
from processors.windows import DAY_MS
from schemas.records import Severity

if TYPE_CHECKING:
    from processors.state import CustomerState

CONDITIONS: Final[dict[RuleKind, Condition]] = {
    "health_red": HealthRed(),
    "health_fell": HealthFell(),
    "backlog": Backlog(),
    "silence": Silence(),
    "new_detractor": NewDetractor(),
    "quadrant": InQuadrant(),
    "goals_fell": GoalsFell(),
    "renewal": Renewal(),
    "not_started": NotStarted(),
}


def concerns(state: "CustomerState", rule: Rule) -> bool:
    """Whether the account stands at a stage that the rule is about; at `unknown` only one that is known to be a customer."""
    stage = state.account.stage
    return stage in rule.stages and (stage != "unknown" or _has_dealt_with_us(state))


def _has_dealt_with_us(state: "CustomerState") -> bool:
    """Whether the account ever used the product, opened a ticket, answered a survey, pays or has a contract that ends; to visit a
    site is nothing of these.
    """
    account = state.account
    answered = state.nps.newest_at or state.csat.newest_at
    pays = account.mrr_cents or account.renewal_at is not None
    return bool(state.usage.newest_use_at or answered or pays or state.tickets.open or state.tickets.closed)


def severity(view: View, rule: Rule) -> Severity:
    """The rule's own severity, or the most severe that a figure raises it to; `info` where the rule lets a lone customer be."""
    if is_lone(view, rule):
        return "info"
    worst = SEVERITIES.index(rule.severity)
    for lift in rule.raises:
        rank = SEVERITIES.index(lift.to)
        if rank > worst and lift.holds(_compared(view, lift.figure)):
            worst = rank
    return SEVERITIES[worst]


def _compared(view: View, figure: str) -> float | None:
    """The figure as it is held against a bound: revenue in the base currency, where there is a rate."""
    value = view.figure(figure)
    if value is None or figure != "mrr_cents":
        return value
    return view.sheet.definitions.commercial.worth(value, view.state.account.currency)


def severity_due(sheet: Sheet, rule: Rule) -> int:
    """When time alone can change the severity, beside the daily slot."""
    due = NEVER
    for lift in rule.raises:
        term = TERMS[lift.figure]
        bound = lift.at_least if lift.at_least is not None else lift.at_most
        if term.per_day and bound is not None:
            value = sheet.read(lift.figure).value
            due = min(due, crossing(value, bound, term.per_day, sheet.as_of_ms))
        if lift.figure == "renewal_in_days":
            due = min(due, _end_of_overdue(sheet))
        elif lift.figure == "health_fall_points":
            due = min(due, peak_expiry(sheet.state, sheet.as_of_ms))
    return due


def _end_of_overdue(sheet: Sheet) -> int:
    """When the date of the renewal is so long past that it says nothing any more."""
    renewal_at = sheet.state.account.renewal_at
    end = NEVER if renewal_at is None else renewal_at + OVERDUE_DAYS * DAY_MS + 1
    return end if end > sheet.as_of_ms else NEVER
