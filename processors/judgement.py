"""Judging a customer: figures to scores, scores to health changes, all of it to alerts; and when that must be done again.

`judge` is called after every event and whenever time alone may have changed something. It is quick when nothing did: records are
built only to be published.
"""

from typing import TYPE_CHECKING

from processors import alerts, commercial, explanation, health, loyalty, survey_plan
from processors.conditions import Judged, View
from processors.definitions import Scorecard
from processors.due import daily_slot
from processors.effects import Context, identity
from processors.figures import Sheet
from processors.health import Assessment, HealthState, Override
from processors.readings import known_for_60_days_at
from processors.scorecard_file import Purpose, choose
from processors.way_up import way_up
from schemas.records import Cause, HealthChange

if TYPE_CHECKING:
    from processors.state import CustomerState


def judge(sheet: Sheet, cause: Cause, context: Context, occurred_at: int | None = None) -> list[Judged]:
    """Judge the customer of the sheet, score by score; what is worth publishing goes to the context's effects.

    `occurred_at` is that of the event that caused it, None when none did.
    """
    state, as_of_ms, readings = sheet.state, sheet.as_of_ms, sheet.readings
    override = _override(state, as_of_ms)
    judged = []
    risk = None
    for purpose, scorecards in context.definitions.scorecards.items():
        scorecard = choose(scorecards, state.account.segment, state.account.stage)
        memory = state.health.of(purpose)
        assessment = health.assess(scorecard, [readings[measure.figure] for measure in scorecard.measures], as_of_ms)
        before = _scorecard_before(memory, purpose, context)
        # another scorecard is always published, so the one of the last record is the one of the last judgement
        began_anew = cause == "config" or before is None or before.name != scorecard.name
        if began_anew:
            health.begin_anew(memory)
        health.observe(memory, scorecard, assessment, as_of_ms)
        in_force = override if purpose == "risk" else None
        if health.is_worth_publishing(memory, scorecard, assessment, in_force, before):
            if occurred_at is not None and occurred_at < memory.published_at - health.LATE_MS:
                memory.revision += 1
            _publish(state, memory, before, scorecard, assessment, in_force, as_of_ms, cause, context)
        band = health.band_shown(scorecard, memory, in_force)
        now = Judged(scorecard, memory, assessment, band, in_force, began_anew)
        judged.append(now)
        if purpose == "risk":
            risk = now
    loyalty.judge(sheet, cause, context, occurred_at)
    alerts.judge(View(sheet, risk, cause), cause, context, occurred_at)
    return judged


def next_due(sheet: Sheet) -> int:
    """The earliest time after the judgement at which something can change without an event; NEVER when nothing can.

    Windows move on at the customer's daily slot; silences, expiries, dwell times and the snapshot are due at their own time.
    """
    state, as_of_ms = sheet.state, sheet.as_of_ms
    due = min(alerts.next_due(sheet), loyalty.next_due(sheet), survey_plan.next_due(state, as_of_ms, sheet.definitions))
    moved_at = max(state.last_seen_at, commercial.moved_at(state.commercial, state.account))
    if as_of_ms < max(moved_at + sheet.definitions.settles_after_ms, known_for_60_days_at(state)):
        due = min(due, daily_slot(state.customer_id, as_of_ms))
    override = _override(state, as_of_ms)
    if override is not None:
        due = min(due, override.expires_at)
    if state.snapshot_due_at:
        due = min(due, max(state.snapshot_due_at, as_of_ms + 1))
    return due


def _override(state: "CustomerState", as_of_ms: int) -> Override | None:
    override = state.account.override_at(as_of_ms)
    return None if override is None else Override(override.score, override.author, override.reason, override.expires_at)


def _scorecard_before(memory: HealthState, purpose: Purpose, context: Context) -> Scorecard | None:
    """The scorecard of the last record; None when there was none, or its definitions are not known any more."""
    definitions = context.definitions_of(memory.version) if memory.card >= 0 else None
    if definitions is None:
        return None
    scorecards = definitions.scorecards.get(purpose, ())
    return scorecards[memory.card] if memory.card < len(scorecards) else None


def _publish(
    state: "CustomerState",
    memory: HealthState,
    before: Scorecard | None,
    scorecard: Scorecard,
    assessment: Assessment,
    override: Override | None,
    as_of_ms: int,
    cause: Cause,
    context: Context,
) -> None:
    """Publish the change from what was last published to this, and make this what was last published."""
    old, old_band, old_present, told = health.published(memory, before), memory.band, memory.present, memory.told
    memory.told = state.causes.count
    place = (context.config_version, context.definitions.scorecards[scorecard.purpose].index(scorecard))
    health.remember_published(memory, place, scorecard, assessment, override, as_of_ms)
    context.effects.outputs.append(
        HealthChange(
            **identity(state, "health", context, told),
            as_of=as_of_ms,
            scorecard=scorecard.name,
            purpose=scorecard.purpose,
            cause=cause,
            revision=memory.revision,
            old_score=old.score,
            new_score=assessment.score,
            old_displayed=health.displayed(old.score),
            new_displayed=health.displayed(assessment.score),
            old_band=old_band,
            new_band=memory.band,
            old_measures_present=old_present,
            new_measures_present=assessment.present,
            measures_total=len(scorecard.measures),
            measures=explanation.explain(scorecard, old.measures, assessment.measures),
            override_score=override.score if override else None,
            override_author=override.author if override else None,
            override_reason=override.reason if override else None,
            override_expires_at=override.expires_at if override else None,
            way_up=way_up(scorecard, assessment, memory.judged_band),
        )
    )
