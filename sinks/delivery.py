"""Alert delivery: one destination as a sink. It is called for a notice at a time, in their order, and what it answered is noted.

What is promised, and by what:

- Nobody is called twice for one state of an episode, as far as the answer was noted: the note of an answer and the position
  behind its record are one record of the log, written before the next call. An answer that was lost with the process, or with the
  network, is asked for again under the same id.
- Notices go out in the order of their partition: while one is tried again, those behind it wait, in Kafka and not in memory.
- Nothing is dropped in silence: what the destination refuses for good, or does not take in time, is a record on
  `cs.delivery-failures`.
- A process that lost its partition sees it before its next batch, by what the new one has noted.
"""

import hashlib
import logging
import time
from collections.abc import Callable, Iterable, Sequence, Set
from datetime import date
from typing import Final, Literal

from msgspec import Struct
from msgspec.structs import replace

from schemas.records import DeliveryFailure, DeliveryMark, DeliveryReceipt, OwnerList
from sinks.back_off import BackOff
from sinks.calling import Answer, Caller
from sinks.delivery_log import DeliveryLog, Edges, LogUnavailable
from sinks.ledger import DAY_MS, ENDED, Ledger, place_of
from sinks.messages import Format, Message
from sinks.notices import TOPICS, Notice, notice_of
from sinks.sink import Batch, Moved, Place, Positions, Unavailable
from sinks.sink_metrics import SinkMetrics
from sinks.telling import Routing, Teller

logger = logging.getLogger(__name__)

BODY_MOST_BYTES: Final = 64 * 1024
KEPT_AFTER_END_MS: Final = 2 * DAY_MS
"""What has ended is remembered so much longer than records may be old, against a rebuild that tells it again."""

SWEEP_EVERY_MS: Final = 600_000
WRITE_MOST_S: Final = 60.0
"""So long calls are made in one write, and each may take its time-out: whoever carries must live on in the consumer group."""

_EPOCH: Final = date(1970, 1, 1)


class Terms(Struct, frozen=True):
    """How a destination is served: its name, what goes there, in which form, and how long it is tried."""

    name: str
    routing: Routing
    format: Format
    give_up_after_ms: int


class _Later(Exception):
    """The destination did not take the notice now; the text is for people."""


class DeliverySink:
    """One destination as a `Sink`. `now_ms` is the wall clock, `is_over` whether to stop: then nobody is called any more."""

    topics: Sequence[str] = TOPICS
    starts: Literal["beginning", "end"] = "end"
    records_at_most = 10  # each may be a call that takes as long as its time-out

    def __init__(
        self,
        terms: Terms,
        caller: Caller,
        log: DeliveryLog,
        metrics: SinkMetrics,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        back_off: BackOff | None = None,
        is_over: Callable[[], bool] = lambda: False,
    ) -> None:
        self.name = f"delivery-{terms.name}"
        self._terms = terms
        self._caller = caller
        self._log = log
        self._metrics = metrics
        metrics.serving(terms.name)
        self._now_ms = now_ms
        self._back_off = back_off or BackOff()
        self._is_over = is_over
        self._reason = ""
        self._attempts: dict[str, int] = {}
        self._ledger = Ledger()
        self._teller = Teller(terms.routing, self._ledger)
        self._ended: dict[Place, Set[str]] = {}
        self._progress: dict[Place, int] = {}
        self._swept_ms = 0
        self._calls_until_s = 0.0

    def assigned(self, places: Iterable[Place]) -> Positions:
        """The positions that the log knows; a partition that this destination never had begins here."""
        wanted = list(places)
        try:
            self._catch_up(wanted)
            for place in wanted:
                if self._ledger.position(place) is None:
                    self._begin(place)
                self._look_ahead(place)
        except LogUnavailable as error:
            raise Unavailable(str(error)) from error
        self._teller = Teller(self._terms.routing, self._ledger)
        return {place: self._ledger.position(place) or 0 for place in wanted}

    def revoked(self, places: Iterable[Place]) -> None:
        """What is known of them stays: if they come back, the log is read on from here."""

    def write(self, batches: Sequence[Batch]) -> None:
        """Tell what the batches say."""
        self._progress = {}
        self._calls_until_s = time.monotonic() + WRITE_MOST_S
        try:
            self._catch_up([batch.place for batch in batches])
            self._refuse_if_moved(batches)
            self._bring(batches)
            self._sweep()
        except LogUnavailable as error:
            raise Unavailable(str(error)) from error

    def close(self) -> None:
        """Let go of the connections."""
        self._caller.close()
        self._log.close()

    # ---- positions ----

    def _catch_up(self, places: Iterable[Place]) -> None:
        """Take in what others have noted.

        The log keeps the last mark of each episode. Where that is one that a process wrote too late, after it had lost the
        partition, what is known is noted once more: else it would be gone when the log is compacted.
        """
        last: dict[str, DeliveryMark] = {}
        for mark in self._log.read(places):
            self._ledger.take(mark)
            if mark.receipt is not None:
                last[mark.receipt.episode_id] = mark
        for mark in last.values():
            receipt = self._ledger.newer_than(mark)
            if receipt is not None:
                self._note(self._mark(place_of(mark), self._ledger.position(place_of(mark)) or 0, receipt=receipt))

    def _refuse_if_moved(self, batches: Sequence[Batch]) -> None:
        known = {batch.place: self._ledger.position(batch.place) for batch in batches}
        moved = {
            batch.place: position for batch in batches if (position := known[batch.place]) is not None and position > batch.start
        }
        if moved:
            raise Moved(moved)

    def _begin(self, place: Place) -> None:
        """Delivery begins for this partition: what is older than told of is left out, and what is over by now, too."""
        now_ms = self._now_ms()
        edges = self._log.edges(place, now_ms - self._terms.routing.oldest_ms)
        self._note(self._mark(place, edges.start, history_end=edges.end))
        logger.info(
            "%s: delivery begins at %s: up to offset %d only what is still open is told, and nothing from before offset %d",
            *(self.name, place, edges.end, edges.start),
        )

    def _look_ahead(self, place: Place) -> None:
        """Find out what of the history still ahead is over."""
        edges = Edges(self._ledger.position(place) or 0, self._ledger.history_end(place))
        if edges.start >= edges.end:
            self._ended.pop(place, None)
        elif place not in self._ended:
            self._ended[place] = self._log.ended(place, edges)

    def _bring(self, batches: Sequence[Batch]) -> None:
        """Settle record after record; the positions are noted however it ends."""
        later: _Later | None = None
        try:
            for batch in batches:
                for record in batch.records:
                    notice = notice_of(record)
                    if notice is not None:
                        self._settle(notice, batch.place, record.offset)
                    self._progress[batch.place] = record.offset + 1
                self._progress[batch.place] = batch.end
        except _Later as error:
            later = error
        behind = {place: offset for place, offset in self._progress.items() if offset > (self._ledger.position(place) or 0)}
        if behind:
            self._note(*(self._mark(place, offset) for place, offset in behind.items()))
        if later is not None:
            raise Unavailable(str(later), dict(self._progress)) from later

    def _sweep(self) -> None:
        """Let go of what is over and too old to come again."""
        now_ms = self._now_ms()
        if now_ms - self._swept_ms >= SWEEP_EVERY_MS:
            self._swept_ms = now_ms
            gone = self._ledger.drop_ended(now_ms - self._terms.routing.oldest_ms - KEPT_AFTER_END_MS)
            if gone:
                # The newest position may stand in what is let go of.
                places = {place_of(mark) for mark in gone}
                self._note(*(self._mark(place, self._ledger.position(place) or 0) for place in places))
                self._log.forget(gone)

    # ---- notices ----

    def _settle(self, notice: Notice, place: Place, offset: int) -> None:
        is_history = offset < self._ledger.history_end(place)
        judgement = self._teller.judge(notice, self._ended.get(place, frozenset()) if is_history else None)
        if judgement == "call":
            # A list is settled only when what waited for it is: the position behind it is noted after that.
            self._tell(notice, place, offset, offset if notice.is_list else offset + 1, notice.published_at)
        elif judgement != "skip":
            known = self._ledger.receipt(notice)
            receipt = self._receipt(notice, offset, judgement, told=known is not None and known.told, status=None)
            self._note(self._mark(place, offset + 1, receipt=receipt))
            if not notice.is_end:
                self._count(judgement)
                logger.debug("%s: %s is not told one by one: %s", self.name, notice.record.record_id, judgement)
        if isinstance(notice.record, OwnerList) and self._terms.routing.digests:
            known = self._ledger.receipt(notice)
            self._release(notice.record, notice.published_at, is_told=known is not None and known.told)

    def _release(self, listed: OwnerList, published_at: int, *, is_told: bool) -> None:
        """Settle what waited for a digest: told of in it, if it got there, or told now.

        A morning list comes after the digests of the days before it, so what still waits from then is in none.
        """
        day = (date.fromisoformat(listed.day) - _EPOCH).days
        if listed.kind == "digest":
            waiting = self._ledger.held(listed.owner, day, day)
        else:
            waiting = self._ledger.held(listed.owner, 0, day - 1)
        for mark in waiting:
            receipt, place = mark.receipt, place_of(mark)
            assert receipt is not None, "only receipts wait"
            position = self._ledger.position(place) or 0
            if listed.kind == "digest" and is_told and self._teller.covers(listed, receipt):
                self._note(self._mark(place, position, receipt=replace(receipt, outcome="digest", told=True)))
            elif receipt.state not in ENDED:
                record = self._log.record(place, receipt.offset)
                notice = None if record is None else notice_of(record)
                if notice is not None:
                    self._tell(notice, place, receipt.offset, position, published_at)

    def _tell(self, notice: Notice, place: Place, offset: int, position: int, since_ms: int) -> None:
        """Call the destination and note what it answered, with `position`. It is given up some time after `since_ms`.

        Raises _Later.
        """
        is_expired = self._now_ms() >= since_ms + self._terms.give_up_after_ms
        message = self._terms.format.message(notice)
        if time.monotonic() > self._calls_until_s:
            raise _Later(f"answers take long: more than {WRITE_MOST_S:.0f} s for a few calls; they go on")
        if self._is_over():
            raise _Later("told to stop")
        if self._back_off.is_over(self._now_ms()):
            answer = self._call(notice, message)
        elif is_expired:
            answer = Answer("try_again", None, f"not called, since just before: {self._reason}")
        else:
            raise _Later(self._reason)
        if answer.verdict == "try_again" and not is_expired:
            raise _Later(self._reason)
        known = self._ledger.receipt(notice)
        told = answer.verdict == "taken" or (known is not None and known.told)
        outcome: Literal["delivered", "given_up"] = "delivered" if answer.verdict == "taken" else "given_up"
        mark = self._mark(place, position, receipt=self._receipt(notice, offset, outcome, told=told, status=answer.status))
        if answer.verdict == "taken":
            self._note(mark)
            self._count("delivered")
            delay_ms = max(0, self._now_ms() - notice.published_at)
            self._metrics.taken(self._terms.name, delay_ms / 1000)
        else:
            failure = self._failure(notice, message, answer, place, offset)
            self._note(mark, failures=[failure])
            self._count(failure.reason)
            logger.error(
                "%s: %s is given up (%s, %s): it lies on cs.delivery-failures",
                *(self.name, notice.record.record_id, failure.reason, answer.told),
            )
        self._attempts.pop(notice.record.record_id, None)

    def _call(self, notice: Notice, message: Message) -> Answer:
        message_id = notice.record.record_id
        self._attempts[message_id] = self._attempts.get(message_id, 0) + 1
        headers = self._terms.format.headers(message_id, self._now_ms(), message)
        started_s = time.monotonic()
        answer = self._caller.call(message, headers)
        name = self._terms.name
        told = answer.verdict if answer.status is not None else "unreachable"
        self._metrics.called(name, told, time.monotonic() - started_s)
        if answer.verdict == "try_again":
            pause_ms = self._back_off.failed(self._now_ms(), answer.retry_after_ms)
            self._reason = f"{answer.told}, called again {pause_ms / 1000:.1f} s later at the soonest"
        else:
            self._back_off.passed()
        self._metrics.calls_failed(name, self._back_off.failures)
        return answer

    # ---- records ----

    def _note(self, *marks: DeliveryMark, failures: Sequence[DeliveryFailure] = ()) -> None:
        self._log.note(marks, failures)
        for mark in marks:
            self._ledger.take(mark)

    def _count(self, outcome: str) -> None:
        self._metrics.settled(self._terms.name, outcome)

    def _mark(
        self, place: Place, position: int, *, history_end: int | None = None, receipt: DeliveryReceipt | None = None
    ) -> DeliveryMark:
        return DeliveryMark(
            destination=self._terms.name,
            topic=place.topic,
            partition=place.partition,
            position=position,
            at=self._now_ms(),
            history_end=self._ledger.history_end(place) if history_end is None else history_end,
            receipt=receipt,
        )

    @staticmethod
    def _receipt(
        notice: Notice,
        offset: int,
        outcome: Literal["delivered", "given_up", "muted", "held", "digest", "history"],
        *,
        told: bool,
        status: int | None,
    ) -> DeliveryReceipt:
        return DeliveryReceipt(
            episode_id=notice.episode_id,
            record_id=notice.record.record_id,
            sequence=notice.sequence,
            offset=offset,
            state=notice.state,
            outcome=outcome,
            told=told,
            severity=notice.severity,
            owner=notice.owner,
            opened_at=notice.opened_at,
            status=status,
        )

    def _failure(self, notice: Notice, message: Message, answer: Answer, place: Place, offset: int) -> DeliveryFailure:
        record = notice.record
        identity = f"{self._terms.name}\x1f{record.record_id}".encode()
        return DeliveryFailure(
            record_id=hashlib.blake2b(identity, digest_size=16).hexdigest(),
            destination=self._terms.name,
            message_id=record.record_id,
            type=notice.type,
            subject=notice.subject,
            as_of=record.as_of,
            emitted_at=self._now_ms(),
            config_version=record.config_version,
            reason="refused" if answer.verdict == "refused" else "expired",
            message=f"{answer.told}: {answer.words}" if answer.words else answer.told,
            attempts=self._attempts.get(record.record_id, 0),
            status=answer.status,
            topic=place.topic,
            partition=place.partition,
            offset=offset,
            content_type=message.content_type,
            body=message.body[:BODY_MOST_BYTES],
            body_bytes=len(message.body),
            truncated=len(message.body) > BODY_MOST_BYTES,
        )
