"""What may be wrong with a record around its event: its key, its partition, its time."""

from processors.seen import GRACE_MS
from schemas.checks import TIME_MAX_MS, TIME_MIN_MS
from schemas.events import CustomerEvent
from schemas.outcome import Malformed, Reason
from streams.records import InputRecord
from streams.topics import ALLOWED_SKEW_MS, partition_of

REPLAY_HEADER = "cspulse-replay"  # carried by a replayed dead letter, with its id: its lateness is accepted, once


def impossible_timestamp(record: InputRecord) -> Malformed | None:
    """A record without a timestamp (-1), or with one that is none of this age: the partition's clock must not follow it.

    The brokers refuse what is more than the allowed skew ahead, where the topics are set up as they should be.
    """
    if TIME_MIN_MS <= record.timestamp_ms < TIME_MAX_MS:
        return None
    return Malformed(
        Reason.BAD_TIME, f"the record's timestamp is {record.timestamp_ms}; epoch milliseconds from 1970 to 2200 are needed"
    )


def wrong_time(record: InputRecord, event: CustomerEvent) -> Malformed | None:
    """Late and future are held against the record's own timestamp: they depend neither on the merging nor on downtime."""
    behind_ms = record.timestamp_ms - event.occurred_at
    if behind_ms > GRACE_MS and letter_replayed(record) is None:
        return Malformed(Reason.LATE, f"occurred {behind_ms / 3_600_000:.1f} h before its record timestamp; the grace is 48 h")
    if -behind_ms > ALLOWED_SKEW_MS:
        return Malformed(
            Reason.FUTURE, f"occurred {-behind_ms / 60_000:.1f} min after its record timestamp; the allowed skew is 10 min"
        )
    return None


def wrong_key(record: InputRecord, event: CustomerEvent) -> Malformed | None:
    """The key decides who is asked for the customer, so it must be the customer."""
    if record.key != event.customer_id.encode("utf-8", "surrogatepass"):
        return Malformed(Reason.KEY_MISMATCH, "the key must be the event's customer_id in UTF-8")
    return None


def wrong_partition(record: InputRecord, partitions: int) -> Malformed | None:
    """Half a customer's history in another partition would be a silent lie."""
    right = partition_of(record.key or b"", partitions)
    if right != record.partition:
        return Malformed(
            Reason.MISROUTED,
            f"this key belongs to partition {right}: the producer must use the murmur2 partitioner (murmur2_random)",
        )
    return None


def letter_replayed(record: InputRecord) -> bytes | None:
    """The id of the dead letter that this record replays; None for any other record."""
    for name, value in record.headers or ():
        if name == REPLAY_HEADER:
            return value or b""
    return None
