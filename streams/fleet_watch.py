"""Following `cs.fleet-snapshots` for the few figures that customers' rules need: the ticks that this worker writes carry them.

Every worker follows for itself, whoever runs the fleet's task. These figures go out with each publication, so that the newest are
near the end of the topic, and reading begins there.
"""

import logging
import threading
from collections.abc import Mapping
from functools import partial
from typing import Any, Final

import confluent_kafka as ck

from processors.fleet_publication import TICK_FIGURES, Edition, value_key
from processors.fleet_view import FleetValue
from schemas.codec import Codec
from schemas.events import FleetFigure
from schemas.records import FleetSnapshot
from streams.patience import patiently

logger = logging.getLogger(__name__)

TOPIC: Final = "cs.fleet-snapshots"
POLL_S: Final = 0.2
CALL_TIMEOUT_S: Final = 30.0
LOOK_BACK_RECORDS: Final = 5_000
"""How far before the end reading begins: several publications, each of some hundred figures at the most."""


class FleetWatch:
    """A thread that reads the topic. `figures` may be called from any thread."""

    def __init__(self, config: Mapping[str, Any], codec: Codec, incarnation: str) -> None:
        self._config = {
            **config,
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "isolation.level": "read_committed",
        }
        self._codec = codec
        self._incarnation = incarnation
        self._figures: dict[str, FleetFigure] = {}
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start following; what is known so far is there a moment later."""
        self._thread = threading.Thread(target=self._run, name="fleet", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread; waits for it."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()

    def figures(self) -> list[FleetFigure]:
        """The newest of each figure that was published, by name; empty before anything was."""
        known = self._figures
        return [known[name] for name in sorted(known)]

    def take(self, value: bytes | None) -> None:
        """Take in a record of the topic: one of another application, or of a figure that no rule needs, changes nothing."""
        record = self._codec.decode(TOPIC, value)
        if not isinstance(record, FleetSnapshot) or record.figure not in TICK_FIGURES or not self._is_ours(record):
            return
        name = f"{record.figure}|{record.dimension}" if record.dimension else record.figure
        known = self._figures.get(name)
        if known is None or known.as_of <= record.as_of:
            self._figures = {**self._figures, name: FleetFigure(name=name, value=record.value, as_of=record.as_of)}

    def _is_ours(self, record: FleetSnapshot) -> bool:
        """Applications share the topic; the id of a record tells whose it is."""
        value = FleetValue(figure=record.figure, dimension=record.dimension, window_days=record.window_days)
        return record.record_id == Edition.record_id(self._incarnation, "value", value_key(value), record.sequence)

    def _run(self) -> None:
        consumer = ck.Consumer(self._config)
        try:
            place = ck.TopicPartition(TOPIC, 0)
            low, high = patiently(partial(consumer.get_watermark_offsets, place), CALL_TIMEOUT_S)
            consumer.assign([ck.TopicPartition(TOPIC, 0, max(low, high - LOOK_BACK_RECORDS))])
            while not self._stopping.is_set():
                message = consumer.poll(POLL_S)
                if message is not None and message.error() is None and _may_matter(message.key()):
                    self.take(message.value())
        except Exception:  # the ticks go on without the fleet's figures, and customers are judged by those of the last tick
            logger.exception("the fleet's figures are no longer followed")
        finally:
            consumer.close()


def _may_matter(key: bytes | None) -> bool:
    """Whether a record may be one that is looked for, told by its key alone: most are not, and decoding takes longer."""
    return key is not None and key.startswith(_PREFIXES)


_PREFIXES: Final = tuple(f"{figure}|".encode() for figure in TICK_FIGURES)
