"""Bytes in, bytes out: what the fleet's task does to the partials of all partitions, without a broker and without a clock.

Partials are taken in as they come; when the last of the partitions has shown the work of a tick, and an interval of the log's
time has passed, what changed of the whole fleet is published.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping

from processors import fleet_publication as publication
from processors import fleet_reports as reports
from processors.definitions import Definitions
from processors.fleet import TURN
from processors.fleet_figures import View
from processors.fleet_publication import Edition, Keyed, Workshop
from processors.fleet_state import AS_OF_FIGURE
from processors.fleet_view import FleetValue
from processors.windows import DAY_MS
from schemas.codec import Codec
from schemas.events import FleetFigure, Tick
from schemas.outcome import Malformed
from schemas.records import (
    FleetAlert,
    FleetOutput,
    FleetPartial,
    FleetSnapshot,
    MaturityAssessment,
    OwnerList,
    TouchpointMap,
)
from sinks.fleet_metrics import Standing
from streams.catalogue import UnknownDefinitions
from streams.dead_letters import DEAD_LETTERS_TOPIC, dead_letter
from streams.fleet_standing import standing
from streams.fleet_store import FleetStore
from streams.measures import Measures
from streams.partials import PARTIALS_TOPIC, read_name
from streams.records import InputRecord, OutputRecord, PartitionsChanged, Transaction
from streams.turns import Span

logger = logging.getLogger(__name__)

TABLE = "fleet"

FLEET_TOPICS: dict[type[FleetOutput], str] = {
    FleetSnapshot: "cs.fleet-snapshots",
    FleetAlert: "cs.fleet-alerts",
    TouchpointMap: "cs.touchpoint-maps",
    OwnerList: "cs.owner-lists",
    MaturityAssessment: "cs.maturity",
}


class FleetDriver:
    """The state of the whole fleet and what was done to it since the last `take`.

    `stands` is told how the fleet stands when reading begins and at every publication.
    """

    def __init__(
        self,
        partitions: int,
        incarnation: str,
        definer: Callable[[int], Definitions | None],
        codec: Codec,
        emitted_at: Callable[[], int | None],
        stands: Callable[[Standing], None] | None = None,
    ) -> None:
        self.store = FleetStore(partitions, incarnation)
        self._partitions = partitions
        self._incarnation = incarnation
        self._definer = definer
        self._codec = codec
        self._emitted_at = emitted_at
        self._stands = stands
        self._values: list[FleetValue] = []
        self._record: InputRecord | None = None
        self._offset: int | None = None
        self._outputs: list[OutputRecord] = []
        self._uncommitted = 0
        self._changed = False
        self._tick_figures: list[FleetFigure] = []
        self._workshop = Workshop()
        self._took_the_word = False

    # ---- restore ----

    def restorer(self, table: str) -> Callable[[Iterable[tuple[bytes, bytes | None]]], None]:
        """What takes in the changelog records of the table, in their order."""
        assert table == TABLE, table
        return self.store.restore

    def restored(self) -> None:
        """Everything of the changelog was taken in.

        Raises PartitionsChanged.
        """
        if self.store.meta.partitions != self._partitions:
            raise PartitionsChanged(self._incarnation, self.store.meta.partitions, self._partitions)

    @property
    def offsets(self) -> Mapping[str, int]:
        """The next offset of the partials, as the state was written; empty before anything was read."""
        return self.store.meta.offsets

    @property
    def config_version(self) -> int:
        """The version of the definitions that the figures are made by."""
        return self.store.meta.config_version

    def begin(self, positions: Mapping[str, int]) -> None:
        """Reading starts at this position; a record that was under way before is read again.

        Raises UnknownDefinitions if the figures were made by a version that is not known.
        """
        self._record = None
        self._offset = positions.get(PARTIALS_TOPIC)
        if self._definer(self.config_version) is None:
            raise UnknownDefinitions(f"the fleet was judged by version {self.config_version} of the definitions, not in the log")
        if self._stands is not None and self.store.state.is_complete:
            self._values, _ = self._workshop.values(self.store.state, self._definitions())
            self._tell_standing()

    # ---- records ----

    def __len__(self) -> int:
        """How many parts are known."""
        return sum(len(self.store.state.parts(key)) for key in self.store.state.counted())

    def measures(self) -> Measures:
        """How much there is, for the metrics."""
        return Measures(clock_ms=self.store.state.as_of_ms, state_records=len(self))

    def table(self, name: str) -> Iterable[tuple[bytes, bytes]]:
        """The bytes of the table, as the changelog holds them."""
        assert name == TABLE, name
        return self.store.records()

    @property
    def busy(self) -> bool:
        """Whether an offered record is not done yet."""
        return self._record is not None

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
        """The version that all partitions judge by and nobody knows here yet."""
        version = self.store.state.config_version
        return version if version > self.config_version and self._definer(version) is None else None

    def offer(self, record: InputRecord) -> None:
        """Give the next record of the partials."""
        assert self._record is None, "one record at a time"
        self._record = record

    def work(self, steps: int) -> None:  # noqa: ARG002 - one signature for all drivers; a partial is one step
        """Do the work of the offered record. Raises RegistryUnreachable, after which the same work can be tried again."""
        record = self._record
        if record is None:
            return
        self._consume(record)
        self._record = None
        self._offset = record.offset + 1
        self._uncommitted += 1
        self._changed = True

    def process(self, record: InputRecord) -> None:
        """Offer a record and do its work."""
        self.offer(record)
        self.work(1)

    def work_aside(self, steps: int) -> bool:  # noqa: ARG002 - one signature for all drivers
        """Nothing is done beside the records."""
        return False

    def write_tick(self, tick: Tick) -> None:
        """Refused: partitions write ticks."""
        raise AssertionError(f"the fleet's task writes no ticks: {tick}")

    def drain_outputs(self) -> list[OutputRecord]:
        """Take the outputs alone, for whoever keeps no state."""
        outputs, self._outputs = self._outputs, []
        return outputs

    def forget_changes(self) -> None:
        """Drop what would go to the changelog, for whoever keeps no state."""
        self.store.forget_changes()
        self._uncommitted = 0

    def take(self) -> Transaction:
        """All that was done since the last call: the changelog, the outputs, and how far the partials are consumed."""
        offsets = {} if self._offset is None else {PARTIALS_TOPIC: self._offset}
        self.store.meta.offsets = offsets
        changelog = [(TABLE, key, value) for key, value in self.store.take_changes()]
        transaction = Transaction(changelog, self._outputs, dict(offsets), self._uncommitted)
        self._outputs = []
        self._uncommitted = 0
        self._changed = False
        return transaction

    @property
    def tick_figures(self) -> list[FleetFigure]:
        """The figures that ticks carry, as they were last published by this driver; empty before."""
        return self._tick_figures

    # ---- inside ----

    def _consume(self, record: InputRecord) -> None:
        if record.value is None:
            self._remove(record.key or b"")
            return
        partial = self._codec.decode(record.topic, record.value)
        if isinstance(partial, Malformed):
            self._dead_letter(record, partial)
            return
        assert isinstance(partial, FleetPartial), "the topic holds partials"
        if not self.store.state.is_news(partial):
            return
        key = (partial.figure, partial.dimension, partial.bucket)
        self.store.state.take(partial)
        self.store.marked(partial.partition)
        if partial.figure == AS_OF_FIGURE:
            self._time_passed()
        else:
            self.store.touched(key, partial.partition)

    def _remove(self, name: bytes) -> None:
        """A tombstone: the part is zero, or too old for anybody."""
        found = read_name(name)
        if found is not None and found.incarnation == self._incarnation:
            self.store.put(found.key, found.partition, None)

    def _time_passed(self) -> None:
        """A partition has shown the work of a tick: publish, if it was the last of them and it is time."""
        state, meta = self.store.state, self.store.meta
        self._take_turn()
        definitions = self._definitions()
        reported = state.fresh(definitions.fleet.stale_after_ms)
        if reported != meta.reported:
            meta.reported = reported
            self._publish("coverage", publication.coverage(self.store.memory, self._edition(), reported, self._partitions))
            self._tell_standing()
        view = View(state, definitions)
        self._publish("alerts", publication.standstill_alerts(self.store.memory, self._edition(), view, self._partitions))
        interval_ms = definitions.fleet.interval_ms
        if not state.is_complete or state.as_of_ms // interval_ms == meta.published_ms // interval_ms:
            return
        if state.as_of_ms // DAY_MS != meta.published_ms // DAY_MS:
            self.store.expire()
        meta.published_ms = state.as_of_ms
        self._publish_all(definitions)

    def _take_turn(self) -> None:
        """Speak when all partitions do; whoever was silent says everything once, which others may have said otherwise."""
        state, meta = self.store.state, self.store.meta
        spans = [Span(*counts) for counts in state.parts((TURN, "", None)).values()]
        was_silent, meta.is_silent = meta.is_silent, not all(span.has(state.as_of_ms) for span in spans)
        if was_silent and not meta.is_silent:
            self._took_the_word = True
            self.store.memory.say_all_again()
            meta.published_ms = meta.reported = 0

    def _definitions(self) -> Definitions:
        """The definitions that all partitions judge by, as soon as they are known here."""
        version = self.store.state.config_version
        if version > self.config_version and self._definer(version) is not None:
            self.store.meta.config_version = version
        definitions = self._definer(self.config_version)
        assert definitions is not None, "looked at when reading began"
        return definitions

    def _publish_all(self, definitions: Definitions) -> None:
        memory, edition, view = self.store.memory, self._edition(), View(self.store.state, definitions)
        values, failed = self._workshop.values(self.store.state, definitions)
        for one in failed:
            logger.error("the figures of %s could not be made", one.family, exc_info=one.error)
        self._publish("figures", publication.snapshots(memory, edition, values, is_whole=not failed))
        self._publish("alerts", publication.alerts(memory, edition, view, values, self._partitions))
        self._publish("touchpoint map", publication.touchpoint_maps(memory, edition, view))
        self._publish("lists", reports.due_lists(memory, edition, view, self.store.meta.days))
        self._publish("maturity", reports.assessments(memory, edition, view, values))
        figures = publication.tick_figures(values)
        self._tick_figures = [FleetFigure(name=name, value=value, as_of=view.as_of_ms) for name, value in figures.items()]
        self._values = values
        self._tell_standing()

    def _tell_standing(self) -> None:
        """Tell the metrics. A fault of ours in them must not hold up the figures."""
        if self._stands is None:
            return
        try:
            coverage = publication.coverage_value(self.store.meta.reported, self._partitions)
            view = View(self.store.state, self._definitions())
            self._stands(standing(view, [coverage, *self._values], self.store.memory))
        except Exception:  # whatever is raised is our bug
            logger.exception("the metrics of the fleet could not be told")

    def _publish(self, what: str, records: Iterator[Keyed]) -> None:
        """Write records out. A fault of ours in one kind of them must not hold up the others, nor the customers' tasks."""
        try:
            for keyed in records:
                record = keyed.record
                if self.store.meta.is_silent:
                    continue
                topic = FLEET_TOPICS[type(record)]
                value = self._codec.encode(topic, record)
                self._outputs.append(OutputRecord(topic, keyed.key.encode(), value, record.as_of, partition=0, record=record))
        except Exception:  # whatever is raised is our bug
            logger.exception("the fleet's %s could not be published", what)

    def _edition(self) -> Edition:
        state = self.store.state
        return Edition(
            incarnation=self._incarnation,
            as_of_ms=state.as_of_ms,
            emitted_at=self._emitted_at(),
            config_version=self.config_version,
            coverage_share=state.fresh(self._definitions().fleet.stale_after_ms) / self._partitions,
        )

    def _dead_letter(self, record: InputRecord, malformed: Malformed) -> None:
        if self.store.meta.is_silent:
            return
        as_of_ms = self.store.state.as_of_ms
        letter = dead_letter(record, malformed, as_of_ms, self._emitted_at(), self.config_version, self._incarnation)
        value = self._codec.encode(DEAD_LETTERS_TOPIC, letter)
        self._outputs.append(OutputRecord(DEAD_LETTERS_TOPIC, letter.record_id.encode(), value, as_of_ms, record=letter))
