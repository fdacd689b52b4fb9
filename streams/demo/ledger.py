"""Everything that the outputs have said so far."""

from collections import Counter

from schemas.codec import Codec
from schemas.outcome import Malformed
from schemas.records import ChurnAlert, CustomerSnapshot, DeadLetter, FleetPartial, HealthChange
from streams.demo.bounds import Bounds
from streams.demo.fleet import FleetCounts
from streams.demo.outputs import READ_TOPICS, Received
from streams.demo.proofs import Proofs
from streams.partials import PARTIALS_TOPIC


class UnreadableOutput(Exception):
    """An output that its own codec cannot read: our mistake."""


class Ledger:
    """Takes in what was read, in its order. Of changelogs only the weight counts.

    `health` and `snapshots` hold the newest of each customer, `first_seen` the time of its first health change, `alerts` every
    state of every episode; `letters` counts dead letters by topic and reason, `outputs` records by topic.
    """

    def __init__(self, partitions: int, bounds: Bounds) -> None:
        self.health: dict[str, HealthChange] = {}
        self.snapshots: dict[str, CustomerSnapshot] = {}
        self.first_seen: dict[str, int] = {}
        self.alerts: list[ChurnAlert] = []
        self.letters: Counter[tuple[str, str]] = Counter()
        self.outputs: Counter[str] = Counter()
        self.fleet = FleetCounts(partitions)
        self.proofs = Proofs()
        self._bounds = bounds
        self._codec = Codec()

    def take(self, received: list[Received]) -> None:
        """Take in records.

        Raises UnreadableOutput.
        """
        for one in received:
            self._bounds.add(one.topic, one.partition, one.key, one.value)
            if one.topic not in READ_TOPICS:
                continue
            self.outputs[one.topic] += 1
            if one.value is not None:
                self._take(one.topic, one.key or b"", one.value)
            elif one.topic == PARTIALS_TOPIC:
                self.fleet.take_tombstone(one.key or b"")

    def _take(self, topic: str, key: bytes, value: bytes) -> None:
        record = self._codec.decode(topic, value)
        if isinstance(record, Malformed):
            raise UnreadableOutput(f"a record of {topic} cannot be read: {record.message}")
        if isinstance(record, FleetPartial):
            self.fleet.take(key, record)
            return
        assert isinstance(record, HealthChange | ChurnAlert | CustomerSnapshot | DeadLetter), "the topics that are read"
        self.proofs.take_id(record.record_id)
        if isinstance(record, HealthChange):
            self.proofs.take_change(record)
            self.first_seen.setdefault(record.customer_id, record.as_of)
            if record.purpose == "risk":
                self.health[record.customer_id] = record
        elif isinstance(record, ChurnAlert):
            self.proofs.take_alert(record)
            self.alerts.append(record)
        elif isinstance(record, CustomerSnapshot):
            self.snapshots[record.customer_id] = record
        else:
            self.letters[record.topic, record.reason] += 1
