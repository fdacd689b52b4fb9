"""Alert episodes: opened, updated and resolved or retracted, at most one open for a customer and rule.

An episode opens when its rule's condition has held for the dwell time, is updated when severity, set of evidence, owner, muting,
acknowledgement or action changed, and resolves when the condition no longer stays, the customer is gone, or the rule is. It is
retracted instead when an event from before its opening undid its cause: by what is known now it would not have opened. For
tickets, signs of life, answers and goals that is looked up as of the opening; for scores, bands and quadrants, of which the past
is not kept, it is so when such an event ends the episode. What came by time, by other definitions or by later events never
retracts, nor does anything after 30 days, when the past is no longer known in full.
"""

from typing import TYPE_CHECKING, Final, Literal

from processors import accounts, ended_episodes, episodes, followups, time_to_act
from processors.alert_records import displayed_tenths, publish, publish_ending, what_followed
from processors.conditions import View
from processors.due import NEVER
from processors.effects import Context
from processors.episodes import Episode, EpisodeBook, RuleBook
from processors.figures import Sheet
from processors.rule_file import Rule
from processors.rules import CONDITIONS, concerns, severity, severity_due
from processors.tickets import REST_DAYS
from processors.windows import DAY_MS
from schemas.records import Cause

if TYPE_CHECKING:
    from processors.state import CustomerState

RETRACTED_WITHIN_MS: Final = REST_DAYS * DAY_MS
"""How long after its opening an episode may be retracted: the courses of tickets are kept in full that long."""

MAX_SIGNS = 100  # signs of life are counted up to the largest number that a rule may ask for


def judge(view: View, cause: Cause, context: Context, occurred_at: int | None = None) -> None:
    """Open, update and resolve the customer's episodes as of the view; the records go to the context's effects.

    `occurred_at` is that of the event that caused the judgement, None when none did.
    """
    book = view.state.alerts
    _look_back(view, context)
    gone = view.state.account.is_gone
    for name, rule in context.definitions.rules.items():
        if not rule.enabled:
            continue
        known = book.rules.get(name)
        if known is not None and known.open is not None:
            _follow(view, rule, known, known.open, cause, context, occurred_at)
        elif not gone and concerns(view.state, rule) and CONDITIONS[rule.kind].enters(view, rule):
            _enter(view, rule, book.rules.setdefault(name, RuleBook()), cause, context)
        elif known is not None and known.pending_since:
            known.pending_since = 0


def _look_back(view: View, context: Context) -> None:
    """Note a sign of life, count what came of older episodes, and withdraw those whose rule is no longer there as it was."""
    state = view.state
    book = state.alerts
    if state.last_seen_at > book.seen_at:
        book.seen_at = state.last_seen_at
        book.signs = min(book.signs + 1, MAX_SIGNS)
    for name, rule_book in book.rules.items():
        episodes.forget_ended(rule_book, view.as_of_ms)
        if rule_book.followed:
            is_gone = state.account.is_gone
            followups.settle(rule_book.followed, name, view.as_of_ms, is_gone=is_gone, totals=context.effects.totals)
        rule = context.definitions.rules.get(name)
        if rule is None or not rule.enabled:
            _withdraw(view, name, rule_book, "the rule is no longer in force", "config", context)
        elif rule_book.open is not None and rule_book.open.rule_version != rule.version:
            _withdraw(view, name, rule_book, f"version {rule.version} of the rule took its place", "config", context)


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
        tenths_at_opening=displayed_tenths(view.state),
        complained_at=condition.complaint_at(view, rule),
    )
    rule_book.open = episode
    totals = context.effects.totals
    totals.add("episodes", rule.name, episode.opened_at, episode.counts)
    view.state.alerts.forgotten_followups += followups.opened(
        rule_book.followed, episode.opened_at, episode.tenths_at_opening, totals
    )
    publish("opened", view, rule, rule_book, episode, cause, context, None)


def _follow(
    view: View, rule: Rule, rule_book: RuleBook, episode: Episode, cause: Cause, context: Context, occurred_at: int | None
) -> None:
    """End an open episode or tell what changed in it."""
    condition = CONDITIONS[rule.kind]
    gone = view.state.account.is_gone
    undone = _is_undone(view, rule, episode, occurred_at)
    ending = None
    if gone:
        ending = f"the customer has {view.state.account.stage}"
    elif not concerns(view.state, rule):
        ending = f"the account is of the stage {view.state.account.stage}, which the rule is not about"
    elif undone or not condition.stays(view, rule):
        ending = condition.resolution(view, rule)
    if ending is not None:
        episode.explanation = condition.explanation(view, rule)
        _end(view, rule.name, rule_book, episode, "void" if undone else "gone" if gone else "recovered", context)
        publish("retracted" if undone else "resolved", view, rule, rule_book, episode, cause, context, ending)
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
    publish("updated", view, rule, rule_book, episode, cause, context, None)


def _is_undone(view: View, rule: Rule, episode: Episode, occurred_at: int | None) -> bool:
    """Whether an event from before the opening undid the cause; one for which a new episode would open now goes on."""
    if occurred_at is None or occurred_at >= episode.opened_at or view.as_of_ms - episode.opened_at > RETRACTED_WITHIN_MS:
        return False
    account = view.state.account
    if account.is_gone or not concerns(view.state, rule):
        return (account.stage_since or 0) < episode.opened_at
    condition = CONDITIONS[rule.kind]
    return not condition.enters(view, rule) and condition.undone(view, rule, episode.opened_at)


def _end(
    view: View, name: str, rule_book: RuleBook, episode: Episode, how: Literal["recovered", "gone", "void"], context: Context
) -> None:
    """Close the episode; one that should never have been is taken back from the fleet's counts."""
    rule_book.open = None
    totals = context.effects.totals
    followups.ended(rule_book.followed, episode.opened_at, view.as_of_ms, how, name, totals)
    if how == "void":
        taken_back = tuple(-count for count in episode.counts)
        totals.add("episodes", name, episode.opened_at, taken_back)
        time_to_act.take_back(episode, totals)
    owner = view.state.account.owner
    episodes.keep(view.state.alerts, rule_book, episode, view.as_of_ms, owner, totals, void=how == "void")
    ended_episodes.tell(view.state, name, episode, rule_book.sequence, view.as_of_ms, totals)


def erase(state: "CustomerState", as_of_ms: int, context: Context) -> None:
    """End the open episodes without a word of what they were about; their number is kept, so that no id is used again."""
    view = View(Sheet(state, as_of_ms, context.definitions), None)
    for name, rule_book in state.alerts.rules.items():
        episode = rule_book.open
        if episode is not None:
            rule_book.open = None
            episode.explanation, episode.acted_action = "", None
            publish_ending(view, name, rule_book, episode, "the customer was erased", None, "data", context)
    state.alerts = EpisodeBook({name: RuleBook(rule_book.sequence) for name, rule_book in state.alerts.rules.items()})


def _withdraw(view: View, name: str, rule_book: RuleBook, ending: str, cause: Cause, context: Context) -> None:
    """Resolve the open episode of a rule that is no longer there as it was; what would have come of it cannot be told."""
    rule_book.pending_since = 0
    episode = rule_book.open
    if episode is None:
        return
    rule_book.open = None
    totals = context.effects.totals
    episodes.keep(view.state.alerts, rule_book, episode, view.as_of_ms, view.state.account.owner, totals, void=False)
    ended_episodes.tell(view.state, name, episode, rule_book.sequence, view.as_of_ms, totals)
    followups.ended(rule_book.followed, episode.opened_at, view.as_of_ms, "void", name, totals)
    publish_ending(view, name, rule_book, episode, ending, what_followed(view, episode), cause, context)


def next_due(sheet: Sheet) -> int:
    """When time alone can change an episode beside the daily slot: silence, expiry, dwell time, severity, the end of a mute."""
    state, as_of_ms = sheet.state, sheet.as_of_ms
    due = NEVER
    gone = state.account.is_gone
    for rule_book in state.alerts.rules.values():
        if rule_book.followed:
            due = min(due, followups.next_due(rule_book.followed))
    for name, rule in sheet.definitions.rules.items():
        if not rule.enabled:
            continue
        known = state.alerts.rules.get(name)
        is_open = known is not None and known.open is not None
        if is_open:
            due = min(due, severity_due(sheet, rule), _mute_end(state, name, as_of_ms))
        elif gone or not concerns(state, rule):
            continue
        elif known is not None and known.pending_since:
            due = min(due, known.pending_since + rule.dwell_ms)
        due = min(due, CONDITIONS[rule.kind].due(sheet, rule, is_open=is_open))
    return due


def _mute_end(state: "CustomerState", rule: str, as_of_ms: int) -> int:
    until = accounts.muted_until(state.account, rule)
    return until if until > as_of_ms else NEVER
