"""A partition's part of the fleet's figures, shown at its ticks.

Partials are absolute, so that seeing one twice or late changes nothing; a tombstone says that the count is zero, or too old.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from processors.fleet import QUIET_FEEDS, TURN, gauges
from processors.windows import DAY_MS
from schemas.codec import Codec
from schemas.records import FleetPartial
from streams.records import OutputRecord
from streams.store import Customer
from streams.totals import TotalKey, TotalsStore
from streams.turns import Span

PARTIALS_TOPIC = "cs.fleet-partials"
AS_OF: TotalKey = ("as_of", "", None)
"""The partial that closes a tick: its only count is the time up to which the partition's figures are complete."""


class PartialName(NamedTuple):
    """What a partial is the newest of: the key of its record, which a tombstone has nothing else to say by."""

    key: TotalKey
    partition: int
    incarnation: str


def write_name(name: PartialName) -> bytes:
    """The key of a partial's record."""
    (figure, dimension, bucket), partition, incarnation = name
    return f"{figure}|{dimension}|{'' if bucket is None else bucket}|{partition}|{incarnation}".encode()


def read_name(key: bytes) -> PartialName | None:
    """What the key of a partial's record says; None when it is no such key. A dimension may hold the bar as well."""
    try:
        figure, _, rest = key.decode().partition("|")
        dimension, bucket, partition, incarnation = rest.rsplit("|", 3)
        return PartialName((figure, dimension, int(bucket) if bucket else None), int(partition), incarnation)
    except ValueError:
        return None


class Partials:
    """Makes the partials of one partition."""

    def __init__(self, partition: int, incarnation: str, codec: Codec, emitted_at: Callable[[], int | None]) -> None:
        self._partition = partition
        self._incarnation = incarnation
        self._codec = codec
        self._emitted_at = emitted_at

    def show(self, totals: TotalsStore, quiet: Mapping[str, int], span: Span) -> Iterable[OutputRecord]:
        """Everything that changed since it was shown last, buckets that nobody looks at any more, and the closing time.

        `quiet` are the feeds from which nothing is heard, each with the time of its newest event; `span` is when what is found
        is published.
        """
        meta = totals.meta
        before_ms, meta.as_of_ms = meta.as_of_ms, meta.clock_ms
        if before_ms // DAY_MS != meta.clock_ms // DAY_MS:
            for key in totals.expire(meta.clock_ms):
                yield self._output(key, None, meta.clock_ms)
        for key, counts in totals.take_unshown():
            yield self._output(key, None, meta.clock_ms) if counts is None else self._record(key, counts, totals)
        yield from self._show_feeds(totals, quiet)
        if span != meta.turns.shown:
            meta.turns.shown = span
            yield self._record((TURN, "", None), [span.from_ms, span.until_ms], totals)
        yield self._record(AS_OF, [meta.clock_ms], totals)

    def _show_feeds(self, totals: TotalsStore, quiet: Mapping[str, int]) -> Iterable[OutputRecord]:
        """The feeds that went quiet, and those that are no longer."""
        meta = totals.meta
        before, meta.quiet = meta.quiet, dict(quiet)
        for feed in sorted(before.keys() | quiet.keys()):
            if feed not in quiet:
                yield self._output((QUIET_FEEDS, feed, None), None, meta.clock_ms)
            elif before.get(feed) != quiet[feed]:
                yield self._record((QUIET_FEEDS, feed, None), [quiet[feed]], totals)

    def _record(self, key: TotalKey, counts: list[int], totals: TotalsStore) -> OutputRecord:
        meta = totals.meta
        meta.partial_sequence += 1
        record = FleetPartial(
            partition=self._partition,
            incarnation=self._incarnation,
            sequence=meta.partial_sequence,
            as_of=meta.clock_ms,
            emitted_at=self._emitted_at(),
            config_version=meta.config_version,
            figure=key[0],
            dimension=key[1],
            bucket=key[2],
            counts=counts,
        )
        return self._output(key, record, meta.clock_ms)

    def _output(self, key: TotalKey, record: FleetPartial | None, as_of_ms: int) -> OutputRecord:
        value = None if record is None else self._codec.encode(PARTIALS_TOPIC, record)
        name = write_name(PartialName(key, self._partition, self._incarnation))
        return OutputRecord(PARTIALS_TOPIC, name, value, as_of_ms, partition=0, record=record)


def count_gauges(customers: Iterable[Customer], totals: TotalsStore) -> None:
    """Bring the gauges up to what these customers contribute now."""
    for customer in customers:
        now, before = gauges(customer.state), customer.counted
        if now == before:
            continue
        for name in before.keys() | now.keys():
            was, new = before.get(name), now.get(name)
            if was == new:
                continue
            if was is None:
                totals.add((*name, None), new or ())
            elif new is None:
                totals.add((*name, None), [-count for count in was])
            else:
                totals.add((*name, None), [n - w for n, w in zip(new, was, strict=True)])
        customer.counted = now
