"""Whether an application id that starts for the first time would tell the world again what another one has told."""

from functools import partial
from typing import Final

import confluent_kafka as ck

from streams.patience import patiently
from streams.security import kafka_config
from streams.settings import Settings
from streams.topics import changelog_topics

_SNAPSHOTS: Final = "cs.customer-snapshots"
_ANSWER_LIMIT_S: Final = 30.0


class WouldTellAgain(Exception):
    """A new application id over topics in which another one has published, and nobody has said what is to become of it."""


def check_first_start(settings: Settings) -> None:
    """Look whether it must be said if the application begins in shadow.

    Raises WouldTellAgain, and KafkaException when the brokers do not answer.
    """
    if settings.shadow is not None:
        return
    consumer = ck.Consumer({**kafka_config(settings), "group.id": settings.app_id, "log_level": 0})
    try:
        _, totals = changelog_topics(settings.app_id)
        if _holds_records(consumer, totals, settings.partitions) or not _holds_records(consumer, _SNAPSHOTS, settings.partitions):
            return
    finally:
        consumer.close()
    raise WouldTellAgain(
        f"{settings.app_id} is a new application id, and another one has published already: every alert of the past would go out "
        "again. Say CSPULSE_SHADOW=true to rebuild in silence (then `cspulse cutover`), or false if it shall publish all the same"
    )


def _holds_records(consumer: ck.Consumer, topic: str, partitions: int) -> bool:
    """Whether anything was ever written to a topic."""
    for partition in range(partitions):
        place = ck.TopicPartition(topic, partition)
        _, high = patiently(partial(consumer.get_watermark_offsets, place), _ANSWER_LIMIT_S)
        if high > 0:
            return True
    return False
