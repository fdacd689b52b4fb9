"""The least rights that each program needs at brokers with an authorizer, by the names of Kafka's ACLs.

To read or write a topic, group or transactional id lets one describe it too.
"""

from collections.abc import Iterable
from typing import Final, Literal

from msgspec import Struct

from sinks.notices import TOPICS as NOTICE_TOPICS
from sinks.read_model import TOPICS as READ_MODEL_TOPICS
from streams.cluster import COMMAND_GROUP
from streams.cutover import TRANSACTIONAL_ID as CUTOVER_ID
from streams.definitions_log import TRANSACTIONAL_ID as DEFINITIONS_ID
from streams.partials import PARTIALS_TOPIC
from streams.roles import Role
from streams.ticks import TICKS_TOPIC
from streams.topics import EVENT_TOPICS, INPUT_TOPICS, TOPICS, changelog_topics, fleet_changelog_topic

Resource = Literal["topic", "group", "transactional-id"]
Operation = Literal["Read", "Write", "Describe"]

_DELIVERY_OWN: Final = ("cs.deliveries", "cs.delivery-failures")
_DEFINITIONS: Final = "cs.definitions"
_FLEET_FIGURES: Final = "cs.fleet-snapshots"


class Right(Struct, frozen=True, order=True):
    """What may be done to a resource; `prefixed`: to all whose names begin so."""

    resource: Resource
    name: str
    operation: Operation
    prefixed: bool = False


# Whoever reads without a group still names one, and the client asks who coordinates it.
_DEFINITIONS_GROUP: Final = Right("group", DEFINITIONS_ID, "Describe")


def rights(role: Role, app_id: str) -> list[Right]:
    """All that a role needs."""
    match role:
        case Role.WORKER:
            return _worker(app_id)
        case Role.PRODUCER:
            return _on(EVENT_TOPICS, "Write")
        case Role.PUBLISH:
            return [Right("group", COMMAND_GROUP, "Describe"), *_on(EVENT_TOPICS, "Write"), *_on([TICKS_TOPIC], "Read")]
        case Role.DEFINITIONS:
            return [
                _DEFINITIONS_GROUP,
                Right("transactional-id", DEFINITIONS_ID, "Write"),
                *_on([_DEFINITIONS], "Read", "Write"),
            ]
        case Role.CUTOVER:
            return [
                Right("group", app_id, "Describe"),
                Right("transactional-id", CUTOVER_ID, "Write"),
                *_on(EVENT_TOPICS, "Describe"),
                *_on([TICKS_TOPIC], "Write"),
            ]
        case Role.REDIS_SINK:
            return _redis_sink(app_id)
        case Role.DELIVERY_SINK:
            return _delivery_sink(app_id)


def _worker(app_id: str) -> list[Right]:
    changelogs = [*changelog_topics(app_id), fleet_changelog_topic(app_id)]
    outputs = [name for name, spec in TOPICS.items() if spec.direction == "output" and name not in _DELIVERY_OWN]
    return [
        Right("group", app_id, "Read"),
        _DEFINITIONS_GROUP,
        Right("transactional-id", f"{app_id}-", "Write", prefixed=True),
        *_on([*INPUT_TOPICS, PARTIALS_TOPIC, _FLEET_FIGURES, _DEFINITIONS, *changelogs], "Read"),
        *_on([TICKS_TOPIC, PARTIALS_TOPIC, *outputs, *changelogs], "Write"),
        *_on(_DELIVERY_OWN, "Describe"),  # it looks whether every topic is there
    ]


def _redis_sink(app_id: str) -> list[Right]:
    return [Right("group", f"{app_id}-sink-redis", "Read"), *_on(READ_MODEL_TOPICS, "Read")]


def _delivery_sink(app_id: str) -> list[Right]:
    return [
        Right("group", f"{app_id}-sink-delivery", "Read", prefixed=True),
        _DEFINITIONS_GROUP,
        *_on([*NOTICE_TOPICS, _DEFINITIONS, "cs.deliveries"], "Read"),
        *_on(_DELIVERY_OWN, "Write"),
    ]


def _on(topics: Iterable[str], *operations: Operation) -> list[Right]:
    return [Right("topic", topic, operation) for topic in topics for operation in operations]
