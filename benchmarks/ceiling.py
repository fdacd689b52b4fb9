"""The ceiling: consume, decode, count in a dict, nothing durable. `python -m benchmarks.ceiling BOOTSTRAP COUNT`.

Prints records a second, from the first batch to the last record.
"""

import sys
import time

import confluent_kafka as ck

from benchmarks.ground import PARTITIONS
from benchmarks.job import TOPIC, decode


def main(bootstrap: str, count: int) -> float:
    """Records a second."""
    consumer = ck.Consumer(
        {"bootstrap.servers": bootstrap, "group.id": "ceiling", "enable.auto.commit": False, "auto.offset.reset": "earliest"}
    )
    consumer.assign([ck.TopicPartition(TOPIC, partition, ck.OFFSET_BEGINNING) for partition in range(PARTITIONS)])
    sums: dict[bytes | None, list[int]] = {}
    done, started, before = 0, 0.0, 0
    while done < count:
        messages = consumer.consume(4000, 1.0)
        if messages and not started:
            started, before = time.monotonic(), len(messages)
        for message in messages:
            counted = sums.setdefault(message.key(), [0, 0])
            counted[0] += 1
            counted[1] += decode(message.value() or b"")["score"]
        done += len(messages)
    wall_s = time.monotonic() - started
    consumer.close()
    return (done - before) / wall_s


if __name__ == "__main__":
    print(main(sys.argv[1], int(sys.argv[2])))
