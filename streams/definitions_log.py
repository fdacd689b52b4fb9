"""The versions of the definitions in the log: reading them all, and putting a new one behind them.

A version is written in a transaction under one fixed transactional id. Who starts to apply locks out whoever started before and
has not finished, and reads the log only then: two people who apply at once cannot both write the same number.
"""

import hashlib
from collections.abc import Mapping
from typing import Any, Final

import confluent_kafka as ck
from msgspec import Struct

from processors.definitions import Definitions, parse
from schemas.codec import Codec
from schemas.outcome import Malformed
from schemas.records import DefinitionsVersion
from streams.catalogue import default_text
from streams.restore import read_to_end
from streams.topics import MAX_RECORD_BYTES

TOPIC: Final = "cs.definitions"
TRANSACTIONAL_ID: Final = "cspulse-definitions"
TIMEOUT_S: Final = 30.0
_S_IN_MS: Final = 1_000


class DefinitionsLogError(Exception):
    """The log of definitions could not be read or written; the text says why."""


class Applied(Struct, frozen=True):
    """What applying came to: the version in force, and whether it was written now (else the newest was the same file already)."""

    version: DefinitionsVersion
    written: bool


def sha256_of(text: str) -> str:
    """The hash by which two files are the same, in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def read_versions(config: Mapping[str, Any], codec: Codec | None = None) -> list[DefinitionsVersion]:
    """All versions in the log, by their numbers.

    `config` is the client's settings. Raises `RestoreFailed` when the topic cannot be read, `DefinitionsLogError` when
    something else than a version lies in it.
    """
    found: dict[bytes, bytes] = {}

    def take(records: list[tuple[bytes, bytes | None]]) -> None:
        for key, value in records:
            if value is None:
                found.pop(key, None)
            else:
                found[key] = value

    read_to_end({**config, "group.id": TRANSACTIONAL_ID}, TOPIC, 0, 0, take, lambda _done, _of: None)
    reader = codec or Codec()
    versions = [_version(reader, key, value) for key, value in found.items()]
    return sorted(versions, key=lambda version: version.version)


def newest_definitions(config: Mapping[str, Any], codec: Codec) -> tuple[int, Definitions]:
    """The number of the newest version and what it says; 0 and what comes with cspulse as long as none was applied.

    Raises RestoreFailed, DefinitionsLogError as `read_versions`, and DefinitionsError for a version of a newer cspulse.
    """
    versions = read_versions(config, codec)
    return (versions[-1].version, parse(versions[-1].text)) if versions else (0, parse(default_text()))


def _version(codec: Codec, key: bytes, value: bytes) -> DefinitionsVersion:
    version = codec.decode(TOPIC, value)
    if isinstance(version, Malformed):
        raise DefinitionsLogError(f"the record with key {key!r} on {TOPIC} is no version: {version.message}")
    assert isinstance(version, DefinitionsVersion), "the codec gives each topic its own record"
    return version


def apply(config: Mapping[str, Any], codec: Codec, text: str, author: str, now_ms: int) -> Applied:
    """Check a definitions file and write it as the next version, unless the newest version is the same file.

    Raises:
        DefinitionsError: with every mistake in the file; nothing was written.
        RestoreFailed: the versions could not be read.
        DefinitionsLogError: somebody else applied at the same time, or the brokers refused; nothing was written.
    """
    parse(text)
    producer = ck.Producer(
        {
            **config,
            "acks": "all",
            "transactional.id": TRANSACTIONAL_ID,
            "transaction.timeout.ms": int(TIMEOUT_S * _S_IN_MS),
            "message.max.bytes": MAX_RECORD_BYTES,
        }
    )
    try:
        producer.init_transactions(TIMEOUT_S)
        versions = read_versions(config, codec)
        newest = versions[-1] if versions else None
        if newest is not None and newest.sha256 == sha256_of(text):
            return Applied(newest, written=False)
        version = DefinitionsVersion(
            version=1 if newest is None else newest.version + 1,
            applied_at=now_ms,
            author=author,
            sha256=sha256_of(text),
            text=text,
        )
        producer.begin_transaction()
        producer.produce(TOPIC, codec.encode(TOPIC, version), str(version.version).encode(), partition=0, timestamp=now_ms)
        producer.commit_transaction(TIMEOUT_S)
    except ck.KafkaException as error:
        raise DefinitionsLogError(_refusal(error.args[0])) from error
    return Applied(version, written=True)


def _refusal(error: ck.KafkaError) -> str:
    fenced = (ck.KafkaError._FENCED, ck.KafkaError.PRODUCER_FENCED, ck.KafkaError.INVALID_PRODUCER_EPOCH)
    if error.code() in fenced:
        return (
            "somebody else applied definitions at the same time and was first; look at `cspulse definitions show` and apply again"
        )
    return f"the definitions could not be written: {error.str()}"
