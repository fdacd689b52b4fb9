"""The snapshot of a customer: all that is known at one time, in one record."""

from collections.abc import Iterable

from processors import alerts, figures, health, upkeep
from processors.effects import Context, identity
from processors.rules import Judged
from processors.state import CustomerState
from schemas.records import CustomerSnapshot


def snapshot(state: CustomerState, as_of_ms: int, judged: Iterable[Judged], context: Context) -> CustomerSnapshot:
    """The customer as of a time, with the scores as they were judged then."""
    account = state.account
    return CustomerSnapshot(
        **identity(state, "snapshot", context),
        as_of=as_of_ms,
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
        flags=upkeep.flags(state),
        health=[health.health_now(now.scorecard, now.assessment, now.band) for now in judged],
        figures=figures.all_figures(state, as_of_ms),
        open_alerts=alerts.open_alerts(state, context.definitions),
    )
