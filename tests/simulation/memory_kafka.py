"""A partition's log, its transactions and its reader in memory, with faults between any two steps of a task.

It keeps to what the task relies on: a fence locks out earlier owners, a transaction is visible whole or not at all, a commit
whose answer was lost may have happened, an owner that was frozen before its commit may wake up when another one has taken over,
batches may be cut anywhere, and a batch of an earlier epoch may still arrive.
"""

from collections import Counter
from collections.abc import Mapping
from concurrent.futures import Executor, Future
from random import Random
from typing import Any, Final, NamedTuple

from streams.duty import Driver, Duty, partition_duty
from streams.kafka_state import CommittedState
from streams.reader import Batch, TopicPartition
from streams.records import InputRecord, OutputRecord, Transaction
from streams.task import PartitionTask
from streams.transactions import CommitFailed, Fenced

PARTITION_0 = partition_duty("app", 0)
WAKING_PROBABILITY: Final = 0.5


class FaultPlan:
    """Strikes at a step with a probability, as a seeded generator decides."""

    def __init__(self, random: Random, probability: float) -> None:
        self._random = random
        self._probability = probability
        self.struck: list[str] = []

    def step(self, point: str) -> None:
        """Raises CommitFailed when the fault strikes here."""
        if self._random.random() < self._probability:
            self.struck.append(point)
            raise CommitFailed(f"a fault at: {point}")

    def freezes(self) -> bool:
        """Whether an owner falls asleep right before it commits."""
        return self._random.random() < self._probability

    def wakes(self) -> bool:
        """Whether it wakes up at this step of the next owner."""
        return self._random.random() < WAKING_PROBABILITY


class Sleeper(NamedTuple):
    """A transaction that was ready when its owner was frozen."""

    owner: int
    transaction: Transaction


class PartitionLog:
    """What is durable of one task's duty."""

    def __init__(self, records: list[InputRecord], duty: Duty = PARTITION_0) -> None:
        self.inputs: dict[str, list[InputRecord]] = {topic: [] for topic in duty.topics}
        for record in records:
            self.inputs[record.topic].append(record)
        self.changelogs: dict[str, list[tuple[bytes, bytes | None]]] = {table: [] for table in duty.changelogs}
        self.outputs: list[OutputRecord] = []
        self.offsets: dict[str, int] = dict.fromkeys(duty.topics, 0)
        self.owner = 0
        self.commits = 0
        self.sleeper: Sleeper | None = None
        self.woken: Counter[str] = Counter()

    def append(self, transaction: Transaction) -> None:
        """Make a transaction visible."""
        for table, key, value in transaction.changelog:
            self.changelogs[table].append((key, value))
        self.outputs += transaction.outputs
        self.offsets.update(transaction.offsets)
        self.commits += 1


class MemoryKafka:
    """The durable side of one ownership, as `streams.kafka_state.KafkaState` is with Kafka."""

    def __init__(self, log: PartitionLog, faults: FaultPlan) -> None:
        self._log = log
        self._faults = faults
        self._me = -1

    def fence(self) -> None:
        """Become the owner."""
        self._faults.step("fence")
        self._perhaps_wake()
        self._log.owner += 1
        self._me = self._log.owner
        self._faults.step("after fence")

    def read_state(self, driver: Driver, ends: Mapping[str, int]) -> CommittedState:
        """The changelogs from `ends` on."""
        self._faults.step("read state")
        for table, changelog in self._log.changelogs.items():
            driver.restorer(table)(changelog[ends.get(table, 0) :])
        driver.restored()
        found = CommittedState(dict(self._log.offsets), {table: len(log) for table, log in self._log.changelogs.items()})
        self._perhaps_wake()
        return found

    def commit(self, transaction: Transaction) -> dict[str, int]:
        """All or nothing."""
        self._faults.step("before commit")
        log = self._log
        self._perhaps_wake()
        if log.owner != self._me:
            raise Fenced("another owner")
        if self._faults.freezes():
            log.sleeper = Sleeper(self._me, transaction)
            raise CommitFailed("frozen, as far as anybody can tell")
        log.append(transaction)
        self._faults.step("after commit")
        return {table: len(changelog) for table, changelog in log.changelogs.items()}

    def _perhaps_wake(self) -> None:
        """An earlier owner goes on where it was frozen: its commit is refused if somebody has fenced it."""
        log, sleeper = self._log, self._log.sleeper
        if sleeper is None or not self._faults.wakes():
            return
        log.sleeper = None
        if sleeper.owner == log.owner:
            log.append(sleeper.transaction)
            log.woken["committed"] += 1
        else:
            log.woken["fenced"] += 1


class FencesTooLate(MemoryKafka):
    """Broken on purpose: the state is read before the fence."""

    def fence(self) -> None:
        """Not yet."""

    def read_state(self, driver: Driver, ends: Mapping[str, int]) -> CommittedState:
        """First the state, then the fence."""
        found = super().read_state(driver, ends)
        super().fence()
        return found


class MemoryReader:
    """Hands over what the log holds, cut at random; now and then a batch from before the last assignment comes again."""

    def __init__(self, log: PartitionLog, random: Random) -> None:
        self._log = log
        self._random = random
        self._positions: dict[TopicPartition, int] = {}
        self._epoch = 0
        self._old: list[Batch] = []

    def add(self, epoch: int, positions: Mapping[TopicPartition, int]) -> None:
        """Read from these positions."""
        self._epoch = epoch
        self._positions = dict(positions)

    def remove(self, topic_partitions: list[TopicPartition]) -> None:
        """Read no longer."""
        for tp in topic_partitions:
            self._positions.pop(tp, None)

    def taken(self, tp: TopicPartition, epoch: int, records: int) -> None:
        """Queues are not bounded here."""

    def label(self, old: Batch) -> Batch:
        """An old batch carries the epoch it was read for."""
        return old

    def pump(self, task: PartitionTask) -> None:
        """Hand one batch of each topic over, in any order, and perhaps an old one."""
        tps = list(self._positions)
        self._random.shuffle(tps)
        for topic, partition in tps:
            if self._old and self._random.random() < 0.3:
                task.hand_over(self.label(self._random.choice(self._old)))
            position = self._positions[topic, partition]
            records = self._log.inputs[topic][position : position + self._random.randrange(0, 12)]
            end = position + len(records)
            batch = Batch(topic, partition, self._epoch, records, at_end=end == len(self._log.inputs[topic]))
            self._positions[topic, partition] = end
            self._old.append(batch)
            task.hand_over(batch)


class ReaderWithoutEpochs(MemoryReader):
    """Broken on purpose: a batch carries the epoch in which it happens to arrive."""

    def label(self, old: Batch) -> Batch:
        """As if it had just been read."""
        return Batch(old.topic, old.partition, self._epoch, old.records, old.at_end)


class InlineExecutor(Executor):
    """Does at once, in the caller's thread, what it is given: the order of steps is then the same for the same seed."""

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> "Future[Any]":
        """Call."""
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - whatever is raised belongs to the future
            future.set_exception(error)
        return future
