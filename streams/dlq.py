"""Dead letters: found by what they say, and made into records again, each to its own topic, keyed and placed right.

A replayed record carries the id of its dead letter in the header `cspulse-replay`. The header excuses the record's lateness, and
the customer remembers the letters whose events were accepted, so that replaying one twice changes nothing.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import confluent_kafka as ck
from msgspec import Struct

from schemas.codec import Codec
from schemas.events import CustomerEvent
from schemas.jsonlines import Headers, Line
from schemas.outcome import Malformed
from schemas.records import DeadLetter
from schemas.times import format_time
from streams.dead_letters import DEAD_LETTERS_TOPIC
from streams.placing import REPLAY_HEADER
from streams.publish import Ready, Refusal, prepare
from streams.security import KafkaConfig
from streams.tailing import follow
from streams.ticks import TICKS_TOPIC
from streams.topics import ALLOWED_SKEW_MS


class Wanted(Struct, frozen=True, kw_only=True):
    """Which dead letters are asked for; an empty field leaves all in. Times are those of the records that failed."""

    ids: frozenset[str] = frozenset()
    reasons: frozenset[str] = frozenset()
    topics: frozenset[str] = frozenset()
    customer_id: str | None = None
    since_ms: int | None = None
    until_ms: int | None = None

    def matches(self, letter: DeadLetter) -> bool:
        """Whether a letter is among them."""
        return (
            (not self.ids or letter.record_id in self.ids)
            and (not self.reasons or letter.reason in self.reasons)
            and (not self.topics or letter.topic in self.topics)
            and (self.customer_id is None or letter.customer_id == self.customer_id)
            and (self.since_ms is None or letter.timestamp_ms >= self.since_ms)
            and (self.until_ms is None or letter.timestamp_ms < self.until_ms)
        )


def read_letters(
    config: KafkaConfig, partitions: int, codec: Codec, wanted: Wanted, check: Callable[[], None]
) -> Iterator[DeadLetter]:
    """The wanted letters that are there now, those of one partition in their order.

    A rebuild under a new application id makes a second letter of the same record: of these only the first counts, because by its
    id a replay is known again. `check` is called between two looks at the brokers; what it raises ends the reading. Raises
    KafkaException.
    """
    seen: set[tuple[str, int, int]] = set()
    messages = follow(config, DEAD_LETTERS_TOPIC, range(partitions), from_beginning=True, until_end=True, check=check)
    for message in messages:
        letter = _letter_of(message, codec)
        if letter is None:
            continue
        place = letter.topic, letter.partition, letter.offset
        if place not in seen:
            seen.add(place)
            if wanted.matches(letter):
                yield letter


def _letter_of(message: ck.Message, codec: Codec) -> DeadLetter | None:
    record = codec.decode(DEAD_LETTERS_TOPIC, message.value())
    return record if isinstance(record, DeadLetter) else None


def revive(letter: DeadLetter, codec: Codec, partitions: int, now_ms: int, mended: Line | None = None) -> Ready | Refusal:
    """The record that replays a letter as of now, or why it cannot be; `mended` takes the place of what the letter holds.

    Raises `RegistryUnreachable`.
    """
    if letter.topic == TICKS_TOPIC:
        return _refusal(letter, "tick", "a tick tells the time of when it was written, and is worth nothing now")
    event = _event_of(letter, codec) if mended is None else _mended_event(letter, mended)
    if isinstance(event, Refusal):
        return event
    if event.occurred_at > now_ms + ALLOWED_SKEW_MS:
        at = format_time(event.occurred_at)
        return _refusal(letter, "future", f"occurred {at}, which is still to come: it can be replayed then")
    headers: Headers = [(header.name, header.value) for header in letter.headers if header.name != REPLAY_HEADER]
    line = Line(
        topic=letter.topic,
        value=event,
        timestamp_ms=now_ms,
        key=event.customer_id.encode("utf-8", "surrogatepass"),
        headers=[*headers, (REPLAY_HEADER, letter.record_id.encode())],
    )
    return prepare(line, codec, partitions, now_ms)


def _event_of(letter: DeadLetter, codec: Codec) -> CustomerEvent | Refusal:
    if letter.truncated:
        kept = f"only the beginning of its {letter.original_bytes} bytes was kept; give it whole with --mended"
        return _refusal(letter, "truncated", kept)
    event = codec.decode(letter.topic, letter.original)
    if isinstance(event, Malformed):
        return _refusal(letter, event.reason.value, f"{event.message}; mend it and give it with --mended")
    assert isinstance(event, CustomerEvent), "ticks were turned down before"
    return event


def _mended_event(letter: DeadLetter, mended: Line) -> CustomerEvent | Refusal:
    if mended.topic != letter.topic or not isinstance(mended.value, CustomerEvent):
        return _refusal(
            letter, "wrong_topic", f"what was mended is a record of {mended.topic}, and must be one of {letter.topic}"
        )
    return mended.value


def _refusal(letter: DeadLetter, reason: str, why: str) -> Refusal:
    return Refusal(reason=reason, message=f"{place_of(letter)}: {why}")


def place_of(letter: DeadLetter) -> str:
    """Where the record that failed lies."""
    return f"{letter.topic}[{letter.partition}]@{letter.offset}"


def shown(letter: DeadLetter) -> Mapping[str, Any]:
    """The letter's fields as JSON has them; bytes are text where they are UTF-8, else {"hex": ...}."""
    fields = {name: _plain(getattr(letter, name)) for name in DeadLetter.__struct_fields__}
    fields["headers"] = [[header.name, _plain(header.value)] for header in letter.headers]
    return fields


def _plain(value: Any) -> Any:
    if not isinstance(value, bytes):
        return value
    try:
        return value.decode()
    except UnicodeDecodeError:
        return {"hex": value.hex()}
