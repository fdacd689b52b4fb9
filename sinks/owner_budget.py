"""Whether an alert is told at once, or waits for the digest of its owner because the day's budget is used up."""

from collections.abc import Iterable
from typing import Final, get_args

from schemas.records import DeliveryReceipt, Severity
from sinks.ledger import DAY_MS
from sinks.notices import Notice

DAYS_COUNTED: Final = 3
"""For so many days openings are counted by: a digest comes when its day is over."""

_SEVERITIES: Final[tuple[Severity, ...]] = get_args(Severity)


def rank(severity: Severity) -> int:
    """Severities as numbers, the most severe the highest."""
    return _SEVERITIES.index(severity)


class OwnerBudget:
    """The openings of each owner and UTC day that go to one destination.

    What is counted stands in the receipts, so that a restart counts the same. An alert waits when the day has had so many others
    that are at least as severe: the digest collects the least severe. Which of those equally severe are in it is known only when
    the day is over, so whoever holds one back looks for it there.
    """

    def __init__(self, most_a_day: int, receipts: Iterable[DeliveryReceipt]) -> None:
        self._most = most_a_day
        self._openings: dict[tuple[str, int], dict[str, int]] = {}
        for receipt in receipts:
            if receipt.outcome not in ("muted", "history") and receipt.state != "retracted":
                self._add(receipt.owner, receipt.opened_at, receipt.episode_id, receipt.severity)

    def is_beyond(self, notice: Notice) -> bool:
        """Whether an open alert waits for the digest. What no digest can hold never does, and is not counted."""
        if not notice.may_be_in_a_digest:
            return False
        others = self._openings.get(_day(notice.owner, notice.opened_at), {})
        severe = sum(other >= rank(notice.severity) for episode_id, other in others.items() if episode_id != notice.episode_id)
        return severe >= self._most

    def count(self, notice: Notice) -> None:
        """Count an alert, under its severity now."""
        if notice.may_be_in_a_digest:
            self._add(notice.owner, notice.opened_at, notice.episode_id, notice.severity)

    def take_back(self, notice: Notice) -> None:
        """An alert that is muted, or should never have been, is in no digest."""
        self._openings.get(_day(notice.owner, notice.opened_at), {}).pop(notice.episode_id, None)

    def _add(self, owner: str | None, opened_at: int, episode_id: str, severity: Severity) -> None:
        day = _day(owner, opened_at)
        if day not in self._openings:
            oldest = max((number for _, number in self._openings), default=day[1]) - DAYS_COUNTED
            self._openings = {key: known for key, known in self._openings.items() if key[1] >= oldest}
        self._openings.setdefault(day, {})[episode_id] = rank(severity)


def _day(owner: str | None, opened_at: int) -> tuple[str, int]:
    return owner or "", opened_at // DAY_MS
