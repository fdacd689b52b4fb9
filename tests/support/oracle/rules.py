"""Which alert rules must and may be open, from a customer's accepted events, where no memory is needed to tell."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from math import comb
from typing import NamedTuple

from tests.support.oracle.acceptance import Event
from tests.support.oracle.account import account, override_in_force
from tests.support.oracle.events import DAY_MS, Names, answers, in_window, read_definitions
from tests.support.oracle.figures import is_sign, last_sign_at
from tests.support.oracle.found import Found, Key
from tests.support.oracle.score import score

MOST_OF_A_GOAL = 1_000_000_000
BEGINNINGS = ("contracted", "handed_over", "onboarded", "reactivated")
SILENT_MS = 14 * DAY_MS


class Held(NamedTuple):
    """Whether an episode must be open when nothing dwells, and whether one that was opened before may still be."""

    enters: bool
    stays: bool


def wrong_rules(
    open_rules: set[str], quadrant: str, events: Sequence[Event], as_of_ms: int, found: dict[Key, Found], names: Names
) -> Iterator[str]:
    """Where the open episodes are not what the events say; the quadrant is the one shown: a tie holds on to what it was."""
    stage = account(events)["stage"]
    gone = stage in {"cancelled", "lapsed"}
    if stage in {"lead", "trial"} and open_rules:
        yield f"{sorted(open_rules)} are open for an account at the stage {stage}"
    if gone and open_rules:
        yield f"{sorted(open_rules)} are open for a customer who has left"
    for rule in read_definitions(names.definitions_text)["rules"]:
        held = _held(rule["name"], quadrant, events, as_of_ms, found, names)
        if held is None or gone or stage in {"lead", "trial"}:
            continue
        is_open = rule["name"] in open_rules
        if held.enters and not is_open and not rule.get("dwell_hours") and is_surely_a_customer(events, found):
            yield f"{rule['name']} is not open"
        if is_open and not held.stays:
            yield f"{rule['name']} is still open"


def is_surely_a_customer(events: Sequence[Event], found: dict[Key, Found]) -> bool:
    """Whether the rules are about the account whatever is forgotten of it: of one at no known stage, closed tickets in time."""
    now = account(events)
    return now["stage"] not in {"lead", "trial"} and bool(
        now["stage"] != "unknown"
        or now["mrr_cents"]
        or now["renewal_at"] is not None
        or any(is_use(event) for event in events)
        or any(True for survey in ("csat", "nps") for _ in answers(events, survey))
        or found["open_tickets", "", None].value
    )


def _held(rule: str, quadrant: str, events: Sequence[Event], as_of_ms: int, found: dict[Key, Found], names: Names) -> Held | None:
    if rule == "goals_fell":
        return goals_fell(events, as_of_ms)
    if rule == "renewal" and override_in_force(events, as_of_ms) is None:
        return renewal(events, as_of_ms, names)
    if rule == "backlog":
        number, urgent = found["open_tickets", "", None].value or 0, found["open_urgent_tickets", "", None].value or 0
        return Held(number >= 5 or urgent >= 3, number > 3 or urgent > 1)
    if rule == "new_detractor":
        return new_detractor(events, as_of_ms)
    if rule == "silence":
        held = silence(events, as_of_ms)
        return held if is_never_quiet(names) else held._replace(enters=False)
    if rule == "became_churner":
        return Held(quadrant == "churner", quadrant == "churner")
    if rule == "not_started":
        return Held(False, not any(is_use(event) for event in events))  # whether others are heard of is not the customer's to say
    return None


def is_use(event: Event) -> bool:
    """Whether the product was used."""
    return event["kind"] in {"goal_completed", "goal_failed", "feature_used", "session"}


def silence(events: Sequence[Event], as_of_ms: int) -> Held:
    """No sign for 14 days, after three each newer than all that had come before; counted from a new contract at the earliest."""
    last = last_sign_at(events)
    if last is None:
        return Held(False, False)
    newest = signs = 0
    for event in events:
        if is_sign(event) and event["occurred_at"] > newest:
            newest, signs = event["occurred_at"], signs + 1
    silent = as_of_ms - last >= SILENT_MS
    return Held(silent and signs >= 3 and as_of_ms - stage_since(events) >= SILENT_MS, silent)


def is_never_quiet(names: Names) -> bool:
    """Whether no feed can be found quiet, so that a customer's rules depend on nobody else's events."""
    fleet = read_definitions(names.definitions_text).get("fleet", {})
    return bool(fleet.get("quiet_expected_events", 20) >= 1_000_000)


def stage_since(events: Sequence[Event]) -> int:
    """When the customer last began anew; 0 when its stage is no beginning."""
    now = account(events)
    return now["stage_since"] or 0 if now["stage"] in BEGINNINGS else 0


def goals_fell(events: Sequence[Event], as_of_ms: int) -> Held:
    """By half or more from at least 4, one-sided exact binomial p < 0.01; still fallen above a quarter."""
    now, before = _goals(events, as_of_ms), _goals(events, as_of_ms - 30 * DAY_MS)
    fell = before >= 4 and 2 * now <= before and _is_no_chance(now, before)
    return Held(fell, before > 0 and 4 * (before - now) > before)


def _goals(events: Sequence[Event], as_of_ms: int) -> int:
    completed = [event for event in in_window(events, 30, as_of_ms) if event["kind"] == "goal_completed"]
    return sum(1 if event["quantity"] is None else min(event["quantity"], MOST_OF_A_GOAL) for event in completed)


def _is_no_chance(now: int, before: int) -> bool:
    n = now + before
    if n > 2000:
        return True  # a fall by half of so many
    return Fraction(sum(comb(n, heads) for heads in range(now + 1)), 2**n) < Fraction(1, 100)


def renewal(events: Sequence[Event], as_of_ms: int, names: Names) -> Held:
    """Within 60 days while not green, which unknown is not; until green, or 30 days overdue."""
    renewal_at = account(events)["renewal_at"]
    if renewal_at is None:
        return Held(False, False)
    days = Fraction(renewal_at - as_of_ms, DAY_MS)
    bands = score(events, as_of_ms, names.definitions_text).bands
    return Held(0 <= days <= 60 and "green" not in bands, -30 < days <= 60 and bands != {"green"})


def new_detractor(events: Sequence[Event], as_of_ms: int) -> Held:
    """While the latest answer of any respondent is a detractor's, younger than 30 days, and no better than one of 30 days before.

    Of two at once either may be the latest, or the one before.
    """
    latest: dict[str, list[Event]] = {}
    for event in answers(events, "nps"):
        if event["respondent_id"] is not None:
            latest.setdefault(event["respondent_id"], []).append(event)
    enters = stays = False
    for mine in latest.values():
        at = max(event["occurred_at"] for event in mine)
        if at > as_of_ms - 30 * DAY_MS:
            now = [event["score"] for event in mine if event["occurred_at"] == at]
            earlier = [event for event in mine if event["occurred_at"] < at]
            before_at = max((event["occurred_at"] for event in earlier), default=0)
            is_young = before_at > at - 30 * DAY_MS
            before = [event["score"] for event in earlier if event["occurred_at"] == before_at] if is_young else []
            enters = enters or (max(now) <= 6 and all(max(now) <= score for score in before))
            stays = stays or (min(now) <= 6 and (not before or len(now) > 1 or any(min(now) <= score for score in before)))
    return Held(enters, stays)
