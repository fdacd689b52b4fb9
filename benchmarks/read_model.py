"""Reading and writing the read model: `python -m benchmarks.read_model`.

A Redis server of its own is filled with so many customers of ordinary size. Then it is asked as a product system asks, while
nobody writes and while a sink writes; and the sink's throughput is measured beside a bare pipelined client, in rounds:

- *sink*: decoded records in, the read model out: sections, versions, ranks, positions, by scripts.
- *bare, same content*: decoded records in, the same sections as JSON with one HSET each, pipelined. Nothing else.
- *bare, ready bytes*: the same HSETs from bytes that were made before.
- *decode and sink*, *decode and bare*: the same from the bytes as they lie in Kafka.
"""

import multiprocessing
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, Final, NamedTuple

import msgspec
import typer

from benchmarks.machine import description, load
from schemas.codec import Codec
from schemas.records import CustomerSnapshot
from sinks.changes import CustomerChange, change_of
from sinks.redis_connection import RedisTarget
from sinks.redis_reader import redis_read_model
from sinks.redis_sink import RedisSink
from sinks.redis_status import status
from sinks.sink import Batch, Place, SinkRecord
from sinks.stored_model import StoredReadModel
from streams.replay import Replay
from streams.sources.simulator import Simulation, simulate
from tests.support.redis_server import RedisServer

TOPIC: Final = "cs.customer-snapshots"
SEED: Final = 5
END_MS: Final = 1_790_000_000_000
LISTED: Final = 50
BATCH_RECORDS: Final = 512
_MS: Final = 1_000.0
_US: Final = 1_000_000.0
_MIB: Final = 2**20


class Source:
    """Snapshots of simulated customers, under as many names as are wanted."""

    def __init__(self, customers: int, days: int) -> None:
        run = Replay(1)
        found: dict[str, CustomerSnapshot] = {}
        for line in simulate(Simulation(customers=customers, days=days, seed=SEED, end_ms=END_MS)):
            for output in run.event(line):
                if isinstance(output.value, CustomerSnapshot):
                    found[output.value.customer_id] = output.value
        self.shapes: Final = list(found.values())

    def records(self, count: int, first_offset: int) -> Iterator[SinkRecord]:
        """The newest snapshot of `count` customers, each newer than what was given before."""
        chance = random.Random(first_offset)
        for number in range(count):
            shape = self.shapes[number % len(self.shapes)]
            offset = first_offset + number
            value = msgspec.structs.replace(
                shape,
                customer_id=f"customer-{number:06d}",
                as_of=shape.as_of + offset,
                mrr_cents=None if shape.mrr_cents is None else chance.randrange(10_000, 10_000_000),
            )
            yield SinkRecord(
                topic=TOPIC, partition=0, offset=offset, timestamp_ms=value.as_of, key=value.customer_id.encode(), value=value
            )


def batches(records: Sequence[SinkRecord]) -> Iterator[Batch]:
    """The records as a sink is given them."""
    for start in range(0, len(records), BATCH_RECORDS):
        part = records[start : start + BATCH_RECORDS]
        yield Batch(Place(TOPIC, 0), part[0].offset, part[-1].offset + 1, part)


def fill(sink: RedisSink, source: Source, customers: int) -> None:
    """Write every customer once."""
    sink.assigned([Place(TOPIC, 0)])
    coming = source.records(customers, 0)
    while part := list(islice(coming, BATCH_RECORDS * 8)):
        for batch in batches(part):
            sink.write([batch])


def reads(model: StoredReadModel, customers: int, count: int) -> dict[str, list[float]]:
    """Milliseconds of each question, sorted."""
    chance = random.Random(SEED)
    questions: dict[str, Callable[[], object]] = {
        "a customer in one line": lambda: model.standing(_name(chance, customers)),
        "its health, explained": lambda: model.health(_name(chance, customers)),
        "everything of a customer": lambda: model.customer(_name(chance, customers)),
        f"the {LISTED} most at risk": lambda: model.at_risk(LISTED),
        f"the {LISTED} most at risk by revenue": lambda: model.at_risk_by_revenue("EUR", LISTED),
    }
    found: dict[str, list[float]] = {}
    for name, question in questions.items():
        taken = []
        for _ in range(count):
            started = time.perf_counter()
            answer = question()
            taken.append((time.perf_counter() - started) * _MS)
            assert answer, name
        found[name] = sorted(taken)
    return found


def _name(chance: random.Random, customers: int) -> str:
    return f"customer-{chance.randrange(customers):06d}"


def reads_while_writing(
    target: RedisTarget, model: StoredReadModel, source: Source, customers: int, count: int
) -> dict[str, list[float]]:
    """The same while a sink writes all the time, from a process of its own."""
    spawn = multiprocessing.get_context("spawn")
    ended = spawn.Event()
    writer = spawn.Process(target=_write_on, args=(target, source, ended))
    writer.start()
    try:
        before = _position(target)
        while _position(target) == before:
            time.sleep(0.1)
        return reads(model, customers, count)
    finally:
        ended.set()
        writer.join()


def _write_on(target: RedisTarget, source: Source, ended: Any) -> None:
    sink = RedisSink(target)
    position = sink.assigned([Place(TOPIC, 0)])[Place(TOPIC, 0)]
    while not ended.is_set():
        part = list(source.records(BATCH_RECORDS, position))
        sink.write(list(batches(part)))
        position = part[-1].offset + 1
    sink.close()


def _position(target: RedisTarget) -> int:
    return status(target).positions[Place(TOPIC, 0)]


class Rate(NamedTuple):
    """Records a second by the clock, and the processor time of one, of the client and the server together."""

    per_s: float
    busy_us: float


class Throughput:
    """Records a second of the sink and of the bare clients, round by round."""

    def __init__(self, server: RedisServer, target: RedisTarget, source: Source, records: int) -> None:
        self._client: Any = server.client()
        self._target = target
        self._codec = Codec()
        self._source = source
        self._records = records
        self.found: dict[str, list[Rate]] = {}

    def round(self) -> None:
        """One round of each, one after the other, with records that are new to the sink."""
        sink = RedisSink(self._target)
        place = Place(TOPIC, 0)
        for name in ("sink", "decode and sink"):
            position = sink.assigned([place])[place]
            given = list(self._source.records(self._records, position))
            payloads = [self._codec.encode(TOPIC, record.value) for record in given if record.value is not None]
            self._measure(name, lambda given=given, payloads=payloads, name=name: self._sink(sink, given, payloads, name))  # type: ignore[misc]  # binds the loop's values
        given = list(self._source.records(self._records, position))
        ready = [_made(record) for record in given]
        self._measure("bare, same content", lambda: self._bare(_made(record) for record in given))
        self._measure("bare, ready bytes", lambda: self._bare(iter(ready)))
        self._measure("decode and bare", lambda: self._bare(_made(record) for record in self._decoded(given, payloads)))
        sink.close()

    def _measure(self, name: str, work: Callable[[], None]) -> None:
        started, busy = time.perf_counter(), self._busy_s()
        work()
        wall, used = time.perf_counter() - started, self._busy_s() - busy
        self.found.setdefault(name, []).append(Rate(self._records / wall, used / self._records * _US))

    def _busy_s(self) -> float:
        """Processor seconds of this process and of the server."""
        info = self._client.info("cpu")
        return time.process_time() + float(info["used_cpu_user"]) + float(info["used_cpu_sys"])

    def _sink(self, sink: RedisSink, given: list[SinkRecord], payloads: list[bytes], name: str) -> None:
        for batch in batches(given):
            records: Sequence[SinkRecord] = batch.records
            if name == "decode and sink":
                first = batch.start - given[0].offset
                records = list(self._decoded(records, payloads[first : first + len(records)]))
            sink.write([Batch(batch.place, batch.start, batch.end, records)])

    def _decoded(self, given: Sequence[SinkRecord], payloads: Sequence[bytes]) -> Iterator[SinkRecord]:
        for record, payload in zip(given, payloads, strict=True):
            value: Any = self._codec.decode(TOPIC, payload)
            yield msgspec.structs.replace(record, value=value)

    def _bare(self, made: Iterator[tuple[str, dict[str, bytes]]]) -> None:
        while part := list(islice(made, BATCH_RECORDS)):
            pipeline = self._client.pipeline(transaction=False)
            for name, fields in part:
                pipeline.hset(f"bare:{name}", mapping=fields)
            pipeline.execute()


def _made(record: SinkRecord) -> tuple[str, dict[str, bytes]]:
    """The name and the sections of a customer."""
    change = change_of(record)
    assert isinstance(change, CustomerChange)
    return change.customer_id, dict(change.fields)


def main(
    customers: Annotated[int, typer.Option(help="Customers in the model.", min=1_000)] = 100_000,
    questions: Annotated[int, typer.Option(help="How often each question is asked.", min=100)] = 5_000,
    records: Annotated[int, typer.Option(help="Records a round of writing.", min=1_000)] = 4_000,
    rounds: Annotated[int, typer.Option(help="Rounds of writing.", min=1)] = 5,
    shapes: Annotated[int, typer.Option(help="Simulated customers that lend their snapshots.", min=2)] = 20,
) -> None:
    """Measure and print."""
    source = Source(shapes, 90)
    with tempfile.TemporaryDirectory() as folder, RedisServer(Path(folder)) as server:
        target = RedisTarget(host="127.0.0.1", port=server.port)
        sink, model = RedisSink(target), redis_read_model(target)
        fill(sink, source, customers)
        with server.client() as client:
            info: Any = client.info("memory")
        print(f"{description()}; Redis {_version(server)}; two shared cores; load {load()}")
        used = info["used_memory"]
        print(f"{customers} customers, {used / _MIB:.0f} MiB in Redis, {used / customers / 1024:.1f} KiB each", flush=True)
        _print_reads("nobody writes", reads(model, customers, questions))
        _print_reads("a sink writes", reads_while_writing(target, model, source, customers, questions // 5))
        throughput = Throughput(server, target, source, records)
        for _ in range(rounds):
            throughput.round()
        _print_throughput(throughput.found)
        sink.close()


def _print_reads(when: str, found: dict[str, list[float]]) -> None:
    for name, taken in found.items():
        p50, p99 = (taken[int(len(taken) * share)] for share in (0.5, 0.99))
        print(f"{when:15} {name:40} p50 {p50:7.3f} ms   p99 {p99:7.3f} ms")


def _print_throughput(found: dict[str, list[Rate]]) -> None:
    for name, rates in found.items():
        per_s, busy_us = (statistics.median(values) for values in zip(*rates, strict=True))
        print(f"{name:20} {per_s:9,.0f} records/s   {busy_us:7,.0f} us of processor each")
    pairs = (("sink", "bare, same content"), ("sink", "bare, ready bytes"), ("decode and sink", "decode and bare"))
    for one, other in pairs:
        together = list(zip(found[one], found[other], strict=True))
        clock = statistics.median(mine.per_s / bare.per_s for mine, bare in together)
        busy = statistics.median(bare.busy_us / mine.busy_us for mine, bare in together)
        print(f"{one} to {other}: {clock:.2f} by the clock, {busy:.2f} by processor time")


def _version(server: RedisServer) -> str:
    with server.client() as client:
        info: Any = client.info("server")
    return str(info["redis_version"])


if __name__ == "__main__":
    typer.run(main)
