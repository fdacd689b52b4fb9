"""What a task is there for: which inputs it reads, where its state lies, and by which driver its work is done.

There are two kinds of task under one roof: one for each partition of the customers' topics, and one for the whole fleet. What
fences, restores, reads and commits is the same for both.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from msgspec import Struct

from schemas.events import Tick
from streams.measures import Measures
from streams.partials import PARTIALS_TOPIC
from streams.records import InputRecord, Transaction
from streams.topics import INPUT_TOPICS, changelog_topics, fleet_changelog_topic

FLEET_LABEL = "fleet"


class Driver(Protocol):
    """Bytes in, bytes out: what a task does to its records. `streams.driver` and `streams.fleet_driver` are the two."""

    def restorer(self, table: str) -> Callable[[Iterable[tuple[bytes, bytes | None]]], None]:
        """What takes in the changelog records of a table, in their order."""

    def restored(self) -> None:
        """Everything of the changelogs was taken in."""

    @property
    def offsets(self) -> Mapping[str, int]:
        """The next offset of each input topic, as the state was written; a topic that was never read is missing."""

    @property
    def config_version(self) -> int:
        """The version of the definitions that the state was judged by."""

    def begin(self, positions: Mapping[str, int]) -> None:
        """Reading starts at these positions."""

    def __len__(self) -> int:
        """How much there is: customers, or parts of the fleet's figures."""

    def measures(self) -> Measures:
        """How much there is and is left to do, for the metrics."""

    @property
    def busy(self) -> bool:
        """Whether an offered record is not done yet."""

    @property
    def has_changes(self) -> bool:
        """Whether there is something to take."""

    def took_the_word(self) -> bool:
        """Whether since the last call something is told for the first time after a silence."""

    @property
    def uncommitted_records(self) -> int:
        """How many records were consumed since the last `take`."""

    @property
    def wants_definitions(self) -> int | None:
        """The version of the definitions that is needed and nobody knows yet."""

    def offer(self, record: InputRecord) -> None:
        """Give the next record of the merged log."""

    def work(self, steps: int) -> None:
        """Do up to `steps` steps for the offered record, and then the record itself."""

    def work_aside(self, steps: int) -> bool:
        """Do up to `steps` steps of what is due beside the records; returns whether some are left."""

    def write_tick(self, tick: Tick) -> None:
        """Add a tick to the next transaction."""

    def table(self, name: str) -> Iterable[tuple[bytes, bytes]]:
        """The bytes of a table, as they were committed."""

    def take(self) -> Transaction:
        """All that was done since the last call."""


class Duty(Struct, frozen=True):
    """What one task is responsible for. `label` is the partition's number, or `fleet`; `changelogs` are by table."""

    label: str
    partition: int
    topics: tuple[str, ...]
    changelogs: dict[str, str]
    transactional_id: str

    @property
    def name(self) -> str:
        """The task as a log line calls it."""
        return FLEET_LABEL if self.is_fleet else f"partition {self.label}"

    @property
    def is_fleet(self) -> bool:
        """Whether it is the fleet's task."""
        return self.label == FLEET_LABEL


def partition_duty(app_id: str, partition: int) -> Duty:
    """Partition `partition` of all input topics."""
    customers, totals = changelog_topics(app_id)
    changelogs = {"customers": customers, "totals": totals}
    return Duty(str(partition), partition, INPUT_TOPICS, changelogs, f"{app_id}-{partition}")


def fleet_duty(app_id: str) -> Duty:
    """The partials of all partitions, which lie in one."""
    return Duty(FLEET_LABEL, 0, (PARTIALS_TOPIC,), {"fleet": fleet_changelog_topic(app_id)}, f"{app_id}-fleet")


def label_of(topic: str, partition: int) -> str:
    """The label of the task that a partition of an input topic belongs to."""
    return FLEET_LABEL if topic == PARTIALS_TOPIC else str(partition)
