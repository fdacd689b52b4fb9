"""The state is read before the fence, which comes at the worst moment: just after the earlier owner has committed more."""

import time
from collections.abc import Mapping
from typing import Final

import confluent_kafka as ck

from streams.duty import Driver
from streams.kafka_state import CommittedState, KafkaState
from tests.chaos.mutants import put

DAWDLE_S: Final = 8.0
"""The earlier owner was frozen until the group had given it up, and wakes up within this time."""

LOOK_EVERY_S: Final = 0.05
CALL_LIMIT_S: Final = 5.0


def break_it() -> None:
    """Swap the two."""
    real_fence, real_read = KafkaState.fence, KafkaState.read_state

    def read_state(state: KafkaState, driver: Driver, ends: Mapping[str, int]) -> CommittedState:
        read = real_read(state, driver, ends)
        _wait_for_another_commit(state, read.positions)
        real_fence(state)
        return read

    put(KafkaState, "fence", lambda _state: None)
    put(KafkaState, "read_state", read_state)


def _wait_for_another_commit(state: KafkaState, positions: Mapping[str, int]) -> None:
    deadline_s = time.monotonic() + DAWDLE_S
    asked = [ck.TopicPartition(topic, state._partition) for topic in positions]
    consumer = ck.Consumer({**state._config, "enable.auto.commit": False})
    try:
        while time.monotonic() < deadline_s:
            committed = consumer.committed(asked, CALL_LIMIT_S)
            if any(place.offset > positions[place.topic] for place in committed):
                return
            time.sleep(LOOK_EVERY_S)
    finally:
        consumer.close()
