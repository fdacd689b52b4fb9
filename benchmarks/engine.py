"""The product's engine at the small job: everything but the domain. `python -m benchmarks.engine BOOTSTRAP APP_ID`.

Faust's shell, the reader, the merge, the tasks and the transactions are those of a worker; only what a task does to a record is
the small job's.
"""

import asyncio
import signal
import sys
from collections.abc import Callable, Iterable

import uvloop

from benchmarks.ground import PARTITIONS
from benchmarks.job import OUTPUT_EVERY, OUTPUT_TOPIC, Tally
from schemas.codec import Codec
from streams.app import make_app
from streams.catalogue import Catalogue
from streams.dead_letters import FailureLimit
from streams.driver import PartitionDriver
from streams.duty import Driver, Duty
from streams.fleet_driver import FleetDriver
from streams.records import InputRecord, OutputRecord, Transaction
from streams.runtime import Runtime
from streams.settings import load_settings
from streams.task import TaskObserver
from streams.ticks import TICKS_TOPIC


class TallyDriver(PartitionDriver):
    """A driver whose fold is the small job."""

    def __init__(self, partition: int, app_id: str, catalogue: Catalogue) -> None:
        super().__init__(partition, PARTITIONS, app_id, catalogue.get, Codec(), FailureLimit(1.0, 1000), lambda: None)
        self._tally = Tally()

    def restorer(self, table: str) -> Callable[[Iterable[tuple[bytes, bytes | None]]], None]:
        """The customers are the small job's."""
        return self._restore if table == "customers" else super().restorer(table)

    def _restore(self, records: Iterable[tuple[bytes, bytes | None]]) -> None:
        self._tally.stored.update((key, value) for key, value in records if value is not None)

    def _consume(self, record: InputRecord) -> None:
        if record.topic == TICKS_TOPIC:
            return
        assert record.key is not None, "the events have a key and a value"
        assert record.value is not None
        event = self._tally.add(record.key, record.value)
        if record.offset % OUTPUT_EVERY == 0:
            self._outputs.append(OutputRecord(OUTPUT_TOPIC, record.key, event["event_id"].encode(), record.timestamp_ms))

    def take(self) -> Transaction:
        """The engine's own, and the sums."""
        transaction = super().take()
        transaction.changelog.extend(("customers", key, value) for key, value in self._tally.take().items())
        return transaction


async def main(bootstrap: str, app_id: str) -> None:
    """Work until told to end."""
    settings = load_settings({"bootstrap_servers": bootstrap, "app_id": app_id, "partitions": PARTITIONS}, {})
    catalogue = Catalogue()

    def new_driver(duty: Duty) -> Driver:
        if duty.is_fleet:
            return FleetDriver(PARTITIONS, app_id, catalogue.get, Codec(), lambda: None)
        return TallyDriver(duty.partition, app_id, catalogue)

    runtime = Runtime(settings, catalogue, TaskObserver(), new_driver, list)
    app = make_app(settings, runtime)
    told = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, told.set)
    await app.start()
    runtime.failure.add_done_callback(lambda _: told.set())
    await told.wait()
    await runtime.stop()
    await app.stop()
    if runtime.failure.done():
        raise runtime.failure.result()


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], sys.argv[2]))
