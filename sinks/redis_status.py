"""How a Redis server that holds the read model is, as far as that matters to the model."""

from typing import Any

from msgspec import Struct

from sinks.redis_connection import PREFIX, RedisTarget, connect, told
from sinks.sink import Place, Positions


class RedisStatus(Struct, frozen=True, kw_only=True):
    """`evicts` is the policy by which keys are dropped when memory runs out, empty when nothing is dropped."""

    version: str
    is_cluster: bool
    is_replica: bool
    memory_bytes: int
    evicts: str
    customers: int
    is_rebuilding: bool
    positions: Positions


def status(target: RedisTarget) -> RedisStatus:
    """Ask the server. Raises Unavailable, Misconfigured."""
    client: Any = connect(target)
    try:
        with told(target):
            server, memory, replication = (client.info(part) for part in ("server", "memory", "replication"))
            is_cluster = server.get("redis_mode") == "cluster"  # it keeps nothing of ours, and says so to every question
            customers = 0 if is_cluster else client.zcard(f"{PREFIX}customers")
            rebuilding = None if is_cluster else client.hget(f"{PREFIX}rebuild", "active")
            positions = {} if is_cluster else client.hgetall(f"{PREFIX}positions")
    finally:
        client.close()
    policy = memory.get("maxmemory_policy", "noeviction")
    return RedisStatus(
        version=server["redis_version"],
        is_cluster=is_cluster,
        is_replica=replication.get("role") == "slave",
        memory_bytes=int(memory["used_memory"]),
        evicts="" if policy == "noeviction" or not memory.get("maxmemory") else policy,
        customers=customers,
        is_rebuilding=rebuilding == b"1",
        positions={place_of(field): int(position) for field, position in positions.items()},
    )


def field_of(place: Place) -> str:
    """Under which name the position of a partition is kept."""
    return f"{place.topic}|{place.partition}"


def place_of(field: bytes) -> Place:
    """The partition that a position is of."""
    topic, _, partition = field.decode().rpartition("|")
    return Place(topic, int(partition))
