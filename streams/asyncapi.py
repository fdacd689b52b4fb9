"""The topics as an AsyncAPI 3 document: from the same place as `topics apply`, and with the schemas that are in force.

Seen from cspulse, as the specification asks: it receives its inputs and sends its outputs.
"""

import json
from typing import Any, Final

from schemas.contracts import contract
from streams.topics import TOPICS, Direction, TopicSpec, specs

AVRO_FORMAT: Final = "application/vnd.apache.avro+json;version=1.9.0"
BINDING_VERSION: Final = "0.5.0"
_APP_ID: Final = "cspulse"
_PARTITIONS: Final = 4
_ACTIONS: Final[dict[Direction, tuple[str, ...]]] = {"input": ("receive",), "output": ("send",), "internal": ("send", "receive")}

_DESCRIPTION: Final = """\
Live, explained customer health and churn alerts from tickets, usage and survey answers.

Records are Avro with single-object encoding; with a schema registry they have Confluent's framing, and JSON is read as well. The
newest version of each schema is shown; all versions are read, and are FULL_TRANSITIVE compatible. Producers use the murmur2
partitioner; consumers of what is sent read with isolation.level=read_committed. Topics that carry a customer have as many
partitions as the inputs ({partitions} unless set otherwise). An application's changelogs are not shown."""


def asyncapi() -> dict[str, Any]:
    """The document. It depends on the code alone."""
    partitions = {spec.name: spec.partitions for spec in specs(_APP_ID, _PARTITIONS)}
    topics = TOPICS.values()
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "cspulse",
            "version": "1.0.0",
            "description": _DESCRIPTION.format(partitions=_PARTITIONS),
            "license": {"name": "MIT"},
        },
        "defaultContentType": "avro/binary",
        "servers": {"kafka": {"host": "127.0.0.1:9092", "protocol": "kafka", "description": "Apache Kafka 4"}},
        "channels": {spec.name: _channel(spec, partitions[spec.name]) for spec in topics},
        "operations": {
            f"{action} {spec.name}": _operation(spec, action) for spec in topics for action in _ACTIONS[spec.direction]
        },
        "components": {"messages": {_message_name(spec): _message(spec) for spec in topics}},
    }


def as_json(document: dict[str, Any]) -> str:
    """The document as it is checked in."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _message_name(spec: TopicSpec) -> str:
    return str(contract(spec.name).newest.published["name"])


def _channel(spec: TopicSpec, partitions: int) -> dict[str, Any]:
    name = _message_name(spec)
    settings: dict[str, Any] = {key: int(value) if value.lstrip("-").isdigit() else value for key, value in spec.config().items()}
    settings["cleanup.policy"] = [spec.cleanup]
    return {
        "address": spec.name,
        "description": _sentence(spec.purpose),
        "messages": {name: {"$ref": f"#/components/messages/{name}"}},
        "bindings": {
            "kafka": {
                "topic": spec.name,
                "partitions": partitions,
                "topicConfiguration": settings,
                "bindingVersion": BINDING_VERSION,
            }
        },
    }


def _operation(spec: TopicSpec, action: str) -> dict[str, Any]:
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{spec.name}"},
        "summary": _sentence(spec.purpose),
        "messages": [{"$ref": f"#/channels/{spec.name}/messages/{_message_name(spec)}"}],
        "tags": [{"name": spec.direction}],
    }


def _message(spec: TopicSpec) -> dict[str, Any]:
    found = contract(spec.name)
    schema = found.newest.published
    return {
        "name": _message_name(spec),
        "summary": schema.get("doc", _sentence(spec.purpose)),
        "description": f"Version {len(found.versions)} of the schema. The key is the {spec.key.replace('_', ' ')}, as UTF-8.",
        "payload": {"schemaFormat": AVRO_FORMAT, "schema": schema},
        "bindings": {"kafka": {"key": {"type": "string", "description": spec.key}, "bindingVersion": BINDING_VERSION}},
    }


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."
