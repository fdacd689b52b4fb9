"""Alert episodes: opened, updated and resolved, at most one open for a customer and rule.

An episode opens when its rule's condition has held for the dwell time, is updated when severity, set of evidence, owner, muting,
acknowledgement or action changed, and resolves when the condition no longer stays, the customer is gone, or the rule is.
"""

from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field

from processors import accounts
from processors.conditions import View
from processors.due import NEVER
from processors.effects import Context, identity
from processors.figures import Sheet
from processors.rule_file import Rule
from processors.rules import CONDITIONS, severity, severity_due
from schemas.events import AccountEvent
from schemas.records import Cause, ChurnAlert, EpisodeState, Evidence, OpenAlert, Severity

if TYPE_CHECKING:
    from processors.definitions import Definitions
    from processors.state import CustomerState

MAX_SIGNS = 100  # signs of life are counted up to the largest number that a rule may ask for


class Episode(Struct, array_like=True):
    """An open episode, as its last record told it. `touched`: a person did something that no record has told yet."""

    opened_at: int
    rule_version: int
    severity: Severity
    over: list[str]
    owner: str | None
    muted: bool
    explanation: str
    acknowledged_by: str | None = None
    acknowledged_at: int | None = None
    acted_by: str | None = None
    acted_at: int | None = None
    touched: bool = False


class RuleBook(Struct, array_like=True):
    """A rule's episodes of one customer: how many there have been, the open one, and since when the next is in its dwell time."""

    sequence: int = 0
    open: Episode | None = None
    pending_since: int = 0


class EpisodeBook(Struct, array_like=True):
    """The rules that ever fired or are about to, by name.

    `signs` counts the signs of life that were newer than all before them (up to 100), `seen_at` is the last of them.
    """

    rules: dict[str, RuleBook] = field(default_factory=dict)
    signs: int = 0
    seen_at: int = 0


def episode_id(customer_id: str, rule: str, version: int, sequence: int) -> str:
    """Id of an episode: 128 bits of BLAKE2b, in hex, over what makes it unique."""
    name = f"{customer_id}\x00{rule}\x00{version}\x00{sequence}"
    return blake2b(name.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def apply_person_event(book: EpisodeBook, event: AccountEvent) -> None:
    """Note on its open episode that a person acknowledged it or acted upon it: the earliest counts, others are ignored."""
    if event.kind not in ("acknowledged", "acted"):
        return
    for name, rule_book in book.rules.items():
        episode = rule_book.open
        if episode is None:
            continue
        if event.episode_id == episode_id(event.customer_id, name, episode.rule_version, rule_book.sequence):
            _note_person(episode, event)


def _note_person(episode: Episode, event: AccountEvent) -> None:
    if event.kind == "acknowledged" and (episode.acknowledged_at is None or event.occurred_at < episode.acknowledged_at):
        episode.acknowledged_by, episode.acknowledged_at = event.author, event.occurred_at
        episode.touched = True
    elif event.kind == "acted" and (episode.acted_at is None or event.occurred_at < episode.acted_at):
        episode.acted_by, episode.acted_at = event.author, event.occurred_at
        episode.touched = True


def judge(view: View, cause: Cause, context: Context) -> None:
    """Open, update and resolve the customer's episodes as of the view; the records go to the context's effects."""
    state = view.state
    book = state.alerts
    if state.last_seen_at > book.seen_at:
        book.seen_at = state.last_seen_at
        book.signs = min(book.signs + 1, MAX_SIGNS)
    rules = context.definitions.rules
    for name, rule_book in book.rules.items():
        rule = rules.get(name)
        if rule is None or not rule.enabled:
            _withdraw(view, name, rule_book, "the rule is no longer in force", "config", context)
        elif rule_book.open is not None and rule_book.open.rule_version != rule.version:
            _withdraw(view, name, rule_book, f"version {rule.version} of the rule took its place", "config", context)
    gone = state.account.is_gone
    for name, rule in rules.items():
        if not rule.enabled:
            continue
        known = book.rules.get(name)
        if known is not None and known.open is not None:
            _follow(view, rule, known, known.open, cause, context)
        elif not gone and CONDITIONS[rule.kind].enters(view, rule):
            _enter(view, rule, book.rules.setdefault(name, RuleBook()), cause, context)
        elif known is not None and known.pending_since:
            known.pending_since = 0


def _enter(view: View, rule: Rule, rule_book: RuleBook, cause: Cause, context: Context) -> None:
    """Open an episode, or wait for the end of the dwell time."""
    if rule.dwell_ms:
        rule_book.pending_since = rule_book.pending_since or view.as_of_ms
        if view.as_of_ms < rule_book.pending_since + rule.dwell_ms:
            return
        rule_book.pending_since = 0
    condition = CONDITIONS[rule.kind]
    rule_book.sequence += 1
    episode = Episode(
        opened_at=view.as_of_ms,
        rule_version=rule.version,
        severity=severity(view, rule),
        over=condition.over(view, rule, []),
        owner=view.state.account.owner,
        muted=accounts.muted_until(view.state.account, rule.name) > view.as_of_ms,
        explanation=condition.explanation(view, rule),
    )
    rule_book.open = episode
    _publish("opened", view, rule, rule_book, episode, cause, context, None)


def _follow(view: View, rule: Rule, rule_book: RuleBook, episode: Episode, cause: Cause, context: Context) -> None:
    """Resolve an open episode or tell what changed in it."""
    condition = CONDITIONS[rule.kind]
    ending = None
    if view.state.account.is_gone:
        ending = f"the customer has {view.state.account.stage}"
    elif not condition.stays(view, rule):
        ending = condition.resolution(view, rule)
    if ending is not None:
        episode.explanation = condition.explanation(view, rule)
        rule_book.open = None
        _publish("resolved", view, rule, rule_book, episode, cause, context, ending)
        return
    now_severity = severity(view, rule)
    over = condition.over(view, rule, episode.over)
    owner = view.state.account.owner
    muted = accounts.muted_until(view.state.account, rule.name) > view.as_of_ms
    if (now_severity, over, owner, muted, False) == (
        episode.severity,
        episode.over,
        episode.owner,
        episode.muted,
        episode.touched,
    ):
        return
    episode.severity, episode.over, episode.owner, episode.muted, episode.touched = now_severity, over, owner, muted, False
    episode.explanation = condition.explanation(view, rule)
    _publish("updated", view, rule, rule_book, episode, cause, context, None)


def erase(state: "CustomerState", as_of_ms: int, context: Context) -> None:
    """End the open episodes without a word of what they were about; their number is kept, so that no id is used again."""
    view = View(Sheet(state, as_of_ms, context.definitions), None)
    for name, rule_book in state.alerts.rules.items():
        if rule_book.open is not None:
            rule_book.open.explanation = ""
        _withdraw(view, name, rule_book, "the customer was erased", "data", context)
    state.alerts = EpisodeBook({name: RuleBook(rule_book.sequence) for name, rule_book in state.alerts.rules.items()})


def _withdraw(view: View, name: str, rule_book: RuleBook, ending: str, cause: Cause, context: Context) -> None:
    """Resolve the open episode of a rule or customer that is no longer there as it was."""
    rule_book.pending_since = 0
    episode = rule_book.open
    if episode is None:
        return
    rule_book.open = None
    record = _record(view, name, rule_book, episode, context)
    context.effects.outputs.append(ChurnAlert(**record, state="resolved", evidence=[], action="", cause=cause, resolution=ending))


def _publish(
    change: EpisodeState,
    view: View,
    rule: Rule,
    rule_book: RuleBook,
    episode: Episode,
    cause: Cause,
    context: Context,
    ending: str | None,
) -> None:
    evidence: list[Evidence] = CONDITIONS[rule.kind].evidence(view, rule)
    record = _record(view, rule.name, rule_book, episode, context)
    context.effects.outputs.append(
        ChurnAlert(**record, state=change, evidence=evidence, action=rule.action_at(episode.severity), cause=cause, resolution=ending)
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
        "acknowledged_by": episode.acknowledged_by,
        "acknowledged_at": episode.acknowledged_at,
        "acted_by": episode.acted_by,
        "acted_at": episode.acted_at,
        "muted": episode.muted,
    }


def next_due(sheet: Sheet) -> int:
    """When time alone can change an episode beside the daily slot: silence, expiry, dwell time, severity, the end of a mute."""
    state, as_of_ms = sheet.state, sheet.as_of_ms
    due = NEVER
    gone = state.account.is_gone
    for name, rule in sheet.definitions.rules.items():
        if not rule.enabled:
            continue
        known = state.alerts.rules.get(name)
        is_open = known is not None and known.open is not None
        if is_open:
            due = min(due, severity_due(sheet, rule), _mute_end(state, name, as_of_ms))
        elif gone:
            continue
        elif known is not None and known.pending_since:
            due = min(due, known.pending_since + rule.dwell_ms)
        due = min(due, CONDITIONS[rule.kind].due(sheet, rule, is_open=is_open))
    return due


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
            )
        )
    return sorted(found, key=lambda alert: (alert.opened_at, alert.rule))


def _mute_end(state: "CustomerState", rule: str, as_of_ms: int) -> int:
    until = accounts.muted_until(state.account, rule)
    return until if until > as_of_ms else NEVER
