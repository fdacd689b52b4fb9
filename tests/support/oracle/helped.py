"""Whether acting upon alerts helped: acted against unacted episodes of the same rule and score, from the published records."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from tests.support.oracle.acceptance import Judged
from tests.support.oracle.account import account
from tests.support.oracle.episodes import GRACE_MS, NEVER
from tests.support.oracle.events import HOUR_MS, is_in_window
from tests.support.oracle.fleet import Due, Found
from tests.support.oracle.surveys import share

DAY_MS = 24 * HOUR_MS
LANDMARK_MS = 3 * DAY_MS
GONE = ("cancelled", "lapsed")
Value = Mapping[str, Any]


class Outcome(NamedTuple):
    """What came of an episode that was still open on its third day; None while it cannot be told yet."""

    rule: str
    scores: str
    acted: bool
    recovered_30d: bool | None
    gone_90d: bool | None


def did_it_help(alerts: Iterable[Value], accepted: Mapping[str, Sequence[Judged]], as_of_ms: int) -> Found:
    """The shares by rule, score and whether somebody acted, and their differences, over the episodes opened in 180 days."""
    by_id: defaultdict[str, list[Value]] = defaultdict(list)
    for alert in alerts:
        by_id[alert["episode_id"]].append(alert)
    outcomes: list[Outcome] = []
    for mine in by_id.values():
        if mine[-1]["state"] != "retracted" and is_in_window(mine[0]["opened_at"], 180, as_of_ms):
            outcomes += _outcome(mine, accepted[mine[0]["customer_id"]], as_of_ms)
    return dict(_figures(outcomes))


def _outcome(alerts: Sequence[Value], accepted: Sequence[Judged], as_of_ms: int) -> Iterator[Outcome]:
    opened, last = alerts[0], alerts[-1]
    opened_at = opened["opened_at"]
    ended_at = last["as_of"] if last["state"] == "resolved" else NEVER
    if ended_at < opened_at + LANDMARK_MS:
        return
    begins_ms = opened_at - opened_at % HOUR_MS + HOUR_MS  # times of outcomes are full hours
    due_30, due_90 = begins_ms + 30 * DAY_MS, begins_ms + 90 * DAY_MS
    heard = [
        one
        for one in accepted
        if one.record["value"].get("episode_id") == opened["episode_id"] and one.record["value"]["kind"] == "acted"
    ]
    acted = any(
        one.record["value"]["occurred_at"] < opened_at + LANDMARK_MS
        and opened_at <= one.clock_ms < due_30
        and (one.clock_ms <= ended_at or (one.clock_ms < ended_at + GRACE_MS and one.record["value"]["occurred_at"] <= ended_at))
        for one in heard
    )
    was_gone = ended_at != NEVER and _is_gone(accepted, ended_at + 1)
    yield Outcome(
        rule=opened["rule"],
        scores=_range(opened["score_at_opening"]),
        acted=acted,
        recovered_30d=(ended_at < due_30 and not was_gone) if due_30 <= as_of_ms else None,
        gone_90d=_is_gone(accepted, due_90) if due_90 <= as_of_ms else None,
    )


def _is_gone(accepted: Sequence[Judged], before_ms: int) -> bool:
    """Whether the account had ended by what was known before a time."""
    known = [one.record["value"] for one in accepted if one.clock_ms < before_ms]
    return account(known)["stage"] in GONE


def _range(score: float | None) -> str:
    if score is None:
        return "unknown"
    return "0-40" if score < 40 else "40-70" if score < 70 else "70-100"


def _figures(outcomes: Sequence[Outcome]) -> Iterator[tuple[tuple[str, str], Due]]:
    for rule, scores in {(outcome.rule, outcome.scores) for outcome in outcomes}:
        mine = [outcome for outcome in outcomes if (outcome.rule, outcome.scores) == (rule, scores)]
        for question in ("recovered_30d", "gone_90d"):
            sides = {}
            for side in ("acted", "unacted"):
                answers = [getattr(one, question) for one in mine if one.acted == (side == "acted")]
                told = [answer for answer in answers if answer is not None]
                sides[side] = told
                if told:
                    right = share(sum(told), len(told))
                    value, low, high = (None if one is None else one / 100 for one in (right.value, right.low, right.high))
                    yield (f"{question}_share", f"{rule}/{scores}/{side}"), Due(value, len(told), low, high)
            acted, unacted = sides["acted"], sides["unacted"]
            if acted and unacted:
                difference = sum(acted) / len(acted) - sum(unacted) / len(unacted)
                yield (f"{question}_difference", f"{rule}/{scores}"), Due(difference, len(acted) + len(unacted))
