"""The read model of the demo: what a product system would read, filled from the newest snapshots, held against them."""

from collections.abc import Mapping
from typing import Final

from schemas.records import CustomerSnapshot
from sinks.memory import MemorySink
from sinks.sink import Batch, Place, SinkRecord
from sinks.stored_model import StoredReadModel
from streams.demo.proofs import Proof

_TOPIC: Final = "cs.customer-snapshots"


def read_model_of(snapshots: Mapping[str, CustomerSnapshot]) -> StoredReadModel:
    """The model in memory, by the same rules as in Redis."""
    place, sink = Place(_TOPIC, 0), MemorySink()
    records = [
        SinkRecord(
            topic=_TOPIC, partition=0, offset=offset, timestamp_ms=snapshot.as_of, key=customer_id.encode(), value=snapshot
        )
        for offset, (customer_id, snapshot) in enumerate(snapshots.items())
    ]
    sink.assigned([place])
    sink.write([Batch(place, 0, len(records), records)])
    return sink.read_model()


def read_back(snapshots: Mapping[str, CustomerSnapshot]) -> Proof:
    """Whether who reads the model sees of every customer what its newest snapshot says."""
    proof = Proof(claim="the read model says of every customer, and of who is at risk, what the newest snapshots say")
    model = read_model_of(snapshots)
    for customer_id, snapshot in snapshots.items():
        proof.hold(model.customer(customer_id) == snapshot, customer_id)
    at_risk = model.at_risk(len(snapshots))
    scores = [one.score for one in at_risk if one.score is not None]
    proof.hold(scores == sorted(scores), "the order of the customers at risk")
    return proof
