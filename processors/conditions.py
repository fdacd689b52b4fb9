"""What the conditions of the alert rules share: what they may look at, and what is asked of each.

A condition knows nothing of episodes. `over` are the keys of the evidence that stands beyond its threshold: an open episode is
updated when they change, not with every wiggle of a value. The conditions themselves are in the modules named `*_rules`.
"""

from typing import NamedTuple, Protocol

from processors.figures import Sheet
from processors.health import Assessment, HealthState, Override
from processors.rule_file import Limit, Rule
from processors.scorecard_file import Scorecard
from schemas.records import Band, Cause, Evidence


class Judged(NamedTuple):
    """A score as it was judged just now; `began_anew`: by another scorecard or other definitions than the time before."""

    scorecard: Scorecard
    memory: HealthState
    assessment: Assessment
    band: Band | None
    override: Override | None
    began_anew: bool = False


class View:
    """What a condition may look at; `risk` is None when no scorecard has that purpose, `cause` is that of the judgement."""

    __slots__ = ("as_of_ms", "cause", "risk", "sheet", "state")

    def __init__(self, sheet: Sheet, risk: Judged | None, cause: Cause = "data") -> None:
        self.cause = cause
        self.sheet = sheet
        self.state = sheet.state
        self.as_of_ms = sheet.as_of_ms
        self.risk = risk

    @property
    def wears_off(self) -> bool:
        """Whether time alone moves the figures while nobody's use is heard of: what falls then is not the customer's doing."""
        return self.cause == "time" and self.sheet.around.usage_is_quiet

    def figure(self, name: str) -> float | None:
        """A figure's value now; the health figures are of the judgement under way."""
        return self.sheet.read(name)[0]


class Condition(Protocol):
    """What a kind of rule asks of a customer."""

    def enters(self, view: View, rule: Rule, /) -> bool:
        """Whether a new episode may open."""

    def stays(self, view: View, rule: Rule, /) -> bool:
        """Whether an open episode goes on."""

    def over(self, view: View, rule: Rule, before: list[str], /) -> list[str]:
        """Keys of the evidence beyond its threshold, given those that were."""

    def evidence(self, view: View, rule: Rule, /) -> list[Evidence]:
        """The figures that the rule rests on."""

    def explanation(self, view: View, rule: Rule, /) -> str:
        """One sentence with the figures."""

    def complaint_at(self, view: View, rule: Rule, /) -> int:
        """When the customer complained, if that is what opens the episode now; 0 when no complaint does."""

    def undone(self, view: View, rule: Rule, opened_at: int, /) -> bool:
        """Whether, by all that is known now, no episode would have opened at `opened_at`.

        Asked after an event from before the opening, of an episode for which no new one would open now.
        """

    def resolution(self, view: View, rule: Rule, /) -> str:
        """Why an episode is over, when it no longer stays."""

    def due(self, sheet: Sheet, rule: Rule, /, *, is_open: bool) -> int:
        """When time alone can make it enter or end, beside the daily slot; NEVER when it cannot."""


class NoComplaint:
    """A condition that no complaint fulfils."""

    def complaint_at(self, _view: View, _rule: Rule) -> int:
        """None."""
        return 0


def limit_evidence(view: View, limit: Limit) -> Evidence:
    """A figure beside the limit at which the rule is entered."""
    return Evidence(figure=limit.figure, value=view.figure(limit.figure), threshold=limit.enter)
