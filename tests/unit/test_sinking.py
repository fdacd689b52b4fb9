"""How long what carries records to a sink waits for a destination that fails."""

from collections.abc import Sequence

import pytest

from sinks.sink import Batch, Place, Positions, SinkRecord, Unavailable
from sinks.sink_metrics import SinkMetrics
from streams.sinking import Carrying, StopRequest

PLACE = Place("cs.churn-alerts", 0)
WRITES = 6


class HalfFailing:
    """A sink that takes so many records of each batch, and then fails; it counts its calls and makes the stop after some."""

    name = "half failing"
    topics = (PLACE.topic,)

    def __init__(self, takes: int, stop: StopRequest) -> None:
        self.takes = takes
        self.stop = stop
        self.calls = 0

    def write(self, batches: Sequence[Batch]) -> None:
        self.calls += 1
        if self.calls == WRITES:
            self.stop.make()
        raise Unavailable("no", {batch.place: batch.start + self.takes for batch in batches})


class Endless:
    """A feed whose log has no end."""

    is_placed = True

    def __init__(self) -> None:
        self.positions = {PLACE: 0}

    def place(self) -> None:
        pass

    def place_anew(self) -> None:
        pass

    def idle(self) -> None:
        pass

    def batches(self) -> list[Batch]:
        start = self.positions[PLACE]
        return [Batch(PLACE, start, start + 10, [record(offset) for offset in range(start, start + 10)])]

    def settled(self, positions: Positions) -> None:
        self.positions.update(positions)


def record(offset: int) -> SinkRecord:
    return SinkRecord(topic=PLACE.topic, partition=0, offset=offset, timestamp_ms=1_767_225_600_000, key=b"acme", value=None)


class Attempts(SinkMetrics):
    """Remembers how many failures in a row were told of."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[int] = []

    def attempts(self, sink: str, failed: int) -> None:
        self.told.append(failed)
        super().attempts(sink, failed)


@pytest.mark.parametrize(("takes", "most"), [(0, WRITES), (3, 1)])
def test_a_destination_that_takes_some_of_what_it_is_given_is_not_waited_for_longer_and_longer(takes: int, most: int) -> None:
    stop, feed, metrics = StopRequest(), Endless(), Attempts()
    pauses: list[int] = []

    class NoPause:
        def pause_s(self, failures: int) -> float:
            pauses.append(failures)
            return 0.0

    Carrying(HalfFailing(takes, stop), feed, stop, metrics, NoPause()).run()  # type: ignore[arg-type]  # the same methods
    assert feed.positions == {PLACE: takes * WRITES}
    assert max(pauses) == max(metrics.told) == most
    counted = metrics.registry.get_sample_value("cspulse_sink_records_total", {"sink": "half failing", "topic": PLACE.topic})
    assert (counted or 0) == takes * WRITES, "what it took is counted"
