"""The state is read before the fence: whoever owned the partition may still commit in between."""

import time
from collections.abc import Mapping

from streams.duty import Driver
from streams.kafka_state import CommittedState, KafkaState
from tests.chaos.mutants import put

BETWEEN_S = 4.0  # long enough for a frozen owner to wake up; a shorter time is wrong as well, only more seldom

_real_fence = KafkaState.fence
_real_read = KafkaState.read_state


def _read_state(state: KafkaState, driver: Driver, ends: Mapping[str, int]) -> CommittedState:
    found = _real_read(state, driver, ends)
    time.sleep(BETWEEN_S)
    _real_fence(state)
    return found


def break_it() -> None:
    """Swap the two."""
    put(KafkaState, "fence", lambda _state: None)
    put(KafkaState, "read_state", _read_state)
