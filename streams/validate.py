"""What the pipeline would do with each line of a file of events."""

from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path
from typing import Literal

from msgspec import Struct

from processors.definitions import Definitions
from schemas.codec import MAX_INPUT_BYTES, Codec
from schemas.events import AccountEvent, CustomerEvent, SurveyEvent, Tick, TicketEvent, UsageEvent
from schemas.jsonlines import Line
from schemas.outcome import Malformed, Reason, malformed
from streams.placing import wrong_key, wrong_time
from streams.records import InputRecord
from streams.sources.jsonl import RawLine, raw_lines, read_line

Verdict = Literal["accepted", "dropped", "refused"]


class Finding(Struct, frozen=True, kw_only=True):
    """What would become of a line.

    `accepted`: it is taken. `dropped`: it is taken for a repetition and changes nothing. `refused`: it becomes a dead letter with
    this `reason`. `notes` say what of an accepted line would be lost or kept under another name.
    """

    line_number: int
    verdict: Verdict
    reason: Reason | None = None
    message: str = ""
    notes: tuple[str, ...] = ()


def validate(path: Path, definitions: Definitions) -> Iterator[Finding]:
    """One finding for each line that is not blank, in the order of the file. Raises `SourceUnreadableError`.

    Memory grows with the number of distinct events (some 100 bytes each), to recognise repetitions.
    """
    inspector = _Inspector(definitions)
    for raw in raw_lines(path):
        yield inspector.inspect(raw)


class _Inspector:
    """Remembers what earlier lines have shown: ids, and the features of each customer."""

    def __init__(self, definitions: Definitions) -> None:
        self._definitions = definitions
        self._codec = Codec()
        self._first_line: dict[bytes, int] = {}
        self._features: dict[str, set[str]] = {}

    def inspect(self, raw: RawLine) -> Finding:
        line = read_line(raw)
        if isinstance(line, Malformed):
            return _refused(raw, line)
        if isinstance(line.value, Tick):
            return Finding(line_number=raw.number, verdict="accepted", notes=tuple(_ignored_fields(line)))
        if not isinstance(line.value, TicketEvent | UsageEvent | SurveyEvent | AccountEvent):
            return _refused(raw, malformed(Reason.UNKNOWN_TOPIC, f"{line.topic} is an output of the pipeline, not an input"))
        wrong = _misplaced(line, line.value) or self._oversized(raw, line)
        if wrong is not None:
            return _refused(raw, wrong)
        first = self._first_line.setdefault(_identity(line.value), raw.number)
        if first != raw.number:
            message = f"the event id {line.value.event_id!r} stands on line {first} already; it counts once"
            return Finding(line_number=raw.number, verdict="dropped", message=message)
        notes = (*_ignored_fields(line), *self._renamed(line.value))
        return Finding(line_number=raw.number, verdict="accepted", notes=notes)

    def _oversized(self, raw: RawLine, line: Line) -> Malformed | None:
        # Avro is shorter than JSON, which names every field: only long lines need to be measured.
        if raw.content is None or len(raw.content) <= MAX_INPUT_BYTES:
            return None
        size_bytes = len(self._codec.encode(line.topic, line.value))
        if size_bytes <= MAX_INPUT_BYTES:
            return None
        return malformed(Reason.TOO_LARGE, f"the record has {size_bytes} bytes; at most {MAX_INPUT_BYTES} are read")

    def _renamed(self, event: CustomerEvent) -> Iterator[str]:
        touchpoint = getattr(event, "touchpoint", None)
        if touchpoint is not None and touchpoint not in self._definitions.touchpoints:
            yield f"touchpoint {touchpoint!r} is not in the definitions: counted under 'other'"
        if isinstance(event, UsageEvent):
            if event.goal is not None and event.goal not in self._definitions.goals:
                yield f"goal {event.goal!r} is not in the definitions: counted under 'other'"
            if event.feature is not None and not self._has_room_for(event.customer_id, event.feature):
                most = self._definitions.max_features
                yield f"feature {event.feature!r} is beyond the {most} of a customer: counted under 'other'"

    def _has_room_for(self, customer_id: str, feature: str) -> bool:
        features = self._features.setdefault(customer_id, set())
        if len(features) < self._definitions.max_features:
            features.add(feature)
        return feature in features


def _misplaced(line: Line, event: CustomerEvent) -> Malformed | None:
    """What is wrong with the record around the event: its key, its time."""
    record = InputRecord(line.topic, line.partition or 0, line.offset or 0, line.timestamp_ms, line.key, b"", line.headers)
    return wrong_key(record, event) or wrong_time(record, event)


def _identity(event: CustomerEvent) -> bytes:
    """What makes two events the same: family, customer and event id."""
    text = f"{type(event).__name__}\0{event.customer_id}\0{event.event_id}"
    return blake2b(text.encode(), digest_size=12).digest()


def _ignored_fields(line: Line) -> Iterator[str]:
    for name in line.unknown:
        yield f"field {name!r} is not in the contract and is ignored"


def _refused(raw: RawLine, wrong: Malformed) -> Finding:
    return Finding(line_number=raw.number, verdict="refused", reason=wrong.reason, message=wrong.message)
