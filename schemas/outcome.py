"""Why a record cannot be processed, as a value: bad input is expected, so nothing is raised for it."""

from enum import StrEnum

from msgspec import Struct

MAX_MESSAGE_CHARS = 500  # a message may quote the input, which may be long


class Reason(StrEnum):
    """The closed list of reasons. They are published on `cs.dead-letters`, so a name never changes its meaning."""

    UNDECODABLE = "undecodable"  # the bytes are not what any encoding allows
    UNKNOWN_TOPIC = "unknown_topic"  # a line names a topic that does not exist
    UNKNOWN_SCHEMA = "unknown_schema"  # no such schema, or one that cannot be read as ours
    TOO_LARGE = "too_large"  # longer than an input may be
    NULL_VALUE = "null_value"  # no value at all
    WRONG_TYPE = "wrong_type"  # a field of another type than the contract says
    MISSING_FIELD = "missing_field"  # a field that this kind needs
    UNKNOWN_ENUM = "unknown_enum"  # a word that is not on the field's list
    OUT_OF_RANGE = "out_of_range"  # a number or a text outside its bounds
    BAD_SCORE = "bad_score"  # a score off its scale, or a scale that the survey does not have
    BAD_TIME = "bad_time"  # a time that is none, or outside 1970 to 2200
    KEY_MISMATCH = "key_mismatch"  # the record's key is not its customer
    MISROUTED = "misrouted"  # on another partition than its key says
    LATE = "late"  # happened longer before its record's timestamp than the grace
    FUTURE = "future"  # happened further after its record's timestamp than the allowed skew
    UNKNOWN_DEFINITIONS = "unknown_definitions"  # a tick names a version of the definitions that is not in the log
    UNVERIFIABLE = "unverifiable"  # cannot be told from a duplicate any more
    FAILED = "failed"  # our own computation failed on it


class Malformed(Struct, frozen=True):
    """A record that cannot be processed: `reason` is for programs, `message` tells a person what is wrong and what is right."""

    reason: Reason
    message: str


def malformed(reason: Reason, message: str) -> Malformed:
    """A failure whose message is cut to its bound."""
    if len(message) > MAX_MESSAGE_CHARS:
        message = message[: MAX_MESSAGE_CHARS - 1] + "…"
    return Malformed(reason, message)
