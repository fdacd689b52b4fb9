"""The fold of one customer: an event, or time that passed, into its state and what follows from it.

This is the whole way of an event through the domain: refuse what was seen before, let its family count it, then judge the
customer anew. Everything happens in the order of the merged log and at its times; nothing here knows a clock.
"""

from typing import Literal

from processors import (
    alerts,
    coarsen,
    commercial,
    csat,
    episodes,
    feedback,
    health,
    journey,
    judgement,
    loyalty,
    nps,
    promises,
    responses,
    seen,
    survey_plan,
    tickets,
    timeline,
    touchpoints,
    upkeep,
    usage,
)
from processors.due import NEVER, is_daily_slot
from processors.effects import Causes, Context
from processors.figures import Sheet
from processors.snapshot import snapshot
from processors.state import CustomerState
from processors.windows import DAY_MS
from schemas.events import AccountEvent, CustomerEvent, SurveyEvent, TicketEvent, UsageEvent
from schemas.records import ChurnAlert, CustomerOutput, HealthChange

Verdict = Literal["accepted", "unverifiable", "duplicate", "erased"]

FAMILIES: dict[type[CustomerEvent], str] = {TicketEvent: "t", UsageEvent: "u", SurveyEvent: "s", AccountEvent: "a"}


def fold(state: CustomerState, event: CustomerEvent, clock_ms: int, context: Context, letter_id: bytes | None = None) -> Verdict:
    """Fold one event into the state, judged as of `clock_ms`; everything due before must have been settled.

    `letter_id` is that of the dead letter that is replayed. "unverifiable" was accepted, although it is so old that it cannot be
    told from a duplicate any more. "duplicate" and "erased" (an event from before the customer's erasure) have changed nothing.
    """
    verdict = _admit(state, event, clock_ms, context, letter_id)
    if verdict in ("erased", "duplicate"):
        return verdict
    if isinstance(event, AccountEvent) and event.kind == "erased":
        _erase(state, event, clock_ms, context)
        return "accepted"
    _count(state, event, clock_ms, context)
    state.events_accepted += 1
    if event.occurred_at < 1000 * state.snapshot_at_s - health.LATE_MS:
        state.snapshot_revision += 1
    state.causes.add(event.event_id)
    context.effects.totals.accepted(event)
    survey_plan.fold(state, event, clock_ms, context)
    if state.events_accepted % coarsen.EVENTS_BETWEEN_CHECKS == 0:
        coarsen.coarsen(state, clock_ms, context.effects.totals)
    if isinstance(event, AccountEvent):
        state.snapshot_due_at = clock_ms  # contract, owner and stage are shown at once: whoever looks at them acts on them
    elif state.snapshot_due_at == 0:
        state.snapshot_due_at = _snapshot_owed_at(state, clock_ms, context)
    _judge(state, clock_ms, "data", context, event.occurred_at)
    if verdict == "unverifiable":
        context.effects.totals.oddity("unverifiable", event.occurred_at)
    return verdict


def _admit(state: CustomerState, event: CustomerEvent, clock_ms: int, context: Context, letter_id: bytes | None) -> Verdict:
    """Whether the event counts; if it does, its id and that of the dead letter it comes from are remembered."""
    totals = context.effects.totals
    if state.erased_at and event.occurred_at <= state.erased_at:
        totals.oddity("erased", event.occurred_at)
        return "erased"
    if letter_id is not None and state.replayed.contains(letter_id):
        totals.oddity("replayed_again", event.occurred_at)
        return "duplicate"
    family = FAMILIES[type(event)]
    ids = state.seen.get(family)
    if ids is None:
        ids = state.seen[family] = seen.SeenIds()
    verdict = ids.check(event.event_id, event.occurred_at, clock_ms)
    if verdict == "duplicate":
        totals.oddity("duplicate", event.occurred_at)
        return "duplicate"
    ids.remember(event.event_id, event.occurred_at, clock_ms)
    if letter_id is not None and state.replayed.remember(letter_id):
        totals.oddity("forgotten_letter", event.occurred_at)
    return "unverifiable" if verdict == "unverifiable" else "accepted"


def is_unverifiable(state: CustomerState, event: CustomerEvent, clock_ms: int) -> bool:
    """Whether `fold` would accept the event although it cannot be told from a repetition: its id may have been forgotten."""
    ids = state.seen.get(FAMILIES[type(event)])
    return ids is not None and ids.check(event.event_id, event.occurred_at, clock_ms) == "unverifiable"


def settle(state: CustomerState, until_ms: int, context: Context) -> None:
    """Let time pass: every evaluation due up to `until_ms`, each as of its own due time; what no window sees any more goes."""
    while state.next_due <= until_ms:
        due_ms = state.next_due
        if is_daily_slot(state.customer_id, due_ms):
            upkeep.prune(state, due_ms)
            promises.refresh(state, due_ms, context.definitions)
            coarsen.coarsen(state, due_ms, context.effects.totals)
            if 1000 * state.snapshot_at_s < context.around.turn_ms <= due_ms:
                state.snapshot_due_at = due_ms  # whoever speaks now shows everybody once
        _judge(state, due_ms, "time", context, None)
        assert state.next_due > due_ms, "an evaluation moves the due time on"


def reconsider(state: CustomerState, as_of_ms: int, context: Context) -> None:
    """Judge the customer by a new version of the definitions, as of the time it took effect."""
    state.config_version = context.config_version
    promises.refresh(state, as_of_ms, context.definitions)
    if not state.erased_at or state.events_accepted:
        _judge(state, as_of_ms, "config", context, None)


def _count(state: CustomerState, event: CustomerEvent, clock_ms: int, context: Context) -> None:
    """Let the event's family count it, and note the sign of life.

    Use, an answer, and a ticket that is opened or reopened are signs of the customer; what an agent does to a ticket is none.
    """
    definitions, totals = context.definitions, context.effects.totals
    alive = True
    if isinstance(event, TicketEvent):
        tickets.fold(state.tickets, event, clock_ms, definitions, totals)
        alive = event.kind in ("opened", "reopened")
    elif isinstance(event, UsageEvent):
        usage.fold(state.usage, event, clock_ms, definitions, totals)
        touchpoints.fold(state.interactions, event, definitions, totals)
        journey.fold_use(state.journey, event, definitions)
        promises.fold_use(state, event, clock_ms, definitions, totals)
    elif isinstance(event, SurveyEvent):
        csat.fold(state.csat, event, clock_ms, definitions, totals)
        nps.fold(state.nps, event, clock_ms, definitions, totals)
        feedback.fold(state.feedback, event, clock_ms, definitions, totals)
        responses.fold(state.responses, event, clock_ms, definitions, totals)
        loyalty.fold(state.loyalty, event)
        alive = event.kind == "answered"
    else:
        commercial.fold(state.commercial, state.account, event, clock_ms, definitions, totals)
        journey.fold_account(state.journey, event, totals)
        promises.fold_account(state, event, clock_ms, definitions, totals)
        timeline.fold(state.timeline, event, totals)
        alive = False
    episodes.take_in(state.alerts, event, totals)
    day = event.occurred_at // DAY_MS
    state.first_day = min(state.first_day or day, day)
    if alive and event.occurred_at > state.last_seen_at:
        state.last_seen_at = event.occurred_at


def _judge(
    state: CustomerState, as_of_ms: int, cause: Literal["data", "time", "config"], context: Context, occurred_at: int | None
) -> None:
    """Judge, publish a snapshot if one is called for or due, and find out when time alone changes something."""
    survey_plan.judge(state, as_of_ms, cause, context)
    outputs = context.effects.outputs
    before, health_before = len(outputs), state.sequences.get("health", 0)
    sheet = Sheet(state, as_of_ms, context.definitions, context.around)
    judged = judgement.judge(sheet, cause, context, occurred_at)
    timeline.note(state.timeline, outputs[before:], context.effects.totals)
    if len(outputs) > before and state.snapshot_due_at == 0:
        state.snapshot_due_at = _snapshot_owed_at(state, as_of_ms, context)
    if any(_calls_for_snapshot(record) for record in outputs[before:]) or 0 < state.snapshot_due_at <= as_of_ms:
        outputs.append(snapshot(sheet, judged, context))
        state.snapshot_due_at, state.snapshot_at_s = 0, as_of_ms // 1000
    if state.sequences.get("health", 0) > health_before:
        state.causes.told = state.causes.count
    state.next_due = judgement.next_due(sheet)


def _snapshot_owed_at(state: CustomerState, now_ms: int, context: Context) -> int:
    """When something new is to be shown: at once, unless the last snapshot went out less than an interval ago."""
    return max(now_ms, 1000 * state.snapshot_at_s + context.definitions.snapshot_interval_ms)


def _calls_for_snapshot(record: CustomerOutput) -> bool:
    """Whoever acts on an alert or a change of the risk's band looks at the customer at once; all else waits for the interval."""
    if isinstance(record, HealthChange):
        return record.purpose == "risk" and (record.old_band != record.new_band or record.old_score is None)
    return isinstance(record, ChurnAlert)


def _erase(state: CustomerState, event: AccountEvent, clock_ms: int, context: Context) -> None:
    """Forget the customer but for a marker that refuses what occurred before; the anonymous sums of the past stay.

    What stays is the customer's id, the time of the erasure, the numbers of records and episodes, so that none is used twice, and
    the hashed ids of replayed dead letters and of events that occurred after the erasure and came before it: they were forgotten
    with the rest, and count no second time. One who comes back is new: the first health change goes from null to a score, with
    the next number, so a change from null that is not number 1 begins the chain anew, where the one before was of somebody who is
    no longer known.
    """
    for family, ids in list(state.seen.items()):
        ids.forget_until(event.occurred_at)
        if not ids.count:
            del state.seen[family]
    commercial.erase(state.commercial, state.account, event.occurred_at, context.effects.totals)
    blank = CustomerState(state.customer_id, config_version=context.config_version)
    for name in CustomerState.__struct_fields__:
        if name not in ("sequences", "seen", "alerts", "replayed"):
            setattr(state, name, getattr(blank, name))
    state.causes.add(event.event_id)
    alerts.erase(state, clock_ms, context)
    state.causes = Causes()
    state.erased_at = event.occurred_at
    state.next_due = NEVER
    context.effects.erased = True
