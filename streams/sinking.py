"""Runs a sink: committed records in, everything settled or given again, until it is told to stop or cannot go on.

Where the destination is away, or takes only part, it is asked again with growing pauses while this process goes on living in its
group: nothing is lost and nothing is skipped. Exit codes: 0 stopped as told, 1 an incident that a person has to look at, 2
settings or topics are wrong, 75 start me again, 130 interrupted.
"""

import logging
import signal
import time
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Final, Protocol

import confluent_kafka as ck

from schemas.registry import RegistryUnreachable
from sinks.sink import Batch, Misconfigured, Moved, Positions, Sink, Unavailable
from sinks.sink_metrics import SinkMetrics
from streams.cluster import BrokerUnreachable, client_config, reach
from streams.codecs import codec_of
from streams.exit_codes import EXIT_AGAIN, EXIT_DONE, EXIT_INCIDENT, EXIT_INTERRUPTED, EXIT_WRONG
from streams.offering import PortTaken, metrics_not_offered
from streams.settings import Settings
from streams.sink_feed import Feed, FeedFailed, LogReplaced, UnreadableRecord
from streams.supervisor import BackOff

logger = logging.getLogger(__name__)

BACK_OFF: Final = BackOff(first_s=0.2, longest_s=10.0)
_BROKER_RETRY_S: Final = 1.0


class TopicsMissing(Exception):
    """Topics that the sink reads do not exist."""


class StopRequest:
    """Whether to stop; made by the first signal, and `code` is then the exit code that goes with it.

    No `threading.Event`: its lock may be held where the signal interrupts.
    """

    def __init__(self) -> None:
        self.code = EXIT_DONE
        self._made = False

    def make(self) -> None:
        """Ask to stop."""
        self._made = True

    def is_made(self) -> bool:
        """Whether to stop."""
        return self._made

    def listen(self) -> None:
        """Take SIGTERM and SIGINT for a request to stop; a second one ends the process at once. For the main thread."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._heard)

    def _heard(self, number: int, _frame: FrameType | None) -> None:
        if self._made:
            raise SystemExit(128 + number)
        self.code = EXIT_INTERRUPTED if number == signal.SIGINT else EXIT_DONE
        self._made = True


class Carrying:
    """Carries what a feed reads to its sink."""

    def __init__(
        self, sink: Sink, feed: Feed, stop: StopRequest, metrics: SinkMetrics | None = None, back_off: BackOff = BACK_OFF
    ) -> None:
        self._metrics = metrics or SinkMetrics()
        self._sink = sink
        self._feed = feed
        self._stop = stop
        self._back_off = back_off
        self._failures = 0
        self._away_since_s: float | None = None

    def run(self, until: Positions | None = None) -> None:
        """Carry until told to stop or, if `until` is given, until all of our partitions have come so far.

        Raises Misconfigured, LogReplaced, UnreadableRecord, FeedFailed.
        """
        while not self._stop.is_made() and not self._has_come(until):
            try:
                self._step()
            except Moved as moved:
                logger.info("%s: the destination is elsewhere (%s): going on from there", self._sink.name, moved)
                self._feed.place_anew()
            except (Unavailable, RegistryUnreachable) as error:
                self._wait(str(error))
            except ck.KafkaException as error:
                self._wait(f"the brokers: {error.args[0].str()}")

    def _step(self) -> None:
        self._feed.place()
        batches = self._feed.batches()
        if not batches:
            return
        began_s = time.monotonic()
        try:
            self._sink.write(batches)
        except Unavailable as error:
            self._feed.settled(error.settled)
            taken = [part for batch in batches if (part := _settled_part(batch, error.settled)) is not None]
            if taken:
                self._tell(taken, time.monotonic() - began_s)
                self._answered()  # it took something: what it did not take is asked again soon
            raise
        self._feed.settled({batch.place: batch.end for batch in batches})
        self._tell(batches, time.monotonic() - began_s)
        self._answered()

    def _tell(self, batches: Sequence[Batch], took_s: float) -> None:
        now_ms = time.time_ns() // 1_000_000
        records: dict[str, int] = {}
        delays_s = []
        for batch in batches:
            if batch.records:
                records[batch.place.topic] = records.get(batch.place.topic, 0) + len(batch.records)
                delays_s.append(max(0, now_ms - batch.records[-1].timestamp_ms) / 1000)
        self._metrics.wrote(self._sink.name, records, took_s, delays_s)

    def _answered(self) -> None:
        if self._away_since_s is not None:
            away_s = time.monotonic() - self._away_since_s
            logger.info("%s: answers again, after %.1f s and %d attempts", self._sink.name, away_s, self._failures)
        self._failures, self._away_since_s = 0, None
        self._metrics.attempts(self._sink.name, 0)

    def _wait(self, reason: str) -> None:
        """Pause, live on in the group, and let everything that is not settled come again."""
        self._failures += 1
        self._metrics.attempts(self._sink.name, self._failures)
        if self._away_since_s is None:
            self._away_since_s = time.monotonic()
        pause_s = self._back_off.pause_s(self._failures)
        logger.warning(
            "%s: %s; nothing is lost, attempt %d failed, the next in %.1f s", self._sink.name, reason, self._failures, pause_s
        )
        self._feed.place_anew()
        deadline_s = time.monotonic() + pause_s
        while not self._stop.is_made() and time.monotonic() < deadline_s:
            self._feed.idle()

    def _has_come(self, until: Positions | None) -> bool:
        if until is None or not self._feed.is_placed:
            return False
        return all(position >= until.get(place, 0) for place, position in self._feed.positions.items())


def _settled_part(batch: Batch, settled: Positions) -> Batch | None:
    """What of a batch the destination has taken, None for nothing."""
    end = settled.get(batch.place, batch.start)
    if end <= batch.start:
        return None
    return Batch(batch.place, batch.start, end, [record for record in batch.records if record.offset < end])


def group_of(settings: Settings, sink: Sink) -> str:
    """The consumer group of a sink."""
    return f"{settings.app_id}-sink-{sink.name}"


def feed_of(settings: Settings, sink: Sink) -> Feed:
    """What reads for a sink, not begun yet."""
    config = {
        **client_config(settings),
        "session.timeout.ms": settings.session_timeout_ms,
        "heartbeat.interval.ms": settings.heartbeat_interval_ms,
    }
    return Feed(config, group_of(settings, sink), sink, codec_of(settings))


def open_feed(feed: Feed, settings: Settings, sink: Sink) -> None:
    """Begin to read, and say so."""
    feed.open()
    logger.info("%s: reads %s as group %s", sink.name, ", ".join(sink.topics), group_of(settings, sink))


def offered_metrics(settings: Settings) -> SinkMetrics:
    """The metrics of a process of sinks. Raises PortTaken."""
    try:
        return SinkMetrics().offer(settings.metrics_host, settings.metrics_port)
    except OSError as error:
        raise metrics_not_offered(settings, error) from error


class Rebuildable(Sink, Protocol):
    """A sink whose destination can be written anew from the topics."""

    def begin_rebuild(self, targets: Positions) -> None:
        """Let everything be read from the beginning; see `sinks.read_model.ReadModelSink`."""


def rebuild(settings: Settings, sink: Rebuildable, *, until_end: bool = False) -> int:
    """As `run`, after letting the destination be written anew."""
    return _run(settings, sink, sink.begin_rebuild, until_end=until_end)


def run(settings: Settings, sink: Sink, *, until_end: bool = False) -> int:
    """Run a sink in this process until SIGTERM or SIGINT, or until it cannot go on; returns the exit code.

    `until_end`: until everything that is in the topics now has arrived.
    """
    return _run(settings, sink, None, until_end=until_end)


def _run(settings: Settings, sink: Sink, begin: Callable[[Positions], None] | None, *, until_end: bool) -> int:
    stop = StopRequest()
    stop.listen()
    try:
        if topics_are_there(settings, sink.name, sink.topics, stop):
            _carry(settings, sink, begin, stop, until_end=until_end)
        return stop.code
    except (Misconfigured, PortTaken, TopicsMissing) as error:
        logger.error("%s: %s", sink.name, error)  # noqa: TRY400 - a user's mistake shows no traceback
        return EXIT_WRONG
    except (LogReplaced, UnreadableRecord) as error:
        logger.error("%s: %s", sink.name, error)  # noqa: TRY400 - the cause is in the message
        return EXIT_INCIDENT
    except (FeedFailed, ck.KafkaException) as error:
        logger.error("%s ends: %s", sink.name, error)  # noqa: TRY400 - the cause is in the message
        return EXIT_AGAIN
    finally:
        sink.close()


def _carry(
    settings: Settings, sink: Sink, begin: Callable[[Positions], None] | None, stop: StopRequest, *, until_end: bool
) -> None:
    feed = feed_of(settings, sink)
    metrics = offered_metrics(settings)
    try:
        ends = feed.ends() if until_end or begin is not None else None
        if begin is not None and ends is not None:
            _begin_rebuild(sink, begin, ends, stop)
        open_feed(feed, settings, sink)
        Carrying(sink, feed, stop, metrics).run(ends if until_end else None)
    finally:
        metrics.stop()
        feed.close()


def _begin_rebuild(sink: Sink, begin: Callable[[Positions], None], ends: Positions, stop: StopRequest) -> None:
    """Begin as soon as the destination answers. Raises Misconfigured."""
    failures = 0
    while not stop.is_made():
        try:
            begin(ends)
        except Unavailable as error:
            failures += 1
            logger.warning("%s: %s; the rebuild has not begun yet", sink.name, error)
            time.sleep(max(BACK_OFF.first_s, BACK_OFF.pause_s(failures)))
            continue
        logger.info("%s: rebuild: everything is read anew, %d records at most", sink.name, sum(ends.values()))
        return


def topics_are_there(settings: Settings, name: str, topics: Sequence[str], stop: StopRequest) -> bool:
    """Wait for the brokers, then look for the topics that the sink `name` needs; False when it was told to stop meanwhile.

    Raises TopicsMissing.
    """
    while not stop.is_made():
        try:
            cluster = reach(client_config(settings))
        except BrokerUnreachable as error:
            logger.warning("%s: %s, trying again", name, error)
            time.sleep(_BROKER_RETRY_S)
            continue
        missing = [topic for topic in topics if not cluster.partitions(topic)]
        if missing:
            raise TopicsMissing(f"there is no topic {', '.join(missing)}: run `cspulse topics apply`")
        return True
    return False
