"""What becomes of a dead letter that is to be replayed."""

import msgspec
import pytest

from schemas.codec import Codec
from schemas.dead_letter_records import Header
from schemas.events import Tick, UsageEvent
from schemas.jsonlines import Line
from schemas.outcome import Malformed, Reason
from schemas.records import DeadLetter
from streams.dead_letters import dead_letter
from streams.dlq import Wanted, revive
from streams.placing import REPLAY_HEADER
from streams.publish import Ready, Refusal
from streams.records import InputRecord
from streams.topics import partition_of
from tests.support.happenings import NOON

PARTITIONS = 4
CODEC = Codec()


def letter_of(value: bytes | None, topic: str = "cs.usage", key: bytes | None = b"somebody else") -> DeadLetter:
    record = InputRecord(topic, 3, 17, NOON, key, value, [("trace", b"1"), (REPLAY_HEADER, b"an older letter")])
    return dead_letter(record, Malformed(Reason.KEY_MISMATCH, "wrong"), NOON, NOON, 1, "test")


def used(at_ms: int = NOON) -> UsageEvent:
    return UsageEvent(event_id="e", customer_id="käthe", occurred_at=at_ms, kind="feature_used", feature="search")


def refusal_of(letter: DeadLetter, mended: Line | None = None) -> str:
    found = revive(letter, CODEC, PARTITIONS, NOON, mended)
    assert isinstance(found, Refusal)
    return found.reason


def test_a_letter_goes_to_its_own_topic_keyed_and_placed_by_its_customer_as_of_now_under_its_own_id() -> None:
    letter = letter_of(CODEC.encode("cs.usage", used(NOON - 10**9)))
    ready = revive(letter, CODEC, PARTITIONS, NOON + 5)
    assert isinstance(ready, Ready)
    assert (ready.topic, ready.key, ready.timestamp_ms) == ("cs.usage", "käthe".encode(), NOON + 5)
    assert ready.partition == partition_of("käthe".encode(), PARTITIONS)
    assert CODEC.decode("cs.usage", ready.value) == used(NOON - 10**9)
    assert ready.headers == [("trace", b"1"), (REPLAY_HEADER, letter.record_id.encode())]


def test_what_cannot_be_read_is_replayed_only_mended() -> None:
    letter = letter_of(b"{")
    assert refusal_of(letter) == "undecodable"
    mended = revive(letter, CODEC, PARTITIONS, NOON, Line(topic="cs.usage", value=used(), timestamp_ms=NOON))
    assert isinstance(mended, Ready)
    assert CODEC.decode("cs.usage", mended.value) == used()


@pytest.mark.parametrize(
    ("letter", "reason"),
    [
        (letter_of(None), "null_value"),
        (letter_of(b"x" * 70_000), "truncated"),
        (letter_of(CODEC.encode("cs.usage", used(NOON + 86_400_000))), "future"),
        (letter_of(CODEC.encode("cs.ticks", Tick(occurred_at=NOON, partition=1, config_version=0)), "cs.ticks"), "tick"),
    ],
)
def test_what_cannot_be_replayed_says_why(letter: DeadLetter, reason: str) -> None:
    assert refusal_of(letter) == reason


def test_what_was_mended_must_be_a_record_of_the_same_topic() -> None:
    line = Line(topic="cs.usage", value=used(), timestamp_ms=NOON)
    assert refusal_of(letter_of(b"{", "cs.tickets"), line) == "wrong_topic"


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (Wanted(), True),
        (Wanted(reasons=frozenset({"late"})), False),
        (Wanted(reasons=frozenset({"late", "key_mismatch"})), True),
        (Wanted(topics=frozenset({"cs.tickets"})), False),
        (Wanted(customer_id="somebody else"), True),
        (Wanted(customer_id="käthe"), False),
        (Wanted(since_ms=NOON, until_ms=NOON + 1), True),
        (Wanted(since_ms=NOON + 1), False),
        (Wanted(until_ms=NOON), False),
        (Wanted(ids=frozenset({"another"})), False),
    ],
)
def test_letters_are_found_by_what_they_say(wanted: Wanted, found: bool) -> None:
    assert wanted.matches(letter_of(CODEC.encode("cs.usage", used()))) is found


def test_a_header_without_a_value_stays_one() -> None:
    letter = msgspec.structs.replace(letter_of(CODEC.encode("cs.usage", used())), headers=[Header(name="empty", value=None)])
    ready = revive(letter, CODEC, PARTITIONS, NOON)
    assert isinstance(ready, Ready)
    assert ready.headers[0] == ("empty", None)
