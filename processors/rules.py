"""The conditions of the alert rules by kind, and how severe a rule is.

A new kind of rule is one more condition in a module named `*_rules`, and one more line in `CONDITIONS`.
"""

from typing import Final

from processors.accounts import OVERDUE_DAYS
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

CONDITIONS: Final[dict[RuleKind, Condition]] = {
    "health_red": HealthRed(),
    "health_fell": HealthFell(),
    "backlog": Backlog(),
    "silence": Silence(),
    "new_detractor": NewDetractor(),
    "quadrant": InQuadrant(),
    "goals_fell": GoalsFell(),
    "renewal": Renewal(),
}


def severity(view: View, rule: Rule) -> Severity:
    """The rule's own severity, or the most severe that a figure raises it to; `info` where the rule lets a lone customer be."""
    if is_lone(view, rule):
        return "info"
    worst = SEVERITIES.index(rule.severity)
    for lift in rule.raises:
        rank = SEVERITIES.index(lift.to)
        if rank > worst and lift.holds(view.figure(lift.figure)):
            worst = rank
    return SEVERITIES[worst]


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
