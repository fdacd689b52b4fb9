"""Plays a story: feeds it in step with the worker, reads what comes of it, and knows when all is done.

One thread does everything in turns. How far the worker is, is read from its committed outputs: the figure `as_of` on the fleet's
partials says of each partition which tick's work is done.
"""

import time
from collections.abc import Callable, Iterator
from itertools import chain
from typing import Final

from processors.windows import DAY_MS
from schemas.jsonlines import Line
from streams.demo.bounds import NEAR_SHARE, Bounds
from streams.demo.child import WorkerProcess
from streams.demo.feeder import Feeder, ticks_at
from streams.demo.ledger import Ledger
from streams.demo.outputs import OutputReader
from streams.demo.progress import Progress
from streams.demo.story import Story

TICK_EVERY_MS: Final = DAY_MS
FEED_UNTIL_S: Final = 40.0
"""When the time of a demo is nearly up, counted from its start: what is not sent by then is left out."""
DONE_BY_S: Final = 54.0
FUTURE_DAY_S: Final = 1.0
"""How long a day of the imagined future takes."""

_CHUNK_LINES: Final = 400
_READ_S: Final = 0.05
_WAITING_S: Final = 6.0
_WAITING_LEAST, _WAITING_MOST = 2_000, 6_000
"""Events that may wait at the worker: some seconds of its work, so that it is never idle, and soon done when told to end."""
_LAST_ROUNDS: Final = 20


class NotDone(Exception):
    """The worker did not finish what it was given in the time there is."""


class Player:
    """One showing of a story. `watch` is called after every turn."""

    def __init__(
        self,
        story: Story,
        partitions: int,
        *,
        feeder: Feeder,
        reader: OutputReader,
        ledger: Ledger,
        bounds: Bounds,
        worker: WorkerProcess,
        started_s: float,
        watch: Callable[[], None],
    ) -> None:
        self.progress = Progress()
        self.clock_ms = story.start_ms
        self.cut_short: str | None = None
        self.done_s = started_s
        self._story = story
        self._partitions = partitions
        self._feeder = feeder
        self._reader = reader
        self._ledger = ledger
        self._bounds = bounds
        self._worker = worker
        self._started_s = started_s
        self._watch = watch
        self._next_tick_ms = (story.start_ms // TICK_EVERY_MS + 1) * TICK_EVERY_MS
        self._now_reached_s: float | None = None

    def play(self) -> None:
        """Feed the story to its end, or to where time or the broker's bounds end it.

        Raises WorkerDied, OutputsLost, PublishError, KafkaException.
        """
        lines = iter(self._story.lines)
        head: Line | None = next(lines, None)
        while head is not None and self.cut_short is None:
            until_ms = self._may_feed_until_ms()
            may_wait = self.progress.may_wait(_WAITING_S, _WAITING_LEAST, _WAITING_MOST)
            if head.timestamp_ms <= until_ms and self.progress.waiting < may_wait:
                head = self._feed(chain([head], lines), until_ms)
                self._turn(0.0)
            else:
                self._turn(_READ_S)
            if head is not None:
                self.cut_short = self._reason_to_stop()

    def finish(self) -> None:
        """Let time reach the last event in every partition, and wait until all its work is done and accounted for.

        Raises NotDone, and what `play` raises.
        """
        self._feeder.flush()
        if self.cut_short is None:
            self.clock_ms = max(self.clock_ms, min(self._story.end_ms, int(time.time() * 1000)))
        # A tick may overtake events of another topic that were published just before it. Then the next one counts them.
        for _ in range(_LAST_ROUNDS):
            self._tick(self.clock_ms)
            self._feeder.flush()
            while self._ledger.fleet.as_of_ms < self.clock_ms:
                self._turn(_READ_S)
                if time.monotonic() - self._started_s > DONE_BY_S and self._now_reached_s is None:
                    raise NotDone("the worker did not finish in time")
            self.done_s = time.monotonic()
            if self._is_accounted_for():
                return
            self.clock_ms += 1

    def drain(self) -> None:
        """Read what is left, once the worker has ended."""
        self._ledger.take(self._reader.rest())

    def _feed(self, lines: Iterator[Line], until_ms: int) -> Line | None:
        """Send lines up to a time, a chunk at most, with the ticks between them; returns the first that was not sent."""
        chunk: list[Line] = []
        head: Line | None = None
        for count, line in enumerate(lines):
            if line.timestamp_ms > until_ms or count == _CHUNK_LINES:
                head = line
                break
            while self._next_tick_ms <= line.timestamp_ms:
                self._send(chunk)
                chunk = []
                self._tick(self._next_tick_ms)
                self._next_tick_ms += TICK_EVERY_MS
            chunk.append(line)
        self._send(chunk)
        return head

    def _send(self, lines: list[Line]) -> None:
        if lines:
            self._feeder.send(lines)
            self.progress.sent(len(lines))
            self.clock_ms = lines[-1].timestamp_ms

    def _tick(self, at_ms: int) -> None:
        self._feeder.send(ticks_at(at_ms, self._partitions))
        self.progress.ticked(at_ms)

    def _turn(self, wait_s: float) -> None:
        self._ledger.take(self._reader.read(wait_s))
        self._bounds.compressed_share = self._reader.compressed_share
        self.progress.reached(self._ledger.fleet.as_of_ms, time.monotonic())
        self._worker.check()
        self._watch()

    def _may_feed_until_ms(self) -> int:
        """The past goes as fast as it can; the future goes by at a pace that one can watch."""
        now_ms = self._story.now_ms
        if self.clock_ms < now_ms - DAY_MS or self._story.end_ms == now_ms:
            return now_ms
        if self._now_reached_s is None:
            self._now_reached_s = time.monotonic()
        return now_ms + int((time.monotonic() - self._now_reached_s) / FUTURE_DAY_S * DAY_MS)

    def _reason_to_stop(self) -> str | None:
        place, share = self._bounds.fullest()
        if share >= NEAR_SHARE:
            return f"the embedded broker is nearly full: {place[0]}[{place[1]}] at {share:.0%} of what it keeps"
        if self._story.end_ms == self._story.now_ms and time.monotonic() - self._started_s > FEED_UNTIL_S:
            return f"{FEED_UNTIL_S:.0f} s were over, and a demo ends within a minute"
        return None

    def _is_accounted_for(self) -> bool:
        fleet = self._ledger.fleet
        told = sum(fleet.by_dimension("events_by_day").values()) + fleet.count("oddities_by_day", "duplicate")
        return told + sum(self._ledger.letters.values()) >= self._feeder.events
