"""What is remembered of alert episodes, and what people and customers do while one is open.

An episode can be acknowledged and acted upon; the earliest word of each counts. The customer complains with a ticket, a bad CSAT
answer, a detractor's NPS answer or a cancellation: an episode is *proactive* when somebody acted upon it before the first
complaint after its opening. All of it is by the times of the events, so that their order of arrival changes nothing while the
episode is open.
"""

from hashlib import blake2b
from typing import Final

from msgspec import Struct, field

from processors import followups
from processors.totals import Totals
from schemas.events import AccountEvent, CustomerEvent, Scale, SurveyEvent, TicketEvent, UsageEvent
from schemas.records import Severity

_GOOD_FROM: Final[dict[Scale, int]] = {"good_bad": 1, "1_5": 4, "1_7": 5}
_HIGHEST_DETRACTOR: Final = 6  # on both scales


class Episode(Struct, array_like=True):
    """An open episode, as its last record told it. `touched`: a person did something that no record has told yet.

    `tenths_at_opening` is the displayed health score when it opened, in tenths; `complained_at` the first complaint after that, 0
    when there was none.
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

    @property
    def proactive(self) -> bool | None:
        """Whether somebody acted before the customer complained; None while neither has happened."""
        if self.acted_at is None:
            return False if self.complained_at else None
        return not self.complained_at or self.acted_at < self.complained_at

    @property
    def counts(self) -> tuple[int, int, int, int]:
        """What it adds to the fleet's episodes: opened, acted upon, proactive, and complaint first."""
        proactive = self.proactive
        return 1, int(self.acted_at is not None), int(proactive is True), int(proactive is False)


class RuleBook(Struct, array_like=True):
    """A rule's episodes of one customer: how many there have been, the open one, and since when the next is in its dwell time.

    `followed` are the episodes of which it is not known yet what came of them (`processors.followups`).
    """

    sequence: int = 0
    open: Episode | None = None
    pending_since: int = 0
    followed: list[int] = []


class EpisodeBook(Struct, array_like=True):
    """The rules that ever fired or are about to, by name.

    `signs` counts the signs of life that were newer than all before them (up to 100), `seen_at` is the last of them;
    `forgotten_followups` counts the episodes whose outcome was dropped beyond the bound.
    """

    rules: dict[str, RuleBook] = field(default_factory=dict)
    signs: int = 0
    seen_at: int = 0
    forgotten_followups: int = 0


def episode_id(customer_id: str, rule: str, version: int, sequence: int) -> str:
    """Id of an episode: 128 bits of BLAKE2b, in hex, over what makes it unique."""
    name = f"{customer_id}\x00{rule}\x00{version}\x00{sequence}"
    return blake2b(name.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def take_in(book: EpisodeBook, event: CustomerEvent, totals: Totals) -> None:
    """Note on the open episodes what the event says of them: acknowledged, acted upon, or that the customer complains."""
    if isinstance(event, UsageEvent):
        return
    if isinstance(event, AccountEvent) and event.kind in ("acknowledged", "acted"):
        _take_in_person(book, event, totals)
    elif is_complaint(event):
        for name, rule_book in book.rules.items():
            episode = rule_book.open
            if episode is not None and event.occurred_at > episode.opened_at:
                before = episode.counts
                episode.complained_at = min(episode.complained_at or event.occurred_at, event.occurred_at)
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


def count_change(rule: str, episode: Episode, before: tuple[int, int, int, int], totals: Totals) -> None:
    """Put right what an episode adds to the fleet's episodes by the day of opening."""
    changes = tuple(now - then for now, then in zip(episode.counts, before, strict=True))
    if any(changes):
        totals.add("episodes", rule, episode.opened_at, changes)


def _take_in_person(book: EpisodeBook, event: AccountEvent, totals: Totals) -> None:
    """Note a person's word on the episode it is about; that of an episode which is over, or of none, is ignored."""
    for name, rule_book in book.rules.items():
        episode = rule_book.open
        if episode is None:
            continue
        if event.episode_id == episode_id(event.customer_id, name, episode.rule_version, rule_book.sequence):
            before = episode.counts
            _note_person(episode, event)
            count_change(name, episode, before, totals)
            if episode.acted_at is not None:
                followups.acted(rule_book.followed, episode.opened_at)


def _note_person(episode: Episode, event: AccountEvent) -> None:
    if event.kind == "acknowledged" and (episode.acknowledged_at is None or event.occurred_at < episode.acknowledged_at):
        episode.acknowledged_by, episode.acknowledged_at = event.author, event.occurred_at
        episode.touched = True
    elif event.kind == "acted" and (episode.acted_at is None or event.occurred_at < episode.acted_at):
        episode.acted_by, episode.acted_at, episode.acted_action = event.author, event.occurred_at, _cut(event.action)
        episode.touched = True


def _cut(text: str | None) -> str | None:
    return text[:MAX_ACTION] if text else None


MAX_ACTION: Final = 200
"""Characters kept of what a person did."""
