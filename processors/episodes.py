"""What is remembered of alert episodes, and what people and customers do while one is open.

An episode can be acknowledged and acted upon; the earliest word of each counts. The customer complains with a ticket, a bad CSAT
answer, a detractor's NPS answer or a cancellation: an episode is *proactive* when somebody acted upon it before the first
complaint, and never when a complaint was what opened it. All of it is by the times of the events up to the end of the episode. It
is remembered for 48 hours after that, for what was held up on its way: late words count for the fleet's figures, while the
published episode stays as it ended.
"""

from hashlib import blake2b
from typing import Final

from msgspec import Struct, field

from processors import followups, time_to_act
from processors.seen import GRACE_MS
from processors.totals import Totals
from schemas.events import AccountEvent, CustomerEvent, Scale, SurveyEvent, TicketEvent, UsageEvent
from schemas.records import Severity

_GOOD_FROM: Final[dict[Scale, int]] = {"good_bad": 1, "1_5": 4, "1_7": 5}
_HIGHEST_DETRACTOR: Final = 6  # on both scales


class Episode(Struct, array_like=True):
    """An open episode, as its last record told it. `touched`: a person did something that no record has told yet.

    `tenths_at_opening` is the displayed health score when it opened, in tenths; `complained_at` the complaint that
    opened it, else the first one after that, 0 when there was none. `acted_for` owned the account when it was first heard that
    somebody acted.
    """

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
    acted_action: str | None = None
    tenths_at_opening: int | None = None
    complained_at: int = 0
    acted_for: str | None = None

    @property
    def proactive(self) -> bool | None:
        """Whether somebody acted before the customer complained; None while neither has happened."""
        return _is_proactive(self.opened_at, self.acted_at, self.complained_at)

    @property
    def counts(self) -> tuple[int, int, int, int]:
        """What it adds to the fleet's episodes: opened, acted upon, proactive, and complaint first."""
        return _counts(self.opened_at, self.acted_at, self.complained_at)


class Ended(Struct, array_like=True):
    """What is kept of an episode that is over, for the words on it that are still on their way; a `void` one was retracted."""

    sequence: int
    rule_version: int
    opened_at: int
    ended_at: int
    acted_at: int | None = None
    complained_at: int = 0
    void: bool = False
    owner: str | None = None
    acted_for: str | None = None

    @property
    def counts(self) -> tuple[int, int, int, int]:
        """What it adds to the fleet's episodes: opened, acted upon, proactive, and complaint first; nothing when it is void."""
        return (0, 0, 0, 0) if self.void else _counts(self.opened_at, self.acted_at, self.complained_at)


def _is_proactive(opened_at: int, acted_at: int | None, complained_at: int) -> bool | None:
    """Nobody acts before there is an alert: by a clock that is behind it may seem so."""
    if acted_at is None:
        return False if complained_at else None
    return not complained_at or max(acted_at, opened_at) < complained_at


def _counts(opened_at: int, acted_at: int | None, complained_at: int) -> tuple[int, int, int, int]:
    proactive = _is_proactive(opened_at, acted_at, complained_at)
    return 1, int(acted_at is not None), int(proactive is True), int(proactive is False)


class RuleBook(Struct, array_like=True):
    """A rule's episodes of one customer: how many there have been, the open one, and since when the next is in its dwell time.

    `followed` are the episodes of which it is not known yet what came of them (`processors.followups`); `ended` are those
    that were over in the last 48 hours, at most 4, the newest last.
    """

    sequence: int = 0
    open: Episode | None = None
    pending_since: int = 0
    followed: list[int] = []
    ended: list[Ended] = []


class EpisodeBook(Struct, array_like=True):
    """The rules that ever fired or are about to, by name.

    `signs` counts the signs of life that were newer than all before them (up to 100), `seen_at` is the last of them;
    `forgotten_followups` counts the episodes whose outcome, or what was kept for late words, was dropped beyond the bound.
    `bad_answer_at_s` is the newest bad answer to a survey, in seconds since 1970.
    """

    rules: dict[str, RuleBook] = field(default_factory=dict)
    signs: int = 0
    seen_at: int = 0
    forgotten_followups: int = 0
    bad_answer_at_s: int = 0


def episode_id(customer_id: str, rule: str, version: int, sequence: int) -> str:
    """Id of an episode: 128 bits of BLAKE2b, in hex, over what makes it unique."""
    name = f"{customer_id}\x00{rule}\x00{version}\x00{sequence}"
    return blake2b(name.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def take_in(book: EpisodeBook, event: CustomerEvent, totals: Totals) -> None:
    """Note on the episodes what the event says of them: acknowledged, acted upon, or that the customer complains."""
    if isinstance(event, UsageEvent):
        return
    if isinstance(event, AccountEvent) and event.kind in ("acknowledged", "acted"):
        _take_in_person(book, event, totals)
    elif is_complaint(event):
        if isinstance(event, SurveyEvent):
            book.bad_answer_at_s = max(book.bad_answer_at_s, event.occurred_at // 1000)
        for name, rule_book in book.rules.items():
            for ended in rule_book.ended:
                if event.occurred_at <= ended.ended_at:
                    _note_complaint(name, ended, event.occurred_at, totals)
            if rule_book.open is not None:
                _note_complaint(name, rule_book.open, event.occurred_at, totals)


def keep(
    book: EpisodeBook, rule_book: RuleBook, episode: Episode, ended_at: int, owner: str | None, totals: Totals, *, void: bool
) -> None:
    """Keep of an episode that is over what late words on it need, within the bound; `owner` owns the account at its end."""
    ended = Ended(
        sequence=rule_book.sequence,
        rule_version=episode.rule_version,
        opened_at=episode.opened_at,
        ended_at=ended_at,
        acted_at=episode.acted_at,
        complained_at=episode.complained_at,
        void=void,
        owner=owner,
        acted_for=episode.acted_for,
    )
    rule_book.ended.append(ended)
    if len(rule_book.ended) > MAX_ENDED:
        del rule_book.ended[0]
        book.forgotten_followups += 1
        totals.oddity("forgotten_followup", episode.opened_at)


def forget_ended(rule_book: RuleBook, as_of_ms: int) -> None:
    """Drop the episodes that have been over for 48 hours."""
    if rule_book.ended and rule_book.ended[0].ended_at <= as_of_ms - GRACE_MS:
        rule_book.ended = [ended for ended in rule_book.ended if ended.ended_at > as_of_ms - GRACE_MS]


def _note_complaint(name: str, episode: Episode | Ended, at_ms: int, totals: Totals) -> None:
    """Note a complaint from after the opening, if it is the first."""
    if at_ms > episode.opened_at:
        before = episode.counts
        episode.complained_at = min(episode.complained_at or at_ms, at_ms)
        count_change(name, episode, before, totals)


def is_complaint(event: CustomerEvent) -> bool:
    """Whether the customer complains: a new ticket, a bad CSAT answer, a detractor's NPS answer, a cancellation."""
    if isinstance(event, TicketEvent):
        return event.kind == "opened"
    if isinstance(event, AccountEvent):
        return event.kind == "cancelled"
    if not isinstance(event, SurveyEvent) or event.kind != "answered" or event.score is None or event.scale is None:
        return False
    if event.survey == "nps":
        return event.score <= _HIGHEST_DETRACTOR
    return event.survey == "csat" and event.score < _GOOD_FROM.get(event.scale, 0)


def count_change(rule: str, episode: Episode | Ended, before: tuple[int, int, int, int], totals: Totals) -> None:
    """Put right what an episode adds to the fleet's episodes by the day of opening."""
    changes = tuple(now - then for now, then in zip(episode.counts, before, strict=True))
    if any(changes):
        totals.add("episodes", rule, episode.opened_at, changes)


def _take_in_person(book: EpisodeBook, event: AccountEvent, totals: Totals) -> None:
    """Note a person's word on the episode it is about; one on an episode that nobody remembers is counted as an oddity."""
    for name, rule_book in book.rules.items():
        episode = rule_book.open
        if episode is not None and _is_about(event, name, episode.rule_version, rule_book.sequence):
            before, acted_before_ms = episode.counts, episode.acted_at
            _note_person(episode, event)
            count_change(name, episode, before, totals)
            time_to_act.count(episode, acted_before_ms, totals)
            if episode.acted_at is not None:
                followups.acted(rule_book.followed, episode.opened_at, episode.acted_at)
            return
        for ended in rule_book.ended:
            if _is_about(event, name, ended.rule_version, ended.sequence):
                _note_late(name, rule_book, ended, event, totals)
                return
    totals.oddity("unknown_episode", event.occurred_at)


def _is_about(event: AccountEvent, rule: str, version: int, sequence: int) -> bool:
    return event.episode_id == episode_id(event.customer_id, rule, version, sequence)


def _note_late(name: str, rule_book: RuleBook, ended: Ended, event: AccountEvent, totals: Totals) -> None:
    """Count that somebody acted while the episode was open, although the word of it came when it was over."""
    if event.kind != "acted" or event.occurred_at > ended.ended_at:
        return
    before, acted_before_ms = ended.counts, ended.acted_at
    ended.acted_at = event.occurred_at if ended.acted_at is None else min(ended.acted_at, event.occurred_at)
    count_change(name, ended, before, totals)
    if not ended.void:
        time_to_act.count(ended, acted_before_ms, totals)
    followups.acted(rule_book.followed, ended.opened_at, ended.acted_at)


def _note_person(episode: Episode, event: AccountEvent) -> None:
    if event.kind == "acknowledged" and (episode.acknowledged_at is None or event.occurred_at < episode.acknowledged_at):
        episode.acknowledged_by, episode.acknowledged_at = event.author, event.occurred_at
        episode.touched = True
    elif event.kind == "acted" and (episode.acted_at is None or event.occurred_at < episode.acted_at):
        episode.acted_by, episode.acted_at, episode.acted_action = event.author, event.occurred_at, _cut(event.action)
        episode.touched = True


def _cut(text: str | None) -> str | None:
    return text[:MAX_ACTION] if text else None


MAX_ENDED: Final = 4
"""Episodes of a rule that are kept after their end, for late words on them."""

MAX_ACTION: Final = 200
"""Characters kept of what a person did."""
