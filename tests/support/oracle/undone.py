"""Whether an open episode should never have been, by all that is known now of the time of its opening."""

from collections.abc import Sequence

from tests.support.oracle.acceptance import Event
from tests.support.oracle.account import account
from tests.support.oracle.course import Customer
from tests.support.oracle.events import DAY_MS, Names, answers, read_definitions
from tests.support.oracle.figures import last_sign_at
from tests.support.oracle.rules import BEGINNINGS, goals_fell, is_use, new_detractor, stage_since
from tests.support.oracle.tickets import courses

NEVER = 10**18
RETRACTED_WITHIN_MS = 30 * DAY_MS
KNOWN_PAST = ("backlog", "silence", "new_detractor", "goals_fell", "not_started")
"""The rules of which it can be looked up whether they would have opened; of the others only that a late event ended them."""


def is_undone(rule: str, events: Sequence[Event], opened_at: int, now_ms: int, names: Names) -> bool:
    """Whether no episode of the rule would have opened, given all these events."""
    known = [event for event in events if event["occurred_at"] <= opened_at]
    if rule == "backlog":
        return not _was_backlog(events, opened_at, now_ms, names)
    if rule == "silence":
        newest = max(last_sign_at(events) or 0, stage_since(events))
        return newest < opened_at and opened_at - newest < 14 * DAY_MS
    if rule == "new_detractor":
        answered_since = any(event["occurred_at"] > opened_at for event in answers(events, "nps") if event["respondent_id"])
        return not answered_since and not new_detractor(known, opened_at).enters
    if rule == "goals_fell":
        return not goals_fell(events, opened_at).enters
    assert rule == "not_started", rule
    used = any(map(is_use, known))
    began_at = signed_at(events)
    return used or began_at is None or opened_at < began_at + after_days(names) * DAY_MS


def not_started(events: Sequence[Event], as_of_ms: int, names: Names) -> bool:
    """Whether a customer never used the product so long after the contract, others being heard of."""
    began_at = signed_at(events)
    return not any(map(is_use, events)) and began_at is not None and as_of_ms >= began_at + after_days(names) * DAY_MS


def after_days(names: Names) -> int:
    tables = read_definitions(names.definitions_text)["rules"]
    return int(next(table["after_days"] for table in tables if table["name"] == "not_started"))


def signed_at(events: Sequence[Event]) -> int | None:
    """When the account became a customer, the last time; None when it is none, or only known without a revenue."""
    now = account(events)
    if now["stage"] not in BEGINNINGS and not (now["stage"] == "known" and now["mrr_cents"]):
        return None
    spell = Customer(events).spell_at(NEVER)
    return None if spell is None else spell.start


def _was_backlog(events: Sequence[Event], opened_at: int, now_ms: int, names: Names) -> bool:
    """Whether there was one at the opening, or after it: from 5 open tickets or 3 urgent ones, until at most 3 and 1 are left."""
    times = sorted({event["occurred_at"] for event in events if "ticket_id" in event and "survey" not in event})
    over = False
    for at in (at for at in times if at <= now_ms):
        if over and at > opened_at:
            return True
        then = courses((event for event in events if event["occurred_at"] <= at), names).values()
        number = sum(course.is_open for course in then)
        urgent = sum(course.is_open and course.priority == "urgent" for course in then)
        over = number > 3 or urgent > 1 if over else number >= 5 or urgent >= 3
    return over
