"""Bytes in, bytes out: everything a task does to the records of its partition, without a broker and without a clock.

A record is offered, then worked on in steps: first the due evaluations up to the record's time, then the record itself. What has
come of it is taken as one `Transaction`. The worker commits it with Kafka, a replay prints it, a test compares it.
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Literal

import msgspec

from processors import customer as domain
from processors import feeds
from processors.definitions import Definitions
from processors.effects import Around, Context, Effects
from processors.windows import DAY_MS
from schemas.codec import Codec
from schemas.events import CustomerEvent, Tick
from schemas.outcome import Malformed, Reason
from schemas.records import ChurnAlert, CustomerOutput, CustomerSnapshot, HealthChange, LoyaltyChange, SurveyRequest
from streams.catalogue import UnknownDefinitions
from streams.dead_letters import DEAD_LETTERS_TOPIC, FailureLimit, ReadLimit, dead_letter
from streams.measures import Measures
from streams.partials import Partials, count_gauges
from streams.placing import impossible_timestamp, letter_replayed, wrong_key, wrong_partition, wrong_time
from streams.records import InputRecord, OutputRecord, PartitionsChanged, Transaction
from streams.steps import Folded, GivenUp, Postponed, Reconsidered, Step, TimePassed, carry_out
from streams.store import Customer, CustomerStore
from streams.surroundings import around, hear, quiet_feeds
from streams.ticks import TICKS_TOPIC
from streams.totals import PartitionMeta, TotalsStore
from streams.turns import OneVoice, Voice

logger = logging.getLogger(__name__)

SNAPSHOTS_TOPIC = "cs.customer-snapshots"

OUTPUT_TOPICS: dict[type[CustomerOutput], str] = {
    HealthChange: "cs.health-changes",
    ChurnAlert: "cs.churn-alerts",
    LoyaltyChange: "cs.loyalty-changes",
    SurveyRequest: "cs.survey-requests",
    CustomerSnapshot: SNAPSHOTS_TOPIC,
}

Definer = Callable[[int], Definitions | None]
"""The definitions of a version, None while it is not known."""


class PartitionDriver:
    """One partition's state and what was done to it since the last `take`."""

    def __init__(
        self,
        partition: int,
        partitions: int,
        incarnation: str,
        definer: Definer,
        codec: Codec,
        failures: FailureLimit,
        emitted_at: Callable[[], int | None],
        unverifiable: Literal["accept", "dead_letter"] = "accept",
        voice: Voice | None = None,
    ) -> None:
        self.partition = partition
        self.customers = CustomerStore()
        self._voice = voice or OneVoice()
        self.totals = TotalsStore(PartitionMeta(partitions, turns=self._voice.first()))
        self._partitions = partitions
        self._incarnation = incarnation
        self._definer = definer
        self._codec = codec
        self._failures = failures
        self._readable = ReadLimit(failures.window_records)
        self._emitted_at = emitted_at
        self._unverifiable = unverifiable
        self._partials = Partials(partition, incarnation, codec, emitted_at)
        self._context = self._new_context(0)
        self._behind: list[bytes] = []
        self._record: InputRecord | None = None
        self._offsets: dict[str, int] = {}
        self._outputs: list[OutputRecord] = []
        self._uncommitted = 0
        self._changed = False
        self._reached_ms = 0
        self._took_the_word = False
        self._uncounted: dict[bytes, Customer] = {}

    # ---- restore ----

    def restorer(self, table: str) -> Callable[[Iterable[tuple[bytes, bytes | None]]], None]:
        """What takes in the changelog records of a table, in their order."""
        return self.customers.restore if table == "customers" else self.totals.restore

    def restored(self) -> None:
        """Everything of the changelogs was taken in.

        Raises PartitionsChanged.
        """
        meta = self.totals.meta
        if meta.partitions != self._partitions:
            raise PartitionsChanged(self._incarnation, meta.partitions, self._partitions)
        self._offsets = dict(meta.offsets)

    @property
    def offsets(self) -> Mapping[str, int]:
        """The next offset of each input topic, as the state was written; a topic that was never read is missing."""
        return self.totals.meta.offsets

    @property
    def config_version(self) -> int:
        """The version of the definitions in force."""
        return self.totals.meta.config_version

    def begin(self, positions: Mapping[str, int]) -> None:
        """Reading starts at these positions; a record that was under way before is not done, so it is read again.

        Raises UnknownDefinitions if the state was judged by a version that is not known.
        """
        self._record = None
        self._offsets = dict(positions)
        self._context = self._new_context(self.totals.meta.config_version)
        self._behind = self.customers.behind(self._context.config_version)[::-1]

    # ---- records ----

    def __len__(self) -> int:
        """How many customers there are."""
        return len(self.customers)

    def measures(self) -> Measures:
        """How much there is and is left to do, for the metrics."""
        until_ms = max(self.clock_ms, self._record.timestamp_ms if self._record else 0)
        return Measures(
            clock_ms=self.clock_ms,
            state_records=len(self.customers),
            state_bytes=self.customers.size_bytes,
            due=self.customers.count_due(until_ms),
            to_rejudge=len(self._behind),
        )

    def table(self, name: str) -> Iterable[tuple[bytes, bytes]]:
        """The bytes at rest of a table."""
        return self.customers.values.items() if name == "customers" else self.totals.records()

    @property
    def busy(self) -> bool:
        """Whether an offered record is not done yet."""
        return self._record is not None

    @property
    def clock_ms(self) -> int:
        """The highest record timestamp consumed."""
        return self.totals.meta.clock_ms

    @property
    def has_changes(self) -> bool:
        """Whether there is something to take."""
        return self._changed

    def took_the_word(self) -> bool:
        """Whether since the last call something is told for the first time after a silence."""
        took, self._took_the_word = self._took_the_word, False
        return took

    @property
    def uncommitted_records(self) -> int:
        """How many records were consumed since the last `take`."""
        return self._uncommitted

    @property
    def wants_definitions(self) -> int | None:
        """The version that the offered tick brings and nobody knows yet: worked on like this, the tick is a dead letter."""
        version = self._offered_version()
        return version if version is not None and self._definer(version) is None else None

    def offer(self, record: InputRecord) -> None:
        """Give the next record of the merged log."""
        assert self._record is None, "one record at a time"
        self._record = record

    def work(self, steps: int) -> None:
        """Do up to `steps` due evaluations for the offered record, and then the record itself.

        Raises TooManyFailures, NothingReadable, UnreadableState, and RegistryUnreachable, after which the same work can be tried
        again.
        """
        record = self._record
        if record is None:
            return
        impossible = impossible_timestamp(record)
        if impossible is not None:
            self._dead_letter(record, impossible)
            self._done(record)
            return
        meta = self.totals.meta
        if record.timestamp_ms > meta.clock_ms:
            if not self._settle_due(record.timestamp_ms, steps):
                return
            meta.clock_ms = record.timestamp_ms
        if record.topic == TICKS_TOPIC and not self._ready_for_tick(steps):
            return
        self._consume(record)
        self._done(record)

    def _done(self, record: InputRecord) -> None:
        self._record = None
        self._offsets[record.topic] = record.offset + 1
        self._uncommitted += 1
        self._changed = True
        self._failures.passed()

    def process(self, record: InputRecord) -> None:
        """Offer a record and do all its work."""
        self.offer(record)
        while self.busy:
            self.work(1000)

    def work_aside(self, steps: int) -> bool:
        """Judge up to `steps` customers by the definitions that came into force; returns whether some are left."""
        for _ in range(steps):
            if not self._behind:
                return False
            key = self._behind.pop()
            customer = self.customers.get(key)
            if customer is not None:
                self._catch_up(customer)
                self.customers.schedule(key, customer.state.next_due)
            self._changed = True
        return bool(self._behind)

    def write_tick(self, tick: Tick) -> None:
        """Add a tick of this partition to the next transaction."""
        key = str(tick.partition).encode()
        value = self._codec.encode(TICKS_TOPIC, tick)
        self._outputs.append(OutputRecord(TICKS_TOPIC, key, value, tick.occurred_at, timestamp_ms=tick.occurred_at, record=tick))
        self._changed = True

    def drain_outputs(self) -> list[OutputRecord]:
        """Take the outputs alone, for whoever keeps no state."""
        outputs, self._outputs = self._outputs, []
        return outputs

    def take(self) -> Transaction:
        """All that was done since the last call: the changelogs, the outputs, and how far the inputs are consumed."""
        self._count_gauges()
        changelog: list[tuple[str, bytes, bytes | None]] = []
        changelog += [("customers", key, value) for key, value in self.customers.take_changes()]
        self.totals.meta.offsets = dict(self._offsets)
        changelog += [("totals", key, value) for key, value in self.totals.take_changes()]
        transaction = Transaction(changelog, self._outputs, dict(self._offsets), self._uncommitted, self.totals.take_tally())
        self._outputs = []
        self._uncommitted = 0
        self._changed = False
        return transaction

    # ---- time ----

    def _settle_due(self, until_ms: int, steps: int) -> bool:
        """The due evaluations up to a time, in the order of time; returns whether all are done. The clock follows them."""
        meta = self.totals.meta
        for _ in range(steps):
            due_ms = self.customers.next_due()
            if due_ms > until_ms:
                return True
            key = self.customers.pop_due()
            customer = self.customers.get(key)
            if customer is None:
                continue
            meta.clock_ms = max(meta.clock_ms, due_ms)
            self._catch_up(customer)
            if self._attempt(customer, TimePassed(due_ms, self._around(due_ms)), due_ms) is not None:
                self._attempt(customer, Postponed(due_ms + DAY_MS), due_ms)  # its events go on; tomorrow it is tried again
            self.customers.schedule(key, customer.state.next_due)
            self._changed = True
        return self.customers.next_due() > until_ms

    def _ready_for_tick(self, steps: int) -> bool:
        """A tick that brings new definitions waits until the customers were judged by the ones before."""
        version = self._offered_version()
        if version is None or version <= self._context.config_version or self._definer(version) is None:
            return True
        return not self.work_aside(steps)

    def _offered_version(self) -> int | None:
        record = self._record
        if record is None or record.topic != TICKS_TOPIC:
            return None
        tick = self._codec.decode(TICKS_TOPIC, record.value)
        return tick.config_version if isinstance(tick, Tick) and tick.partition == self.partition else None

    def _new_context(self, version: int) -> Context:
        definitions = self._definer(version)
        if definitions is None:
            raise UnknownDefinitions(f"the state was judged by version {version} of the definitions, which is not in the log")
        return Context(definitions, version, self._incarnation, definer=self._definer)

    def _tick(self, tick: Tick) -> None:
        """New definitions come into force; otherwise the work up to here is done, and the partials say so."""
        meta = self.totals.meta
        if tick.config_version > meta.config_version:
            self._count_gauges()
            meta.config_version = tick.config_version
            meta.config_since_ms = meta.clock_ms
            self._context = self._new_context(tick.config_version)
            self.customers.flush()
            self._behind = self.customers.behind(tick.config_version)[::-1]
        if tick.active_app_id is not None:
            meta.turns.take(tick.occurred_at, tick.active_app_id)
        if tick.fleet:
            meta.fleet = {figure.name: figure.value for figure in tick.fleet}
        if not self._behind:
            self._count_gauges()
            quiet = quiet_feeds(self.totals, self._context.definitions.fleet, meta.clock_ms)
            self._outputs += self._partials.show(self.totals, quiet, self._voice.span(meta.turns))

    # ---- events ----

    def _consume(self, record: InputRecord) -> None:
        self._reached_ms = self.totals.meta.turns.reached(record.topic, record.timestamp_ms)
        event = self._codec.decode(record.topic, record.value)
        if isinstance(event, Malformed):
            self._readable.unreadable(record.topic, event)
            self._dead_letter(record, event)
            return
        if record.topic != TICKS_TOPIC:
            self._readable.read()
        assert isinstance(event, CustomerEvent | Tick), "an input topic holds input events"
        wrong = self._misplaced(record, event)
        if wrong is not None:
            self._dead_letter(record, wrong)
        elif isinstance(event, Tick):
            self._tick(event)
        else:
            self._fold(record, event)

    def _misplaced(self, record: InputRecord, event: CustomerEvent | Tick) -> Malformed | None:
        if isinstance(event, Tick):
            return self._misplaced_tick(event)
        wrong = wrong_key(record, event)
        # a customer of whom this partition has a state is in the right one: its first record was checked
        if wrong is None and (record.key or b"") not in self.customers:
            wrong = wrong_partition(record, self._partitions)
        return wrong or wrong_time(record, event)

    def _misplaced_tick(self, tick: Tick) -> Malformed | None:
        if tick.partition != self.partition:
            return Malformed(Reason.MISROUTED, f"a tick of partition {tick.partition}")
        if self._definer(tick.config_version) is None:
            return Malformed(Reason.UNKNOWN_DEFINITIONS, f"version {tick.config_version} of the definitions is not in the log")
        return None

    def _fold(self, record: InputRecord, event: CustomerEvent) -> None:
        assert record.key is not None
        feed = feeds.feed_of(event)
        if feed is not None:
            hear(self.totals, self._context.definitions.fleet, feed)
        customer = self.customers.get(record.key)
        if customer is None:
            customer = self.customers.create(record.key, event.customer_id, self._context.config_version)
        self._catch_up(customer)
        letter_id = letter_replayed(record)
        if (
            letter_id is None
            and self._unverifiable == "dead_letter"
            and domain.is_unverifiable(customer.state, event, self.clock_ms)
        ):
            self._dead_letter(record, Malformed(Reason.UNVERIFIABLE, "so old that it cannot be told from a repetition any more"))
            return
        error = self._attempt(customer, Folded(self.clock_ms, event, self._around(self.clock_ms), letter_id), self._reached_ms)
        if error is not None:
            if not customer.journal:
                self.customers.forget(record.key)
            self._dead_letter(record, Malformed(Reason.FAILED, f"{type(error).__name__}: {error}"))
        self.customers.schedule(record.key, customer.state.next_due)

    def _catch_up(self, customer: Customer) -> None:
        """Judge a customer by the definitions in force, if it was not yet."""
        version = self._context.config_version
        if customer.state.config_version == version:
            return
        since_ms = self.totals.meta.config_since_ms
        if self._attempt(customer, Reconsidered(since_ms, self._around(since_ms)), since_ms) is not None:
            self._attempt(customer, GivenUp(version), since_ms)

    def _around(self, at_ms: int) -> Around:
        """What is around the customers of this partition at a time."""
        return around(self.totals, self._context.definitions.fleet, at_ms, self._context.around)

    def _attempt(self, customer: Customer, step: Step, at_ms: int) -> Exception | None:
        """Carry a step out and let its effects count; when the domain raises, undo the step and return the error.

        `at_ms` is the time by which it is told or not. Raises TooManyFailures.
        """
        context = self._context
        try:
            carry_out(customer.state, step, context)
        except Exception as error:  # whatever the fold raises is our bug, and one step must not stop the partition
            logger.exception("the fold failed in partition %d at %d", self.partition, at_ms)
            self._roll_back(customer)
            self._failures.failed(f"{type(error).__name__}: {error}")
            return error
        customer.journal.append(step)
        self._uncounted[customer.key] = customer
        effects, context.effects = context.effects, Effects()
        if self._speaks(at_ms):
            self._publish(customer, effects)
        for key, counts in effects.totals.items():
            self.totals.add(key, counts)
        return None

    def _speaks(self, at_ms: int) -> bool:
        """Whether what happens at a time is told by this application, not by another one."""
        turns = self.totals.meta.turns
        speaks = self._voice.speaks(turns, at_ms)
        if speaks and turns.was_silent:
            self._took_the_word = True
        turns.was_silent = not speaks
        return speaks

    def _publish(self, customer: Customer, effects: Effects) -> None:
        for record in effects.outputs:
            topic = OUTPUT_TOPICS[type(record)]
            stamped = msgspec.structs.replace(record, emitted_at=self._emitted_at())
            value = self._codec.encode(topic, stamped)
            self._outputs.append(OutputRecord(topic, customer.key, value, record.as_of, record=stamped))
        if effects.erased:
            at_ms = self.clock_ms  # a tombstone has nothing but its timestamp to say when
            self._outputs.append(OutputRecord(SNAPSHOTS_TOPIC, customer.key, None, at_ms, timestamp_ms=at_ms))

    def _roll_back(self, customer: Customer) -> None:
        """Decode the bytes again and repeat what was done since, without the step that failed and without its effects."""
        context = self._context
        customer.state = self.customers.rolled_back(customer)
        for step in customer.journal:
            carry_out(customer.state, step, context)
        context.effects = Effects()

    def _count_gauges(self) -> None:
        count_gauges(self._uncounted.values(), self.totals)
        self._uncounted.clear()

    def _dead_letter(self, record: InputRecord, malformed: Malformed) -> None:
        if not self._speaks(self._reached_ms):
            return
        letter = dead_letter(
            record, malformed, self.clock_ms, self._emitted_at(), self._context.config_version, self._incarnation
        )
        value = self._codec.encode(DEAD_LETTERS_TOPIC, letter)
        self._outputs.append(OutputRecord(DEAD_LETTERS_TOPIC, letter.record_id.encode(), value, self.clock_ms, record=letter))
