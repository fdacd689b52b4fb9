"""The condition on what customers say: a new detractor."""

from typing import TYPE_CHECKING, Final

from processors import nps
from processors.conditions import View
from processors.due import NEVER
from processors.figures import Sheet
from processors.names import short_id
from processors.rule_file import Rule
from processors.vocabulary import shown
from processors.windows import DAY_MS
from schemas.records import Evidence

if TYPE_CHECKING:
    from processors.state import CustomerState

MAX_EVIDENCE: Final = 8  # respondents that a record names; the newest answers first
_HIGHEST_DETRACTOR: Final = 6.0  # on both scales


class NewDetractor:
    """The latest NPS answer of a respondent is a detractor's, not old, and no better than a young one before it.

    An episode is for the answer that opened it: a better one ends it, even when it is a detractor's again, and opens no other.
    One as bad or worse goes on. An answer from more than the rule's days before the latest is none to be better than.
    """

    def enters(self, view: View, rule: Rule) -> bool:
        """There is one."""
        return bool(view.state.nps.latest) and bool(_detractors(view.state, view.as_of_ms, rule))

    def stays(self, view: View, rule: Rule) -> bool:
        """There still is one."""
        return self.enters(view, rule)

    def over(self, view: View, rule: Rule, _before: list[str]) -> list[str]:
        """The respondents."""
        return sorted(short_id(answer.respondent_id) for answer in _detractors(view.state, view.as_of_ms, rule)[:MAX_EVIDENCE])

    def evidence(self, view: View, rule: Rule) -> list[Evidence]:
        """Each respondent's answer against the highest that a detractor gives."""
        return [
            Evidence(figure="nps_answer", dimension=answer.respondent_id, value=float(answer.score), threshold=_HIGHEST_DETRACTOR)
            for answer in _detractors(view.state, view.as_of_ms, rule)[:MAX_EVIDENCE]
        ]

    def explanation(self, view: View, rule: Rule) -> str:
        """Who, or how many, answered what and when."""
        found = _detractors(view.state, view.as_of_ms, rule)
        days = rule.settings["valid_days"]
        if not found:
            return f"No respondent's latest answer of the last {days} days is a detractor's."
        newest = found[0]
        days_ago = (view.as_of_ms - newest.occurred_at) / DAY_MS
        when = f"{shown('days_since_last_sign', days_ago)} ago" if days_ago >= 1 else "within the last day"
        text = f"{newest.respondent_id} answered {newest.score} of 10 to the NPS question {when}"
        others = len(found) - 1
        return f"{text}; {others} more in the last {days} days." if others else f"{text}."

    def complaint_at(self, view: View, rule: Rule) -> int:
        """The newest of the answers."""
        return min(_detractors(view.state, view.as_of_ms, rule)[0].occurred_at, view.as_of_ms)

    def undone(self, view: View, rule: Rule, opened_at: int) -> bool:
        """No latest answer of then is a detractor's. Of who answered again since, that of then is not known: it may have been."""
        answers = nps.latest_answers(view.state.nps)
        may_have_been = any(answer.occurred_at > opened_at for answer in answers)
        return not may_have_been and not _detractors(view.state, opened_at, rule)

    def resolution(self, _view: View, rule: Rule) -> str:
        """A better answer, or time."""
        return (
            f"no latest answer of the last {rule.settings['valid_days']} days is a detractor's, but for a better one than before"
        )

    def due(self, sheet: Sheet, rule: Rule, *, is_open: bool) -> int:  # noqa: ARG002 - one signature for all conditions
        """When the oldest of the answers is past its days."""
        if not sheet.state.nps.latest:
            return NEVER
        valid_ms = rule.settings["valid_days"] * DAY_MS
        return min((answer.occurred_at + valid_ms for answer in _detractors(sheet.state, sheet.as_of_ms, rule)), default=NEVER)


def _detractors(state: "CustomerState", as_of_ms: int, rule: Rule) -> list[nps.Answer]:
    """The respondents whose latest answer is a new detractor's and younger than the rule's days, the newest first."""
    valid_ms = rule.settings["valid_days"] * DAY_MS
    found = [
        answer
        for answer in nps.latest_answers(state.nps)
        if answer.is_detractor and answer.occurred_at > as_of_ms - valid_ms and not _is_better(answer, valid_ms)
    ]
    return sorted(found, key=lambda answer: (-answer.occurred_at, answer.respondent_id))


def _is_better(answer: nps.Answer, valid_ms: int) -> bool:
    """Whether an answer is better than that which the respondent gave shortly before."""
    before = answer.before_score
    return before is not None and before < answer.score and answer.before_at > answer.occurred_at - valid_ms
