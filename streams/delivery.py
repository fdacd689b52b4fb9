"""Runs alert delivery: a thread for each destination, all anew when the definitions change, until told to stop.

The threads share nothing but the metrics: each has its consumer, its log and its connection, so a destination that is away holds
up nobody else. When one of them meets what it cannot mend, all stop and the process ends: every position is noted.
"""

import logging
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Final

import confluent_kafka as ck

from schemas.registry import RegistryUnreachable
from sinks.calling import HttpCaller
from sinks.delivery import DeliverySink
from sinks.notices import TOPICS
from sinks.sink import Misconfigured
from sinks.sink_metrics import SinkMetrics
from streams.cluster import client_config, reading_consumer
from streams.codecs import codec_of
from streams.definitions_log import TOPIC as DEFINITIONS_TOPIC
from streams.definitions_log import DefinitionsLogError, newest_definitions
from streams.delivery_log import FAILURES_TOPIC, MARKS_TOPIC, KafkaDeliveryLog
from streams.delivery_terms import Line, lines
from streams.exit_codes import EXIT_AGAIN, EXIT_INCIDENT, EXIT_WRONG
from streams.logs import configure_from
from streams.newer_definitions import NewerDefinitions
from streams.offering import PortTaken
from streams.patience import patiently
from streams.restore import RestoreFailed
from streams.settings import Settings
from streams.sink_feed import FeedFailed, LogReplaced, UnreadableRecord
from streams.sinking import (
    Carrying,
    StopRequest,
    TopicsMissing,
    feed_of,
    offered_metrics,
    open_feed,
    topics_are_there,
)

logger = logging.getLogger(__name__)

_LOOK_EVERY_S: Final = 0.2  # also how soon a request to stop is heard
_ANSWER_TIMEOUT_S: Final = 10.0


class _Shift(StopRequest):
    """One generation of threads: over when the process is to stop, or when the next generation is to begin."""

    def __init__(self, process: StopRequest) -> None:
        super().__init__()
        self._process = process

    def is_made(self) -> bool:
        """Whether to stop."""
        return super().is_made() or self._process.is_made()


class _Post(threading.Thread):
    """Carries to one destination; `ended_with` is an exit code when it could not go on."""

    def __init__(self, settings: Settings, line: Line, metrics: SinkMetrics, shift: StopRequest) -> None:
        super().__init__(name=f"delivery-{line.terms.name}", daemon=True)
        self._settings = settings
        self._line = line
        self._metrics = metrics
        self._shift = shift
        self.ended_with: int | None = None

    def run(self) -> None:
        """Carry until told to stop."""
        try:
            self._carry(self._line)
        except Misconfigured as error:
            self._end(EXIT_WRONG, error)
        except (LogReplaced, UnreadableRecord) as error:
            self._end(EXIT_INCIDENT, error)
        except (FeedFailed, ck.KafkaException) as error:
            self._end(EXIT_AGAIN, error)
        except Exception:
            logger.exception("delivery to %s failed: a fault of ours", self._line.terms.name)
            self.ended_with = EXIT_INCIDENT

    def _carry(self, line: Line) -> None:
        log = KafkaDeliveryLog(client_config(self._settings), codec_of(self._settings), line.terms.name)
        sink = DeliverySink(line.terms, HttpCaller(line.url, line.timeout_ms), log, self._metrics, is_over=self._shift.is_made)
        feed = feed_of(self._settings, sink)
        try:
            open_feed(feed, self._settings, sink)
            Carrying(sink, feed, self._shift, self._metrics).run()
        finally:
            feed.close()
            sink.close()

    def _end(self, code: int, error: Exception) -> None:
        logger.error("delivery to %s ends: %s", self._line.terms.name, error)
        self.ended_with = code


def run(settings: Settings, environment: Mapping[str, str], only: Sequence[str] = ()) -> int:
    """Deliver until SIGTERM or SIGINT, or until it cannot go on; returns the exit code. `only`: to these destinations alone.

    Raises SettingsError when variables that the definitions name are missing or wrong, DefinitionsError when the definitions are.
    """
    stop = StopRequest()
    stop.listen()
    try:
        if not topics_are_there(settings, "delivery", (*TOPICS, DEFINITIONS_TOPIC, MARKS_TOPIC, FAILURES_TOPIC), stop):
            return stop.code
        return _Office(settings, environment, only, stop).run()
    except (Misconfigured, PortTaken, TopicsMissing) as error:
        logger.error("delivery: %s", error)  # noqa: TRY400 - a user's mistake shows no traceback
        return EXIT_WRONG
    except (RestoreFailed, DefinitionsLogError, RegistryUnreachable, ck.KafkaException) as error:
        logger.error("delivery ends: %s", error)  # noqa: TRY400 - the cause is in the message
        return EXIT_AGAIN


class _Office:
    """The posts of this process, one generation after the other."""

    def __init__(self, settings: Settings, environment: Mapping[str, str], only: Sequence[str], stop: StopRequest) -> None:
        self._settings = settings
        self._environment = environment
        self._only = only
        self._stop = stop

    def run(self) -> int:
        metrics = offered_metrics(self._settings)
        consumer = reading_consumer(client_config(self._settings))
        try:
            newer = NewerDefinitions(self._newest, lambda: _end_of_definitions(consumer))
            version, current = self._newest()
            while True:
                shift = _Shift(self._stop)
                posts = [_Post(self._settings, line, metrics, shift) for line in current]
                logger.info("definitions version %d: %s", version, _told(current))
                for post in posts:
                    post.start()
                following = self._wait(posts, newer, version)
                shift.make()
                for post in posts:
                    post.join()
                failed = [post.ended_with for post in posts if post.ended_with is not None]
                if failed or following is None:
                    return failed[0] if failed else self._stop.code
                version, current = following
        finally:
            consumer.close()
            metrics.stop()

    def _wait(self, posts: Sequence[_Post], newer: NewerDefinitions[list[Line]], version: int) -> tuple[int, list[Line]] | None:
        """Wait until the definitions have changed: what comes then. None when told to stop, or when a thread has ended."""
        while not self._stop.is_made() and all(post.is_alive() for post in posts):
            following = newer.following(version)
            if following is not None:
                return following
            time.sleep(_LOOK_EVERY_S)
        return None

    def _newest(self) -> tuple[int, list[Line]]:
        """The newest version and the lines of it. Raises what reading it raises, and SettingsError."""
        version, definitions = newest_definitions(client_config(self._settings), codec_of(self._settings))
        found, secrets = lines(definitions, self._environment, self._settings.app_id, self._only)
        configure_from(self._settings, secrets)
        return version, found


def _end_of_definitions(consumer: ck.Consumer) -> int:
    place = ck.TopicPartition(DEFINITIONS_TOPIC, 0)
    _, end = patiently(lambda left_s: consumer.get_watermark_offsets(place, left_s), _ANSWER_TIMEOUT_S)
    return end


def _told(current: Sequence[Line]) -> str:
    if not current:
        return "no destinations, waiting for definitions that have some"
    return ", ".join(f"{line.terms.name} at {line.host}" for line in current)
