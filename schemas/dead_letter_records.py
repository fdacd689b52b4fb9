"""The record of what could not be processed."""

from msgspec import Struct


class Header(Struct, frozen=True, kw_only=True, gc=False):
    """A header of a record that could not be processed; the value is cut to a bound."""

    name: str
    value: bytes | None


class DeadLetter(Struct, frozen=True, kw_only=True):
    """A record that could not be processed, with the reason and the original, so that it can be mended and replayed.

    `original` holds up to 64 kB of the value; `original_bytes` and `sha256` are those of the whole.
    """

    record_id: str
    customer_id: str | None
    as_of: int
    emitted_at: int | None
    config_version: int
    reason: str
    message: str
    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    headers: list[Header]
    original: bytes | None
    original_bytes: int
    truncated: bool
    sha256: str
