"""Newer definitions, found in their log while something runs. Looked for again when reading them failed."""

import logging
import time
from collections.abc import Callable
from typing import Final, Generic, TypeVar

import confluent_kafka as ck

from processors.definitions import DefinitionsError
from schemas.registry import RegistryUnreachable
from streams.definitions_log import DefinitionsLogError
from streams.restore import RestoreFailed
from streams.settings import SettingsError

logger = logging.getLogger(__name__)

EVERY_S: Final = 10.0

Made = TypeVar("Made")


class NewerDefinitions(Generic[Made]):
    """Looks whether the log has grown, every few seconds, and reads it if so.

    `read` gives the number of the newest version, 0 for what comes with cspulse, and what is made of it; `end` says where the log
    ends. Both ask the brokers.
    """

    def __init__(
        self, read: Callable[[], tuple[int, Made]], end: Callable[[], int], clock_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._read = read
        self._end = end
        self._clock_s = clock_s
        self._known_end = end()
        self._looked_s = clock_s()

    def following(self, number: int) -> tuple[int, Made] | None:
        """What is in force now, if that is another version than `number`.

        None as well when it is too early to look, when it could not be read, which is tried again, and when what was written is
        wrong or cannot be used here, which is said once.
        """
        if self._clock_s() - self._looked_s < EVERY_S:
            return None
        self._looked_s = self._clock_s()
        try:
            end = self._end()
        except ck.KafkaException:
            return None  # whoever delivers meets it as well, and says so
        if end == self._known_end:
            return None
        return self._read_to(end, number)

    def _read_to(self, end: int, number: int) -> tuple[int, Made] | None:
        found: tuple[int, Made] | None = None
        try:
            found = self._read()
        except (RestoreFailed, RegistryUnreachable, ck.KafkaException) as error:
            logger.warning("new definitions could not be read, those before stay in force until they can: %s", error)
            return None
        except DefinitionsLogError as error:
            logger.error("new definitions cannot be read, those before stay in force: %s", error)  # noqa: TRY400 - the text says it
        except (DefinitionsError, SettingsError) as error:
            for mistake in error.mistakes:
                logger.error("new definitions cannot be used here, those before stay in force: %s", mistake)  # noqa: TRY400
        self._known_end = end
        return None if found is None or found[0] == number else found
