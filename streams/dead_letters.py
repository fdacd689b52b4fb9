"""Records that cannot be processed, kept with their reason so that they can be mended and replayed."""

from collections import deque
from hashlib import sha256

from processors.effects import record_id
from schemas.outcome import Malformed, Reason
from schemas.records import DeadLetter, Header
from streams.records import Headers, InputRecord

DEAD_LETTERS_TOPIC = "cs.dead-letters"
ORIGINAL_MAX_BYTES = 64 * 1024
HEADERS_MAX = 32
HEADER_MAX_BYTES = 1024
_UNREADABLE = (Reason.UNDECODABLE, Reason.UNKNOWN_SCHEMA)


class TooManyFailures(Exception):
    """More of the recent records failed in the fold than the limit allows: the fault is ours, not the records'."""


class NothingReadable(Exception):
    """Not one record of several topics could be read for long: the fault is more likely here than with all producers."""


def dead_letter(
    record: InputRecord, malformed: Malformed, as_of: int, emitted_at: int | None, config_version: int, incarnation: str
) -> DeadLetter:
    """The dead letter of a record; its id is the place of the record in the log."""
    value = record.value
    return DeadLetter(
        record_id=record_id(incarnation, record.topic, f"dead-letter-{record.partition}", record.offset),
        customer_id=_customer_id(record.key),
        as_of=as_of,
        emitted_at=emitted_at,
        config_version=config_version,
        reason=malformed.reason.value,
        message=malformed.message,
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        timestamp_ms=record.timestamp_ms,
        key=None if record.key is None else record.key[:HEADER_MAX_BYTES],
        headers=_headers(record.headers),
        original=None if value is None else value[:ORIGINAL_MAX_BYTES],
        original_bytes=0 if value is None else len(value),
        truncated=value is not None and len(value) > ORIGINAL_MAX_BYTES,
        sha256="" if value is None else sha256(value).hexdigest(),
    )


def _customer_id(key: bytes | None) -> str | None:
    if key is None or len(key) > HEADER_MAX_BYTES:
        return None
    try:
        return key.decode()
    except UnicodeDecodeError:
        return None


def _headers(headers: Headers | None) -> list[Header]:
    if not headers:
        return []
    return [
        Header(name=name[:HEADER_MAX_BYTES], value=None if value is None else value[:HEADER_MAX_BYTES])
        for name, value in headers[:HEADERS_MAX]
    ]


class FailureLimit:
    """Watches the share of recent records on which the fold raised.

    One poisonous record is a dead letter; a fold that fails on everything would dead-letter the world, so the worker stops.
    """

    def __init__(self, share_max: float, window_records: int) -> None:
        self._failures_max = share_max * window_records
        self._window: deque[int] = deque()
        self.window_records = window_records
        self._seen = 0

    def passed(self) -> None:
        """One more record went through, whatever became of it."""
        self._seen += 1
        if self._window and self._window[0] <= self._seen - self.window_records:
            self._window.popleft()

    def failed(self, message: str) -> None:
        """The fold raised on the record that is being processed.

        Raises TooManyFailures beyond the limit.
        """
        self._window.append(self._seen)
        if len(self._window) > self._failures_max:
            raise TooManyFailures(
                f"{len(self._window)} of the last {self.window_records} records failed in the fold "
                f"(limit {self._failures_max:.0f}); the last one: {message}"
            )


class ReadLimit:
    """Watches for a worker that cannot read anything: the wrong registry, or another system's topics.

    One producer that goes wrong fills dead letters, which can be replayed, and holds up nobody. When not one of so many records
    in a row can be read, whatever topic they are of, the worker stops before it has dead-lettered the world.
    """

    def __init__(self, window_records: int) -> None:
        self._window_records = window_records
        self._unreadable = 0
        self._topics: set[str] = set()

    def read(self) -> None:
        """A record could be read, whatever became of it."""
        if self._unreadable:
            self._unreadable = 0
            self._topics.clear()

    def unreadable(self, topic: str, malformed: Malformed) -> None:
        """A record could not be read. Raises NothingReadable beyond the limit."""
        if malformed.reason not in _UNREADABLE:
            self.read()
            return
        self._unreadable += 1
        self._topics.add(topic)
        if self._unreadable >= self._window_records and len(self._topics) > 1:
            raise NothingReadable(
                f"none of the last {self._unreadable} records of {', '.join(sorted(self._topics))} could be read; the last one: "
                f"{malformed.message}. Are these the right brokers, and is it the right schema registry?"
            )
