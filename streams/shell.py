"""All that touches Faust's inside, and aiokafka's: pinned to the version by `tests/integration/test_shell.py`.

Faust is the shell of a worker: app, agents, tables, group membership, assignment, life cycle. What it would do for each message
is replaced at its own extension points: a transport whose consumer joins the group but fetches, commits and seeks nothing, and
whose `getmany` brings the batches of our reader; a store that shows the tasks' state; a table manager that leaves the restoring
to the tasks; an assignor that does not send the whole distribution to every member.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from typing import Any, Protocol

import faust
from faust.assignor.partition_assignor import PartitionAssignor
from faust.stores import STORES
from faust.stores.base import Store
from faust.tables.manager import TableManager
from faust.transport.drivers import TRANSPORTS
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage
from faust.types.transports import ConsumerT
from mode import Service

from streams.reader import Batch

TRANSPORT_SCHEME = "reader"
STORE_SCHEME = "partitions"
MEMBERSHIP_CHECK_S = 1.0

Carrier = list[Batch]
"""What one Faust message carries: the batches of one hand-over of the reader."""


class Tasks(Protocol):
    """What Faust's side needs of the worker's tasks."""

    @property
    def hand_overs(self) -> "asyncio.Queue[Carrier]":
        """What the reader has brought."""

    def assigned(self, partitions: Mapping[str, frozenset[int]]) -> None:
        """These partitions, by topic, belong to this worker from now on. Must not block: heartbeats wait."""

    async def revoked(self) -> None:
        """No partition belongs to this worker until the next `assigned`; returns within a limit."""

    def hand_over(self, carrier: Carrier) -> None:
        """Batches for the tasks. Must not block."""

    def refused(self, error: BaseException) -> None:
        """The group will not have this worker, and does not ask again: the worker is to end."""

    def state_of(self, table: str) -> Iterator[tuple[bytes, bytes]]:
        """The committed bytes of a table, of all partitions of this worker."""


class ReadOnlyTable(Exception):
    """Only a task writes its state, in its own transaction."""


class OutOfGroup(Exception):
    """The consumer group will not have this worker, and aiokafka does not try again."""


class ShellApp(faust.App):
    """The Faust app of a worker. `tasks` is set before it is started."""

    tasks: Tasks

    def _create_directories(self) -> None:
        """Nothing is kept on disk, so no folders are made for tables."""


class PausingRebalanceListener(driver.ConsumerRebalanceListener):
    """Pauses every partition in aiokafka before it could fetch the first record, and keeps the group from taking us for dead."""

    _kept_busy: Any = None

    async def on_partitions_assigned(self, assigned: Iterable[Any]) -> None:
        """Called in aiokafka's thread, inside the rebalance."""
        consumer = self._thread._ensure_consumer()
        consumer.pause(*assigned)
        if self._kept_busy is None:
            # nobody ever fetches from this consumer; without an open fetch it would leave the group at max_poll_interval
            self._kept_busy = consumer._subscription.fetch_context()
            self._kept_busy.__enter__()
        await super().on_partitions_assigned(assigned)


class ShellConsumer(driver.Consumer):
    """Joins the group for the sake of the assignment; the records come from our reader."""

    RebalanceListener = PausingRebalanceListener
    _hand_over_number = 0

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, ConsumerMessage]]:
        """Bring what the reader has handed over; one Faust message for each hand-over."""
        if not self.flow_active:
            await self.wait_first(self.can_resume_flow.wait(), timeout=timeout)
            if not self.flow_active:
                return
        queue = self.app.tasks.hand_overs
        try:
            async with asyncio.timeout(timeout):
                carrier = await queue.get()
        except TimeoutError:
            return
        # Faust drops a message whose offset is not above the one before it, so hand-overs are numbered
        self._hand_over_number += 1
        tp = TP(carrier[0].topic, carrier[0].partition)
        yield (
            tp,
            ConsumerMessage(
                topic=tp.topic,
                partition=tp.partition,
                offset=self._hand_over_number,
                timestamp=0.0,
                timestamp_type=0,
                headers=(),
                key=None,
                value=carrier,
                checksum=None,
                tp=tp,
                generation_id=self.app.consumer_generation_id,
            ),
        )

    @Service.task
    async def _watch_membership(self) -> None:
        """Tell when the group has refused this worker for good: aiokafka says so only to who fetches, and nobody does."""
        while not self.should_stop:
            error = _refusal(self._thread._consumer)
            if error is not None:
                self.app.tasks.refused(OutOfGroup(f"the consumer group has refused this worker: {error!r}"))
                return
            await self.sleep(MEMBERSHIP_CHECK_S)

    async def perform_seek(self) -> None:
        """Positions belong to the tasks."""

    async def commit(self, topics: Any = None, start_new_transaction: bool = True) -> bool:
        """Offsets are committed by the tasks, in their transactions."""
        self._clean_unacked_messages()
        return False

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Offsets are hand-over numbers: a gap means nothing."""

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Whether events flow is watched by the tasks."""


def _refusal(consumer: Any) -> BaseException | None:
    """The error with which aiokafka has given its membership up; None while all is well. Only looks, from any thread."""
    coordinator = None if consumer is None else consumer._coordinator
    if coordinator is None:
        return None
    routine: asyncio.Task[None] = coordinator._coordination_task
    if routine.done() and not routine.cancelled() and routine.exception() is not None:
        return routine.exception()
    pending: BaseException | None = coordinator._pending_exception
    return pending


class ShellTransport(driver.Transport):
    """aiokafka's transport with our consumer."""

    Consumer: type[ConsumerT] = ShellConsumer


class ShellTableManager(TableManager):
    """Tells the tasks what they own; restoring is theirs, outside the rebalance."""

    app: ShellApp

    async def on_start(self) -> None:
        """No changelog is subscribed to, no recovery started."""
        self._tables_finalized.set()
        for table in self.values():
            await table.maybe_start()
        self._tables_registered.set()

    async def on_stop(self) -> None:
        """Stop reading and the tables."""
        await self.app._fetcher.stop()
        for table in self.values():
            await table.stop()

    def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """The tasks hear of it by the app's signal, which can be awaited."""

    async def on_rebalance(self, assigned: set[TP], revoked: set[TP], newly_assigned: set[TP], generation_id: int = 0) -> None:
        """Hand the assignment over and let the batches flow again."""
        app = self.app
        partitions: dict[str, set[int]] = {}
        for tp in assigned:
            partitions.setdefault(tp.topic, set()).add(tp.partition)
        app.tasks.assigned({topic: frozenset(owned) for topic, owned in partitions.items()})
        app.flow_control.resume()
        app.consumer.resume_flow()
        await app._fetcher.maybe_start()
        self.on_actives_ready()
        self.on_standbys_ready()
        app.on_rebalance_end()


class PartitionStore(Store[bytes, bytes]):
    """A table as the tasks of this worker have committed it: to be read only."""

    app: ShellApp

    def _items(self) -> Iterator[tuple[bytes, bytes]]:
        return self.app.tasks.state_of(self.table_name)

    def __getitem__(self, key: bytes) -> bytes:
        for known, value in self._items():
            if known == key:
                return value
        raise KeyError(key)

    def __setitem__(self, key: bytes, value: bytes) -> None:
        raise ReadOnlyTable(f"table {self.table_name} is written by the tasks only")

    def __delitem__(self, key: bytes) -> None:
        raise ReadOnlyTable(f"table {self.table_name} is written by the tasks only")

    def __iter__(self) -> Iterator[bytes]:
        return (key for key, _ in self._items())

    def __len__(self) -> int:
        return sum(1 for _ in self._items())

    def apply_changelog_batch(self, batch: Iterable[Any], to_key: Any, to_value: Any) -> None:
        """Faust restores nothing here."""
        raise ReadOnlyTable(f"table {self.table_name} is restored by the tasks only")

    def reset_state(self) -> None:
        """The state belongs to the tasks."""

    def _clear(self) -> None:
        raise ReadOnlyTable(f"table {self.table_name} is written by the tasks only")

    def clear(self) -> None:
        """Refused: the state belongs to the tasks."""
        self._clear()

    async def backup_partition(self, tp: Any, flush: bool = True, purge: bool = False, keep: int = 1) -> None:
        """The changelog is the copy."""

    def restore_backup(self, tp: Any, latest: bool = True, backup_id: int = 0) -> None:
        """The changelog is the copy."""


class QuietAssignor(PartitionAssignor):
    """Faust's co-partitioned assignment, without telling every member who has what: that grows past 1 MB at ~41 workers."""

    def _get_changelog_distribution(self, assignments: Any) -> dict[str, Any]:
        return {}

    def _get_external_topic_distribution(self, assignments: Any) -> dict[str, Any]:
        return {}


class CarrierSchema(faust.Schema):
    """Passes a carrier through as it is."""

    def loads_key(self, app: Any, message: Any, *, loads: Any = None, serializer: Any = None) -> Any:
        """No key."""
        return message.key

    def loads_value(self, app: Any, message: Any, *, loads: Any = None, serializer: Any = None) -> Any:
        """The carrier."""
        return message.value


def install() -> None:
    """Make the transport and the store known to Faust, by the URL schemes that the app uses."""
    TRANSPORTS.aliases[TRANSPORT_SCHEME] = f"{__name__}:{ShellTransport.__name__}"
    STORES.aliases[STORE_SCHEME] = f"{__name__}:{PartitionStore.__name__}"
