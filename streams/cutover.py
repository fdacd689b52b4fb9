"""Giving the word to another application id: the marker in the ticks of every partition, once it can be heeded in time.

See `streams.turns` for what the marker does.
"""

import time
from collections.abc import Callable
from typing import Final

import confluent_kafka as ck
from msgspec import Struct

from schemas.codec import Codec
from schemas.events import Tick
from streams.cluster import Cluster
from streams.groups import TIMEOUT_S, GroupUnreadable, Place, committed_offsets, ends_of, members_of
from streams.ticks import TICKS_TOPIC
from streams.topics import INPUT_TOPICS

TRANSACTIONAL_ID: Final = "cspulse-cutover"
LOOK_EVERY_S: Final = 0.5
MARKS_MAX: Final = 10
"""So many transaction marks may lie behind the last record of a partition: nobody reads them, so no offset passes them."""

HEEDED_SHARE: Final = 3
"""Everything that is in the log must be folded within this part of the time that is left until the marker counts."""

_S_IN_MS: Final = 1_000


class CannotCutOver(Exception):
    """The application cannot take the word now; nothing was written."""


class Marker(Struct, frozen=True):
    """What was written: who speaks, from when on (epoch ms), and the offset in each partition of the ticks."""

    app_id: str
    from_ms: int
    offsets: dict[int, int]


def others_of(cluster: Cluster, app_id: str) -> dict[str, int]:
    """The other applications on these inputs that this user may see, each with its number of running members.

    Raises CannotCutOver when the brokers do not say.
    """
    try:
        listed = cluster.admin.list_consumer_groups(request_timeout=TIMEOUT_S).result(TIMEOUT_S)
        names = [group.group_id for group in listed.valid if group.group_id != app_id]
        return {
            name: members_of(cluster, name)
            for name in sorted(names)
            if any(topic == TICKS_TOPIC for topic, _ in committed_offsets(cluster, name))
        }
    except (ck.KafkaException, GroupUnreadable, TimeoutError) as error:
        raise CannotCutOver(f"the applications that run could not be looked at: {error}") from error


def wait_until_caught_up(cluster: Cluster, app_id: str, lead_s: float, limit_s: float, check: Callable[[], None]) -> None:
    """Wait until an application folds what is in the log soon enough to heed a marker `lead_s` ahead.

    `check` is called again and again, and may raise. Raises CannotCutOver after `limit_s`.
    """
    deadline_s = time.monotonic() + limit_s
    while True:
        began_s = time.monotonic()
        wanted = _ends(cluster, app_id)
        behind = _behind(cluster, app_id, wanted)
        while behind and time.monotonic() < deadline_s:
            check()
            time.sleep(LOOK_EVERY_S)
            behind = _behind(cluster, app_id, wanted)
        if behind:
            raise CannotCutOver(f"{app_id} is {behind} records behind: try again when it has caught up, or wait longer")
        if time.monotonic() - began_s <= lead_s / HEEDED_SHARE:
            return


def behind_now(cluster: Cluster, app_id: str) -> int:
    """How many records an application is behind. Raises CannotCutOver when a topic is missing."""
    return _behind(cluster, app_id, _ends(cluster, app_id))


def has_members(cluster: Cluster, app_id: str) -> bool:
    """Whether any worker of an application runs. Raises CannotCutOver when the brokers do not say."""
    try:
        return members_of(cluster, app_id) > 0
    except GroupUnreadable as error:
        raise CannotCutOver(str(error)) from error


def write_marker(cluster: Cluster, codec: Codec, app_id: str, now_ms: int, lead_s: float) -> Marker:
    """Put the marker into all partitions, in one transaction. Raises KafkaException; then nothing was written."""
    partitions = cluster.partitions(TICKS_TOPIC)
    from_ms = now_ms + int(lead_s * _S_IN_MS)
    producer = ck.Producer({**cluster.config, "transactional.id": TRANSACTIONAL_ID, "acks": "all"})
    offsets: dict[int, int] = {}

    def note(error: ck.KafkaError | None, message: ck.Message) -> None:
        partition, offset = message.partition(), message.offset()
        if error is None and partition is not None and offset is not None:
            offsets[partition] = offset

    producer.init_transactions(TIMEOUT_S)
    producer.begin_transaction()
    for partition in range(partitions):
        tick = Tick(occurred_at=from_ms, partition=partition, config_version=0, active_app_id=app_id)
        value = codec.encode(TICKS_TOPIC, tick)
        producer.produce(TICKS_TOPIC, value, str(partition).encode(), partition, on_delivery=note, timestamp=now_ms)
    producer.commit_transaction(TIMEOUT_S)
    return Marker(app_id, from_ms, offsets)


def heeded(cluster: Cluster, marker: Marker) -> bool:
    """Whether the application has read the marker in every partition."""
    committed = committed_offsets(cluster, marker.app_id)
    return all(committed.get((TICKS_TOPIC, partition), 0) > offset for partition, offset in marker.offsets.items())


def _ends(cluster: Cluster, app_id: str) -> dict[Place, int]:
    """Where each partition of the inputs that holds anything ends now. Raises CannotCutOver when a topic is missing."""
    missing = [topic for topic in INPUT_TOPICS if not cluster.partitions(topic)]
    if missing:
        raise CannotCutOver(f"these topics of {app_id} do not exist: {', '.join(missing)}; `cspulse topics apply` creates them")
    return ends_of(cluster, [(topic, number) for topic in INPUT_TOPICS for number in range(cluster.partitions(topic))])


def _behind(cluster: Cluster, app_id: str, wanted: dict[Place, int]) -> int:
    """How many records are missing to there, transaction marks left out."""
    committed = committed_offsets(cluster, app_id)
    missing = {place: end - max(0, committed.get(place, 0)) for place, end in wanted.items()}
    return sum(number for number in missing.values() if number > MARKS_MAX)
