"""Batches have no epoch: one that was read before its partition left and came back is taken for a new one."""

from streams.reader import Batch
from streams.task import PartitionTask, Phase
from tests.chaos.mutants import put


def _hand_over(task: PartitionTask, batch: Batch) -> None:
    """Take whatever comes for the partition, but for what was taken already."""
    if task.phase is Phase.CLOSING:
        return
    expected = task._next.get(batch.topic, 0)
    records = [record for record in batch.records if record.offset >= expected]
    if records:
        task._next[batch.topic] = records[-1].offset + 1
    task._merge.deliver(batch.topic, records, at_end=batch.at_end)
    task._wakeup.set()


def break_it() -> None:
    """Accept batches of any epoch."""
    put(PartitionTask, "hand_over", _hand_over)
