"""What doctor says of Redis: whether the read model can be kept there, and whether it is up to date."""

import time
from collections.abc import Iterator
from typing import Final, Literal

import confluent_kafka as ck
from confluent_kafka import IsolationLevel, TopicPartition
from confluent_kafka.admin import OffsetSpec

from sinks.read_model import TOPICS
from sinks.redis_connection import OLDEST, RedisTarget
from sinks.redis_status import RedisStatus, status
from sinks.sink import Misconfigured, Place, Unavailable
from streams.cluster import COMMAND_GROUP, Cluster
from streams.redis_target import redis_target
from streams.settings import Settings

Finding = tuple[Literal["ok", "warning", "wrong", "skipped"], str, str]
"""A state, what was found, and what to do."""

TIMEOUT_S: Final = 15.0
SLOW_ANSWER_MS: Final = 50
_LOOPBACK: Final = ("127.", "localhost", "::1")
_MIB: Final = 2**20
_S_IN_MS: Final = 1_000


def of_server(settings: Settings) -> Iterator[Finding]:
    """The server, whatever it holds."""
    target = redis_target(settings)
    if target is None:
        yield "ok", "none is configured: no read model is kept", ""
        return
    started_s = time.monotonic()
    try:
        found = status(target)
    except (Unavailable, Misconfigured) as error:
        advice = "check CSPULSE_REDIS_URL, user and password, and that it runs; `cspulse sink redis` waits until it answers"
        yield "wrong", str(error), advice
        return
    took_ms = (time.monotonic() - started_s) * _S_IN_MS
    wrong = list(_wrong(target, found))
    if not wrong:
        yield "ok", f"{target.name}: version {found.version}, {found.memory_bytes / _MIB:.0f} MiB, {took_ms:.0f} ms", ""
    yield from wrong


def of_model(cluster: Cluster, settings: Settings) -> Iterator[Finding]:
    """The model, against the ends of the topics it is written from."""
    target = redis_target(settings)
    if target is None:
        yield "skipped", "no Redis is configured", ""
        return
    try:
        found = status(target)
    except (Unavailable, Misconfigured):
        yield "skipped", "Redis does not answer", ""
        return
    if not found.positions:
        yield "warning", "nothing was ever written", "start `cspulse sink redis`"
        return
    ends = _ends(cluster)
    behind = sum(max(0, end - found.positions.get(place, 0)) for place, end in ends.items())
    beyond = [str(place) for place, position in found.positions.items() if position > ends.get(place, 0)]
    told = f"{found.customers} customers, {behind} records behind"
    if beyond:
        advice = "run `cspulse sink redis --rebuild`, if these are the right brokers and the right Redis"
        yield "wrong", f"it was written from other topics than these: {', '.join(sorted(beyond))} ends earlier", advice
    elif found.is_rebuilding:
        yield "warning", f"{told}; a rebuild is under way", "let `cspulse sink redis` run until it is done"
    else:
        yield "ok", told, ""


def _wrong(target: RedisTarget, found: RedisStatus) -> Iterator[Finding]:
    """What must be mended or thought about."""
    major, minor = (int(part) for part in found.version.split(".")[:2])
    if (major, minor) < OLDEST:
        yield "wrong", f"{target.name} is version {found.version}", f"version {OLDEST[0]}.{OLDEST[1]} or newer is needed"
    if found.is_cluster:
        yield "wrong", f"{target.name} is part of a Redis Cluster", "one server is needed (with replicas, if you like)"
    if found.is_replica:
        yield "wrong", f"{target.name} is a replica, and may not be written", "name the primary in CSPULSE_REDIS_URL"
    if found.evicts:
        told = f"{target.name} drops keys when memory runs out ({found.evicts}), customers among them"
        yield "warning", told, "set maxmemory-policy to noeviction: writing then waits, and nothing is missing"
    if not target.tls and not target.host.startswith(_LOOPBACK):
        told = f"{target.name}: the password and what is known of all customers cross the network in clear text"
        yield "warning", told, "use an address that begins with rediss://, or keep the network to yourself"


def _ends(cluster: Cluster) -> dict[Place, int]:
    """The ends of the topics that the model is written from. Raises KafkaException."""
    latest = OffsetSpec.latest()  # type: ignore[no-untyped-call]  # the client's class has no annotations
    places = [Place(topic, partition) for topic in TOPICS for partition in range(cluster.partitions(topic))]
    if cluster.embedded:
        return {place: _watermark(cluster, place) for place in places}
    asked = cluster.admin.list_offsets(
        {TopicPartition(*place): latest for place in places},
        isolation_level=IsolationLevel.READ_COMMITTED,
        request_timeout=TIMEOUT_S,
    )
    return {Place(place.topic, place.partition): int(future.result(TIMEOUT_S).offset) for place, future in asked.items()}


def _watermark(cluster: Cluster, place: Place) -> int:
    consumer = ck.Consumer({**cluster.config, "group.id": COMMAND_GROUP})
    try:
        return consumer.get_watermark_offsets(TopicPartition(*place), TIMEOUT_S)[1]
    finally:
        consumer.close()
