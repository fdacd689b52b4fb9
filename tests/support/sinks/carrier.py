"""What whoever runs a sink owes it, from a log in memory: batches in order, and everything again that was not settled."""

import random
from collections.abc import Callable, Sequence
from typing import Final

from sinks.sink import Batch, Moved, Place, Sink, SinkRecord, Unavailable

GIVE_UP_AFTER: Final = 2_000
"""So many writes in a row that settle nothing are no fault that passes."""


class NothingMoves(AssertionError):
    """A sink settles nothing, again and again."""


class Carrier:
    """Carries a log to the sinks that it is given one after the other; `stored` are the positions that outlive them.

    Batches are cut at random, by the seed.
    """

    def __init__(self, log: Sequence[SinkRecord], seed: int) -> None:
        self._log: dict[Place, list[SinkRecord]] = {}
        for record in log:
            self._log.setdefault(Place(record.topic, record.partition), []).append(record)
        self._random: Final = random.Random(seed)
        self.stored: dict[Place, int] = {}
        self.writes = 0

    def carry(self, sink: Sink, writes_at_most: int | None = None, before_write: Callable[[int], None] | None = None) -> bool:
        """Carry until all is settled, or until so many writes; whether all is settled. Positions are asked for first; who has
        only so many writes asks once.

        `before_write` is told the number of each write, to make faults at chosen places.
        """
        writes, in_vain = 0, 0
        while (positions := self._positions(sink)) is None:
            in_vain += 1
            if writes_at_most is not None or in_vain > GIVE_UP_AFTER:
                return False
        while any(self._left(place, positions[place]) for place in positions):
            if writes_at_most is not None and writes >= writes_at_most:
                return False
            if in_vain > GIVE_UP_AFTER:
                raise NothingMoves(f"{in_vain} writes in a row settled nothing")
            writes += 1
            self.writes += 1
            if before_write is not None:
                before_write(self.writes)
            in_vain = in_vain + 1 if not self._write(sink, positions) else 0
        return True

    def _positions(self, sink: Sink) -> dict[Place, int] | None:
        """Where each partition goes on; None when the destination does not answer."""
        try:
            kept = sink.assigned(list(self._log))
        except Unavailable:
            return None
        return {place: kept.get(place, self.stored.get(place, 0)) for place in self._log}

    def _write(self, sink: Sink, positions: dict[Place, int]) -> bool:
        """One write; whether anything was settled."""
        batches = self._batches(positions, sink.records_at_most)
        try:
            sink.write(batches)
            settled = {batch.place: batch.end for batch in batches}
        except Unavailable as error:
            settled = dict(error.settled)
        except Moved as moved:
            positions.update(moved.positions)
            return True
        positions.update(settled)
        self.stored.update(settled)
        return bool(settled)

    def _left(self, place: Place, position: int) -> list[SinkRecord]:
        return [record for record in self._log[place] if record.offset >= position]

    def _batches(self, positions: dict[Place, int], records_at_most: int) -> list[Batch]:
        batches, room = [], records_at_most
        places = list(positions)
        self._random.shuffle(places)
        for place in places:
            records = self._left(place, positions[place])[: min(room, self._random.randint(1, 40))]
            if records:
                batches.append(Batch(place, positions[place], records[-1].offset + 1, records))
                room -= len(records)
        return batches
