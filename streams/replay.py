"""The whole topology in one process, without a broker: lines in, every output record as a line out.

The same drivers as in the worker, fed in the order of the records' timestamps. Nothing here asks a clock or a random number, so
the same input gives the same output, byte for byte.
"""

from collections.abc import Container, Iterable, Iterator

from msgspec import Struct, structs

from processors.definitions import Definitions
from schemas.codec import Codec
from schemas.events import InputEvent, Tick
from schemas.jsonlines import Line
from schemas.records import Output
from schemas.times import format_time
from streams.catalogue import Catalogue
from streams.dead_letters import FailureLimit
from streams.driver import SNAPSHOTS_TOPIC, PartitionDriver
from streams.fleet_driver import FleetDriver
from streams.partials import PARTIALS_TOPIC
from streams.records import InputRecord, OutputRecord
from streams.ticks import TICKS_TOPIC
from streams.topics import INPUT_TOPICS, partition_of

INCARNATION = "replay"
TAKE_EVERY_RECORDS = 5000  # bounds what is kept for a rollback
MAX_TICKS = 3_000_000  # five years of minutes
_SELDOM_MS = 7 * 24 * 3_600_000
FILE_VERSION = 1  # the version that a definitions file given to a replay has


class ReplayFailed(Exception):
    """The input cannot be replayed as it is."""


class OutputLine(Struct, frozen=True, kw_only=True):
    """An output record in its place; `value` is None for a tombstone. `timestamp_ms` is the time it was judged at."""

    topic: str
    value: InputEvent | Output | None
    timestamp_ms: int
    key: bytes | None
    partition: int
    offset: int


class Replay:
    """Drivers of all partitions, fed one record at a time in the order of time."""

    def __init__(
        self,
        partitions: int,
        definitions_text: str | None = None,
        incarnation: str = INCARNATION,
        topics: Container[str] | None = None,
    ) -> None:
        """Raises DefinitionsError with all mistakes of the text. Outputs of other `topics` are left out, None is all of them."""
        self._catalogue = Catalogue()
        if definitions_text is not None:
            self._catalogue.put(FILE_VERSION, definitions_text)
        self.config_version = self._catalogue.newest_version
        self._codec = Codec()
        self._partitions = partitions
        self._topics = topics
        outputs = self._codec if topics is None else _CodecOf(topics)
        definer = self._catalogue.get if topics is None or SNAPSHOTS_TOPIC in topics else _Unseen(self._catalogue).get
        self.drivers = [
            PartitionDriver(partition, partitions, incarnation, definer, outputs, FailureLimit(0.05, 1000), lambda: None)
            for partition in range(partitions)
        ]
        for driver in self.drivers:
            driver.totals.meta.config_version = self.config_version
            driver.begin({})
        self.fleet = FleetDriver(partitions, incarnation, self._catalogue.get, outputs, lambda: None)
        self.fleet.store.meta.config_version = self.config_version
        self.fleet.begin({})
        self._partials = 0
        self._offsets_in: dict[tuple[str, int], int] = {}
        self._offsets_out: dict[tuple[str, int], int] = {}

    def event(self, line: Line) -> Iterator[OutputLine]:
        """Process one line; yields what came of it."""
        if line.topic not in INPUT_TOPICS:
            raise ReplayFailed(f"{line.topic} is not an input topic; these are: {', '.join(INPUT_TOPICS)}")
        value = line.value
        if isinstance(value, Tick):
            partition = value.partition
            if not 0 <= partition < self._partitions:
                raise ReplayFailed(f"a tick of partition {partition}, and there are {self._partitions}: give --partitions")
        else:
            partition = line.partition if line.partition is not None else partition_of(line.key or b"", self._partitions)
            partition %= self._partitions
        yield from self._process(line.topic, partition, line.timestamp_ms, line.key, self._codec.encode(line.topic, value))

    def tick(self, at_ms: int) -> Iterator[OutputLine]:
        """Let all partitions know the time, and what was published of the fleet before it."""
        figures = list(self.fleet.tick_figures)
        for partition in range(self._partitions):
            tick = Tick(occurred_at=at_ms, partition=partition, config_version=self.config_version, fleet=figures)
            key = str(partition).encode()
            yield from self._process(TICKS_TOPIC, partition, at_ms, key, self._codec.encode(TICKS_TOPIC, tick))

    def _process(self, topic: str, partition: int, timestamp_ms: int, key: bytes | None, value: bytes) -> Iterator[OutputLine]:
        place = (topic, partition)
        offset = self._offsets_in.get(place, 0)
        self._offsets_in[place] = offset + 1
        driver = self.drivers[partition]
        driver.process(InputRecord(topic, partition, offset, timestamp_ms, key, value))
        for output in driver.drain_outputs():
            if self._topics is None or output.topic in self._topics:
                yield self._line(output, partition)
            if output.topic == PARTIALS_TOPIC:
                yield from self._to_fleet(output)
        if driver.uncommitted_records >= TAKE_EVERY_RECORDS:
            driver.take()

    def _to_fleet(self, partial: OutputRecord) -> Iterator[OutputLine]:
        """Give a partition's partial to the fleet; yields what came of it."""
        record = InputRecord(PARTIALS_TOPIC, 0, self._partials, partial.as_of_ms, partial.key, partial.value)
        self._partials += 1
        self.fleet.process(record)
        for output in self.fleet.drain_outputs():
            if self._topics is None or output.topic in self._topics:
                yield self._line(output, 0)
        if self.fleet.uncommitted_records >= TAKE_EVERY_RECORDS:
            self.fleet.forget_changes()

    def _line(self, output: OutputRecord, partition: int) -> OutputLine:
        to = partition if output.partition is None else output.partition
        place = (output.topic, to)
        offset = self._offsets_out.get(place, 0)
        self._offsets_out[place] = offset + 1
        return OutputLine(
            topic=output.topic,
            value=output.record,
            timestamp_ms=output.as_of_ms,
            key=output.key,
            partition=to,
            offset=offset,
        )


class _CodecOf(Codec):
    """Writes the outputs of some topics only: most of what a replay does is to write snapshots that nobody asked for.

    Partials are always written, since the fleet's figures come back to the customers in the ticks.
    """

    def __init__(self, topics: Container[str]) -> None:
        super().__init__()
        self._wanted = topics

    def encode(self, topic: str, value: InputEvent | Output) -> bytes:
        """The bytes of a record that is wanted, else none."""
        return super().encode(topic, value) if topic in self._wanted or topic == PARTIALS_TOPIC else b""


class _Unseen:
    """The definitions with as few snapshots as they can have, for a replay that shows none. They judge nothing differently."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._known: dict[int, Definitions] = {}

    def get(self, version: int) -> Definitions | None:
        """The definitions of a version, None while it is not known."""
        definitions = self._catalogue.get(version)
        if definitions is None:
            return None
        if version not in self._known:
            self._known[version] = structs.replace(definitions, snapshot_interval_ms=_SELDOM_MS)
        return self._known[version]


def replay(
    lines: Iterable[Line],
    *,
    partitions: int,
    until_ms: int | None = None,
    tick_interval_ms: int,
    definitions_text: str | None = None,
    topics: Container[str] | None = None,
) -> Iterator[OutputLine]:
    """Replay lines in the order of their timestamps (ties: as in the input); yields every output record (of the topics).

    Ticks come every `tick_interval_ms` of the records' time, unless the lines hold ticks themselves; records after `until_ms` are
    left out, and time then goes on until then.

    Raises DefinitionsError, ReplayFailed, TooManyFailures.
    """
    run = Replay(partitions, definitions_text, topics=topics)
    ordered = sorted(lines, key=lambda line: line.timestamp_ms)
    own_ticks = any(line.topic == TICKS_TOPIC for line in ordered)
    if not ordered:
        return
    next_tick_ms = _after(ordered[0].timestamp_ms, tick_interval_ms)
    end_ms = ordered[-1].timestamp_ms if until_ms is None else until_ms
    ticks = 0 if own_ticks else (end_ms - next_tick_ms) // tick_interval_ms
    if ticks > MAX_TICKS:
        raise ReplayFailed(
            f"from {format_time(ordered[0].timestamp_ms)} to {format_time(end_ms)} there would be {ticks} ticks: "
            "give a longer --tick-interval, or mend the times in the file"
        )
    for line in ordered:
        if line.timestamp_ms > end_ms:
            break
        while not own_ticks and next_tick_ms <= line.timestamp_ms:
            yield from run.tick(next_tick_ms)
            next_tick_ms += tick_interval_ms
        yield from run.event(line)
    if not own_ticks:
        while next_tick_ms < end_ms:
            yield from run.tick(next_tick_ms)
            next_tick_ms += tick_interval_ms
        yield from run.tick(end_ms)


def _after(at_ms: int, interval_ms: int) -> int:
    """The first multiple of the interval after a time."""
    return (at_ms // interval_ms + 1) * interval_ms
