"""`publish` against the embedded broker: what lies in the topics afterwards."""

from collections import defaultdict
from collections.abc import Iterator

import msgspec
import pytest
from confluent_kafka import Consumer, Message, TopicPartition

from schemas.codec import Codec
from schemas.events import Tick, TicketEvent
from schemas.jsonlines import Headers, Line
from streams.embedded import EmbeddedBroker
from streams.publish import PublishError, publish
from streams.shift import shift_to_now
from streams.sources.bad_line import BadLine
from streams.sources.lines import line_of
from streams.sources.servicenow import read_servicenow
from streams.sources.simulator import Simulation, simulate
from streams.topics import INPUT_TOPICS, partition_of
from tests.support.servicenow_file import real_servicenow_log

pytestmark = pytest.mark.embedded

PARTITIONS = 3
NOW_MS = 1_767_225_600_000
WAIT_S = 20.0


@pytest.fixture
def broker() -> Iterator[EmbeddedBroker]:
    with EmbeddedBroker() as running:
        for topic in INPUT_TOPICS:
            running.create_topic(topic, PARTITIONS)
        yield running


class Read(msgspec.Struct):
    topic: str
    partition: int
    timestamp_ms: int
    key: bytes | None
    value: bytes
    headers: Headers


def _pairs(message: Message) -> Headers:
    headers = message.headers()
    assert not isinstance(headers, dict)
    return [(name, content.encode() if isinstance(content, str) else content) for name, content in headers or []]


def read_everything(broker: EmbeddedBroker) -> list[Read]:
    consumer = Consumer({"bootstrap.servers": broker.bootstrap_servers, "group.id": "test", "enable.partition.eof": False})
    places = [TopicPartition(topic, partition, 0) for topic in INPUT_TOPICS for partition in range(PARTITIONS)]
    ends = sum(consumer.get_watermark_offsets(place, timeout=WAIT_S)[1] for place in places)
    consumer.assign(places)
    records: list[Read] = []
    while len(records) < ends:
        message = consumer.poll(WAIT_S)
        assert message is not None, f"{len(records)} of {ends} records"
        assert message.error() is None
        value = message.value()
        assert value is not None
        headers = _pairs(message)
        records.append(
            Read(str(message.topic()), int(message.partition() or 0), message.timestamp()[1], message.key(), value, headers)
        )
    consumer.close()
    return records


def test_every_line_lies_on_its_customers_partition_in_order_and_at_its_time(broker: EmbeddedBroker) -> None:
    lines = list(simulate(Simulation(customers=40, days=60, seed=9, end_ms=NOW_MS)))
    progress: list[tuple[int, int | None, int]] = []
    report = publish(
        lines,
        connection={"bootstrap.servers": broker.bootstrap_servers},
        codec=Codec(),
        now_ms=NOW_MS,
        total=len(lines),
        on_progress=lambda count, total, sent_bytes: progress.append((count, total, sent_bytes)),
    )
    records = read_everything(broker)
    assert report.is_complete
    assert report.sent == len(lines) == len(records) == sum(report.by_topic.values())
    assert progress[-1] == (len(lines), len(lines), report.sent_bytes)
    expected, found = defaultdict(list), defaultdict(list)
    for line in lines:
        assert line.key is not None
        expected[line.topic, partition_of(line.key, PARTITIONS)].append((line.timestamp_ms, line.key, line.value))
    codec = Codec()
    for record in records:
        found[record.topic, record.partition].append((record.timestamp_ms, record.key, codec.decode(record.topic, record.value)))
    assert found == expected


@pytest.mark.parametrize("encoding", ["avro", "json"])
def test_headers_ticks_bad_lines_and_refusals(broker: EmbeddedBroker, encoding: str) -> None:
    codec = Codec(encoding="json" if encoding == "json" else "avro")
    ticket = TicketEvent(event_id="a", customer_id="c", occurred_at=NOW_MS, kind="opened", ticket_id="t")
    tick = Tick(occurred_at=NOW_MS, partition=2, config_version=1)
    bad = BadLine(line_number=2, message="not JSON")
    told: list[BadLine] = []
    report = publish(
        [
            msgspec.structs.replace(line_of(ticket), headers=[("source", b"desk"), ("empty", None)]),
            bad,
            Line(topic="cs.ticks", timestamp_ms=NOW_MS, value=tick),
            line_of(ticket, NOW_MS - 401 * 86_400_000),
            line_of(ticket, NOW_MS - 402 * 86_400_000),
        ],
        connection={"bootstrap.servers": broker.bootstrap_servers},
        codec=codec,
        now_ms=NOW_MS,
        on_bad_line=told.append,
    )
    assert told == [bad]
    assert (report.sent, report.bad_lines, report.failed, report.refused) == (2, 1, 0, {"older_than_retention": 2})
    assert "401 days old" in report.examples["older_than_retention"]
    assert not report.is_complete
    first, second = sorted(read_everything(broker), key=lambda record: record.topic != "cs.tickets")
    assert first.headers == [("source", b"desk"), ("empty", None)]
    assert codec.decode(first.topic, first.value) == ticket
    assert (second.topic, second.partition, codec.decode(second.topic, second.value)) == ("cs.ticks", 2, tick)


def test_the_servicenow_log_shifted_to_now_is_sent_whole(broker: EmbeddedBroker) -> None:
    path = real_servicenow_log()
    report = publish(
        shift_to_now(lambda: (one if isinstance(one, BadLine) else line_of(one) for one in read_servicenow(path)), NOW_MS),
        connection={"bootstrap.servers": broker.bootstrap_servers},
        codec=Codec(),
        now_ms=NOW_MS,
    )
    assert report.is_complete
    assert report.by_topic == {"cs.tickets": 3332}
    assert max(record.timestamp_ms for record in read_everything(broker)) == NOW_MS


def test_missing_topics_are_all_named() -> None:
    with EmbeddedBroker() as empty:
        empty.create_topic("cs.tickets", 1)
        with pytest.raises(PublishError, match=r"missing topics: cs\.usage, cs\.surveys, cs\.accounts, cs\.ticks\."):
            publish([], connection={"bootstrap.servers": empty.bootstrap_servers}, codec=Codec(), now_ms=NOW_MS)


def test_topics_that_are_not_copartitioned_are_refused() -> None:
    with EmbeddedBroker() as uneven:
        for topic in INPUT_TOPICS:
            uneven.create_topic(topic, 2 if topic == "cs.usage" else 1)
        with pytest.raises(PublishError, match=r"cs\.tickets has 1, cs\.usage has 2"):
            publish([], connection={"bootstrap.servers": uneven.bootstrap_servers}, codec=Codec(), now_ms=NOW_MS)


def test_records_that_the_broker_refuses_are_counted_as_failed(broker: EmbeddedBroker) -> None:
    message_size_too_large, produce = 10, 0
    broker.fail_requests(produce, [message_size_too_large])
    ticket = TicketEvent(event_id="a", customer_id="c", occurred_at=NOW_MS, kind="opened", ticket_id="t")
    report = publish([line_of(ticket)], connection={"bootstrap.servers": broker.bootstrap_servers}, codec=Codec(), now_ms=NOW_MS)
    assert (report.sent, report.failed) == (0, 1)
    assert "cs.tickets: not delivered" in report.examples["failed"]
