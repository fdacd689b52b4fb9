"""The snapshot of a customer: all that is known at one time, in one record."""

from collections.abc import Iterable

from processors import alert_records, commercial_rows, explanation, figures, loyalty, promises, timeline, touchpoints, upkeep
from processors.conditions import Judged
from processors.effects import Context, identity
from processors.figures import Sheet
from schemas.records import CustomerSnapshot


def snapshot(sheet: Sheet, judged: Iterable[Judged], context: Context) -> CustomerSnapshot:
    """The customer of the sheet, with the scores as they were judged just now."""
    state = sheet.state
    account, cutoffs = state.account, context.definitions.loyalty
    return CustomerSnapshot(
        **identity(state, "snapshot", context),
        as_of=sheet.as_of_ms,
        stage=account.stage,
        stage_since=account.stage_since,
        plan=account.plan,
        mrr_cents=account.mrr_cents,
        currency=account.currency,
        seats=account.seats,
        segment=account.segment,
        renewal_at=account.renewal_at,
        owner=account.owner,
        last_seen_at=state.last_seen_at or None,
        events_accepted=state.events_accepted,
        flags=_flags(sheet),
        health=[explanation.health_now(now.scorecard, now.assessment, now.band, now.memory.judged_band) for now in judged],
        figures=figures.all_figures(sheet),
        promises=promises.ledger(state, sheet.as_of_ms, sheet.definitions),
        open_alerts=alert_records.open_alerts(state, context.definitions),
        referred_by=None if state.commercial.referred_by is None else state.commercial.referred_by[1],
        quadrant=state.loyalty.quadrant,
        quadrant_reason=loyalty.reason(state.loyalty.code, context.definitions.loyalty),
        quadrant_action=context.definitions.loyalty.actions[state.loyalty.quadrant],
        timeline=timeline.shown(state, context.definitions),
        touchpoints=touchpoints.stations(state, sheet.as_of_ms, context.definitions),
        loyalty_flags=loyalty.flags(state, sheet.as_of_ms, cutoffs),
        worst_touchpoint=loyalty.worst_touchpoint(state.csat, cutoffs.window, sheet.as_of_ms, context.definitions),
        revision=state.snapshot_revision,
    )


def _flags(sheet: Sheet) -> list[str]:
    """What makes the figures less than exact, and that a renewal is overdue while the customer still counts as one."""
    state, grace_ms = sheet.state, sheet.definitions.commercial.renewal_grace_ms
    found = upkeep.flags(state)
    if commercial_rows.is_overdue(state.commercial, state.account, sheet.as_of_ms, grace_ms):
        found = sorted((*found, "overdue_beyond_grace"))
    return found
