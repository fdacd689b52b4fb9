"""What the read model must hold, by a plain loop over the topics. Knows no sink, no codec and no key of the product."""

import json
from importlib.resources import files
from io import BytesIO
from typing import Any, Final

import confluent_kafka as ck
import fastavro

MARK_BYTES: Final = 10
QUIET: Final = ("lead", "trial", "cancelled", "lapsed")
CUSTOMERS: Final = "cs.customer-snapshots"
LIMIT_S: Final = 60.0

Message = tuple[int, int, str, dict[str, Any] | None]
"""The time it speaks of, its offset, its key, and what it says; None for a tombstone."""


def messages(bootstrap: str, topic: str) -> list[list[Message]]:
    """What is committed on each partition of a topic, as plain dictionaries."""
    published = json.loads((files("schemas") / "avsc" / topic / "v1.avsc").read_text())
    schema = fastavro.parse_schema(_with_plain_times(published), _write_hint=False)
    consumer = ck.Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "oracle",
            "isolation.level": "read_committed",
            "enable.partition.eof": True,
            "enable.auto.commit": False,
        }
    )
    count = len(consumer.list_topics(topic, LIMIT_S).topics[topic].partitions)
    found: list[list[Message]] = [[] for _ in range(count)]
    consumer.assign([ck.TopicPartition(topic, partition, ck.OFFSET_BEGINNING) for partition in range(count)])
    reading = count
    while reading:
        for message in consumer.consume(2000, 1.0):
            error = message.error()
            if error is not None:
                assert error.code() == ck.KafkaError._PARTITION_EOF, error
                reading -= 1
                continue
            found[message.partition() or 0].append(_message(message, schema))
    consumer.close()
    return found


def _message(message: ck.Message, schema: Any) -> Message:
    value, offset, key = message.value(), message.offset() or 0, (message.key() or b"").decode()
    if value is None:
        return message.timestamp()[1], offset, key, None
    said: Any = fastavro.schemaless_reader(BytesIO(value[MARK_BYTES:]), schema, None)
    return said["as_of"], offset, key, said


def _with_plain_times(schema: Any) -> Any:
    """The schema that reads times as the epoch milliseconds that they are in the bytes."""
    if isinstance(schema, dict):
        return {name: _with_plain_times(one) for name, one in schema.items() if name != "logicalType"}
    return [_with_plain_times(one) for one in schema] if isinstance(schema, list) else schema


def customers(log: list[list[Message]]) -> tuple[dict[str, dict[str, Any]], dict[str, int]]:
    """The newest snapshot of each customer, and when each that ever was erased was so last.

    News is later in what it speaks of, or in the log when that is the same. Who was erased is not there until there is news.
    """
    newest: dict[str, tuple[int, int, dict[str, Any] | None]] = {}
    erased: dict[str, int] = {}
    for partition in log:
        for at, offset, key, said in partition:
            if key in newest and (at, offset) < newest[key][:2]:
                continue
            newest[key] = (at, offset, said)
            if said is None:
                erased[key] = at
    return {key: said for key, (_, _, said) in newest.items() if said is not None}, erased


def at_risk(customer: dict[str, Any]) -> bool:
    """Whether a customer is about to leave, or may be."""
    bands = [one["band"] for one in customer["health"] if one["purpose"] == "risk"]
    loud = [one for one in customer["open_alerts"] if not one["muted"]]
    return customer["stage"] not in QUIET and (bool(loud) or bands[:1] in (["red"], ["yellow"]))


def by_risk(found: dict[str, dict[str, Any]]) -> list[str]:
    """Customers at risk, the lowest score first; of the same score by name, backwards."""
    return _ranked({key: _score(one) for key, one in found.items() if at_risk(one)})


def by_revenue(found: dict[str, dict[str, Any]], currency: str) -> list[str]:
    """Those that pay in a currency, the highest revenue first."""
    paying = {key: one for key, one in found.items() if at_risk(one) and one["currency"] == currency}
    return _ranked({key: float(one["mrr_cents"]) for key, one in paying.items() if one["mrr_cents"] is not None})


def _score(customer: dict[str, Any]) -> float:
    scores = [one["score"] for one in customer["health"] if one["purpose"] == "risk"]
    return 0.0 if not scores or scores[0] is None else 100.0 - scores[0]


def _ranked(values: dict[str, float]) -> list[str]:
    return sorted(values, key=lambda key: (values[key], key.encode()), reverse=True)


def newest_by_key(log: list[list[Message]], *names: str) -> dict[tuple[Any, ...], dict[str, Any]]:
    """The newest record for each combination of fields."""
    newest: dict[tuple[Any, ...], tuple[int, int, dict[str, Any]]] = {}
    for partition in log:
        for at, offset, _, said in partition:
            assert said is not None
            key = tuple(said[name] for name in names)
            if key not in newest or (at, offset) > newest[key][:2]:
                newest[key] = (at, offset, said)
    return {key: said for key, (_, _, said) in newest.items()}
