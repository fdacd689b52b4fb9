"""The records of alert episodes: what an episode tells when it opens, changes and ends, and how a snapshot shows it."""

from typing import TYPE_CHECKING, Any

from processors.conditions import View
from processors.effects import Context, identity
from processors.episodes import Episode, RuleBook, episode_id
from processors.rule_file import Rule
from processors.rules import CONDITIONS
from processors.vocabulary import shown
from processors.windows import DAY_MS
from schemas.records import Cause, ChurnAlert, EpisodeState, Evidence, OpenAlert

if TYPE_CHECKING:
    from processors.definitions import Definitions
    from processors.state import CustomerState


def publish(
    change: EpisodeState,
    view: View,
    rule: Rule,
    rule_book: RuleBook,
    episode: Episode,
    cause: Cause,
    context: Context,
    ending: str | None,
) -> None:
    """Tell a change of an episode; `ending` says why it is over, None while it goes on."""
    evidence: list[Evidence] = CONDITIONS[rule.kind].evidence(view, rule)
    record = _record(view, rule.name, rule_book, episode, context)
    context.effects.outputs.append(
        ChurnAlert(
            **record,
            state=change,
            evidence=evidence,
            action=rule.action_at(episode.severity),
            cause=cause,
            resolution=ending,
            followed=None if ending is None else what_followed(view, episode),
        )
    )


def _record(view: View, name: str, rule_book: RuleBook, episode: Episode, context: Context) -> dict[str, Any]:
    """The fields of a record that do not depend on what changed."""
    state = view.state
    account = state.account
    return {
        **identity(state, "alert", context),
        "as_of": view.as_of_ms,
        "episode_id": episode_id(state.customer_id, name, episode.rule_version, rule_book.sequence),
        "rule": name,
        "rule_version": episode.rule_version,
        "severity": episode.severity,
        "opened_at": episode.opened_at,
        "explanation": episode.explanation,
        "mrr_cents": account.mrr_cents,
        "currency": account.currency,
        "renewal_at": account.renewal_at,
        "owner": account.owner,
        "segment": account.segment,
        "acknowledged_by": episode.acknowledged_by,
        "acknowledged_at": episode.acknowledged_at,
        "acted_by": episode.acted_by,
        "acted_at": episode.acted_at,
        "muted": episode.muted,
        "acted_action": episode.acted_action,
        "score_at_opening": None if episode.tenths_at_opening is None else episode.tenths_at_opening / 10,
        "proactive": episode.proactive,
    }


def publish_ending(
    view: View,
    name: str,
    rule_book: RuleBook,
    episode: Episode,
    ending: str,
    followed: str | None,
    cause: Cause,
    context: Context,
) -> None:
    """Resolve an episode without looking at its rule."""
    record = _record(view, name, rule_book, episode, context)
    context.effects.outputs.append(
        ChurnAlert(**record, state="resolved", evidence=[], action="", cause=cause, resolution=ending, followed=followed)
    )


def displayed_tenths(state: "CustomerState") -> int | None:
    """The displayed health score, in tenths of a point."""
    return state.health.risk.shown if state.health.risk else None


def what_followed(view: View, episode: Episode) -> str:
    """What became of the score since the opening, who acted, and whether the customer complained."""
    before, now = episode.tenths_at_opening, displayed_tenths(view.state)
    parts = [f"health went from {_shown(before)} to {_shown(now)}" if before != now else f"health is {_shown(now)}, as it was"]
    if episode.acted_at is None:
        parts.append("nobody acted")
    else:
        ago = shown("days_since_last_sign", max(0, episode.acted_at - episode.opened_at) / DAY_MS)
        parts.append(f"{episode.acted_by} acted {ago} after the opening")
    if 0 < episode.complained_at <= episode.opened_at:
        parts.append("the customer had complained before it opened")
    elif episode.complained_at:
        after = shown("days_since_last_sign", (episode.complained_at - episode.opened_at) / DAY_MS)
        parts.append(f"the customer complained {after} after the opening")
    else:
        parts.append("the customer did not complain")
    return "; ".join(parts)


def _shown(tenths: int | None) -> str:
    return "unknown" if tenths is None else f"{tenths / 10:.1f}"


def open_alerts(state: "CustomerState", definitions: "Definitions") -> list[OpenAlert]:
    """The open episodes, the oldest first."""
    found = []
    for name, rule_book in state.alerts.rules.items():
        episode = rule_book.open
        if episode is None:
            continue
        rule = definitions.rules.get(name)
        found.append(
            OpenAlert(
                episode_id=episode_id(state.customer_id, name, episode.rule_version, rule_book.sequence),
                rule=name,
                severity=episode.severity,
                opened_at=episode.opened_at,
                explanation=episode.explanation,
                action=rule.action_at(episode.severity) if rule else "",
                acknowledged_by=episode.acknowledged_by,
                acted_by=episode.acted_by,
                muted=episode.muted,
            )
        )
    return sorted(found, key=lambda alert: (alert.opened_at, alert.rule))
