"""The sink that writes the read model into Redis: each batch of a partition by one script, together with its position.

A script sees and changes the store alone, so nobody reads half a batch, and what a script did not do it did not do at all. It
compares the position with the one the batch begins at: an answer that was lost, a process that was replaced, a server that came
back with older data or none are all found there (`Moved`), and reading goes on where the store stands.
"""

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib.resources import files
from typing import Any, Final, Literal

from sinks.changes import Change, CustomerChange, Erasure, ReportChange, change_of
from sinks.read_model import TOPICS
from sinks.redis_connection import OLDEST, PREFIX, RedisTarget, connect, told
from sinks.redis_status import field_of, place_of
from sinks.sink import Batch, Misconfigured, Moved, Place, Positions, SinkRecord, Unavailable
from sinks.stored_model import LIST_KEYS

logger = logging.getLogger(__name__)

RECORDS_A_SCRIPT: Final = 64
"""While a script runs nobody reads, so it is to be short: some milliseconds for so many customers."""

_CUSTOMERS_A_SWEEP: Final = 500
_S_IN_MS: Final = 1_000

Argument = str | bytes | int | float


class RedisSink:
    """Writes to one Redis server. It keeps the positions, so those of the consumer group do not matter."""

    name = "redis"
    topics: Sequence[str] = TOPICS
    starts: Literal["beginning", "end"] = "beginning"
    records_at_most = 512

    def __init__(self, target: RedisTarget, now_s: Callable[[], float] = time.time) -> None:
        self._target = target
        self._now_s = now_s
        self._client: Any = connect(target)
        self._write_sha = self._sweep_sha = ""
        self._was_right = False

    def assigned(self, places: Iterable[Place]) -> Positions:
        """All positions are kept here; what was never written begins at 0."""
        wanted = list(places)
        with self._told():
            if not self._was_right:
                self._look_at_server()
            found: Any = self._client.hmget(f"{PREFIX}positions", [field_of(place) for place in wanted]) if wanted else []
            self._write_sha = self._client.script_load(_text("redis_write.lua"))  # each time: the server may be another one
            self._sweep_sha = self._client.script_load(_text("redis_sweep.lua"))
        self._was_right = True
        self._finish_rebuild()
        return {place: int(position or 0) for place, position in zip(wanted, found, strict=True)}

    def revoked(self, places: Iterable[Place]) -> None:
        """Nothing is kept here of any partition."""

    def write(self, batches: Sequence[Batch]) -> None:
        """One script for some records of a partition, all of them in one pipeline."""
        pieces = [piece for batch in batches for piece in _pieces(batch)]
        with self._told():
            pipeline = self._client.pipeline(transaction=False)
            for piece in pieces:
                pipeline.evalsha(self._write_sha, 1, PREFIX, *arguments(piece))
            answers: list[Any] = pipeline.execute()
        moved: dict[Place, int] = {}
        waits_no_longer = False
        for piece, (outcome, value) in zip(pieces, answers, strict=True):
            if outcome == b"moved":
                moved.setdefault(piece.place, int(value))
            else:
                waits_no_longer = waits_no_longer or value == 1
        if moved:
            raise Moved(moved)
        if waits_no_longer:
            self._finish_rebuild()

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def begin_rebuild(self, targets: Positions) -> None:
        """Begin in one transaction: whoever writes after it is told to begin at the beginning."""
        with self._told():
            self._look_at_server()
            pipeline = self._client.pipeline(transaction=True)
            pipeline.hincrby(f"{PREFIX}rebuild", "generation", 1)
            pipeline.hset(f"{PREFIX}rebuild", mapping={"active": "1", "began_at": str(self._now_ms())})
            pipeline.delete(f"{PREFIX}positions", f"{PREFIX}rebuild:seen", f"{PREFIX}rebuild:targets")
            if targets:
                pipeline.hset(f"{PREFIX}rebuild:targets", mapping={field_of(place): end for place, end in targets.items()})
            pipeline.execute()

    def _finish_rebuild(self) -> None:
        """Remove what the topics do not hold, if a rebuild has come to its end."""
        while True:
            with self._told():
                step = self._client.evalsha(self._sweep_sha, 1, PREFIX, _CUSTOMERS_A_SWEEP, self._now_ms())
            if step == b"again":
                self._begin_again()
            elif step != b"more":
                if step == b"done":
                    logger.info("redis: the rebuild is done, and what the topics do not hold is gone")
                return

    def _begin_again(self) -> None:
        with self._told():
            kept: Any = self._client.hgetall(f"{PREFIX}rebuild:targets")
        logger.info("redis: what was kept was newer than what the topics hold: they are read once more")
        self.begin_rebuild({place_of(field): int(end) for field, end in kept.items()})

    def _look_at_server(self) -> None:
        found: Any = self._client.info("server")
        version = tuple(int(part) for part in str(found["redis_version"]).split(".")[:2])
        if version < OLDEST:
            raise Misconfigured(
                f"{self._target.name} is version {found['redis_version']}; {OLDEST[0]}.{OLDEST[1]} or newer is needed"
            )
        if found.get("redis_mode") == "cluster":
            raise Misconfigured(
                f"{self._target.name} is part of a Redis Cluster; one server is needed (with replicas, if you like), "
                "because a batch is written in one step"
            )

    def _now_ms(self) -> int:
        return int(self._now_s() * _S_IN_MS)

    @contextmanager
    def _told(self) -> Iterator[None]:
        """As `told`; but what was right before may be right again."""
        try:
            with told(self._target):
                yield
        except Misconfigured as error:
            if not self._was_right:
                raise
            raise Unavailable(str(error)) from error


def arguments(batch: Batch) -> list[Argument]:
    """What the script is given for a batch."""
    found: list[Argument] = [field_of(batch.place), batch.start, batch.end]
    for record in batch.records:
        change = change_of(record)
        if change is not None:
            _add(found, change)
    return found


def _add(found: list[Argument], change: Change) -> None:
    if isinstance(change, CustomerChange):
        risk: Argument = "" if change.risk is None else repr(change.risk)
        found += ("c", _id(change.customer_id), change.as_of, change.version, risk, change.currency, change.mrr_cents)
        found.append(2 * len(change.fields))
        for field in change.fields:
            found += field
    elif isinstance(change, Erasure):
        found += ("e", _id(change.customer_id), change.as_of, change.version)
    elif isinstance(change, ReportChange):
        found += ("r", change.key, _id(change.field), change.version, change.value)
    else:
        owner = _id(change.owner)
        name = LIST_KEYS[change.kind].encode() + owner
        found += ("l", name, owner, change.as_of, change.version, change.head, 2 * len(change.entries))
        for customer_id, entry in change.entries:
            found += (_id(customer_id), entry)


def _pieces(batch: Batch) -> Iterable[Batch]:
    """The batch in parts that are short enough for a script; each begins where the one before ends."""
    if len(batch.records) <= RECORDS_A_SCRIPT:
        yield batch
        return
    start, records = batch.start, batch.records
    for first in range(0, len(records), RECORDS_A_SCRIPT):
        piece: Sequence[SinkRecord] = records[first : first + RECORDS_A_SCRIPT]
        end = batch.end if first + RECORDS_A_SCRIPT >= len(records) else piece[-1].offset + 1
        yield Batch(batch.place, start, end, piece)
        start = end


def _id(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _text(name: str) -> str:
    return (files("sinks") / name).read_text(encoding="utf-8")
