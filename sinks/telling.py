"""Who is told what: what becomes of a notice at one destination, from what the destination knows. No clock, no network.

For a destination an episode begins with the first record that a route brings there while it is not muted: its opening, or the
update with which it became severe enough, got another owner or was unmuted. From then on it gets every update that is not muted,
and the end, whatever the routes say by then. Who heard of it in a digest hears of the end, and who never did does not.
"""

from collections.abc import Callable, Set
from typing import Literal, TypeAlias

from msgspec import Struct

from schemas.records import DeliveryReceipt, OwnerList
from sinks.ledger import Ledger
from sinks.notices import Notice
from sinks.owner_budget import OwnerBudget, rank

Judgement: TypeAlias = Literal["call", "skip", "muted", "held", "digest", "history", "given_up", "delivered"]
"""`call` it, `skip` it without a word, or note what became of it without a call."""


class Routing(Struct, frozen=True):
    """What goes to a destination. `takes` is about alerts, `takes_lists_of` about the lists of an owner.

    With `digests`, alerts beyond an owner's `budget_a_day`, of those that go there, wait for the digest. States that were more
    than `oldest_ms` old when they were published are history.
    """

    takes: Callable[[Notice], bool]
    takes_lists_of: Callable[[str], bool]
    digests: bool
    morning_lists: bool
    budget_a_day: int
    oldest_ms: int


class Teller:
    """Judges notices in their order, for one destination."""

    def __init__(self, routing: Routing, ledger: Ledger) -> None:
        self._routing = routing
        self._ledger = ledger
        self._budget = OwnerBudget(routing.budget_a_day, ledger.receipts_of_customers())

    def judge(self, notice: Notice, ended: Set[str] | None = None) -> Judgement:
        """What becomes of a notice. `ended` are the episodes that were over when delivery began, for one from before then."""
        known = self._ledger.receipt(notice)
        if known is not None and notice.sequence <= known.sequence:
            return "skip"
        if notice.is_list:
            return self._judge_list(notice, is_history=ended is not None)
        if notice.state == "retracted" or notice.muted:
            self._budget.take_back(notice)
        if known is not None and known.told:
            return self._judge_told(notice, known)
        if notice.is_end:
            return "skip" if known is None else known.outcome
        return self._judge_untold(notice, ended)

    def _judge_told(self, notice: Notice, known: DeliveryReceipt) -> Judgement:
        """What follows in an episode that the destination has heard of."""
        if notice.is_end:
            return "call"
        if notice.muted:
            return "muted"
        if known.outcome == "digest" and rank(notice.severity) <= rank(known.severity):
            return "digest"
        self._budget.count(notice)
        return "call"

    def _judge_untold(self, notice: Notice, ended: Set[str] | None) -> Judgement:
        """An open episode that the destination has not heard of."""
        if not self._routing.takes(notice):
            return "skip"
        if self._is_old(notice) or (ended is not None and notice.episode_id in ended):
            return "history"
        if notice.muted:
            return "muted"
        is_beyond = self._budget.is_beyond(notice)
        self._budget.count(notice)
        return "held" if is_beyond and self._routing.digests else "call"

    def covers(self, listed: OwnerList, receipt: DeliveryReceipt) -> bool:
        """Whether a digest tells of an episode that waits for it: by name, or among those that it has no room for.

        The most severe stand first, so what is more severe than the last of them is not among those left out.
        """
        if any(entry.episode_id == receipt.episode_id for entry in listed.entries):
            return True
        return listed.left_out > 0 and rank(receipt.severity) <= rank(listed.entries[-1].severity)

    def _judge_list(self, notice: Notice, *, is_history: bool) -> Judgement:
        wanted = self._routing.digests if notice.kind == "digest" else self._routing.morning_lists
        if not wanted or not self._routing.takes_lists_of(notice.owner or ""):
            return "skip"
        return "history" if is_history or self._is_old(notice) else "call"

    def _is_old(self, notice: Notice) -> bool:
        return notice.published_at - notice.record.as_of > self._routing.oldest_ms
