"""The conditions on the health score: in red, fallen, and not green near the renewal."""

from typing import TYPE_CHECKING, Final

from processors.conditions import Judged, NoComplaint, View, limit_evidence
from processors.due import NEVER
from processors.explanation import costliest
from processors.figures import Sheet
from processors.health import PEAK_MS, Override
from processors.rule_file import Rule
from processors.vocabulary import TERMS, shown
from processors.windows import DAY_MS
from schemas.records import Evidence

if TYPE_CHECKING:
    from processors.state import CustomerState

_NO_SCORE: Final = "There is no health score any more."
_STICKINESS: Final = 1.5
"""So many times what a measure costs counts once it is evidence, so that the evidence does not change back and forth."""


def peak_expiry(state: "CustomerState", as_of_ms: int) -> int:
    """When the highest of the displayed scores is past; what is left of a score that is no longer judged never is."""
    memory = state.health.get("risk")
    if memory is None or not memory.peaks:
        return NEVER
    expiry = memory.peaks[0][1] + PEAK_MS
    return expiry if expiry > as_of_ms else NEVER


class HealthRed(NoComplaint):
    """The band of the risk score is red, of an account that has been known for long enough to tell."""

    def enters(self, view: View, rule: Rule) -> bool:
        """In red, for an account known so long, and not by the time alone that passed while nobody's use was heard of."""
        if _came_by_time_alone(view, rule) or view.as_of_ms < _known_long_enough_at(view.state, rule):
            return False
        return self.stays(view, rule)

    def stays(self, view: View, _rule: Rule) -> bool:
        """Still in red."""
        return view.risk is not None and view.risk.band == "red"

    def over(self, view: View, _rule: Rule, before: list[str]) -> list[str]:
        """The score, and the figures of the two measures that cost most; one of before stays while it costs nearly as much."""
        if view.risk is None:
            return before
        score = "health_score" if view.risk.override is None else "override_score"
        return [score, *sorted(_sticky_costs(view.risk, before))]

    def evidence(self, view: View, _rule: Rule) -> list[Evidence]:
        """The score against the boundary, and the two measures that cost most."""
        risk = view.risk
        if risk is None:
            return []
        score = _score_evidence(view, risk, risk.scorecard.bands.cuts[0])
        names = {measure.name: measure.figure for measure in risk.scorecard.measures}
        costs = [Evidence(figure=names[now.measure], value=now.figure) for now in costliest(risk.assessment)[:2]]
        return [*score, *costs]

    def explanation(self, view: View, _rule: Rule) -> str:
        """The score, the boundary and what costs most."""
        risk = view.risk
        if risk is None:
            return _NO_SCORE
        score = _points(view.figure("health_score"))
        boundary = f"{risk.scorecard.bands.cuts[0]:g}"
        if risk.override is not None:
            return f"Health {_set_by_hand(risk.override, score)}; red below {boundary})."
        if risk.band is None:
            present, total = risk.assessment.present, len(risk.assessment.measures)
            return f"Health is {score} from {present} of {total} measures, too few for a band."
        return f"Health is {score}, {risk.band} (red below {boundary}){_costs(risk)}."

    def undone(self, view: View, rule: Rule, _opened_at: int) -> bool:
        """No longer in red: what the score was at the opening is not known, so it is the late event that ended it."""
        return not self.stays(view, rule)

    def resolution(self, view: View, _rule: Rule) -> str:
        """The band it has now."""
        band = view.risk.band if view.risk else None
        return f"health is {band}" if band else "too few measures for a band"

    def due(self, sheet: Sheet, rule: Rule, *, is_open: bool) -> int:
        """When the account will have been known for long enough; after that not beside the daily slot."""
        at = _known_long_enough_at(sheet.state, rule)
        return at if not is_open and at > sheet.as_of_ms else NEVER


def _came_by_time_alone(view: View, rule: Rule) -> bool:
    """Whether only time has passed while nobody's use was heard of; a dwell time that has begun otherwise goes on."""
    known = view.state.alerts.rules.get(rule.name)
    return view.wears_off and (known is None or not known.pending_since)


def _known_long_enough_at(state: "CustomerState", rule: Rule) -> int:
    """When the account's oldest event lies so many UTC days back that a low score tells something."""
    return (state.first_day + rule.settings["known_days"]) * DAY_MS


def _sticky_costs(risk: Judged, before: list[str]) -> list[str]:
    """The figures of the two costliest measures, those of `before` ahead of others that cost little more than they."""
    figures = {measure.name: measure.figure for measure in risk.scorecard.measures}
    ranked = costliest(risk.assessment)
    costs = {figures[now.measure]: now.weight * (100 - (now.value or 0.0)) for now in ranked}
    favoured = {figure: cost * (_STICKINESS if figure in before else 1) for figure, cost in costs.items() if cost > 0}
    return sorted(favoured, key=lambda figure: (-favoured[figure], figure))[:2]


class HealthFell(NoComplaint):
    """The displayed score lies far below the highest displayed in the 7 days before, by one scorecard and one version of it.

    It is about the computed score: a score that a person has set in its place neither causes a fall nor hides one.
    """

    def enters(self, view: View, rule: Rule) -> bool:
        """Fallen by the limit or more, and not by the time alone that passed while nobody's use was heard of."""
        if _came_by_time_alone(view, rule):
            return False
        fall = view.figure("health_fall_points") if view.risk else None
        return fall is not None and fall >= rule.limits[0].enter

    def stays(self, view: View, rule: Rule) -> bool:
        """Fallen by the exit or more; an unknown score ends nothing until the peak is past."""
        if view.risk is None:
            return False
        fall = view.figure("health_fall_points")
        return bool(view.risk.memory.peaks) if fall is None else fall >= rule.limits[0].exit

    def over(self, _view: View, _rule: Rule, _before: list[str]) -> list[str]:
        """The fall, always."""
        return ["health_fall_points"]

    def evidence(self, view: View, rule: Rule) -> list[Evidence]:
        """The fall against its limit, and the score."""
        return [limit_evidence(view, rule.limits[0]), Evidence(figure="health_score", value=view.figure("health_score"))]

    def explanation(self, view: View, rule: Rule) -> str:
        """From where to where, and what costs most."""
        risk, score, fall = view.risk, view.figure("health_score"), view.figure("health_fall_points")
        if risk is None:
            return _NO_SCORE
        if score is None or fall is None:
            return "The health score is unknown now."
        limit = f"{rule.limits[0].enter:g}"
        highest = _points(score + fall)
        whose = "Health" if risk.override is None else "The computed health"
        return (
            f"{whose} is {_points(score)}, {_points(fall)} below its highest of 7 days, {highest} (limit {limit}){_costs(risk)}."
        )

    def undone(self, view: View, rule: Rule, _opened_at: int) -> bool:
        """The late event ended it; what the score was at the opening is not known."""
        return not self.stays(view, rule)

    def resolution(self, view: View, rule: Rule) -> str:
        """Recovered, or long enough ago."""
        if view.risk is None:
            return "there is no health score any more"
        if view.risk.began_anew:
            return "the health score is judged by another scorecard or other definitions now, and no fall is measured across them"
        fall = _points(view.figure("health_fall_points"))
        return f"health is {fall} points below the highest of the last 7 days (limit {rule.limits[0].exit:g})"

    def due(self, sheet: Sheet, _rule: Rule, *, is_open: bool) -> int:
        """When the highest displayed score is 7 days past."""
        return peak_expiry(sheet.state, sheet.as_of_ms) if is_open else NEVER


class Renewal(NoComplaint):
    """The contract ends soon, and the customer is not green: the last chance to mend what is wrong.

    Who has no band is not green: that so little is known shortly before the renewal is what is wrong. An open episode goes on for
    some days after the date, when the contract was neither renewed nor ended.
    """

    def enters(self, view: View, rule: Rule) -> bool:
        """The date is ahead, within the days, and the band is not green."""
        days = _days_to_renewal(view)
        if days is None or not 0 <= days <= rule.settings["within_days"]:
            return False
        return view.risk is not None and view.risk.band != "green"

    def stays(self, view: View, rule: Rule) -> bool:
        """The date has not moved away nor is long past, and the band is not green."""
        days = _days_to_renewal(view)
        if days is None or not -rule.settings["overdue_days"] < days <= rule.settings["within_days"]:
            return False
        return view.risk is not None and view.risk.band != "green"

    def over(self, view: View, _rule: Rule, _before: list[str]) -> list[str]:
        """The date, and the band that is not green."""
        band = view.risk.band if view.risk else None
        return ["renewal_in_days", *([band] if band else [])]

    def evidence(self, view: View, rule: Rule) -> list[Evidence]:
        """The days to the renewal against the limit, and the score against the boundary of green."""
        risk = view.risk
        days = Evidence(figure="renewal_in_days", value=_days_to_renewal(view), threshold=float(rule.settings["within_days"]))
        return [days, *(_score_evidence(view, risk, risk.scorecard.bands.cuts[1]) if risk else ())]

    def explanation(self, view: View, rule: Rule) -> str:
        """How far the date is, the score, and what costs most."""
        days, risk = _days_to_renewal(view), view.risk
        if days is None:
            return "The contract has no end."
        when = f"in {shown('renewal_in_days', days)}" if days >= 0 else f"{shown('renewal_in_days', -days)} overdue"
        text = f"The renewal is {when} (limit {rule.settings['within_days']} days)"
        if risk is None or risk.band is None:
            return f"{text}, and too little is known for a band: unknown is not green."
        score = _points(view.figure("health_score"))
        if risk.override is not None:
            return f"{text} and health {_set_by_hand(risk.override, score)}): {risk.band}."
        return f"{text} and health is {score}, {risk.band}{_costs(risk)}."

    def undone(self, view: View, rule: Rule, _opened_at: int) -> bool:
        """The late event ended it; what band and date were at the opening is not known."""
        return not self.stays(view, rule)

    def resolution(self, view: View, rule: Rule) -> str:
        """Green, moved, or long past."""
        days = _days_to_renewal(view)
        if days is None:
            return "the contract has no end any more"
        if days > rule.settings["within_days"]:
            return f"the renewal is {shown('renewal_in_days', days)} away"
        if days <= -rule.settings["overdue_days"]:
            return f"the renewal is {shown('renewal_in_days', -days)} overdue"
        return "health is green" if view.risk else _NO_SCORE

    def due(self, sheet: Sheet, rule: Rule, *, is_open: bool) -> int:
        """When the date comes within the days; when it is long past."""
        renewal_at = sheet.state.account.renewal_at
        if renewal_at is None:
            return NEVER
        at = renewal_at + (rule.settings["overdue_days"] if is_open else -rule.settings["within_days"]) * DAY_MS
        return at if at > sheet.as_of_ms else NEVER


def _days_to_renewal(view: View) -> float | None:
    """The days to the date, however long it is past: the rule has its own bound for that."""
    renewal_at = view.state.account.renewal_at
    return None if renewal_at is None else (renewal_at - view.as_of_ms) / DAY_MS


def _score_evidence(view: View, risk: Judged, boundary: float) -> list[Evidence]:
    """The score in force against a boundary of its bands: what a person has set, with the computed one beside it, else that."""
    computed = view.figure("health_score")
    if risk.override is None:
        return [Evidence(figure="health_score", value=computed, threshold=boundary)]
    set_by_hand = Evidence(figure="override_score", value=risk.override.score, threshold=boundary)
    return [set_by_hand, Evidence(figure="health_score", value=computed)]


def _set_by_hand(override: Override, computed: str) -> str:
    """What a person has set, who, and what the computed score is; whoever asks closes the bracket."""
    return f"was set to {override.score:g} by {override.author} (computed: {computed}"


def _costs(risk: Judged) -> str:
    """The two measures that cost the score most, with their figures; empty when nothing costs anything."""
    names = {measure.name: measure.figure for measure in risk.scorecard.measures}
    worst = [now for now in costliest(risk.assessment)[:2] if now.value is not None and now.value < 100]
    parts = [f"{_label(names[now.measure])} ({shown(names[now.measure], now.figure)})" for now in worst]
    return f"; {' and '.join(parts)} {'cost' if len(parts) > 1 else 'costs'} most" if parts else ""


def _label(figure: str) -> str:
    return TERMS[figure].label


def _points(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.1f}"
