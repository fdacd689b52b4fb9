"""What a destination knows: positions and receipts, as its marks tell them."""

from collections.abc import Iterator
from typing import Final

from schemas.records import DeliveryMark, DeliveryReceipt
from sinks.notices import ALERTS_TOPIC, Notice
from sinks.sink import Place

DAY_MS: Final = 86_400_000
ENDED: Final = ("resolved", "retracted")


class Ledger:
    """The newest of everything that a destination's marks say."""

    def __init__(self) -> None:
        self._positions: dict[Place, int] = {}
        self._history_ends: dict[Place, int] = {}
        self._newest: dict[str, DeliveryMark] = {}

    def take(self, mark: DeliveryMark) -> None:
        """Take in a mark; one that is older than what is known changes nothing."""
        place = place_of(mark)
        if mark.position < self._positions.get(place, 0):
            return
        self._positions[place] = mark.position
        self._history_ends[place] = max(mark.history_end, self._history_ends.get(place, 0))
        if mark.receipt is not None:
            self._newest[mark.receipt.episode_id] = mark

    def position(self, place: Place) -> int | None:
        """The next offset of a partition; None when the destination was never given anything from there."""
        return self._positions.get(place)

    def history_end(self, place: Place) -> int:
        """Where the partition ended when delivery began."""
        return self._history_ends.get(place, 0)

    def receipt(self, notice: Notice) -> DeliveryReceipt | None:
        """What is known of the notice's episode.

        An id comes again after a rebuild: with another opening it is another episode.
        """
        mark = self._newest.get(notice.episode_id)
        receipt = None if mark is None else mark.receipt
        if receipt is None or (not notice.is_list and receipt.opened_at != notice.opened_at):
            return None
        return receipt

    def receipts_of_customers(self) -> Iterator[DeliveryReceipt]:
        """Everything that is known of the alerts about customers."""
        marks = self._newest.values()
        return (mark.receipt for mark in marks if mark.receipt is not None and mark.topic == ALERTS_TOPIC)

    def newer_than(self, mark: DeliveryMark) -> DeliveryReceipt | None:
        """What is known of the episode that a mark is about, if that is more than the mark says.

        Such a mark was written by a process that had lost the partition without having heard of it.
        """
        newest = None if mark.receipt is None else self._newest.get(mark.receipt.episode_id)
        return None if newest is None or newest.receipt == mark.receipt else newest.receipt

    def held(self, owner: str, first_day: int, last_day: int) -> list[DeliveryMark]:
        """What of an owner's openings waits for a digest, of the UTC days (counted from 1970) from the first to the last."""
        return [
            mark
            for mark in self._newest.values()
            if mark.receipt is not None
            and mark.receipt.outcome == "held"
            and (mark.receipt.owner or "") == owner
            and first_day <= mark.receipt.opened_at // DAY_MS <= last_day
        ]

    def drop_ended(self, before_ms: int) -> list[DeliveryMark]:
        """Forget the episodes whose end was noted before that time; returns the marks of their ends."""
        gone = [
            mark
            for mark in self._newest.values()
            if mark.receipt is not None and mark.receipt.state in ENDED and mark.at < before_ms
        ]
        for mark in gone:
            if mark.receipt is not None:
                del self._newest[mark.receipt.episode_id]
        return gone


def place_of(mark: DeliveryMark) -> Place:
    """The partition that a mark is about."""
    return Place(mark.topic, mark.partition)
