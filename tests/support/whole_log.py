"""The whole log of an application, as the independent checker takes it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final

from streams.catalogue import default_text
from tests.support.cluster import Cluster
from tests.support.log_checker import check_judged
from tests.support.oracle.acceptance import Judged, judged, merged
from tests.support.publishing import EVENT_TOPICS, TICKS_TOPIC
from tests.support.topic_log import Logged, decode, each_record

SHOWN_MAX: Final = 40
PARTIALS: Final = "cs.fleet-partials"

OUTPUT_TOPICS: Final = (
    "cs.health-changes",
    "cs.churn-alerts",
    "cs.loyalty-changes",
    "cs.customer-snapshots",
    "cs.dead-letters",
    "cs.fleet-partials",
)


def assert_exact(cluster: Cluster) -> None:
    """Everything that lies on a cluster is right: outputs once, chains unbroken, figures those of the oracle."""
    found = violations(cluster)
    assert not found, "\n".join([f"{len(found)} violations:", *found[:SHOWN_MAX]])


def judgements_of(cluster: Cluster) -> dict[int, list[Judged]]:
    """What becomes of each record of the inputs, by partition, as the oracle judges it."""
    by_partition: defaultdict[int, list[dict[str, Any]]] = defaultdict(list)
    for record in inputs_of(cluster):
        by_partition[record["partition"]].append(record)
    return {partition: judged(merged(records)) for partition, records in sorted(by_partition.items())}


def violations(cluster: Cluster, judgements: Mapping[int, Sequence[Judged]] | None = None, partials_of: str = "") -> list[str]:
    """What the checker finds wrong with the outputs on a cluster, given the inputs on it; empty when all is well.

    Where several applications publish, `partials_of` is the one whose parts of the fleet's figures are looked at.
    """
    outputs = (_output(record) for topic in OUTPUT_TOPICS for record in each_record(cluster.bootstrap, topic))
    wanted = (one for one in outputs if one["topic"] != PARTIALS or one["key"].endswith(f"|{partials_of}" if partials_of else ""))
    return check_judged(judgements or judgements_of(cluster), wanted, default_text())


def inputs_of(cluster: Cluster) -> list[dict[str, Any]]:
    """Everything that lies in the inputs, as the oracle takes it."""
    return [_input(record) for topic in (*EVENT_TOPICS, TICKS_TOPIC) for record in each_record(cluster.bootstrap, topic)]


def _input(record: Logged) -> dict[str, Any]:
    value = None
    if record.value is not None:
        try:
            value = decode(record.topic, record.value)
        except Exception:  # noqa: BLE001 - whatever cannot be decoded is told to the checker as such
            value = None
    return {
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "timestamp_ms": record.timestamp_ms,
        "value": value,
        "headers": record.headers,
    }


def _output(record: Logged) -> dict[str, Any]:
    return {
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "key": None if record.key is None else record.key.decode(errors="replace"),
        "value": None if record.value is None else decode(record.topic, record.value),
    }


def folded_twice(cluster: Cluster) -> int:
    """How many events were dropped as duplicates, as the newest partials say."""
    counts: dict[bytes, int] = {}
    for record in each_record(cluster.bootstrap, "cs.fleet-partials"):
        key = record.key or b""
        if key.startswith(b"oddities_by_day|duplicate|"):
            counts[key] = 0 if record.value is None else record.fields()["counts"][0]
    return sum(counts.values())


def repeated(judgements: Mapping[int, Sequence[Judged]]) -> int:
    """How many events of the inputs are repetitions.

    Not only where a producer means it: one that sends again what a killed broker had already written may repeat it as well.
    """
    return sum(judgement.verdict == "duplicate" for mine in judgements.values() for judgement in mine)
