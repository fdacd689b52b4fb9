"""What people and customers did about the episodes that were published, and what the fleet makes of it.

Episodes are taken from the records on `cs.churn-alerts`; whoever acted or complained is looked up among the accepted events.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from tests.support.oracle.acceptance import Event, Judged
from tests.support.oracle.account import account
from tests.support.oracle.events import HOUR_MS, is_in_window
from tests.support.oracle.fleet import Due, Found, percentiles
from tests.support.oracle.surveys import share

GRACE_MS = 48 * HOUR_MS
NEVER = 10**18
OPENED_BY_A_COMPLAINT = {"backlog", "new_detractor"}
GOOD_FROM = {"good_bad": 1, "1_5": 4, "1_7": 5}
SEVERITIES = ("info", "warning", "high", "critical")
Value = Mapping[str, Any]


class Episode(NamedTuple):
    """An episode, with the earliest word that somebody acted and the first complaint; `ended_at` is NEVER while it is open."""

    rule: str
    severity: str
    owner: str | None
    opened_at: int
    ended_at: int
    retracted: bool
    acted_at: int | None
    acted_for: str | None
    complained_at: int | None

    @property
    def proactive(self) -> bool:
        """Whether somebody acted before the customer complained."""
        if self.acted_at is None:
            return False
        return self.complained_at is None or max(self.acted_at, self.opened_at) < self.complained_at

    @property
    def complained_first(self) -> bool:
        """Whether the customer complained before anybody acted."""
        return self.complained_at is not None and not self.proactive


def episodes(alerts: Iterable[Value], accepted: Mapping[str, Sequence[Judged]]) -> list[Episode]:
    """The episodes of these records, in the order of their customers."""
    by_id: dict[str, list[Value]] = {}
    for alert in alerts:
        by_id.setdefault(alert["episode_id"], []).append(alert)
    return [_episode(mine, accepted[mine[0]["customer_id"]]) for mine in by_id.values()]


def _episode(alerts: Sequence[Value], accepted: Sequence[Judged]) -> Episode:
    first, last = alerts[0], alerts[-1]
    is_over = last["state"] in ("resolved", "retracted")
    opened_at, ended_at = first["opened_at"], last["as_of"] if is_over else NEVER
    heard = [
        judgement
        for judgement in accepted
        if judgement.clock_ms >= opened_at
        and (judgement.clock_ms <= ended_at or (judgement.clock_ms < ended_at + GRACE_MS and _at(judgement) <= ended_at))
    ]
    acted = [one for one in heard if _event(one)["kind"] == "acted" and _event(one)["episode_id"] == first["episode_id"]]
    complaints = [_at(one) for one in heard if is_complaint(_event(one)) and _at(one) > opened_at]
    if _was_a_complaint(first, accepted):
        complaints.append(opened_at)
    known = [one for one in accepted if acted and one.clock_ms <= min(acted[0].clock_ms, ended_at)]
    return Episode(
        rule=first["rule"],
        severity=last["severity"],
        owner=last["owner"],
        opened_at=opened_at,
        ended_at=ended_at,
        retracted=last["state"] == "retracted",
        acted_at=min(map(_at, acted), default=None),
        acted_for=account(map(_event, known))["owner"] if acted else None,
        complained_at=min(complaints, default=None),
    )


def _was_a_complaint(opened: Value, accepted: Sequence[Judged]) -> bool:
    """Whether a complaint opened it: tickets, a detractor's answer, or for a quadrant a bad answer of the last 48 hours."""
    if opened["rule"] in OPENED_BY_A_COMPLAINT:
        return True
    if not opened["rule"].startswith("became_"):
        return False
    known = [one for one in accepted if one.clock_ms <= opened["opened_at"] and "survey" in _event(one)]
    return any(is_complaint(_event(one)) and _at(one) > opened["opened_at"] - GRACE_MS for one in known)


def is_complaint(event: Event) -> bool:
    """A ticket, a bad CSAT answer, a detractor's NPS answer, a cancellation."""
    if event["kind"] == "answered":
        return bool(
            (event["survey"] == "nps" and event["score"] <= 6)
            or (event["survey"] == "csat" and event["score"] < GOOD_FROM[event["scale"]])
        )
    return event["kind"] == "cancelled" or (event["kind"] == "opened" and "ticket_id" in event)


def about_episodes(found: Sequence[Episode], as_of_ms: int) -> Found:
    """The fleet's figures of alerts, by the day of their opening; a retracted one counts nowhere."""
    return dict([*_open(found), *_shares(found, as_of_ms), *_times_to_act(found, as_of_ms)])


def _open(found: Sequence[Episode]) -> Iterator[tuple[tuple[str, str], Due]]:
    now = [episode for episode in found if episode.ended_at == NEVER]
    severities = Counter(episode.severity for episode in now)
    for severity in SEVERITIES:
        yield ("alerts_open_by_severity", severity), Due(severities[severity])
    for rule, n in Counter(episode.rule for episode in now).items():
        yield ("alerts_open", rule), Due(n)
    for owner in {episode.owner for episode in now if episode.owner}:
        mine = [episode for episode in now if episode.owner == owner]
        acted = sum(episode.acted_at is not None for episode in mine)
        yield ("open_episodes_by_owner", owner), Due(len(mine))
        yield ("open_episodes_acted_by_owner_share", owner), Due(acted / len(mine), len(mine))


def _shares(found: Sequence[Episode], as_of_ms: int) -> Iterator[tuple[tuple[str, str], Due]]:
    for days in (30, 90):
        recent = [one for one in found if not one.retracted and is_in_window(one.opened_at, days, as_of_ms)]
        for rule in ("", *{episode.rule for episode in recent}):
            mine = [episode for episode in recent if rule in ("", episode.rule)]
            for figure, held in (
                ("proactive_ratio", [episode.proactive for episode in mine]),
                ("acted_share", [episode.acted_at is not None for episode in mine]),
                ("complained_first_share", [episode.complained_first for episode in mine]),
            ):
                right = share(sum(held), len(held))
                value, low, high = (None if one is None else one / 100 for one in (right.value, right.low, right.high))
                yield (f"{figure}_{days}d", rule), Due(value, len(held), low, high)


def _times_to_act(found: Sequence[Episode], as_of_ms: int) -> Iterator[tuple[tuple[str, str], Due]]:
    for days in (30, 90):
        acted = [
            (episode.acted_for, max(0, episode.acted_at - episode.opened_at) / HOUR_MS)
            for episode in found
            if episode.acted_at is not None and not episode.retracted and is_in_window(episode.opened_at, days, as_of_ms)
        ]
        yield from percentiles("time_to_act", "", "", [hours for _, hours in acted], f"hours_{days}d")
        for owner in {owner for owner, _ in acted if owner}:
            mine = [hours for other, hours in acted if other == owner]
            yield from percentiles("time_to_act", "_by_owner", owner, mine, f"hours_{days}d")


def _event(judgement: Judged) -> Event:
    event: Event = judgement.record["value"]
    return event


def _at(judgement: Judged) -> int:
    return int(_event(judgement)["occurred_at"])
