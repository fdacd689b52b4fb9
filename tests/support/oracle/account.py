"""The account: the newest word on each field counts, and of two in one millisecond the one whose event id has the larger hash."""

from collections.abc import Iterable
from hashlib import blake2b
from typing import Any

from tests.support.oracle.acceptance import Event

FIELDS = ("plan", "mrr_cents", "currency", "seats", "segment", "renewal_at", "owner")
STAGES = {
    "lead": "lead",
    "trial_started": "trial",
    "contracted": "contracted",
    "handed_over": "handed_over",
    "onboarded": "onboarded",
    "lapsed": "lapsed",
    "cancelled": "cancelled",
    "reactivated": "reactivated",
}
"""In the order of an account's life: of two in one millisecond the later one counts."""

ENDS, STARTS = ("lapsed", "cancelled"), ("contracted", "reactivated")
LIFE = ("contracted", "handed_over", "onboarded", "renewed", "lapsed", "cancelled", "reactivated")
GRACE_MS = 30 * 24 * 60 * 60 * 1000

ACCOUNT_KINDS = {
    *STAGES,
    *("known", "plan_changed", "cross_sold", "payment", "renewal_due", "renewed", "referred", "owner_changed", "contact"),
    *("override", "acknowledged", "acted", "muted", "erased"),
}


def account(events: Iterable[Event]) -> dict[str, Any]:
    """The account's fields, its stage and since when."""
    mine = [event for event in events if event["kind"] in ACCOUNT_KINDS]
    found: dict[str, Any] = {}
    for name in FIELDS:
        said = [event for event in mine if event[name] is not None]
        found[name] = max(said, key=recency)[name] if said else None
    back = [{"kind": "reactivated", "occurred_at": at} for at in late_renewals(mine)]
    course = sorted([*(event for event in mine if event["kind"] in STAGES), *back], key=_place_in_life)
    newest = None
    for event in course:  # after an end nothing counts until the customer is back or has a new contract
        if newest is None or newest["kind"] not in ENDS or event["kind"] in (*ENDS, *STARTS):
            newest = event
    if newest is not None:
        return {**found, "stage": STAGES[newest["kind"]], "stage_since": newest["occurred_at"]}
    known = any(event["kind"] == "known" for event in mine)
    return {**found, "stage": "known" if known else "unknown", "stage_since": None}


def late_renewals(events: Iterable[Event]) -> list[int]:
    """When a contract was renewed within 30 days of a lapse by which the customer had left."""
    mine = sorted(
        (event for event in events if event["kind"] in LIFE), key=lambda one: (one["occurred_at"], LIFE.index(one["kind"]))
    )
    lapses = [event["occurred_at"] for event in mine if event["kind"] == "lapsed"]
    found = []
    left_by = ""
    for event in mine:
        kind, at = event["kind"], event["occurred_at"]
        if kind in ENDS:
            left_by = left_by or kind
        elif kind != "renewed":
            left_by = ""
        elif left_by == "lapsed" and any(lapse < at <= lapse + GRACE_MS for lapse in lapses):
            found.append(at)
            left_by = ""
    return found


def _place_in_life(event: Event) -> tuple[int, int]:
    return event["occurred_at"], list(STAGES).index(event["kind"])


def override_in_force(events: Iterable[Event], as_of_ms: int) -> Event | None:
    """The newest score set by a person, while it lasts."""
    newest = max((event for event in events if event["kind"] == "override"), key=recency, default=None)
    return newest if newest is not None and as_of_ms < newest["expires_at"] else None


def recency(event: Event) -> tuple[int, bytes]:
    """What the newest of some events is the largest by."""
    return event["occurred_at"], blake2b(event["event_id"].encode(), digest_size=2).digest()
