"""Following `cs.definitions`: every version, from the beginning and as it comes, into the worker's catalogue."""

import asyncio
import logging
import threading
from collections.abc import Callable, Mapping
from typing import Any

import confluent_kafka as ck

from schemas.codec import Codec
from schemas.outcome import Malformed
from schemas.records import DefinitionsVersion

logger = logging.getLogger(__name__)

TOPIC = "cs.definitions"
POLL_S = 0.2
FIRST_READ_TIMEOUT_S = 60.0


class DefinitionsUnreadable(Exception):
    """The definitions in the log could not be read to their end, or one of them is none."""


class DefinitionsWatch:
    """A thread that reads the topic; versions are delivered on the event loop."""

    def __init__(self, config: Mapping[str, Any], codec: Codec, deliver: Callable[[DefinitionsVersion], None]) -> None:
        self._config = {
            **config,
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "auto.offset.reset": "earliest",
            "isolation.level": "read_committed",
        }
        self._codec = codec
        self._deliver = deliver
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    async def start(self) -> None:
        """Start following; returns when all versions that are in the log now are delivered.

        Raises DefinitionsUnreadable.
        """
        loop = asyncio.get_running_loop()
        at_end: asyncio.Future[None] = loop.create_future()
        self._thread = threading.Thread(target=self._run, args=(loop, at_end), name="definitions", daemon=True)
        self._thread.start()
        try:
            async with asyncio.timeout(FIRST_READ_TIMEOUT_S):
                await at_end
        except TimeoutError as error:
            raise DefinitionsUnreadable(f"{TOPIC} was not read to its end within {FIRST_READ_TIMEOUT_S:.0f} s") from error

    def stop(self) -> None:
        """End the thread; waits for it."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self, loop: asyncio.AbstractEventLoop, at_end: "asyncio.Future[None]") -> None:
        def answer(error: BaseException | None) -> None:
            if at_end.done():
                if error is not None:
                    logger.error("the definitions are no longer followed: %s", error)
            elif error is None:
                at_end.set_result(None)
            else:
                at_end.set_exception(error)

        consumer = ck.Consumer(self._config)
        try:
            consumer.assign([ck.TopicPartition(TOPIC, 0, ck.OFFSET_BEGINNING)])
            while not self._stopping.is_set():
                message = consumer.poll(POLL_S)
                if message is None:
                    continue
                if _is_end(message):
                    loop.call_soon_threadsafe(answer, None)
                elif message.error() is None:
                    loop.call_soon_threadsafe(self._deliver, self._decoded(message.value()))
        except Exception as error:  # noqa: BLE001 - the waiting worker must hear of whatever ended the thread
            loop.call_soon_threadsafe(answer, error)
        finally:
            consumer.close()

    def _decoded(self, value: bytes | None) -> DefinitionsVersion:
        record = self._codec.decode(TOPIC, value)
        if isinstance(record, Malformed) or not isinstance(record, DefinitionsVersion):
            raise DefinitionsUnreadable(f"a record of {TOPIC} cannot be read: {record}")
        return record


def _is_end(message: ck.Message) -> bool:
    """Whether this says that the log was read to its end. Raises DefinitionsUnreadable for what trying again does not mend."""
    error = message.error()
    if error is None:
        return False
    if error.fatal() or error.code() == ck.KafkaError.UNKNOWN_TOPIC_OR_PART:
        raise DefinitionsUnreadable(f"{TOPIC}: {error.str()}")
    return error.code() == ck.KafkaError._PARTITION_EOF
