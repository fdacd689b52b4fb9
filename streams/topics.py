"""The one place that says what each topic is: partitions, retention, compaction, key and record."""

from dataclasses import dataclass, field, replace
from typing import Literal

from confluent_kafka import murmur2
from msgspec import Struct

from processors.windows import DAY_MS
from schemas.contracts import INPUTS, OUTPUTS

Direction = Literal["input", "output", "internal"]
Cleanup = Literal["delete", "compact"]
Key = Literal["customer_id", "figure", "partition", "version", "dead letter id", "owner", "destination"]

MAX_RECORD_BYTES = (
    2 * 1024 * 1024
)  # a dead letter holds 64 kB of an original beside its headers; room for a whole snapshot as well
ALLOWED_SKEW_MS = 600_000  # 10 min: a timestamp further ahead would move a partition's clock, and with it everybody's windows

# What a newer record or a tombstone replaces is gone within a week, whatever a broker's habits are: an erased customer must be.
# Tombstones stay for as long again, so that a worker or a sink that was away for a few days still hears of them.
COMPACTED_WITHIN_MS = 7 * DAY_MS
_COMPACTION = {"max.compaction.lag.ms": str(COMPACTED_WITHIN_MS), "delete.retention.ms": str(7 * DAY_MS)}

EVENT_TOPICS = ("cs.tickets", "cs.usage", "cs.surveys", "cs.accounts")
INPUT_TOPICS = (*EVENT_TOPICS, "cs.ticks")

# A rebuild reads the inputs from their beginning: the longest window is 180 days, a yearly contract needs more. Ticks are
# kept as long, because a rebuild without them would judge at other times.
_INPUT_DAYS = 400


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """What a topic is.

    `partitioned` topics have as many partitions as the inputs, others one. `record` is None for changelogs.
    `retention_ms` is None when nothing expires by age. `extra` are further settings by Kafka's names.
    """

    name: str
    purpose: str
    direction: Direction
    record: type[Struct] | None
    partitioned: bool
    key: Key
    cleanup: Cleanup = "delete"
    retention_ms: int | None = None
    partitions: int = 1
    extra: dict[str, str] = field(default_factory=dict)

    def config(self) -> dict[str, str]:
        """The topic's settings as an AdminClient takes them."""
        retention = "-1" if self.retention_ms is None else str(self.retention_ms)
        return {
            "cleanup.policy": self.cleanup,
            "retention.ms": retention,
            "max.message.bytes": str(MAX_RECORD_BYTES),
            **self.extra,
        }


def _input(name: str, purpose: str, key: Key = "customer_id") -> TopicSpec:
    return TopicSpec(
        name,
        purpose,
        "internal" if name == "cs.ticks" else "input",
        INPUTS[name],
        partitioned=True,
        key=key,
        retention_ms=_INPUT_DAYS * DAY_MS,
        extra={
            # The clock of a partition is made of these timestamps, so they are the producer's and never far ahead.
            "message.timestamp.type": "CreateTime",
            "message.timestamp.after.max.ms": str(ALLOWED_SKEW_MS),
        },
    )


def _history(name: str, purpose: str, days: int, key: Key = "customer_id", *, partitioned: bool = True) -> TopicSpec:
    return TopicSpec(name, purpose, "output", OUTPUTS[name], partitioned, key, retention_ms=days * DAY_MS)


def _newest(name: str, purpose: str, key: Key, *, direction: Direction = "output", partitioned: bool = True) -> TopicSpec:
    return TopicSpec(name, purpose, direction, OUTPUTS[name], partitioned, key, cleanup="compact", extra=dict(_COMPACTION))


TOPICS: dict[str, TopicSpec] = {
    spec.name: spec
    for spec in (
        _input("cs.tickets", "what happens to support tickets"),
        _input("cs.usage", "use of the product, goals reached and missed"),
        _input("cs.surveys", "surveys sent, answered and expired"),
        _input("cs.accounts", "contracts, payments, people, and what was done about alerts"),
        _input("cs.ticks", "time as data, written and read back by each partition's own task", "partition"),
        # 400 days: year on year, and as long as the inputs that explain them.
        _history("cs.health-changes", "every published change of a score, explained", 400),
        _history("cs.churn-alerts", "alert episodes: opened, updated, resolved", 400),
        _history("cs.loyalty-changes", "moves between the loyalty quadrants", 400),
        # 30 days: an NPS request is worth nothing after 14.
        _history("cs.survey-requests", "questions to ask", 30),
        # The newest is what is known of a customer; older ones are history that the changes tell.
        _newest("cs.customer-snapshots", "what is known of a customer now", "customer_id"),
        # Absolute and versioned, so only the newest of each figure, dimension, bucket and partition matters.
        _newest(
            "cs.fleet-partials", "each partition's part of the fleet's figures", "figure", direction="internal", partitioned=False
        ),
        _history("cs.fleet-snapshots", "figures of the whole fleet", 400, "figure", partitioned=False),
        _history("cs.fleet-alerts", "alert episodes of the whole fleet", 400, "figure", partitioned=False),
        # The newest is how things stand; a year of them shows the way there.
        _history("cs.touchpoint-maps", "the touchpoint map of the whole fleet", 400, "figure", partitioned=False),
        _history("cs.owner-lists", "each owner's morning list and digests", 90, "owner", partitioned=False),
        _history("cs.maturity", "the assessment of maturity", 400, "figure", partitioned=False),
        # 90 days to mend and replay what was refused; with the partition whose task refused it.
        _history("cs.dead-letters", "records that could not be processed, with reason and original", 90, "dead letter id"),
        # The newest of each destination, partition and episode: what is over is taken back with a tombstone.
        _newest(
            "cs.deliveries", "how far each destination of alerts has got, and what it knows", "destination", direction="internal"
        ),
        # 90 days, as for dead letters; with the partition that the alert was read from.
        _history("cs.delivery-failures", "messages that a destination never took, with the reason", 90, "destination"),
        # Keyed by version, so compaction keeps every version: a rebuild needs the old ones.
        _newest("cs.definitions", "every version of the definitions file", "version", direction="internal", partitioned=False),
    )
}
"""Every topic that does not depend on the application id, by name."""


def changelog_topics(app_id: str) -> tuple[str, str]:
    """The changelogs of the tables `customers` and `totals`, under Faust's names for them."""
    return f"{app_id}-customers-changelog", f"{app_id}-totals-changelog"


def fleet_changelog_topic(app_id: str) -> str:
    """The changelog of the table `fleet`, under Faust's name for it."""
    return f"{app_id}-fleet-changelog"


def _changelog(name: str, purpose: str, key: Key, *, partitioned: bool = True) -> TopicSpec:
    return TopicSpec(
        name,
        purpose,
        "internal",
        None,
        partitioned=partitioned,
        key=key,
        cleanup="compact",
        extra={
            **_COMPACTION,
            # A restore reads the whole topic, so superseded values are to go early (half the topic by default).
            "min.cleanable.dirty.ratio": "0.1",
        },
    )


def specs(app_id: str, partitions: int) -> list[TopicSpec]:
    """Every topic of an application with `partitions` input partitions, with its number of partitions filled in."""
    customers, totals = changelog_topics(app_id)
    everything = (
        *TOPICS.values(),
        _changelog(customers, "the state of each customer", "customer_id"),
        _changelog(totals, "the counts of each partition", "figure"),
        _changelog(fleet_changelog_topic(app_id), "the parts of the whole fleet's figures", "figure", partitioned=False),
    )
    return [replace(spec, partitions=partitions if spec.partitioned else 1) for spec in everything]


def partition_of(key: bytes, partitions: int) -> int:
    """The partition of a key that is not null, as Java's default partitioner and librdkafka's `murmur2_random` choose it."""
    return murmur2(key, partitions)
