"""Who speaks to the brokers."""

from enum import StrEnum


class Role(StrEnum):
    """A program, or what somebody does: `producer` is a product system, `publish`, `definitions` and `cutover` are commands."""

    WORKER = "worker"
    PRODUCER = "producer"
    PUBLISH = "publish"
    DEFINITIONS = "definitions"
    CUTOVER = "cutover"
    REDIS_SINK = "redis-sink"
    DELIVERY_SINK = "delivery-sink"
