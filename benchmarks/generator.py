"""Events at a steady rate: `python -m benchmarks.generator BOOTSTRAP LOAD EVENTS_A_SECOND SECONDS` (`benchmarks.loads`)."""

import sys
import time
from itertools import islice

import confluent_kafka as ck

from benchmarks.ground import PARTITIONS
from benchmarks.loads import LOADS
from schemas.codec import Codec
from streams.topics import partition_of

BURST_S = 0.005
LINGER_MS = 5  # librdkafka's own default


def main(bootstrap: str, load: str, per_s: int, seconds: int) -> None:
    """Send events in small bursts, never ahead of the plan."""
    producer = ck.Producer({"bootstrap.servers": bootstrap, "linger.ms": LINGER_MS})
    codec = Codec()
    events = LOADS[load].live(per_s * seconds)
    started, number = time.monotonic(), 0
    while number < per_s * seconds:
        planned = min(per_s * seconds, int((time.monotonic() - started) * per_s))
        for topic, event in islice(events, planned - number):
            key = event.customer_id.encode()
            producer.produce(topic, codec.encode(topic, event), key, partition_of(key, PARTITIONS), timestamp=event.occurred_at)
        number = planned
        producer.poll(0)
        time.sleep(BURST_S)
    producer.flush(30)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
