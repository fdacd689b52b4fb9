"""What an input record must satisfy beyond the types of its fields.

A text that names something is 1 to 256 characters long; an absent one is None, never empty. Free text may be empty.
"""

from collections.abc import Callable, Iterable
from math import isfinite
from typing import Any, cast

from msgspec import Struct

from schemas.currencies import FORM, is_currency
from schemas.events import AccountEvent, InputEvent, SurveyEvent, Tick, TicketEvent, UsageEvent
from schemas.outcome import Malformed, Reason, malformed

TIME_MIN_MS = 0  # 1970
TIME_MAX_MS = 7_258_118_400_000  # 2200-01-01T00:00:00Z; a time in microseconds lies far beyond it
MAX_NAME_CHARS = 256
MAX_TEXT_CHARS = 16_384
MAX_COUNT = 10**12  # uses, milliseconds, seats: sums of them stay far from 64 bits
MAX_CENTS = 10**15
MAX_PROMISED_GOALS = 64
MAX_FLEET_FIGURES = 256

SCALES: dict[str, tuple[int, int]] = {"good_bad": (0, 1), "1_5": (1, 5), "0_10": (0, 10), "1_10": (1, 10), "1_7": (1, 7)}
"""Lowest and highest score of each scale."""

SURVEY_SCALES: dict[str, tuple[str, ...]] = {
    "csat": ("good_bad", "1_5", "1_7"),
    "nps": ("0_10", "1_10"),
    "ces": ("1_7",),
    "product": ("good_bad", "1_5", "1_7", "0_10"),
}
"""The scales on which each survey may be answered."""

_USAGE_NEEDS = {"feature_used": "feature", "goal_completed": "goal", "goal_failed": "goal"}
_ACCOUNT_NEEDS: dict[str, tuple[str, ...]] = {
    "payment": ("amount_cents", "status"),
    "referred": ("referred_customer_id",),
    "owner_changed": ("owner",),
    "contact": ("respondent_id",),
    "override": ("author", "reason_text", "expires_at", "override_score"),
    "acknowledged": ("episode_id", "author"),
    "acted": ("episode_id", "author"),
    "muted": ("rule", "muted_until"),
}


def check(event: InputEvent) -> Malformed | None:
    """The first thing that is wrong with an event, or None."""
    return _CHECKS[type(event)](event)


def _ticket(event: TicketEvent) -> Malformed | None:
    names = (event.ticket_id, event.touchpoint, event.channel, event.agent_id, event.requester_id)
    return _identity(event) or _names(event, names)


def _usage(event: UsageEvent) -> Malformed | None:
    names = (event.feature, event.goal, event.touchpoint, event.interaction_id, event.user_id)
    wrong = _identity(event) or _names(event, names)
    if wrong:
        return wrong
    needed = _USAGE_NEEDS.get(event.kind)
    if needed is not None and getattr(event, needed) is None:
        return _missing(event.kind, needed)
    return _bounded("quantity", event.quantity, MAX_COUNT) or _bounded("duration_ms", event.duration_ms, MAX_COUNT)


def _survey(event: SurveyEvent) -> Malformed | None:
    names = (event.touchpoint, event.respondent_id, event.request_id, event.interaction_id, event.ticket_id, event.locale)
    return _identity(event) or _names(event, names) or _text("comment", event.comment) or _score(event)


def _score(event: SurveyEvent) -> Malformed | None:
    scale, score = event.scale, event.score
    if scale is not None and scale not in SURVEY_SCALES[event.survey]:
        allowed = " or ".join(SURVEY_SCALES[event.survey])
        return malformed(Reason.BAD_SCORE, f"survey {event.survey} has no scale {scale}; it is answered on {allowed}")
    if score is None:
        return _missing(event.kind, "score") if event.kind == "answered" else None
    if scale is None:
        return malformed(Reason.MISSING_FIELD, "a score needs its scale")
    lowest, highest = SCALES[scale]
    if not lowest <= score <= highest:
        return malformed(Reason.BAD_SCORE, f"score {score} is off the scale {scale}: {lowest} to {highest}")
    return None


def _account(event: AccountEvent) -> Malformed | None:
    names = (
        *(event.plan, event.currency, event.segment, event.owner, event.product, event.referred_customer_id),
        *(event.respondent_id, event.locale, event.author, event.episode_id, event.rule),
    )
    wrong = _identity(event) or _names(event, names) or _account_needs(event)
    return wrong or _account_bounds(event) or _promises(event)


def _account_needs(event: AccountEvent) -> Malformed | None:
    for needed in _ACCOUNT_NEEDS.get(event.kind, ()):
        if getattr(event, needed) is None or (needed == "reason_text" and not event.reason_text):
            return _missing(event.kind, needed)
    return None


def _account_bounds(event: AccountEvent) -> Malformed | None:
    if event.override_score is not None and not 0 <= event.override_score <= 100:
        return malformed(Reason.BAD_SCORE, f"override_score is {event.override_score}; a score is 0 to 100")
    return (
        _time("renewal_at", event.renewal_at)
        or _time("expires_at", event.expires_at)
        or _time("muted_until", event.muted_until)
        or _bounded("mrr_cents", event.mrr_cents, MAX_CENTS)
        or _bounded("amount_cents", event.amount_cents, MAX_CENTS)
        or _bounded("seats", event.seats, MAX_COUNT)
        or _currency(event.currency)
        or _text("reason_text", event.reason_text)
        or _text("action", event.action)
    )


def _promises(event: AccountEvent) -> Malformed | None:
    goals = event.goals or ()
    if len(goals) > MAX_PROMISED_GOALS:
        return malformed(Reason.OUT_OF_RANGE, f"{len(goals)} goals are promised; at most {MAX_PROMISED_GOALS}")
    for promise in goals:
        if not (0 < len(promise.goal) <= MAX_NAME_CHARS and 0 <= promise.expected_per_30_days <= MAX_COUNT):
            return malformed(
                Reason.OUT_OF_RANGE,
                f"a promised goal needs a name of 1 to {MAX_NAME_CHARS} characters and a number from 0 to {MAX_COUNT}",
            )
    return None


def _tick(tick: Tick) -> Malformed | None:
    if len(tick.fleet) > MAX_FLEET_FIGURES:
        return malformed(Reason.OUT_OF_RANGE, f"{len(tick.fleet)} fleet figures; at most {MAX_FLEET_FIGURES}")
    for figure in tick.fleet:
        if figure.value is not None and not isfinite(figure.value):
            return malformed(Reason.OUT_OF_RANGE, f"the fleet figure {figure.name} is not a finite number")
    return (
        _time("occurred_at", tick.occurred_at)
        or _bounded("partition", tick.partition, MAX_COUNT)
        or _bounded("config_version", tick.config_version, MAX_COUNT)
        or _names(tick, (tick.active_app_id,))
    )


def _identity(event: TicketEvent | UsageEvent | SurveyEvent | AccountEvent) -> Malformed | None:
    """The fields that every event of a customer has."""
    if (
        0 < len(event.event_id) <= MAX_NAME_CHARS
        and 0 < len(event.customer_id) <= MAX_NAME_CHARS
        and TIME_MIN_MS <= event.occurred_at < TIME_MAX_MS
    ):
        return None
    return _time("occurred_at", event.occurred_at) or _names(event, (event.event_id, event.customer_id))


def _names(event: Struct, values: Iterable[str | None]) -> Malformed | None:
    for value in values:
        if value is not None and not 0 < len(value) <= MAX_NAME_CHARS:
            field = next(name for name in event.__struct_fields__ if getattr(event, name) is value)
            found = f"has {len(value)}" if value else "is empty (leave it out, or write null, when it does not apply)"
            return malformed(Reason.OUT_OF_RANGE, f"{field} {found}; 1 to {MAX_NAME_CHARS} characters are allowed")
    return None


def _text(field: str, value: str | None) -> Malformed | None:
    if value is not None and len(value) > MAX_TEXT_CHARS:
        return malformed(Reason.OUT_OF_RANGE, f"{field} has {len(value)} characters; at most {MAX_TEXT_CHARS} are allowed")
    return None


def _currency(value: str | None) -> Malformed | None:
    """The form of a code only: sums are kept for each currency, and free text would make them grow."""
    if value is not None and not is_currency(value):
        return malformed(Reason.OUT_OF_RANGE, f"currency is {value!r}; it is {FORM}")
    return None


def _bounded(field: str, value: int | None, highest: int) -> Malformed | None:
    if value is not None and not 0 <= value <= highest:
        return malformed(Reason.OUT_OF_RANGE, f"{field} is {value}; it is 0 to {highest}")
    return None


def _time(field: str, at_ms: int | None) -> Malformed | None:
    if at_ms is not None and not TIME_MIN_MS <= at_ms < TIME_MAX_MS:
        return malformed(Reason.BAD_TIME, f"{field} is {at_ms}; epoch milliseconds from 1970 to 2200 are needed")
    return None


def _missing(kind: str, field: str) -> Malformed:
    return malformed(Reason.MISSING_FIELD, f"kind {kind} needs {field}")


_CHECKS = cast(
    "dict[type, Callable[[Any], Malformed | None]]",
    {TicketEvent: _ticket, UsageEvent: _usage, SurveyEvent: _survey, AccountEvent: _account, Tick: _tick},
)
