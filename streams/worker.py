"""One worker process: checks what it needs, runs until it is told to stop or cannot go on, and says with which result.

Exit codes: 0 stopped as told, 1 an incident that a person has to look at, 2 settings, definitions or topics are wrong,
75 start me again, 130 interrupted; 143 and 130 as well after a second signal, which ends it at once.
"""

import asyncio
import logging
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version

import confluent_kafka as ck
import uvloop

from processors.definitions import DefinitionsError, parse
from schemas.codec import Codec
from schemas.records import DefinitionsVersion
from sinks.metrics import WorkerMetrics
from streams.app import make_app
from streams.catalogue import Catalogue
from streams.cluster import BrokerUnreachable, client_config, reach
from streams.codecs import codec_of
from streams.collector import tune_collector
from streams.dead_letters import FailureLimit, NothingReadable, TooManyFailures
from streams.definitions_log import DefinitionsLogError, apply, read_versions, sha256_of
from streams.definitions_watch import DefinitionsUnreadable, DefinitionsWatch
from streams.driver import PartitionDriver
from streams.duty import Driver, Duty
from streams.ending import Ending, end_at_once
from streams.exit_codes import EXIT_AGAIN, EXIT_DONE, EXIT_INCIDENT, EXIT_INTERRUPTED, EXIT_WRONG
from streams.first_start import WouldTellAgain, check_first_start
from streams.fleet_driver import FleetDriver
from streams.fleet_watch import FleetWatch
from streams.kafka_state import PositionsDisagree, StateLost
from streams.life import Life
from streams.observing import LoggingObserver
from streams.offering import PortTaken, metrics_not_offered, probes_not_answered
from streams.places import threads_at_work
from streams.probes import Probes
from streams.reader import OffsetGone
from streams.records import PartitionsChanged
from streams.restore import RestoreFailed
from streams.runtime import THREADS, Runtime
from streams.security import kafka_config
from streams.settings import Settings
from streams.state_bytes import StateTooLarge, UnreadableState
from streams.topics import INPUT_TOPICS, specs
from streams.turns import TakesTurns
from streams.watchdog import LoopWatch, beat, watch_tasks

logger = logging.getLogger(__name__)

BROKER_RETRY_S = 2.0
METADATA_TIMEOUT_S = 5.0
SWITCH_INTERVAL_S = 0.001  # a commit comes back to Python several times; each time it would wait 5 ms while a task folds

INCIDENTS = (
    *(NothingReadable, OffsetGone, PartitionsChanged, PositionsDisagree, StateLost, StateTooLarge, TooManyFailures),
    UnreadableState,
)
"""What a person has to look at: starting again would meet it again."""


class TopicsWrong(Exception):
    """Topics are missing or have another number of partitions; `mistakes` lists all of them."""

    def __init__(self, mistakes: list[str]) -> None:
        super().__init__("; ".join(mistakes))
        self.mistakes = mistakes


class StopRequest(asyncio.Event):
    """Set by the first signal; `code` is then the exit code that goes with it."""

    code = EXIT_DONE


def run(settings: Settings) -> int:
    """Run one worker in this process until SIGTERM or SIGINT, or until it cannot go on; returns the exit code."""
    tune_collector()
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    code = uvloop.run(_run(settings, Ending()))
    if threads_at_work(THREADS):
        end_at_once(code)  # the interpreter would wait for calls that were given up
    return code


async def _run(settings: Settings, ending: Ending) -> int:
    stop, life = StopRequest(), Life()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _on_signal(stop, ending, number))
    try:
        _check_definitions(settings)
        with _probed(settings, life):
            if not await _broker_and_topics(settings, stop):
                return stop.code
            await asyncio.to_thread(check_first_start, settings)
            return await _work(settings, stop, ending, life)
    except (PortTaken, WouldTellAgain) as error:
        logger.error("%s", error)  # noqa: TRY400 - a user's mistake shows no traceback
        return EXIT_WRONG
    except TopicsWrong as error:
        for mistake in error.mistakes:
            logger.error("%s", mistake)  # noqa: TRY400 - a user's mistake shows no traceback
        return EXIT_WRONG
    except DefinitionsError as error:
        for wrong in error.mistakes:
            logger.error("definitions: %s", wrong)  # noqa: TRY400 - a user's mistake shows no traceback
        return EXIT_WRONG
    except (DefinitionsUnreadable, DefinitionsLogError, RestoreFailed, ck.KafkaException) as error:
        logger.error("the worker ends: %s", error)  # noqa: TRY400 - the cause is in the message
        return EXIT_AGAIN


def _on_signal(stop: StopRequest, ending: Ending, number: signal.Signals) -> Callable[[], None]:
    def handle() -> None:
        if stop.is_set():
            logger.warning("second signal: ending at once, the transaction under way is left to the next owner's fence")
            end_at_once(128 + number)
        logger.info("%s: finishing the transactions under way", number.name)
        stop.code = EXIT_INTERRUPTED if number is signal.SIGINT else EXIT_DONE
        stop.set()
        ending.begin(stop.code)

    return handle


async def _broker_and_topics(settings: Settings, stop: asyncio.Event) -> bool:
    """Wait for the broker, then check the topics; False when it was told to stop meanwhile.

    Raises TopicsWrong.
    """
    config = client_config(settings)
    while not stop.is_set():
        try:
            cluster = await asyncio.to_thread(reach, config, METADATA_TIMEOUT_S)
        except BrokerUnreachable as error:
            logger.warning("no broker at %s yet (%s), trying again", error.servers, error.reason)
            await _pause(stop, BROKER_RETRY_S)
            continue
        wrong = _wrong_topics(settings, {name: len(topic.partitions) for name, topic in cluster.metadata.topics.items()})
        if wrong:
            raise TopicsWrong(wrong)
        return True
    return False


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return


def _wrong_topics(settings: Settings, partitions: dict[str, int]) -> list[str]:
    """What is wrong with the topics: one that is missing, or an input with another number of partitions."""
    wrong = []
    for spec in specs(settings.app_id, settings.partitions):
        have = partitions.get(spec.name)
        if have is None:
            wrong.append(f"topic {spec.name} does not exist, or this user may not see it: run `cspulse topics apply`")
        elif have != spec.partitions:
            kind = "input topic" if spec.name in INPUT_TOPICS else "topic"
            wrong.append(f"{kind} {spec.name} has {have} partitions and must have {spec.partitions} (CSPULSE_PARTITIONS)")
    return wrong


async def _work(settings: Settings, stop: StopRequest, ending: Ending, life: Life) -> int:
    codec = codec_of(settings)
    catalogue = Catalogue()
    metrics = _metrics(settings)

    def add(version: DefinitionsVersion) -> None:
        catalogue.add(version)
        logger.info("definitions: version %d is known", version.version)

    await _first_definitions(settings, codec)
    watch = DefinitionsWatch({**kafka_config(settings), "group.id": settings.app_id}, codec, add)
    await watch.start()
    observer = LoggingObserver(metrics)

    def new_driver(duty: Duty) -> Driver:
        if duty.is_fleet:
            return FleetDriver(
                settings.partitions, settings.app_id, catalogue.get, codec, observer.wall_clock_ms, observer.fleet_stands
            )
        failures = FailureLimit(settings.dead_letter_limit_share, settings.dead_letter_window_records)
        return PartitionDriver(
            duty.partition,
            settings.partitions,
            settings.app_id,
            catalogue.get,
            codec,
            failures,
            observer.wall_clock_ms,
            settings.unverifiable,
            TakesTurns(settings.app_id, in_shadow=settings.shadow is True),
        )

    fleet = FleetWatch({**kafka_config(settings), "group.id": settings.app_id}, codec, settings.app_id)
    fleet.start()
    runtime = Runtime(settings, catalogue, observer, new_driver, fleet.figures)
    app = make_app(settings, runtime)
    sampling = asyncio.create_task(observer.sample(runtime))
    watching = asyncio.create_task(watch_tasks(runtime, life, settings.stuck_after_ms / 1000))
    try:
        await app.start()
        told = asyncio.create_task(stop.wait())
        died = asyncio.create_task(app.wait_until_stopped())
        await asyncio.wait({told, died, runtime.failure}, return_when=asyncio.FIRST_COMPLETED)
        code = _verdict(runtime.failure.result() if runtime.failure.done() else app.crash_reason, stop)
        ending.begin(code)
        await runtime.stop()
        await app.stop()
        return code
    finally:
        sampling.cancel()
        watching.cancel()
        watch.stop()
        fleet.stop()
        metrics.stop()


def _check_definitions(settings: Settings) -> None:
    """Look at the configured file before anything starts.

    Raises DefinitionsError.
    """
    if settings.definitions is not None:
        parse(settings.definitions.read_text(encoding="utf-8"))


@contextmanager
def _probed(settings: Settings, life: Life) -> Iterator[None]:
    """Answer probes while it lasts, and end the process when the event loop is stuck.

    Raises PortTaken.
    """
    try:
        probes = Probes(life, settings.probe_host, settings.probe_port) if settings.probe_port else None
    except OSError as error:
        raise probes_not_answered(settings, error) from error
    beating = asyncio.create_task(beat(life))
    watchdog = LoopWatch(life, settings.stuck_after_ms / 1000)
    try:
        yield
    finally:
        beating.cancel()
        watchdog.stop()
        if probes is not None:
            probes.stop()


def _metrics(settings: Settings) -> WorkerMetrics:
    """Raises PortTaken."""
    try:
        metrics = WorkerMetrics().offer(settings.metrics_host, settings.metrics_port)
    except OSError as error:
        raise metrics_not_offered(settings, error) from error
    metrics.describe(version("cspulse"), settings.partitions, settings.queue_high_water_records)
    return metrics


async def _first_definitions(settings: Settings, codec: Codec) -> None:
    """Put the configured file into a log that has no version yet; later versions are applied by a person, with the command.

    Raises DefinitionsLogError, RestoreFailed.
    """
    if settings.definitions is None:
        return
    config = kafka_config(settings)
    text = settings.definitions.read_text(encoding="utf-8")
    versions = await asyncio.to_thread(read_versions, config, codec)
    if not versions:
        applied = await asyncio.to_thread(apply, config, codec, text, "worker", time.time_ns() // 1_000_000)
        logger.info("definitions: %s is version %d", settings.definitions, applied.version.version)
    elif versions[-1].sha256 != sha256_of(text):
        logger.warning(
            "definitions: version %d of the log is in force, which is not %s; `cspulse definitions apply` would change that",
            versions[-1].version,
            settings.definitions,
        )


def _verdict(error: BaseException | None, stop: StopRequest) -> int:
    """The exit code of a worker that has ended by an error, or because it was told to."""
    if error is None:
        return stop.code if stop.is_set() else EXIT_AGAIN
    logger.error("the worker ends: %s: %s", type(error).__name__, error)
    return EXIT_INCIDENT if isinstance(error, INCIDENTS) else EXIT_AGAIN
