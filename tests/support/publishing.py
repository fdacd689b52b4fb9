"""Putting events and ticks into the inputs of a worker, and waiting until they are folded."""

from collections.abc import Iterable

from schemas.codec import Codec
from schemas.events import Tick
from schemas.jsonlines import Line
from streams.publish import publish
from tests.support.cluster import PARTITIONS, Cluster, now_ms, produce
from tests.support.topic_log import ends, folded_offsets
from tests.support.waiting import TookTooLong, wait_until

EVENT_TOPICS = ("cs.tickets", "cs.usage", "cs.surveys", "cs.accounts")
TICKS_TOPIC = "cs.ticks"
FOLD_LIMIT_S = 90.0


def publish_lines(cluster: Cluster, lines: Iterable[Line]) -> None:
    """Put lines into their topics, by the product's own `publish`; each must arrive."""
    report = publish(lines, connection={"bootstrap.servers": cluster.bootstrap}, codec=Codec(), now_ms=now_ms())
    assert report.is_complete, report


def publish_tick(cluster: Cluster, at_ms: int, partitions: Iterable[int] = range(PARTITIONS)) -> None:
    """Let partitions know the time."""
    codec = Codec()
    for partition in partitions:
        tick = Tick(occurred_at=at_ms, partition=partition, config_version=0)
        produce(cluster, TICKS_TOPIC, partition, [(str(partition).encode(), codec.encode(TICKS_TOPIC, tick), at_ms)])


def wait_until_folded(cluster: Cluster, app_id: str, limit_s: float = FOLD_LIMIT_S) -> None:
    """Wait until everything that lies in the inputs now is folded and committed."""
    wanted = ends(cluster.bootstrap, (*EVENT_TOPICS, TICKS_TOPIC))
    folded: dict[tuple[str, int], int] = {}

    def is_folded() -> bool:
        folded.update(folded_offsets(cluster.bootstrap, app_id))
        return all(folded.get(place, 0) >= end for place, end in wanted.items())

    try:
        wait_until(is_folded, limit_s, "the inputs to be folded")
    except TookTooLong as error:
        missing = {place: f"{folded.get(place, 0)} of {end}" for place, end in wanted.items() if folded.get(place, 0) < end}
        raise TookTooLong(f"{error}: {missing}") from error
