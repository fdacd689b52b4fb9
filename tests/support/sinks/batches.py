"""Lines of a log as the batches that a sink is given."""

import random
from collections.abc import Sequence

from sinks.sink import Batch, Place, SinkRecord
from tests.support.read_model_log import Line


def batches_of(written: Sequence[Line], seed: int) -> list[Batch]:
    """Batches of one partition a topic, each topic in its order, the topics mixed by the seed."""
    chance = random.Random(seed)
    records: dict[str, list[SinkRecord]] = {}
    for line in written:
        part = records.setdefault(line.topic, [])
        part.append(
            SinkRecord(
                topic=line.topic,
                partition=0,
                offset=len(part),
                timestamp_ms=line.at_ms,
                key=line.key.encode(),
                value=line.value,
            )
        )
    batches, taken = [], dict.fromkeys(records, 0)
    while waiting := [topic for topic in records if taken[topic] < len(records[topic])]:
        topic = chance.choice(waiting)
        start = taken[topic]
        some = records[topic][start : start + chance.randint(1, 150)]
        taken[topic] = some[-1].offset + 1
        batches.append(Batch(Place(topic, 0), start, taken[topic], some))
    return batches
