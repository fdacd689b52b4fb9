import msgspec
import pytest
from confluent_kafka import murmur2

from schemas.codec import Codec
from schemas.events import SurveyEvent, Tick, TicketEvent
from schemas.jsonlines import Line
from schemas.records import FleetPartial
from streams.publish import PublishError, Ready, Refusal, Report, prepare, publish
from streams.sources.lines import line_of

NOW_MS = 1_767_225_600_000
DAY_MS = 86_400_000
CODEC = Codec()
TICKET = TicketEvent(event_id="a", customer_id="Zoë", occurred_at=NOW_MS - 5_000, kind="opened", ticket_id="t")


def refused(line: Line) -> Refusal:
    result = prepare(line, CODEC, 4, NOW_MS)
    assert isinstance(result, Refusal)
    return result


def test_a_record_gets_its_customers_partition_its_own_timestamp_and_its_headers() -> None:
    line = msgspec.structs.replace(line_of(TICKET, NOW_MS), headers=[("source", b"desk")], partition=99)
    ready = prepare(line, CODEC, 4, NOW_MS)
    assert isinstance(ready, Ready)
    key = "Zoë".encode()
    assert (ready.topic, ready.key, ready.partition) == ("cs.tickets", key, murmur2(key, 4))
    assert (ready.timestamp_ms, ready.headers) == (NOW_MS, [("source", b"desk")])
    assert CODEC.decode(ready.topic, ready.value) == TICKET


@pytest.mark.parametrize(("age_days", "is_sent"), [(400, True), (401, False)])
def test_what_is_older_than_the_retention_is_refused_with_a_word_why(age_days: int, is_sent: bool) -> None:
    result = prepare(line_of(TICKET, NOW_MS - age_days * DAY_MS), CODEC, 4, NOW_MS)
    assert isinstance(result, Ready) == is_sent
    if isinstance(result, Refusal):
        assert result.reason == "older_than_retention"
        assert "401 days old, and cs.tickets keeps 400 days" in result.message
        assert "--shift-to-now" in result.message


def test_a_topic_without_a_retention_takes_any_age() -> None:
    assert isinstance(prepare(line_of(TICKET, 0), CODEC, 4, NOW_MS, retention=lambda _: None), Ready)


@pytest.mark.parametrize(("ahead_ms", "is_sent"), [(600_000, True), (600_001, False)])
def test_a_timestamp_further_ahead_than_the_topic_allows_is_refused(ahead_ms: int, is_sent: bool) -> None:
    result = prepare(line_of(TICKET, NOW_MS + ahead_ms), CODEC, 4, NOW_MS)
    assert isinstance(result, Ready) == is_sent


def test_a_key_that_is_not_the_customer_is_refused() -> None:
    line = msgspec.structs.replace(line_of(TICKET, NOW_MS), key=b"someone")
    assert refused(line).reason == "key_mismatch"
    assert "'Zoë'" in refused(line).message


def test_a_tick_goes_to_its_own_partition_and_no_further() -> None:
    tick = Line(topic="cs.ticks", timestamp_ms=NOW_MS, value=Tick(occurred_at=NOW_MS, partition=3, config_version=1))
    ready = prepare(tick, CODEC, 4, NOW_MS)
    assert isinstance(ready, Ready)
    assert ready.partition == 3
    assert prepare(tick, CODEC, 3, NOW_MS) == Refusal(
        reason="misrouted", message="cs.ticks: a tick of partition 3; the topics have 3"
    )


def test_an_output_is_not_published() -> None:
    partial = FleetPartial(
        partition=0,
        incarnation="x",
        sequence=1,
        as_of=1,
        emitted_at=None,
        config_version=1,
        figure="f",
        dimension="",
        bucket=None,
        counts=[1],
    )
    result = refused(Line(topic="cs.fleet-partials", timestamp_ms=NOW_MS, value=partial))
    assert result.reason == "not_an_input"


def test_what_the_pipeline_would_not_read_for_its_size_is_refused() -> None:
    survey = SurveyEvent(
        event_id="a",
        customer_id="c",
        occurred_at=NOW_MS,
        kind="answered",
        survey="csat",
        score=1,
        scale="good_bad",
        comment="x" * 70_000,
    )
    assert refused(line_of(survey)).reason == "too_large"


def test_a_report_is_complete_only_when_everything_arrived() -> None:
    assert Report(sent=3).is_complete
    assert not Report(refused={"future": 1}).is_complete
    assert not Report(failed=1).is_complete
    assert not Report(bad_lines=1).is_complete


def test_no_broker_is_said_so(unused_tcp_port: int) -> None:
    with pytest.raises(PublishError, match=f"no broker answers at 127.0.0.1:{unused_tcp_port}"):
        publish(
            [], connection={"bootstrap.servers": f"127.0.0.1:{unused_tcp_port}"}, codec=CODEC, now_ms=NOW_MS, broker_timeout_s=0.5
        )
