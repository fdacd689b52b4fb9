"""The conditions of the alert rules: when each holds, what it shows, and when time alone can change it.

A condition knows nothing of episodes. `over` are the keys of the evidence that stands beyond its threshold: an open episode is
updated when they change, not with every wiggle of a value. A new kind of rule is one more condition in `CONDITIONS`.
"""

from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from processors import nps
from processors.due import NEVER, crossing
from processors.figures import Sheet
from processors.health import PEAK_MS, Assessment, HealthState, Override, costliest
from processors.names import short_id
from processors.rule_file import SEVERITIES, Limit, Rule
from processors.scorecard_file import Scorecard
from processors.vocabulary import TERMS, shown
from processors.windows import DAY_MS
from schemas.records import Band, Evidence, Severity

if TYPE_CHECKING:
    from processors.state import CustomerState

MAX_EVIDENCE: Final = 8  # respondents that a record names; the newest answers first
_NO_SCORE: Final = "There is no health score any more."
_HIGHEST_DETRACTOR: Final = 6.0  # on both scales


class Judged(NamedTuple):
    """A score as it was judged just now."""

    scorecard: Scorecard
    memory: HealthState
    assessment: Assessment
    band: Band | None
    override: Override | None


class View:
    """What a condition may look at; `risk` is None when no scorecard has that purpose."""

    __slots__ = ("as_of_ms", "risk", "sheet", "state")

    def __init__(self, sheet: Sheet, risk: Judged | None) -> None:
        self.sheet = sheet
        self.state = sheet.state
        self.as_of_ms = sheet.as_of_ms
        self.risk = risk

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

    def resolution(self, view: View, rule: Rule, /) -> str:
        """Why an episode is over, when it no longer stays."""

    def due(self, sheet: Sheet, rule: Rule, /, *, is_open: bool) -> int:
        """When time alone can make it enter or end, beside the daily slot; NEVER when it cannot."""


def severity(view: View, rule: Rule) -> Severity:
    """The rule's own severity, or the most severe that a figure raises it to."""
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
        elif lift.figure == "health_fall_points":
            due = min(due, _peak_expiry(sheet.state, sheet.as_of_ms))
    return due


def _limit_evidence(view: View, limit: Limit) -> Evidence:
    return Evidence(figure=limit.figure, value=view.figure(limit.figure), threshold=limit.enter)


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


def _peak_expiry(state: "CustomerState", as_of_ms: int) -> int:
    """When the highest of the displayed scores is past; what is left of a score that is no longer judged never is."""
    memory = state.health.get("risk")
    if memory is None or not memory.peaks:
        return NEVER
    expiry = memory.peaks[0][1] + PEAK_MS
    return expiry if expiry > as_of_ms else NEVER


class HealthRed:
    """The band of the risk score is red."""

    def enters(self, view: View, _rule: Rule) -> bool:
        """In red."""
        return view.risk is not None and view.risk.band == "red"

    def stays(self, view: View, rule: Rule) -> bool:
        """Still in red."""
        return self.enters(view, rule)

    def over(self, _view: View, _rule: Rule, _before: list[str]) -> list[str]:
        """The score, always: which measures cost most is told by the health changes."""
        return ["health_score"]

    def evidence(self, view: View, _rule: Rule) -> list[Evidence]:
        """The score against the boundary, and the two measures that cost most."""
        risk = view.risk
        if risk is None:
            return []
        score = Evidence(figure="health_score", value=view.figure("health_score"), threshold=risk.scorecard.bands.cuts[0])
        names = {measure.name: measure.figure for measure in risk.scorecard.measures}
        costs = [Evidence(figure=names[now.measure], value=now.figure) for now in costliest(risk.assessment)[:2]]
        return [score, *costs]

    def explanation(self, view: View, _rule: Rule) -> str:
        """The score, the boundary and what costs most."""
        risk = view.risk
        if risk is None:
            return _NO_SCORE
        score = _points(view.figure("health_score"))
        boundary = f"{risk.scorecard.bands.cuts[0]:g}"
        if risk.override is not None:
            by = risk.override.author
            return f"Health was set to {risk.override.score:g} by {by} (computed: {score}; red below {boundary})."
        if risk.band is None:
            present, total = risk.assessment.present, len(risk.assessment.measures)
            return f"Health is {score} from {present} of {total} measures, too few for a band."
        return f"Health is {score}, {risk.band} (red below {boundary}){_costs(risk)}."

    def resolution(self, view: View, _rule: Rule) -> str:
        """The band it has now."""
        band = view.risk.band if view.risk else None
        return f"health is {band}" if band else "too few measures for a band"

    def due(self, _sheet: Sheet, _rule: Rule, *, is_open: bool) -> int:  # noqa: ARG002 - one signature for all conditions
        """Not beside the daily slot."""
        return NEVER


class HealthFell:
    """The displayed score lies far below the highest displayed in the 7 days before."""

    def enters(self, view: View, rule: Rule) -> bool:
        """Fallen by the limit or more."""
        fall = view.figure("health_fall_points")
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
        return [_limit_evidence(view, rule.limits[0]), Evidence(figure="health_score", value=view.figure("health_score"))]

    def explanation(self, view: View, rule: Rule) -> str:
        """From where to where, and what costs most."""
        risk, score, fall = view.risk, view.figure("health_score"), view.figure("health_fall_points")
        if risk is None:
            return _NO_SCORE
        if score is None or fall is None:
            return "The health score is unknown now."
        limit = f"{rule.limits[0].enter:g}"
        highest = _points(score + fall)
        return (
            f"Health is {_points(score)}, {_points(fall)} below its highest of 7 days, {highest} (limit {limit}){_costs(risk)}."
        )

    def resolution(self, view: View, rule: Rule) -> str:
        """Recovered, or long enough ago."""
        if view.risk is None:
            return "there is no health score any more"
        fall = _points(view.figure("health_fall_points"))
        return f"health is {fall} points below the highest of the last 7 days (limit {rule.limits[0].exit:g})"

    def due(self, sheet: Sheet, _rule: Rule, *, is_open: bool) -> int:
        """When the highest displayed score is 7 days past."""
        return _peak_expiry(sheet.state, sheet.as_of_ms) if is_open else NEVER


class Backlog:
    """Too many tickets are open."""

    def enters(self, view: View, rule: Rule) -> bool:
        """One of the counts is at its limit or above."""
        return any((view.figure(limit.figure) or 0) >= limit.enter for limit in rule.limits)

    def stays(self, view: View, rule: Rule) -> bool:
        """One of the counts is still above its exit."""
        return any((view.figure(limit.figure) or 0) > limit.exit for limit in rule.limits)

    def over(self, view: View, rule: Rule, before: list[str]) -> list[str]:
        """The counts that reached their limit and have not come down to their exit since."""
        found = []
        for limit in rule.limits:
            value = view.figure(limit.figure) or 0
            if value >= limit.enter or (limit.figure in before and value > limit.exit):
                found.append(limit.figure)
        return found

    def evidence(self, view: View, rule: Rule) -> list[Evidence]:
        """Each count against its limit, and the oldest ticket."""
        oldest = Evidence(figure="oldest_open_ticket_days", value=view.figure("oldest_open_ticket_days"))
        return [*(_limit_evidence(view, limit) for limit in rule.limits), oldest]

    def explanation(self, view: View, rule: Rule) -> str:
        """The counts, their limits and the age of the oldest ticket."""
        number = int(view.figure("open_tickets") or 0)
        urgent = int(view.figure("open_urgent_tickets") or 0)
        limits = {limit.figure: f"{limit.enter:g}" for limit in rule.limits}
        tickets = "ticket" if number == 1 else "tickets"
        text = f"{number} open {tickets} (limit {limits['open_tickets']})"
        text += f", {urgent} of them urgent (limit {limits['open_urgent_tickets']})"
        if number:
            text += f"; the oldest is open for {shown('oldest_open_ticket_days', view.figure('oldest_open_ticket_days'))}"
        return text + "."

    def resolution(self, view: View, _rule: Rule) -> str:
        """What is left open."""
        number = int(view.figure("open_tickets") or 0)
        return f"{number} {'ticket' if number == 1 else 'tickets'} left open"

    def due(self, _sheet: Sheet, _rule: Rule, *, is_open: bool) -> int:  # noqa: ARG002 - one signature for all conditions
        """Never: tickets neither open nor close by themselves."""
        return NEVER


class Silence:
    """No usage, ticket or answer for long, from a customer that was active before."""

    def enters(self, view: View, rule: Rule) -> bool:
        """Active before, and silent for the limit."""
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
        return [_limit_evidence(view, rule.limits[0])]

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


class NewDetractor:
    """The latest NPS answer of a respondent is a detractor's, and not old."""

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
        ago = shown("days_since_last_sign", max(0.0, (view.as_of_ms - newest.occurred_at) / DAY_MS))
        text = f"{newest.respondent_id} answered {newest.score} of 10 to the NPS question {ago} ago"
        others = len(found) - 1
        return f"{text}; {others} more in the last {days} days." if others else f"{text}."

    def resolution(self, _view: View, rule: Rule) -> str:
        """A better answer, or time."""
        return f"no latest answer of the last {rule.settings['valid_days']} days is a detractor's"

    def due(self, sheet: Sheet, rule: Rule, *, is_open: bool) -> int:  # noqa: ARG002 - one signature for all conditions
        """When the oldest of the answers is past its days."""
        if not sheet.state.nps.latest:
            return NEVER
        valid_ms = rule.settings["valid_days"] * DAY_MS
        return min((answer.occurred_at + valid_ms for answer in _detractors(sheet.state, sheet.as_of_ms, rule)), default=NEVER)


def _detractors(state: "CustomerState", as_of_ms: int, rule: Rule) -> list[nps.Answer]:
    """The respondents whose latest answer is a detractor's and younger than the rule's days, the newest first."""
    after = as_of_ms - rule.settings["valid_days"] * DAY_MS
    found = [answer for answer in nps.latest_answers(state.nps) if answer.is_detractor and answer.occurred_at > after]
    return sorted(found, key=lambda answer: (-answer.occurred_at, answer.respondent_id))


CONDITIONS: Final[dict[str, Condition]] = {
    "health_red": HealthRed(),
    "health_fell": HealthFell(),
    "backlog": Backlog(),
    "silence": Silence(),
    "new_detractor": NewDetractor(),
}
