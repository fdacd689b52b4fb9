"""Asking brokers again while the client says that this is right: a leader that has just moved is no failure."""

import time
from collections.abc import Callable
from typing import TypeVar

import confluent_kafka as ck

T = TypeVar("T")

PAUSE_S = 0.1


def patiently(call: Callable[[float], T], timeout_s: float) -> T:
    """Call with the seconds that are left, again after every error that may pass, until there is an answer.

    Raises KafkaException: an error that will not pass by itself, or the last one when the time is over.
    """
    deadline = time.monotonic() + timeout_s
    while True:
        left_s = deadline - time.monotonic()
        try:
            return call(max(left_s, PAUSE_S))
        except ck.KafkaException as error:
            if not _may_pass(error.args[0]) or left_s <= 0:
                raise
        time.sleep(PAUSE_S)


def _may_pass(error: ck.KafkaError) -> bool:
    """The client marks as retriable only what it met in a transaction; these pass by themselves as well."""
    return error.retriable() or error.code() in (
        ck.KafkaError.NOT_LEADER_FOR_PARTITION,
        ck.KafkaError.LEADER_NOT_AVAILABLE,
        ck.KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
        ck.KafkaError.COORDINATOR_NOT_AVAILABLE,
        ck.KafkaError.NOT_COORDINATOR,
        ck.KafkaError.UNSTABLE_OFFSET_COMMIT,
        ck.KafkaError._TRANSPORT,
        ck.KafkaError._TIMED_OUT,
    )
