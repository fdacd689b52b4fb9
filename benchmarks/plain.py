"""The prototype's way at the small job: one reader, and each task's whole queue as one transaction.

`python -m benchmarks.plain BOOTSTRAP APP_ID`. No merge by time, no epochs, no positions in the state, no dead letters, one input
topic: what a Faust worker with transactions can reach at most, to hold the product's engine against.
"""

import asyncio
import queue
import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from typing import Any

import confluent_kafka as ck
import uvloop

from benchmarks.ground import PARTITIONS
from benchmarks.job import OUTPUT_EVERY, OUTPUT_TOPIC, TOPIC, Tally
from streams.app import make_app
from streams.settings import load_settings
from streams.shell import Carrier
from streams.topics import changelog_topics

HIGH_WATER, LOW_WATER = 8000, 2000
TRANSACTION_RECORDS_MAX = 20_000
CALL_LIMIT_S = 30.0


class PlainTasks:
    """A reader thread and a task for each partition."""

    def __init__(self, bootstrap: str, app_id: str) -> None:
        self.hand_overs: asyncio.Queue[Carrier] = asyncio.Queue()
        self.failed: asyncio.Future[BaseException] = asyncio.get_running_loop().create_future()
        self._config = {"bootstrap.servers": bootstrap, "group.id": app_id}
        self._app_id = app_id
        self._loop = asyncio.get_running_loop()
        self._queues: dict[int, asyncio.Queue[list[ck.Message]]] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._lock = threading.Lock()
        self._queued = dict.fromkeys(range(PARTITIONS), 0)
        self._paused: set[int] = set()
        self._commands: queue.SimpleQueue[tuple[str, int]] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._consumer = ck.Consumer(
            {
                **self._config,
                "enable.auto.commit": False,
                "isolation.level": "read_committed",
                "fetch.wait.max.ms": 20,
                "fetch.queue.backoff.ms": 10,
                "queued.max.messages.kbytes": 32768,
            }
        )
        unsubscribed = ck.Consumer(self._config)
        self._group = unsubscribed.consumer_group_metadata()
        unsubscribed.close()
        threading.Thread(target=self._read, daemon=True).start()

    # ---- from Faust ----

    def assigned(self, partitions: Mapping[str, frozenset[int]]) -> None:
        """Start the tasks; there is one worker, so this happens once."""
        for partition in sorted(partitions.get(TOPIC, ())):
            self._queues[partition] = asyncio.Queue()
            task = asyncio.create_task(self._run(partition))
            task.add_done_callback(self._ended)
            self._tasks.append(task)

    async def revoked(self) -> None:
        """Nothing is given back before the end."""

    def hand_over(self, carrier: Any) -> None:
        """Put what was read into the queues."""
        for partition, messages in carrier:
            self._queues[partition].put_nowait(messages)

    def refused(self, error: BaseException) -> None:
        """The measurement is over."""
        if not self.failed.done():
            self.failed.set_result(error)

    def state_of(self, _table: str) -> Iterator[tuple[bytes, bytes]]:
        """Not shown."""
        return iter(())

    def stop(self) -> None:
        """End the reader and the tasks."""
        self._stopping.set()
        for task in self._tasks:
            task.cancel()

    # ---- reading ----

    def _read(self) -> None:
        while not self._stopping.is_set():
            while not self._commands.empty():
                command, partition = self._commands.get()
                if command == "read":
                    self._consumer.incremental_assign([ck.TopicPartition(TOPIC, partition, ck.OFFSET_BEGINNING)])
                else:
                    self._consumer.resume([ck.TopicPartition(TOPIC, partition)])
            messages = self._consumer.consume(4000, 0.02)
            by_partition: dict[int, list[ck.Message]] = {}
            for message in messages:
                if message.error() is None:
                    by_partition.setdefault(message.partition() or 0, []).append(message)
            with self._lock:
                for partition, batch in by_partition.items():
                    self._queued[partition] += len(batch)
                    if self._queued[partition] > HIGH_WATER and partition not in self._paused:
                        self._paused.add(partition)
                        self._consumer.pause([ck.TopicPartition(TOPIC, partition)])
            if by_partition:
                carrier: Any = _Carrier(by_partition.items())
                self._loop.call_soon_threadsafe(self.hand_overs.put_nowait, carrier)

    def _taken(self, partition: int, records: int) -> None:
        with self._lock:
            self._queued[partition] -= records
            if self._queued[partition] < LOW_WATER and partition in self._paused:
                self._paused.discard(partition)
                self._commands.put(("resume", partition))

    # ---- working ----

    async def _run(self, partition: int) -> None:
        producer = ck.Producer(
            {
                "bootstrap.servers": self._config["bootstrap.servers"],
                "transactional.id": f"{self._app_id}-{partition}",
                "linger.ms": 0,
                "queue.buffering.max.messages": 1_000_000,
            }
        )
        await asyncio.to_thread(producer.init_transactions, CALL_LIMIT_S)
        self._commands.put(("read", partition))
        tally, waiting = Tally(), self._queues[partition]
        while True:
            batches = [await waiting.get()]
            records = len(batches[0])
            while not waiting.empty() and records < TRANSACTION_RECORDS_MAX:
                batches.append(waiting.get_nowait())
                records += len(batches[-1])
            outputs = []
            for batch in batches:
                for message in batch:
                    key, value, offset = message.key(), message.value(), message.offset()
                    assert key is not None, "the events have a key and a value"
                    assert value is not None
                    event = tally.add(key, value)
                    if offset is not None and offset % OUTPUT_EVERY == 0:
                        outputs.append((key, event["event_id"].encode()))
            end = (batches[-1][-1].offset() or 0) + 1
            await asyncio.to_thread(self._commit, producer, partition, tally.take(), outputs, end)
            self._taken(partition, records)

    def _commit(
        self, producer: ck.Producer, partition: int, changed: Mapping[bytes, bytes], outputs: list[tuple[bytes, bytes]], end: int
    ) -> None:
        changelog, _ = changelog_topics(self._app_id)
        producer.begin_transaction()
        for key, value in changed.items():
            producer.produce(changelog, value, key, partition)
        for key, value in outputs:
            producer.produce(OUTPUT_TOPIC, value, key, partition)
        producer.send_offsets_to_transaction([ck.TopicPartition(TOPIC, partition, end)], self._group, CALL_LIMIT_S)
        producer.commit_transaction(CALL_LIMIT_S)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        if not task.cancelled() and not self.failed.done():
            error = task.exception()
            assert error is not None, "a task works until it is cancelled"
            self.failed.set_result(error)


class _Carrier(list[Any]):
    """Batches by partition, with the place that the shell's consumer asks a carrier for."""

    def __getitem__(self, index: Any) -> Any:
        partition, _ = super().__getitem__(index)
        return ck.TopicPartition(TOPIC, partition)


async def main(bootstrap: str, app_id: str) -> None:
    """Work until told to end."""
    settings = load_settings({"bootstrap_servers": bootstrap, "app_id": app_id, "partitions": PARTITIONS}, {})
    tasks = PlainTasks(bootstrap, app_id)
    app = make_app(settings, tasks)
    told = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, told.set)
    await app.start()
    tasks.failed.add_done_callback(lambda _: told.set())
    await told.wait()
    tasks.stop()
    await app.stop()
    if tasks.failed.done():
        raise tasks.failed.result()


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], sys.argv[2]))
